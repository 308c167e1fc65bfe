import { defineCommand } from '../../commands/define-command.ts'
import { listSockets } from '../../daemon/index.ts'
import { DaemonConnection, type WireMap } from '../../ipc/index.ts'
import { askStatus, findDaemon } from './find-daemon.ts'

/** One daemon; every member but `running` is null when none runs. */
export interface DaemonStatus {
  readonly running: boolean
  readonly pid: number | null
  readonly ipc_endpoint: string | null
  readonly repository: string | null
  readonly version: string | null
  readonly protocol: number | null
  readonly started_ts: number | null
  readonly idle_timeout_secs: number | null
  readonly connections: number | null
  /** Unfinished. */
  readonly requests: number | null
  readonly requests_total: number | null
  readonly rss_bytes: number | null
  readonly log: string | null
}

export interface DaemonList {
  readonly daemons: readonly DaemonStatus[]
}

export type DaemonStatusData = DaemonStatus | DaemonList

export const daemonStatus = defineCommand({
  name: 'daemon status',
  summary: 'Show whether a daemon runs here, and what it does',
  examples: [
    { command: 'grite daemon status', explains: 'the daemon of this repository' },
    { command: 'grite daemon status --all', explains: 'every daemon of this user on this machine' },
  ],
  effect: 'reads',
  arguments: {},
  options: { all: { type: 'boolean', short: 'a', summary: 'List every daemon of this user, of any repository' } },
  async run(context, { all }): Promise<{ readonly data: DaemonStatusData }> {
    if (all) return { data: { daemons: await listDaemons() } }
    const { paths } = await context.repository()
    const found = await findDaemon(paths)
    if (found === undefined) return { data: notRunning }
    try {
      return { data: describe(await askStatus(found.connection)) }
    } finally {
      found.connection.close()
    }
  },
})

const notRunning: DaemonStatus = {
  running: false,
  pid: null,
  ipc_endpoint: null,
  repository: null,
  version: null,
  protocol: null,
  started_ts: null,
  idle_timeout_secs: null,
  connections: null,
  requests: null,
  requests_total: null,
  rss_bytes: null,
  log: null,
}

function describe(status: WireMap): DaemonStatus {
  const textOf = (name: string) => (typeof status[name] === 'string' ? (status[name] as string) : null)
  const numberOf = (name: string) => (typeof status[name] === 'number' ? (status[name] as number) : null)
  return {
    running: true,
    pid: numberOf('pid'),
    ipc_endpoint: textOf('socket'),
    repository: textOf('repository'),
    version: textOf('version'),
    protocol: numberOf('protocol'),
    started_ts: numberOf('started_unix_ms'),
    idle_timeout_secs: numberOf('idle_timeout_s'),
    connections: numberOf('connections'),
    requests: numberOf('requests'),
    requests_total: numberOf('requests_total'),
    rss_bytes: numberOf('rss_bytes'),
    log: textOf('log'),
  }
}

/** One after the other: a daemon that hangs delays the answer, and is left out. */
async function listDaemons(): Promise<DaemonStatus[]> {
  const daemons: DaemonStatus[] = []
  for (const socket of listSockets()) {
    const connection = await DaemonConnection.open(socket, '').catch(() => undefined)
    if (connection === undefined) continue
    try {
      daemons.push(describe(await askStatus(connection)))
    } catch {
      // Suspended: the pid is the first part of the name of the socket.
      const pid = Number(/(\d+)-[0-9a-f]+\.sock$/.exec(socket)?.[1])
      daemons.push({ ...notRunning, running: true, pid: Number.isNaN(pid) ? null : pid, ipc_endpoint: socket })
    } finally {
      connection.close()
    }
  }
  return daemons
}
