import { setTimeout as sleep } from 'node:timers/promises'
import { defineCommand } from '../../commands/define-command.ts'
import { isOwnerDead } from '../../git/index.ts'
import { ask, type Endpoint } from '../../ipc/index.ts'
import { findDaemon } from './find-daemon.ts'

/** A daemon finishes its running requests first. Milliseconds. */
const stopMsMax = 15_000
const pollMs = 20

export interface DaemonStopData {
  readonly stopped: boolean
  readonly pid: number | null
  readonly reason: 'not running' | 'still finishing requests' | null
}

export const daemonStop = defineCommand({
  name: 'daemon stop',
  summary: 'Stop the daemon of this repository',
  description: 'It finishes its running requests first. The next command may start another, see `grite daemon start`.',
  examples: [{ command: 'grite daemon stop', explains: 'and wait until it has ended' }],
  effect: 'sets',
  arguments: {},
  options: {},
  async run(context): Promise<{ readonly data: DaemonStopData }> {
    const { paths } = await context.repository()
    const found = await findDaemon(paths)
    if (found === undefined) return { data: { stopped: false, pid: null, reason: 'not running' } }
    const { connection, endpoint } = found
    await connection.ask(ask.stop)
    connection.close()
    const stopped = await hasEnded(endpoint)
    return { data: { stopped, pid: endpoint.pid, reason: stopped ? null : 'still finishing requests' } }
  },
})

async function hasEnded(endpoint: Endpoint): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < stopMsMax; waitedMs += pollMs) {
    if (isOwnerDead(endpoint)) return true
    await sleep(pollMs)
  }
  return false
}
