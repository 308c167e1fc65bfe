/** Which keys of a view are in which rows file. */

/** Keys that begin with `name`. */
export interface RowsFamily {
  readonly name: string
  /** The values are bytes, not text. */
  readonly isBinary: boolean
}

const text = (name: string): RowsFamily => ({ name, isBinary: false })

/** What a command reads: lists, or the events of single issues, too. */
export type RowsUse = 'lists' | 'events'

export interface RowsPart {
  /** In the `level` folder. */
  readonly fileName: string
  readonly families: readonly RowsFamily[]
}

/** The rows of lists. */
export const issueRows = 'issue_row/'

/** What lists need. */
export const listPart: RowsPart = {
  fileName: 'rows',
  families: [
    ...['meta/', issueRows, 'dep_forward/', 'label_index/', 'assignee_index/', 'state_index/', 'dep_reverse/'],
    ...['alias/', 'import_edge/', 'actor/', 'actor_card/', 'card_event/', 'context_project/'],
  ].map(text),
}

/** The list as text, beside the file for lists. */
export const listFileName = 'rows.list'

/** What single issues need besides. Their states are folded from their events. */
export const eventsPart: RowsPart = {
  fileName: 'rows.events',
  families: [text('issue_events/'), { name: 'event/', isBinary: true }],
}

export const rowsParts: readonly RowsPart[] = [listPart, eventsPart]

const familiesByName = new Map(rowsParts.flatMap(({ families }) => families.map((family) => [family.name, family])))

/** The family of a key; undefined for keys that the rows files do not have. */
export function rowsFamilyOf(key: Buffer): RowsFamily | undefined {
  return familiesByName.get(key.latin1Slice(0, key.indexOf('/') + 1))
}

/** Issues of a view that has both files. */
export const rowsIssuesMax = 2000
/** Up to this size, without its changes, any write may rewrite a file. Bytes. */
export const rowsBytesMax = 1024 * 1024
/** Changes after which a file is rewritten, or given up. Bytes. */
export const rowsChangesBytesMax = 128 * 1024

/** Issues of a view that has a file for lists. */
export const largeRowsIssuesMax = 20_000
/** Size of such a file without its changes. Only a process that reads most of the view writes one. */
export const largeRowsBytesMax = 16 * 1024 * 1024
