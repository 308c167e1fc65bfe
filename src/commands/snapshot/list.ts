import type { RefName } from '../../git/index.ts'
import { readSnapshot } from '../../tracker/snapshots/read-snapshot.ts'
import { describeDifference, SnapshotTrust, type SnapshotVerdict } from '../../tracker/snapshots/snapshot-trust.ts'
import { findTrackedSnapshots, listSnapshots, snapshotTimeOf } from '../../wal/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { headerOption } from '../header-option.ts'

/** Anyone who can push can create thousands of snapshots; only the newest matter. */
const listedMax = 200

interface ListedSnapshot {
  readonly oid: string | null
  readonly timestamp: number
  readonly ref_name: string
  readonly event_count: number | null
  readonly chunk_count: number | null
  readonly wal_head: string | null
  /** Null when the ref does not hold a snapshot. */
  readonly verdict: SnapshotVerdict | null
  readonly problem: string | null
}

export const snapshotList = defineCommand({
  name: 'snapshot list',
  summary: 'List the snapshots, newest first',
  description:
    `Lists the newest ${listedMax}. Damaged snapshots, and refs that hold none, are listed with the reason. Each snapshot has a verdict:\n` +
    '  own        made by this clone\n' +
    '  checked    compared with the log; matches it\n' +
    '  signed     signed with the key of an actor of the log\n' +
    '  unchecked  will be checked on first use\n' +
    '  refused    omits or adds events; never used',
  examples: [{ command: 'grite snapshot list', explains: 'times, sizes and verdicts' }],
  served: true,
  effect: 'reads',
  arguments: {},
  options: headerOption,
  async run(context) {
    const repository = await context.repository()
    const { git } = repository
    const trust = new SnapshotTrust(repository)
    const snapshots: ListedSnapshot[] = []
    const noteBroken = (ref: RefName, problem: string) => {
      const [oid, event_count, chunk_count, wal_head, verdict] = [null, null, null, null, null]
      const row = { oid, timestamp: snapshotTimeOf(ref), ref_name: ref }
      snapshots.push({ ...row, event_count, chunk_count, wal_head, verdict, problem })
    }
    const rows = await listSnapshots(git, noteBroken)
    for (const row of rows.slice(0, listedMax)) {
      const { snapshot, problem } = await readSnapshot(git, row)
      const standing = snapshot === null ? null : await trust.find(snapshot)
      snapshots.push({
        oid: row.oid,
        timestamp: row.timestamp,
        ref_name: row.ref,
        event_count: snapshot?.eventCount ?? null,
        chunk_count: snapshot?.chunks.length ?? null,
        wal_head: snapshot?.walHead ?? null,
        verdict: standing?.verdict ?? null,
        problem: standing?.verdict === 'refused' ? describeDifference(standing) : problem,
      })
    }
    const total = snapshots.length + Math.max(0, rows.length - listedMax)
    const refused = await findRefusedThere()
    return { data: { snapshots, total, ...(refused.length === 0 ? {} : { refused_on_remotes: refused }) } }

    async function findRefusedThere() {
      const here = new Set(rows.map(({ oid }) => oid))
      const there = new Map((await findTrackedSnapshots(git)).map((one) => [one.oid, one.ref]))
      return [...there].flatMap(([oid, ref_name]) => {
        const standing = trust.recall(oid)
        const isRefused = standing.verdict === 'refused' && !here.has(oid)
        return isRefused ? [{ oid, ref_name, problem: describeDifference(standing) }] : []
      })
    }
  },
})

export type SnapshotListInput = GivenInput<typeof snapshotList>
export type SnapshotListData = DataOf<typeof snapshotList>
