/** The built command line with its daemon, in a sandbox whose daemons end with the test. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, DaemonConnection, type Endpoint, endpointName, readEndpoint, type WireMap } from '../../src/ipc/index.ts'
import { createGriteSandbox, type GriteSandbox, griteIn } from '../contract/grite-process.ts'
import type { CleanUp } from '../git/temp-repository.ts'
import { lastFirst } from '../support/last-first.ts'
import { endDaemons } from './end-daemons.ts'

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

/** Whether a process is there and not only waiting to be collected. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
