import type { Oid } from '../../git/index.ts'
import { findPromisor } from '../../git/index.ts'
import { UnusableSnapshotError } from '../../model/index.ts'
import { findTrackedSnapshots, listSnapshots, readSnapshot, requireSnapshotOf, type Snapshot } from '../../wal/index.ts'
import { readSnapshot as readWhatItSays, reasonOf } from '../snapshots/read-snapshot.ts'
import { describeDifference, isTrusted, SnapshotTrust } from '../snapshots/snapshot-trust.ts'
import { type Check, count, idsListedMax, notLookedAt, ok } from './check.ts'
import type { DoctorScene } from './examination.ts'

/** The newest ones that are looked at. */
const looksMax = 100

/**
 * Of every snapshot what it says of itself, and of the newest that a rebuild would use, every event; it is compared with
 * the log where that has not been done.
 */
export const snapshots: Check = {
  id: 'snapshots',
  async look(scene) {
    const { repository } = scene
    const { git } = repository
    const log = await scene.log()
    if (log === null) return notLookedAt('the log cannot be read')
    const unusable: { ref: string; oid: string | null; reason: string }[] = []
    const rows = await listSnapshots(git, (ref, reason) => void unusable.push({ ref, oid: null, reason }))
    const trust = new SnapshotTrust(repository)
    // A partial clone leaves the events of snapshots at its remote.
    let isNewest = findPromisor(repository.layout) === undefined
    const unread = new Set((await scene.unreadRefs()).map(({ ref }) => ref))
    for (const row of rows.slice(0, looksMax)) {
      // It is another check's.
      if (unread.has(row.ref)) continue
      const { snapshot, problem } = await readWhatItSays(git, row)
      const reason = problem ?? (await findFault(scene, trust, snapshot, { head: log.head, isNewest }))
      if (reason === null) isNewest = false
      else unusable.push({ ref: row.ref, oid: row.oid, reason })
    }
    const here = new Set(rows.map(({ oid }) => oid))
    for (const { ref, oid } of await findTrackedSnapshots(git)) {
      const standing = trust.recall(oid)
      if (standing.verdict !== 'refused' || here.has(oid)) continue
      unusable.push({ ref, oid, reason: `on a remote: ${describeDifference(standing)}` })
    }
    if (unusable.length === 0) return ok(count(rows.length, 'snapshot'))
    const [first] = unusable
    return {
      status: 'warn',
      message: `${count(unusable.length, 'snapshot is', 'snapshots are')} of no use: ${first?.ref}: ${first?.reason}`,
      plan: [
        'a rebuild passes such a snapshot over and reads the log; `grite snapshot create` makes a new one',
        'collecting old snapshots deletes those that differ from the log, here and on the remotes',
      ],
      details: { snapshot_count: unusable.length, snapshots: unusable.slice(0, idsListedMax) },
    }
  },
}

async function findFault(
  { repository: { git } }: DoctorScene,
  trust: SnapshotTrust,
  snapshot: Snapshot,
  { head, isNewest }: { readonly head: Oid | null; readonly isNewest: boolean },
): Promise<string | null> {
  if (head === null) return 'there is no log that it could be of'
  try {
    await requireSnapshotOf(git, snapshot, head)
    const standing = isNewest ? await trust.judge(snapshot, { remember: false }) : await trust.find(snapshot)
    if (standing.verdict === 'refused') return describeDifference(standing)
    // Reading it to its end verifies it.
    if (isNewest && isTrusted(standing.verdict)) for await (const _segments of readSnapshot(git, snapshot));
    return null
  } catch (error) {
    if (error instanceof UnusableSnapshotError) return reasonOf(error)
    throw error
  }
}
