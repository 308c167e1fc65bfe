/**
 * Comments and links that store keys of a beads line. The first line of a comment names its key; the rest is the value.
 *
 * | event                                          | key                                   |
 * | `<author> wrote (beads comment <id>):` + text  | one entry of `comments`               |
 * | `Closed because (beads close_reason):` + text  | `close_reason`                        |
 * | `Notes (beads notes):` + text                  | `notes`                               |
 * | `Design (beads design):` + text                | `design`                              |
 * | `Acceptance criteria (beads acceptance_criteria):` + text | `acceptance_criteria`      |
 * | `Other beads fields:` + a line for each        | every key without its own event       |
 * | link with note `beads external_ref`            | `external_ref`                        |
 * | link `beads:<original id>`, note = the word    | a relation unknown to grite           |
 */
import { compareText, type EventBody, importedFieldsHeader } from '../model/index.ts'
import { formatCanonicalJson } from './canonical-json.ts'

/** A key with at most one value per line, though the log may hold several: the newest counts. */
export type Slot = TextSlot | 'external_ref' | 'others'

/** Keys stored as a comment. */
export type TextSlot = 'close_reason' | 'notes' | 'design' | 'acceptance_criteria'

const slotHeaders = {
  close_reason: 'Closed because (beads close_reason):',
  notes: 'Notes (beads notes):',
  design: 'Design (beads design):',
  acceptance_criteria: 'Acceptance criteria (beads acceptance_criteria):',
  others: importedFieldsHeader,
} as const satisfies Partial<Record<Slot, string>>

const externalRefNote = 'beads external_ref'

/** The comment that stores a text key. */
export function formatSlotComment(slot: TextSlot, text: string): EventBody {
  return { type: 'CommentAdded', body: `${slotHeaders[slot]}\n${text}` }
}

/** The comment that stores every key without its own event: one line each, sorted by key. */
export function formatOthersComment(others: Readonly<Record<string, unknown>>): EventBody {
  const lines = Object.entries(others)
    .sort(([left], [right]) => compareText(left, right))
    .map(([key, value]) => `${formatKey(key)}: ${formatValue(value)}`)
  return { type: 'CommentAdded', body: `${slotHeaders.others}\n${lines.length === 0 ? noLines : lines.join('\n')}` }
}

const noLines = 'none'

/** Whether such a comment is empty. Written only to replace an earlier one with content. */
export function isEmptyOthers(body: EventBody): boolean {
  return body.type === 'CommentAdded' && body.body === `${slotHeaders.others}\n${noLines}`
}

function formatKey(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(key) ? key : formatCanonicalJson(key)
}

/** Text that cannot be mistaken for JSON is stored unchanged. */
function formatValue(value: unknown): string {
  const isPlain = typeof value === 'string' && plainText.test(value) && value.isWellFormed() && !jsonWords.has(value)
  return isPlain ? value : formatCanonicalJson(value)
}

const plainText = /^[A-Za-z](?:[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*[^\u0000-\u0020\u007f-\u00a0\u2028\u2029])?$/
const jsonWords = new Set(['true', 'false', 'null'])

/** The link that stores `external_ref`. */
export function formatExternalRef(url: string): EventBody {
  return { type: 'LinkAdded', url, note: externalRefNote }
}

/** The link that stores the word of a relation. */
export function formatRelationLink(originalId: string, word: string): EventBody {
  return { type: 'LinkAdded', url: `beads:${originalId}`, note: word }
}

/** The slot that an event of the import actor fills; undefined for any other event. */
export function slotOf(body: EventBody): Slot | undefined {
  if (body.type === 'LinkAdded') return body.note === externalRefNote ? 'external_ref' : undefined
  if (body.type !== 'CommentAdded') return undefined
  const lineEnd = body.body.indexOf('\n')
  const header = body.body.slice(0, lineEnd)
  return lineEnd < 0 ? undefined : slotNames.find((slot) => slotHeaders[slot] === header)
}

const slotNames = Object.keys(slotHeaders) as (keyof typeof slotHeaders)[]

/** The comment that stores one comment of the tracker. A missing or multi-line author is replaced by a plain one. */
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

/** Whether author, id and text can be read back from the comment. */
export function commentIsExact({ author, id }: CommentWords): boolean {
  return id !== undefined && plainId.test(id) && author !== '' && author === author.trim().replaceAll(/\s+/g, ' ')
}
