/** The built command line with its daemon, in a sandbox whose daemons end with the test. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, DaemonConnection, type Endpoint, endpointName, readEndpoint, type WireMap } from '../../src/ipc/index.ts'
import { createGriteSandbox, type GriteSandbox, griteIn } from '../contract/grite-process.ts'
import type { CleanUp } from '../git/temp-repository.ts'
import { lastFirst } from './last-first.ts'

/** Milliseconds. */
const startMsMax = 15_000

export interface DaemonSandbox extends GriteSandbox {
  /** The endpoint of the daemon; undefined when no file names one. */
  endpoint(): Endpoint | undefined
  /** The endpoint, once a daemon that a command has started is there. */
  started(): Promise<Endpoint>
  /** Whether a command has begun to start a daemon. */
  isStarting(): boolean
  /** Starts a daemon and waits for it. */
  startDaemon(): Endpoint
  status(): Promise<WireMap>
  /** How many requests the daemon serves while this runs. */
  countServed(work: () => unknown): Promise<number>
  /** Runs grite as a daemon would find it: with the environment that the tests of everything else take away. */
  in(path: string): GriteSandbox
}

export function createDaemonSandbox(t: CleanUp, ...init: readonly string[]): DaemonSandbox {
  const cleanUp = lastFirst(t)
  const made = createGriteSandbox(cleanUp, ...init)
  cleanUp.after(() => endDaemons(made.dir))
  return daemonsIn({ ...made, environment: { ...made.environment, GRITE_NO_DAEMON: '' } }, made.path)
}

/** A repository elsewhere in a sandbox. */
export function daemonsIn(sandbox: GriteSandbox, path: string): DaemonSandbox {
  const place = griteIn(sandbox, path)
  const file = join(path, '.git/grite', endpointName() ?? '')
  const endpoint = () => readEndpoint(file)
  const requireEndpoint = () => {
    const found = endpoint()
    if (found === undefined) throw new Error('no daemon is there')
    return found
  }
  const status = async () => {
    const connection = await DaemonConnection.open(requireEndpoint().socket, '', 10_000)
    try {
      return (await connection.ask(ask.status)) as WireMap
    } finally {
      connection.close()
    }
  }
  return {
    ...place,
    endpoint,
    isStarting: () => existsSync(`${file}.start`),
    async started() {
      for (const endMs = performance.now() + startMsMax; performance.now() < endMs; await sleep(20)) {
        const found = endpoint()
        if (found !== undefined) return found
      }
      throw new Error('no daemon has started')
    },
    startDaemon() {
      place.data('daemon', 'start')
      return requireEndpoint()
    },
    status,
    async countServed(work) {
      const before = (await status()).requests_total as number
      await work()
      // Less the second question.
      return ((await status()).requests_total as number) - before - 1
    },
    in: (other) => griteIn(sandbox, other),
  }
}

/** Ends the daemons of all repositories below a folder, also those that are about to start. Linux only. */
export async function endDaemons(folder: string): Promise<void> {
  for (let round = 0; ; round++) {
    const left = daemonsBelow(folder)
    if (left.length === 0) return
    for (const pid of left) signal(pid, round < 100 ? 'SIGTERM' : 'SIGKILL')
    await sleep(20)
  }
}

/** Pids of the daemons of all repositories below a folder. */
export function daemonsBelow(folder: string): number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const words = commandLine(pid)
      return words.includes(folder) && /^grite daemon |\0daemon\0start\0--foreground\0/.test(words)
    })
    .map(Number)
}

export function commandLine(pid: number | string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended.
  }
}

/** Whether a process is there and not only waiting to be collected. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
