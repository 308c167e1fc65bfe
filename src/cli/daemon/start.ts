import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineCommand } from '../../commands/define-command.ts'
import { daemonLogPath } from '../../daemon/index.ts'
import { spawnDaemon, wireNumber, wireText } from '../../ipc/index.ts'
import { InvalidArgsError, IpcError } from '../../model/errors/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { readRepoConfig } from '../../tracker/local/repo-config.ts'
import { openSharedRepository, type SharedRepository } from '../../tracker/shared-repository.ts'
import { askStatus, type FoundDaemon, findDaemon } from './find-daemon.ts'

/** A daemon that has not answered after this time has failed. Milliseconds. */
const startMsMax = 5_000
const pollMs = 25
/** One day. Seconds. */
const idleTimeoutMax = 86_400

export interface DaemonStartData {
  readonly started: boolean
  readonly pid: number
  readonly endpoint: string
  readonly idle_timeout_secs: number
  readonly repository: string
  readonly log: string
  /** Why it was not started; null if it was. */
  readonly reason: 'already running' | null
  /** Of a daemon in the foreground: why it ended. */
  readonly ended: string | null
}

export const daemonStart = defineCommand({
  name: 'daemon start',
  summary: 'Start the daemon of this repository',
  description: [
    'A daemon keeps the view open and answers commands in a few milliseconds. It changes nothing else: output, exit status and log ' +
      'are the same without it. You need not start it: a command starts one in the background for the next ones, unless ' +
      'CI or GRITE_NO_DAEMON=1 is set, --no-daemon is given, or `daemon.autospawn` is false.',
    '',
    'It ends after five minutes without a request (`daemon.idle_timeout`), and when the repository is gone. It never uses ' +
      'the network, and writes only what a command asks for.',
  ].join('\n'),
  examples: [
    { command: 'grite daemon start', explains: 'in the background' },
    { command: 'grite daemon start --foreground --idle-timeout 0', explains: 'for a service manager' },
  ],
  effect: 'sets',
  arguments: {
    directory: { summary: 'A directory in the repository; default the current one', optional: true, completes: 'file' },
  },
  options: {
    foreground: { type: 'boolean', summary: 'Serve in this process, until Ctrl-C' },
    'idle-timeout': {
      type: 'count',
      valueName: 'seconds',
      summary: 'End after this time without a request; 0 for never',
    },
  },
  async run(context, { directory, foreground, idleTimeout }) {
    if (idleTimeout !== undefined && idleTimeout > idleTimeoutMax) {
      throw new InvalidArgsError(`--idle-timeout must be at most ${idleTimeoutMax} seconds, got ${idleTimeout}`, {
        details: { field: 'idle-timeout', value: idleTimeout, allowed: `0 to ${idleTimeoutMax}` },
      })
    }
    const cwd = resolve(context.cwd, directory ?? '.')
    const { env, warn } = context
    // It stays open while nobody else wants it.
    const shared = await openSharedRepository(cwd, { env, warn, viewIdleMs: 24 * 3_600_000 })
    try {
      const idleSeconds = idleTimeout ?? (await readRepoConfig(shared.paths.config)).daemon.idleTimeout
      const present = await findDaemon(shared.paths)
      if (present !== undefined) return { data: await describe(present, 'already running') }
      if (foreground) {
        if (context.serve === undefined) throw new TypeError('only the command line can serve')
        const served = await context.serve({ shared, idleSeconds })
        return { data: { ...served, idle_timeout_secs: idleSeconds, repository: shared.layout.commonDir } }
      }
      return { data: await startInBackground(context, shared, cwd, idleTimeout) }
    } finally {
      await shared.close()
    }
  },
})

async function describe({ connection }: FoundDaemon, reason: DaemonStartData['reason']): Promise<DaemonStartData> {
  const { pid, socket, idle_timeout_s, repository, log } = await askStatus(connection)
  connection.close()
  return {
    started: reason === null,
    pid: wireNumber(pid),
    endpoint: wireText(socket),
    idle_timeout_secs: wireNumber(idle_timeout_s),
    repository: wireText(repository),
    log: wireText(log),
    reason,
    ended: null,
  }
}

async function startInBackground(
  { env, clock }: CommandContext,
  shared: SharedRepository,
  directory: string,
  idleTimeout: number | undefined,
): Promise<DaemonStartData> {
  const pid = spawnDaemon({ program: process.argv[1] ?? '', directory, env, idleTimeout })
  const endsAtMs = clock.nowUnixMs() + startMsMax
  for (;;) {
    const found = await findDaemon(shared.paths)
    if (found !== undefined) return describe(found, found.endpoint.pid === pid ? null : 'already running')
    if (pid === undefined || clock.nowUnixMs() > endsAtMs) break
    await sleep(pollMs)
  }
  throw new IpcError(`the daemon did not start within ${startMsMax} ms`, {
    details: { log: daemonLogPath(shared.paths.home) },
    hints: ['Run `grite daemon start --foreground` to see why', 'Run `grite daemon logs`'],
  })
}
