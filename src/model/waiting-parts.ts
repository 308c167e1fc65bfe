import type { IssueId } from './ids.ts'

export interface ParentFacts {
  /** Null without a parent. */
  readonly parentOf: (id: IssueId) => IssueId | null
  /** Whether the issue itself keeps its parts waiting. */
  readonly isWaiting: (id: IssueId) => boolean
}

/**
 * Returns a test whether a parent of an issue, at any distance, is waiting. Each issue is visited once, whatever chains and
 * cycles the parents form.
 */
export function findWaitingParents({ parentOf, isWaiting }: ParentFacts): (id: IssueId) => boolean {
  const known = new Map<IssueId, boolean>()
  return (id) => {
    const path: IssueId[] = []
    let result: boolean | undefined
    for (let at: IssueId | null = id; result === undefined && at !== null; ) {
      result = known.get(at)
      if (result !== undefined) break
      // Until it is decided, so that a cycle ends.
      known.set(at, false)
      path.push(at)
      const parent: IssueId | null = parentOf(at)
      if (parent !== null && isWaiting(parent)) result = true
      at = parent
    }
    for (const each of path) known.set(each, result ?? false)
    return result ?? false
  }
}
