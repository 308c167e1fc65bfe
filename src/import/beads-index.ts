import { deriveBeadsIssueId, type IssueId } from '../model/index.ts'
import type { EdgeTarget } from './beads-facts.ts'
import type { BeadsIssue } from './beads-line.ts'

/** The first pass's memory of a file: ids and times, no texts. */
export interface BeadsIndex {
  /** The newest issue of the file with this original id. */
  findTarget(originalId: string): EdgeTarget | undefined
  /** Ids that edges refer to but the file does not contain. */
  findMissingTargets(): string[]
  /** Whether the file contains an issue with this original id. */
  isInFile(originalId: string): boolean
  /** Whether this line decides its issue: the newest line does, the last of several equally new ones. */
  decidesIssue(issue: BeadsIssue, lineNumber: number): boolean
  /** Whether several lines are about this issue. */
  isRepeated(issue: BeadsIssue): boolean
}

interface Group {
  readonly count: number
  readonly updatedAtMs: number
  readonly lineNumber: number
}

/** Collects an index; call `add` for every importable line. */
export function collectBeadsIndex({ includeTombstones }: { readonly includeTombstones: boolean }): BeadsIndex & {
  add(issue: BeadsIssue, lineNumber: number): void
} {
  const targets = new Map<string, { readonly createdAtMs: number; readonly isTombstone: boolean }>()
  const groups = new Map<string, Group>()
  const named = new Set<string>()
  const isInFile = (originalId: string): boolean => {
    const target = targets.get(originalId)
    return target !== undefined && (includeTombstones || !target.isTombstone)
  }
  return {
    add(issue, lineNumber) {
      const group = groups.get(keyOf(issue))
      const winner = group !== undefined && group.updatedAtMs > issue.updatedAtMs ? group : { ...issue, lineNumber }
      const { updatedAtMs } = winner
      groups.set(keyOf(issue), { count: (group?.count ?? 0) + 1, updatedAtMs, lineNumber: winner.lineNumber })
      for (const { dependsOnId } of issue.dependencies) named.add(dependsOnId)
      const known = targets.get(issue.id)
      if (known !== undefined && known.createdAtMs > issue.createdAtMs) return
      if (winner === group) return
      targets.set(issue.id, { createdAtMs: issue.createdAtMs, isTombstone: issue.status === 'tombstone' })
    },
    findTarget(originalId) {
      const target = targets.get(originalId)
      if (target === undefined) return undefined
      const issueId: IssueId = deriveBeadsIssueId(originalId, target.createdAtMs)
      return { outcome: isInFile(originalId) ? 'imported' : 'tombstone', issueId }
    },
    findMissingTargets: () => [...named].filter((originalId) => !isInFile(originalId)),
    isInFile,
    decidesIssue: (issue, lineNumber) => groups.get(keyOf(issue))?.lineNumber === lineNumber,
    isRepeated: (issue) => (groups.get(keyOf(issue))?.count ?? 0) > 1,
  }
}

function keyOf({ id, createdAtMs }: BeadsIssue): string {
  return `${id}\0${createdAtMs}`
}
