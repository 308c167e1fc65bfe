import type { GitPort, OnBrokenRef, RefName } from '../../git/index.ts'
import { UnusableSnapshotError } from '../../model/index.ts'
import { listSnapshots, openSnapshot, type Snapshot, type SnapshotRef, snapshotTimeOf } from '../../wal/index.ts'
import { defineCommand } from '../define-command.ts'

export const snapshotList = defineCommand({
  name: 'snapshot list',
  summary: 'List the snapshots, newest first',
  description:
    'What is not a snapshot, or a damaged one, is listed with the reason. Events are verified when they are used.',
  examples: [{ command: 'grite snapshot list', explains: 'when they were made, and how much they hold' }],
  arguments: {},
  options: {},
  async run(context) {
    const { git } = await context.repository()
    const snapshots = []
    const noteBroken = (ref: RefName, problem: string) => {
      const [event_count, chunk_count, wal_head] = [null, null, null]
      const row = { oid: null, timestamp: snapshotTimeOf(ref), ref_name: ref }
      snapshots.push({ ...row, event_count, chunk_count, wal_head, problem })
    }
    for (const { row, snapshot, problem } of await readSnapshots(git, noteBroken)) {
      snapshots.push({
        oid: row.oid,
        timestamp: row.timestamp,
        ref_name: row.ref,
        event_count: snapshot?.eventCount ?? null,
        chunk_count: snapshot?.chunks.length ?? null,
        wal_head: snapshot?.walHead ?? null,
        problem,
      })
    }
    return { data: { snapshots, total: snapshots.length } }
  },
})

/** A snapshot's ref, and what it names: a snapshot, or the reason why it is none. */
export type ReadSnapshot =
  | { readonly row: SnapshotRef; readonly snapshot: Snapshot; readonly problem: null }
  | { readonly row: SnapshotRef; readonly snapshot: null; readonly problem: string }

/**
 * All snapshots with what they say of themselves, newest first.
 * @param onBroken - is told of refs that name no object, which are left out
 */
export async function readSnapshots(git: GitPort, onBroken: OnBrokenRef = () => {}): Promise<readonly ReadSnapshot[]> {
  const read: ReadSnapshot[] = []
  for (const row of await listSnapshots(git, onBroken)) read.push(await readOne(git, row))
  return read
}

async function readOne(git: GitPort, row: SnapshotRef): Promise<ReadSnapshot> {
  try {
    return { row, snapshot: await openSnapshot(git, row), problem: null }
  } catch (error) {
    if (!(error instanceof UnusableSnapshotError)) throw error
    return { row, snapshot: null, problem: error.reason }
  }
}
