/**
 * Comments and links that stand for a key of a beads line. A first line tells what a comment is; the rest is the value.
 *
 * | event                                          | key                                   |
 * | `<author> wrote (beads comment <id>):` + text  | one entry of `comments`               |
 * | `Closed because (beads close_reason):` + text  | `close_reason`                        |
 * | `Notes (beads notes):` + text                  | `notes`                               |
 * | `Design (beads design):` + text                | `design`                              |
 * | `Acceptance criteria (beads acceptance_criteria):` + text | `acceptance_criteria`      |
 * | `Other beads fields:` + a line for each        | every key that has no event of its own |
 * | link with note `beads external_ref`            | `external_ref`                        |
 * | link `beads:<original id>`, note = the word    | a relation that grite has no word for |
 */
import { compareText, type EventBody, importedFieldsHeader } from '../model/index.ts'
import { formatCanonicalJson } from './canonical-json.ts'

/** What a line has at most one of, though the log may hold several: the newest is the one that counts. */
export type Slot = TextSlot | 'external_ref' | 'others'

/** Keys whose text is a comment. */
export type TextSlot = 'close_reason' | 'notes' | 'design' | 'acceptance_criteria'

const slotHeaders = {
  close_reason: 'Closed because (beads close_reason):',
  notes: 'Notes (beads notes):',
  design: 'Design (beads design):',
  acceptance_criteria: 'Acceptance criteria (beads acceptance_criteria):',
  others: importedFieldsHeader,
} as const satisfies Partial<Record<Slot, string>>

const externalRefNote = 'beads external_ref'

/** The comment that holds a text key. */
export function formatSlotComment(slot: TextSlot, text: string): EventBody {
  return { type: 'CommentAdded', body: `${slotHeaders[slot]}\n${text}` }
}

/** The comment that holds every key without an event of its own: a line for each, by key. */
export function formatOthersComment(others: Readonly<Record<string, unknown>>): EventBody {
  const lines = Object.entries(others)
    .sort(([left], [right]) => compareText(left, right))
    .map(([key, value]) => `${formatKey(key)}: ${formatValue(value)}`)
  return { type: 'CommentAdded', body: `${slotHeaders.others}\n${lines.length === 0 ? noLines : lines.join('\n')}` }
}

const noLines = 'none'

/** Whether a comment of that sort says that nothing is left. Written only to replace one that said something. */
export function isEmptyOthers(body: EventBody): boolean {
  return body.type === 'CommentAdded' && body.body === `${slotHeaders.others}\n${noLines}`
}

function formatKey(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(key) ? key : formatCanonicalJson(key)
}

/** A text that nobody can take for JSON stands as it is. */
function formatValue(value: unknown): string {
  const isPlain = typeof value === 'string' && plainText.test(value) && value.isWellFormed() && !jsonWords.has(value)
  return isPlain ? value : formatCanonicalJson(value)
}

const plainText = /^[A-Za-z](?:[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*[^\u0000-\u0020\u007f-\u00a0\u2028\u2029])?$/
const jsonWords = new Set(['true', 'false', 'null'])

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
  const what = id !== undefined && plainId.test(id) ? `beads comment ${id}` : 'beads comment'
  return { type: 'CommentAdded', body: `${name} wrote (${what}):\n${text}` }
}

export interface CommentWords {
  readonly author: string
  readonly id: string | undefined
  readonly text: string
}

/** Numbers in old trackers, UUIDs in new ones. */
const plainId = /^[A-Za-z0-9._-]{1,64}$/

/** Tells whether author, id and text can be read back from the comment. */
export function commentIsExact({ author, id }: CommentWords): boolean {
  return id !== undefined && plainId.test(id) && author !== '' && author === author.trim().replaceAll(/\s+/g, ' ')
}
