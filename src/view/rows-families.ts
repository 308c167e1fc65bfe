/** Which keys of a view are in which rows file. */

/** Keys that begin with `name`. */
export interface RowsFamily {
  readonly name: string
  /** The values are bytes, not text. */
  readonly isBinary: boolean
  /** Few keys, most of which every reader needs: they are read together. */
  readonly isSmall: boolean
}

const text = (name: string): RowsFamily => ({ name, isBinary: false, isSmall: name === 'meta/' })

export interface RowsPart {
  /** In the `level` folder. */
  readonly fileName: string
  readonly families: readonly RowsFamily[]
}

/** What lists need. */
export const listPart: RowsPart = {
  fileName: 'rows',
  families: [
    ...['meta/', 'issue_row/', 'dep_forward/', 'label_index/', 'assignee_index/', 'state_index/', 'dep_reverse/'],
    ...['alias/', 'import_edge/', 'actor/', 'actor_card/', 'card_event/', 'context_project/'],
  ].map(text),
}

/** What single issues need besides. Their states are folded from their events. */
export const eventsPart: RowsPart = {
  fileName: 'rows.events',
  families: [text('issue_events/'), { name: 'event/', isBinary: true, isSmall: false }],
}

export const rowsParts: readonly RowsPart[] = [listPart, eventsPart]

/** Issues of a repository that has rows files. */
export const rowsIssuesMax = 2000
/** Size of a rows file without its changes, and thereby the most that one write rewrites. */
export const rowsBytesMax = 1024 * 1024
/** Changes after which a file is written anew. */
export const rowsChangesBytesMax = 128 * 1024
