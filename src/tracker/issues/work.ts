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
  const rows = new Map<IssueId, RowText>()
  for (const row of await view.allRowTexts()) rows.set(row.issueId, row)
  const blockers = findBlockers(await view.allDependencies(), (id) => rows.get(id)?.state)
  return {
    rows,
    blockersOf: (id) => blockers.get(id) ?? [],
    heldUp: [...blockers].filter(([, all]) => isBlocked(all)).map(([id]) => id),
  }
}

export function unknownBlockers(blockers: readonly Blocker[]): IssueId[] {
  return blockers.filter(({ isKnown }) => !isKnown).map(({ issueId }) => issueId)
}
