// A program that tests of the daemon run: a daemon of the sources, for the clients of the built program, that may kill itself
// or have a clock of its own.
import { readFileSync } from 'node:fs'
import { runServedLine } from '../../src/cli/served-line.ts'
import { type DaemonLimits, daemonLogPath, openDaemonLog, startDaemon } from '../../src/daemon/index.ts'
import { openSharedRepository } from '../../src/tracker/shared-repository.ts'
import { type DieAt, dieInPublish, dieInView } from './die-at.ts'

export interface DaemonOrder {
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  /** A file with the id of the build that its clients are of. */
  readonly buildFile: string
  readonly limits?: Partial<DaemonLimits>
  readonly idleMs?: number
  readonly dieAt?: DieAt
  /** The clock jumps by so much once this file is there. */
  readonly clockJump?: { readonly file: string; readonly ms: number }
}

const order = JSON.parse(process.argv[2] ?? '') as DaemonOrder
const { cwd, environment, limits = {}, idleMs = 0, dieAt, clockJump } = order
dieInView(dieAt)
const shared = await openSharedRepository(cwd, {
  env: environment,
  warn: () => {},
  viewIdleMs: 24 * 3_600_000,
  gitOptions: { hooks: { at: dieInPublish(dieAt) } },
})
const interrupted = new AbortController()
process.once('SIGTERM', () => interrupted.abort())

function nowUnixMs(): number {
  return Date.now() + (clockJump !== undefined && isThere(clockJump.file) ? clockJump.ms : 0)
}

function isThere(file: string): boolean {
  try {
    readFileSync(file)
    return true
  } catch {
    return false
  }
}

const daemon = await startDaemon({
  ...{ shared, env: environment, limits, idleMs, runLine: runServedLine, interrupted: interrupted.signal },
  version: '0.0.0',
  build: readFileSync(order.buildFile, 'utf8').trim(),
  log: openDaemonLog(daemonLogPath(shared.paths.home)),
  clock: { nowUnixMs },
  random: { bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) },
})
process.title = `grite daemon ${shared.layout.commonDir}`
if (!('ended' in daemon)) process.exit(3)
process.stdout.write('ready\n')
await daemon.ended
process.exit(0)
