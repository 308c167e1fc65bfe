import { type Blocker, edgesOfList, findBlockers, findWaiting, type IssueId } from '../../model/index.ts'
import { issueIdsIn, openListedRows, type UnparsedRow, type View } from '../../view/index.ts'

/** All issues and the blockers of those that wait. */
export interface Work extends AllRows {
  /** Undefined for an unknown issue. */
  readonly find: (id: IssueId) => UnparsedRow | undefined
  readonly blockersOf: (id: IssueId) => readonly Blocker[]
  readonly unknownBlockersOf: (id: IssueId) => readonly IssueId[]
  /** Open issues with an open blocker. */
  readonly heldUp: ReadonlySet<IssueId>
  /** Open issues with an unknown blocker. */
  readonly unsure: ReadonlySet<IssueId>
}

interface AllRows {
  /** By creation, ties by id, if `list` is known; otherwise by id. */
  readonly rows: readonly UnparsedRow[]
  /** The text of the list that the rows were read from. */
  readonly list: string | undefined
  readonly openRows: () => readonly UnparsedRow[]
}

export async function readWork(view: View): Promise<Work> {
  // LevelDB reads the one while we work on the other.
  const [{ rows, list, openRows }, lists] = await Promise.all([readAllRows(view), view.allEdgeLists()])
  let known: ReadonlyMap<IssueId, UnparsedRow> | undefined
  const find = (id: IssueId) => {
    known ??= byId(rows, list !== undefined)
    return known.get(id)
  }
  const { heldUp, unsure } = findWaiting(lists, find)
  let blockers: ReadonlyMap<IssueId, readonly Blocker[]> | undefined
  const blockersOf = (id: IssueId) => {
    blockers ??= findBlockers(lists.flatMap(edgesOfList), find)
    return blockers.get(id) ?? []
  }
  return {
    ...{ rows, list, openRows, find, blockersOf, heldUp, unsure },
    unknownBlockersOf: (id) => (unsure.has(id) ? blockersOf(id).flatMap(unknownId) : []),
  }
}

async function readAllRows(view: View): Promise<AllRows> {
  const listed = view.listText()
  const list = listed?.json.toString('utf8')
  const rows = list === undefined ? await view.allRowTexts() : openListedRows(list)
  const isOpen = ({ state }: UnparsedRow) => state === 'open'
  const areAllOpen = listed !== undefined && listed.openCount === listed.count
  return { rows, list, openRows: () => (areAllOpen ? rows : rows.filter(isOpen)) }
}

function byId(rows: readonly UnparsedRow[], areListed: boolean): ReadonlyMap<IssueId, UnparsedRow> {
  const known = new Map<IssueId, UnparsedRow>()
  const ids = areListed ? issueIdsIn(rows.map(({ listed }) => listed as string)) : rows.map(({ issueId }) => issueId)
  for (const [index, row] of rows.entries()) known.set(ids[index] as IssueId, row)
  return known
}

function unknownId({ issueId, isKnown }: Blocker): IssueId[] {
  return isKnown ? [] : [issueId]
}
