import type { Oid } from '../port.ts'
import { collectCommits, metadataBytesMax, type ReadObject, readState } from '../walk-history.ts'

/** Like `GitPort.isAncestor`. */
export async function isAncestorInProcess(
  read: ReadObject,
  ancestor: Oid,
  descendant: Oid,
  shallow: ReadonlySet<Oid>,
): Promise<boolean> {
  if (!(await holdsBoth(read, ancestor, descendant))) return false
  return (await collectCommits(read, [descendant], new Set(), shallow)).has(ancestor)
}

/** Like `GitPort.findMergeBase`: a common ancestor that no other common ancestor descends from. */
export async function findMergeBaseInProcess(
  read: ReadObject,
  left: Oid,
  right: Oid,
  shallow: ReadonlySet<Oid>,
): Promise<Oid | null> {
  if (!(await holdsBoth(read, left, right))) return null
  const ofLeft = await collectCommits(read, [left], new Set(), shallow)
  // The walk from the right stops where it meets the left's history; the rest is behind these commits.
  const beforeMeeting = await collectCommits(read, [right], new Set(ofLeft.keys()), shallow)
  const meetings = new Set<Oid>()
  for (const oid of ofLeft.has(right) ? [right] : [...beforeMeeting.values()].flat())
    if (ofLeft.has(oid)) meetings.add(oid)
  for (const candidate of [...meetings].sort()) {
    const behind = ofLeft.get(candidate) ?? []
    for (const oid of (await collectCommits(read, behind, new Set(), shallow)).keys()) meetings.delete(oid)
  }
  return [...meetings].sort()[0] ?? null
}

async function holdsBoth(read: ReadObject, left: Oid, right: Oid): Promise<boolean> {
  const states = await Promise.all([left, right].map((oid) => readState(read, oid, metadataBytesMax)))
  return states.every((state) => typeof state !== 'string')
}
