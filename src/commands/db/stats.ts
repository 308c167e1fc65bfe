import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { countObjects, reachableBytes } from '../../git/index.ts'
import { inspectStreamsOf } from '../../tracker/streams/inspect.ts'
import { readRebuildAdvice } from '../../tracker/sync/rebuild-advice.ts'
import { snapshotPrefix, walRef } from '../../wal/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

export const dbStats = defineCommand({
  name: 'db stats',
  summary: 'Show counts and sizes of log, streams, view and objects',
  description:
    'Sizes are bytes on disk. Loose objects and packs are counted for the whole repository, including those of your code. ' +
    'git packs loose objects from time to time; `git maintenance run` does so at once.',
  examples: [{ command: 'grite db stats --json', explains: 'for a script' }],
  served: true,
  effect: 'reads',
  arguments: {},
  options: {},
  async run(context) {
    const repository = await context.repository()
    const { git } = repository
    const view = await repository.view()
    const path = repository.paths.viewLevels((await repository.findActor())?.actor.id)
    const advice = await readRebuildAdvice(view, context.clock.nowUnixMs())
    const head = await git.readRef(walRef)
    const log = head === null ? [] : [head]
    const snapshots = (await git.listRefs(snapshotPrefix, () => {})).map(({ oid }) => oid)
    const streams = await inspectStreamsOf(repository)
    const streamHeads = streams.streams.map(({ head }) => head)
    const [counts, logBytes, snapshotBytes, streamBytes, viewBytes] = await Promise.all([
      countObjects(git),
      reachableBytes(git, log),
      reachableBytes(git, snapshots, log),
      reachableBytes(git, streamHeads),
      sizeOf(path),
    ])
    return {
      data: {
        path,
        size_bytes: viewBytes,
        event_count: view.eventCount,
        issue_count: view.issueCount,
        last_rebuild_ts: advice.rebuiltUnixMs,
        events_since_rebuild: advice.eventsSince,
        days_since_rebuild: advice.daysSince,
        rebuild_recommended: advice.isRecommended,
        wal_head: view.head,
        view_bytes: viewBytes,
        log_bytes: logBytes,
        snapshot_count: snapshots.length,
        snapshot_bytes: snapshotBytes,
        stream_count: streamHeads.length,
        stream_bytes: streamBytes,
        journal_count: streams.journalCount,
        journal_bytes: streams.journalBytes,
        unsealed_records: streams.unsealedRecords,
        loose_objects: counts.looseObjects,
        loose_bytes: counts.looseBytes,
        pack_count: counts.packs,
        pack_bytes: counts.packBytes,
      },
    }
  },
})

export type DbStatsInput = GivenInput<typeof dbStats>
export type DbStatsData = DataOf<typeof dbStats>

async function sizeOf(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => [])
  const sizes = await Promise.all(
    entries.filter((entry) => entry.isFile()).map((entry) => fileSize(join(entry.parentPath, entry.name))),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function fileSize(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0
}
