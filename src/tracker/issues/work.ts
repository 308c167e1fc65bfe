import { type Blocker, edgesOfList, findBlockers, findWaiting, type IssueId } from '../../model/index.ts'
import type { RowText, View } from '../../view/index.ts'

/** All issues and the blockers of those that wait. */
export interface Work {
  /** By id. */
  readonly rows: ReadonlyMap<IssueId, RowText>
  readonly blockersOf: (id: IssueId) => readonly Blocker[]
  readonly unknownBlockersOf: (id: IssueId) => readonly IssueId[]
  /** Open issues with an open blocker. */
  readonly heldUp: ReadonlySet<IssueId>
}

export async function readWork(view: View): Promise<Work> {
  // LevelDB reads the one while we work on the other.
  const [texts, lists] = await Promise.all([view.allRowTexts(), view.allEdgeLists()])
  const rows = new Map<IssueId, RowText>()
  for (const row of texts) rows.set(row.issueId, row)
  const find = (id: IssueId) => rows.get(id)
  const { heldUp, unsure } = findWaiting(lists, find)
  let blockers: ReadonlyMap<IssueId, readonly Blocker[]> | undefined
  const blockersOf = (id: IssueId) => {
    blockers ??= findBlockers(lists.flatMap(edgesOfList), find)
    return blockers.get(id) ?? []
  }
  return {
    rows,
    blockersOf,
    unknownBlockersOf: (id) => (unsure.has(id) ? blockersOf(id).flatMap(unknownId) : []),
    heldUp,
  }
}

function unknownId({ issueId, isKnown }: Blocker): IssueId[] {
  return isKnown ? [] : [issueId]
}
