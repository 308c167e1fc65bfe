import type { Oid } from '../../git/index.ts'
import { findPromisor } from '../../git/index.ts'
import { UnusableSnapshotError } from '../../model/index.ts'
import { findTrackedSnapshots, listSnapshots, readSnapshot, requireSnapshotOf, type Snapshot } from '../../wal/index.ts'
import { readSnapshot as readWhatItSays, reasonOf } from '../snapshots/read-snapshot.ts'
import { describeDifference, isTrusted, SnapshotTrust } from '../snapshots/snapshot-trust.ts'
import { type Check, count, idsListedMax, notChecked, ok } from './check.ts'
import type { Examination } from './examination.ts'

/** Maximum number of snapshots checked, newest first. */
const looksMax = 100

/**
 * Checks the metadata of every snapshot, and every event of the newest one that a rebuild would use; compares that one
 * with the log if that has not been done yet.
 */
export const snapshots: Check = {
  id: 'snapshots',
  async look(examination) {
    const { repository } = examination
    const { git } = repository
    const log = await examination.log()
    if (log === null) return notChecked('the log cannot be read')
    const unusable: { ref: string; oid: string | null; reason: string }[] = []
    const rows = await listSnapshots(git, (ref, reason) => void unusable.push({ ref, oid: null, reason }))
    const trust = new SnapshotTrust(repository)
    // In a partial clone, the events of snapshots are on its remote.
    let isNewest = findPromisor(repository.layout) === undefined
    const unread = new Set((await examination.unreadRefs()).map(({ ref }) => ref))
    for (const row of rows.slice(0, looksMax)) {
      // Reported by another check.
      if (unread.has(row.ref)) continue
      const { snapshot, problem } = await readWhatItSays(git, row)
      const reason = problem ?? (await findFault(examination, trust, snapshot, { head: log.head, isNewest }))
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
      message: `${count(unusable.length, 'snapshot is', 'snapshots are')} unusable: ${first?.ref}: ${first?.reason}`,
      plan: [
        'a rebuild skips such a snapshot and reads the log; run `grite snapshot create` to create a new one',
        '`grite snapshot gc` deletes snapshots that differ from the log, here and on the remotes',
      ],
      details: { snapshot_count: unusable.length, snapshots: unusable.slice(0, idsListedMax) },
    }
  },
}

async function findFault(
  { repository: { git } }: Examination,
  trust: SnapshotTrust,
  snapshot: Snapshot,
  { head, isNewest }: { readonly head: Oid | null; readonly isNewest: boolean },
): Promise<string | null> {
  if (head === null) return 'there is no log'
  try {
    await requireSnapshotOf(git, snapshot, head)
    const standing = isNewest ? await trust.judge(snapshot, { remember: false }) : await trust.find(snapshot)
    if (standing.verdict === 'refused') return describeDifference(standing)
    // Reading it to the end verifies it.
    if (isNewest && isTrusted(standing.verdict)) for await (const _segments of readSnapshot(git, snapshot));
    return null
  } catch (error) {
    if (error instanceof UnusableSnapshotError) return reasonOf(error)
    throw error
  }
}
