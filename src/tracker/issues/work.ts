import { type Blocker, findBlockers, type IssueId, isBlocked } from '../../model/index.ts'
import type { RowText, View } from '../../view/index.ts'

/** All issues and the blockers of those that wait. */
export interface Work {
  /** By id. */
  readonly rows: ReadonlyMap<IssueId, RowText>
  readonly blockersOf: (id: IssueId) => readonly Blocker[]
  /** Open issues with an open blocker. */
  readonly heldUp: readonly IssueId[]
}

export async function readWork(view: View): Promise<Work> {
  // LevelDB reads the one while we work on the other.
  const [texts, edges] = await Promise.all([view.allRowTexts(), view.allDependencies()])
  const rows = new Map<IssueId, RowText>()
  for (const row of texts) rows.set(row.issueId, row)
  const blockers = findBlockers(edges, (id) => rows.get(id))
  return {
    rows,
    blockersOf: (id) => blockers.get(id) ?? [],
    heldUp: [...blockers].filter(([, all]) => isBlocked(all)).map(([id]) => id),
  }
}

export function unknownBlockers(blockers: readonly Blocker[]): IssueId[] {
  return blockers.filter(({ isKnown }) => !isKnown).map(({ issueId }) => issueId)
}
