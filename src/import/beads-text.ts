/**
 * Comments and links that stand for a key of a beads line. A first line tells what a comment is; the rest is the value.
 *
 * | event                                          | key                                   |
 * | `<author> wrote (beads comment <id>):` + text  | one entry of `comments`               |
 * | `Closed because (beads close_reason):` + text  | `close_reason`                        |
 * | `Notes (beads notes):` + text                  | `notes`                               |
 * | `Other beads fields:` + canonical JSON         | every key that has no event of its own |
 * | link with note `beads external_ref`            | `external_ref`                        |
 * | link `beads:<original id>`, note = the word    | a relation that grite has no word for |
 */
import type { EventBody } from '../model/index.ts'
import { formatCanonicalJson } from './canonical-json.ts'

/** What a line has at most one of, though the log may hold several: the newest is the one that counts. */
export type Slot = 'close_reason' | 'notes' | 'external_ref' | 'others'

const slotHeaders = {
  close_reason: 'Closed because (beads close_reason):',
  notes: 'Notes (beads notes):',
  others: 'Other beads fields:',
} as const satisfies Partial<Record<Slot, string>>

const externalRefNote = 'beads external_ref'

/** The comment that holds a text key. */
export function formatSlotComment(slot: 'close_reason' | 'notes', text: string): EventBody {
  return { type: 'CommentAdded', body: `${slotHeaders[slot]}\n${text}` }
}

/** The comment that holds every key without an event of its own. */
export function formatOthersComment(others: Readonly<Record<string, unknown>>): EventBody {
  return { type: 'CommentAdded', body: `${slotHeaders.others}\n${formatCanonicalJson(others)}` }
}

/** The link that holds `external_ref`. */
export function formatExternalRef(url: string): EventBody {
  return { type: 'LinkAdded', url, note: externalRefNote }
}

/** The link that keeps the word of a relation. */
export function formatRelationLink(originalId: string, word: string): EventBody {
  return { type: 'LinkAdded', url: `beads:${originalId}`, note: word }
}

/** The slot that an event of the import actor fills, undefined for one that fills none. */
export function slotOf(body: EventBody): Slot | undefined {
  if (body.type === 'LinkAdded') return body.note === externalRefNote ? 'external_ref' : undefined
  if (body.type !== 'CommentAdded') return undefined
  const lineEnd = body.body.indexOf('\n')
  const header = body.body.slice(0, lineEnd)
  return lineEnd < 0 ? undefined : slotNames.find((slot) => slotHeaders[slot] === header)
}

const slotNames = Object.keys(slotHeaders) as (keyof typeof slotHeaders)[]

/** The comment that holds one comment of the tracker. An author without a name, or with several lines, gets a plain one. */
export function formatComment({ author, id, text }: CommentWords): EventBody {
  const name = author.trim().replaceAll(/\s+/g, ' ') || 'somebody'
  const what = id === undefined ? 'beads comment' : `beads comment ${id}`
  return { type: 'CommentAdded', body: `${name} wrote (${what}):\n${text}` }
}

export interface CommentWords {
  readonly author: string
  readonly id: number | undefined
  readonly text: string
}

/** Tells whether author, id and text can be read back from the comment. */
export function commentIsExact({ author, id }: CommentWords): boolean {
  return id !== undefined && author !== '' && author === author.trim().replaceAll(/\s+/g, ' ')
}
