import type { GitPort, RefUpdate } from '../../git/index.ts'
import { deletionOf, remotesPrefix } from '../ref-names.ts'
import type { NamedSnapshot } from './plan-snapshot-refs.ts'

/**
 * Deletes snapshots here, and notes for each remote that is known to have one that it is to be deleted there too: without
 * that the next fetch would bring it back. All in one transaction, or nothing.
 *
 * @returns how many deletions on remotes that leaves to the next syncs
 * @throws {RefMovedError} when one of them is not any more what it was
 */
export async function deleteSnapshots(git: GitPort, snapshots: readonly NamedSnapshot[]): Promise<number> {
  if (snapshots.length === 0) return 0
  const oidOf = new Map(snapshots.map(({ ref, oid }) => [ref, oid]))
  // One that is broken says nothing of what the remote has.
  const known = await git.listRefs(remotesPrefix, () => {})
  const noted = new Map(known.map(({ ref, oid }) => [ref, oid]))
  const notes = known.flatMap(({ ref: tracking, oid }): RefUpdate[] => {
    const there = deletionOf(tracking)
    // What the remote has under this name may be somebody else's.
    if (there === undefined || oidOf.get(there.ref) !== oid) return []
    const expected = noted.get(there.deletion) ?? null
    return [{ ref: there.deletion, expected, next: oid, reflogMessage: 'grite: to be deleted there' }]
  })
  const deletions = snapshots.map(
    ({ ref, oid }): RefUpdate => ({ ref, expected: oid, next: null, reflogMessage: 'grite: snapshot gc' }),
  )
  await git.publish({ objects: [], updates: [...notes, ...deletions] })
  return notes.length
}
