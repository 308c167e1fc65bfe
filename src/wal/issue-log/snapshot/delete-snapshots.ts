import type { GitPort, RefUpdate } from '../../../git/index.ts'
import { deletionOf, remotesPrefix } from '../../ref-names.ts'
import type { NamedSnapshot } from './plan-snapshot-refs.ts'

/** The snapshots that the last fetches found on any remote, by their names there. */
export async function findTrackedSnapshots(git: GitPort): Promise<readonly NamedSnapshot[]> {
  // A broken ref says nothing about its remote.
  const known = await git.listRefs(remotesPrefix, () => {})
  return known.flatMap(({ ref, oid }) => {
    const there = deletionOf(ref)
    return there === undefined ? [] : [{ ref: there.ref, oid }]
  })
}

/**
 * Deletes snapshots here, and records a pending deletion for each remote known to have one: otherwise the next fetch
 * would restore it. All in one transaction, or nothing.
 *
 * @param onlyThere - snapshots to delete on remotes only
 * @returns the number of pending deletions on remotes, left to the next syncs
 * @throws {RefMovedError} when one of them has moved
 */
export async function deleteSnapshots(
  git: GitPort,
  snapshots: readonly NamedSnapshot[],
  onlyThere: readonly NamedSnapshot[] = [],
): Promise<number> {
  if (snapshots.length + onlyThere.length === 0) return 0
  const wanted = new Set([...snapshots, ...onlyThere].map(nameOf))
  // A broken ref says nothing about the remote.
  const known = await git.listRefs(remotesPrefix, () => {})
  const noted = new Map(known.map(({ ref, oid }) => [ref, oid]))
  const notes = known.flatMap(({ ref: tracking, oid }): RefUpdate[] => {
    const there = deletionOf(tracking)
    // The remote may have another snapshot under this name.
    if (there === undefined || !wanted.has(nameOf({ ref: there.ref, oid }))) return []
    const expected = noted.get(there.deletion) ?? null
    return [{ ref: there.deletion, expected, next: oid, reflogMessage: 'grite: to be deleted there' }]
  })
  const deletions = snapshots.map(
    ({ ref, oid }): RefUpdate => ({ ref, expected: oid, next: null, reflogMessage: 'grite: snapshot gc' }),
  )
  await git.publish({ objects: [], updates: [...notes, ...deletions] })
  return notes.length
}

const nameOf = ({ ref, oid }: NamedSnapshot): string => `${ref} ${oid}`
