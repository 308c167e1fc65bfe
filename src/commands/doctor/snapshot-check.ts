import type { Oid } from '../../git/index.ts'
import { UnusableSnapshotError } from '../../model/index.ts'
import { readSnapshot, requireSnapshotOf, type Snapshot } from '../../wal/index.ts'
import { readSnapshots } from '../snapshot/list.ts'
import { findPromisor } from '../sync/hydrate.ts'
import { type Check, count, idsListedMax, notLookedAt, ok } from './check.ts'
import type { DoctorScene } from './scene.ts'

/** Of every snapshot what it says of itself, and of the newest, which a rebuild would take, every event. */
export const snapshots: Check = {
  id: 'snapshots',
  async look(scene) {
    const log = await scene.log()
    if (log === null) return notLookedAt('the log cannot be read')
    const unusable: { ref: string; reason: string }[] = []
    const read = await readSnapshots(scene.repository.git, (ref, reason) => void unusable.push({ ref, reason }))
    // A partial clone leaves the events of snapshots at its remote.
    let isNewest = findPromisor(scene.repository.layout) === undefined
    const unread = new Set((await scene.unreadRefs()).map(({ ref }) => ref))
    for (const { row, snapshot, problem } of read) {
      // It is another check's.
      if (unread.has(row.ref)) continue
      const reason = problem ?? (await findFault(scene, snapshot, { head: log.head, isNewest }))
      if (reason === null) isNewest = false
      else unusable.push({ ref: row.ref, reason })
    }
    if (unusable.length === 0) return ok(count(read.length, 'snapshot'))
    return {
      status: 'warn',
      message: `${count(unusable.length, 'snapshot is', 'snapshots are')} of no use: ${unusable[0]?.ref}: ${unusable[0]?.reason}`,
      plan: ['a rebuild passes such a snapshot over and reads the log; `grite snapshot create` makes a new one'],
      details: { snapshot_count: unusable.length, snapshots: unusable.slice(0, idsListedMax) },
    }
  },
}

async function findFault(
  { repository: { git } }: DoctorScene,
  snapshot: Snapshot,
  { head, isNewest }: { readonly head: Oid | null; readonly isNewest: boolean },
): Promise<string | null> {
  if (head === null) return 'there is no log that it could be of'
  try {
    await requireSnapshotOf(git, snapshot, head)
    // Reading it to its end verifies it.
    if (isNewest) for await (const _segments of readSnapshot(git, snapshot));
    return null
  } catch (error) {
    if (error instanceof UnusableSnapshotError) return error.reason
    throw error
  }
}
