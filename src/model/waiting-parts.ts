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

/**
 * Whether an issue is a part of another one, at any distance. An issue that waits for its own parts does not keep them
 * waiting.
 */
export function isPartOf(part: IssueId, whole: IssueId, parentOf: ParentFacts['parentOf']): boolean {
  const seen = new Set<IssueId>()
  for (let at = parentOf(part); at !== null && !seen.has(at); at = parentOf(at)) {
    if (at === whole) return true
    seen.add(at)
  }
  return false
}
