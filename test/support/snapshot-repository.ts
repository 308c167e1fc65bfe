/** A repository for tests of snapshots, with functions that fill its log. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Oid } from '../../src/git/index.ts'
import { makeDueSnapshot } from '../../src/tracker/snapshots/make-due-snapshot.ts'
import { trackingRef } from '../../src/wal/index.ts'
import { createCommandSandbox } from './command-runner.ts'
import { batchOf, comment, creation, issueId } from './log.ts'
import { writeLog } from './snapshots.ts'

export interface CreatedSnapshot {
  readonly oid: string
  readonly snapshot_ref: string
  readonly created_ts: number
  readonly wal_head: string
  readonly event_count: number
  readonly local_wal_head: string
}

export interface ListedSnapshots {
  readonly snapshots: readonly {
    readonly ref_name: string
    readonly timestamp: number
    readonly problem: string | null
  }[]
  readonly total: number
}

export const startMs = 1_800_000_000_000

/** Creates a repository with its clock fixed at `startMs`; `pass` moves the clock. */
export function createSnapshotRepository(t: TestContext) {
  let nowUnixMs = startMs
  const sandbox = createCommandSandbox(t, { nowUnixMs: () => nowUnixMs })
  const { git, path, run, withRepository, warnings } = sandbox
  const a = issueId('a0')
  return {
    ...sandbox,
    /** Appends one commit per count, with that many events. */
    append: (...counts: readonly number[]) =>
      withRepository(({ git: port }) =>
        writeLog(
          port,
          counts.map((count) => batchOf([creation(a), ...Array.from({ length: count - 1 }, () => comment(a, 'x'))])),
        ),
      ),
    create: async (input: { local?: boolean } = {}) => (await run('snapshot create', input)) as CreatedSnapshot,
    names: async () =>
      ((await run('snapshot list')) as ListedSnapshots).snapshots.map(({ timestamp }) => timestamp - startMs),
    /** Sets the tracking ref of a remote. */
    track: (remote: string, ref: string, oid: string) => git(path, 'update-ref', trackingRef(remote, ref), oid),
    refs: (prefix: string) => git(path, 'for-each-ref', '--format=%(refname) %(objectname)', prefix),
    pass: (ms: number) => {
      nowUnixMs += ms
    },
    takeWarnings: () => warnings.splice(0).map(({ code }) => code),
    configure: (text: string) => {
      mkdirSync(join(path, '.git/grite'), { recursive: true })
      writeFileSync(join(path, '.git/grite/config.toml'), text)
    },
    due: (head: string) =>
      withRepository((repository) =>
        makeDueSnapshot(
          repository,
          {
            clock: { nowUnixMs: () => nowUnixMs },
            warn: (warning) => void warnings.push(warning),
            progress: () => ({ isShown: false, report() {}, end() {} }),
          },
          head as Oid,
        ),
      ),
  }
}
