/** Serves a repository in this process until the daemon ends. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Daemon, daemonLogPath, openDaemonLog, startDaemon } from '../../daemon/index.ts'
import type { CommandContext, Served, ServeRequest } from '../../tracker/effects.ts'
import { makeFolder } from '../../tracker/local/write-file-atomically.ts'
import { runServedLine } from '../served-line.ts'
import { version } from '../version.ts'

export async function serve(context: CommandContext, { shared, idleSeconds }: ServeRequest): Promise<Served> {
  const { clock, random, env, interrupted } = context
  const { home, permissions } = shared.paths
  await makeFolder(home, permissions)
  const log = openDaemonLog(daemonLogPath(home))
  const daemon = await startDaemon({
    ...{ shared, env, version, log, clock, random, interrupted, program: process.argv[1] },
    idleMs: idleSeconds * 1000,
    runLine: runServedLine,
    rest: openRest(),
  })
  if (!('ended' in daemon)) {
    const { runningPid, runningSocket } = daemon
    return {
      started: false,
      pid: runningPid,
      endpoint: runningSocket,
      log: log.path,
      reason: 'already running',
      ended: null,
    }
  }
  process.title = `grite daemon ${shared.layout.commonDir}`
  const ended = await runUntilEnd(daemon)
  return { started: true, pid: process.pid, endpoint: daemon.socket, log: log.path, reason: null, ended }
}

/** Collects garbage: V8 by itself waits until it needs room. */
function openRest(): () => void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  return collect
}

/** The current directory would keep a file system in use. */
async function runUntilEnd(daemon: Daemon): Promise<string> {
  process.chdir('/')
  const leave = (error: unknown) => {
    daemon.stop(`crash: ${error instanceof Error ? error.message : 'unknown'}`)
    throw error
  }
  process.once('uncaughtException', leave)
  try {
    return await daemon.ended
  } finally {
    process.off('uncaughtException', leave)
  }
}
