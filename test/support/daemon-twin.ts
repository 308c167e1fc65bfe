/** Sandboxes whose commands go through a daemon, for tests that know nothing of it. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ask, DaemonConnection, endpointName, readEndpoint, type WireMap } from '../../src/ipc/index.ts'
import { endDaemons } from '../daemon/end-daemons.ts'
import { type CleanUp, createSandbox, type Sandbox } from '../git/temp-repository.ts'
import { lastFirst } from './last-first.ts'

const gritePath = fileURLToPath(new URL('../../dist/grite.cjs', import.meta.url))

/** Requests that the daemons of ended sandboxes have served. */
let served = 0

/** Fails the process of the test at its end, when all sandboxes are gone, unless so many requests were served. */
export function requireServedByTwins(countMin: number): void {
  process.once('exit', () => {
    if (served >= countMin) return
    console.error(`only ${served} requests were served by daemons; expected ${countMin}`)
    process.exitCode = 1
  })
}

const tried = new Set<string>()

export function createTwinSandbox(t: CleanUp): Sandbox {
  const cleanUp = lastFirst(t)
  const sandbox = createSandbox(cleanUp)
  cleanUp.after(async () => {
    served += await countRequests(sandbox.dir)
    await endDaemons(sandbox.dir)
  })
  return { ...sandbox, environment: { ...sandbox.environment, GRITE_NO_DAEMON: '' } }
}

/** Starts the daemon of a repository in a twin before its first command. */
export function startTwinOnce({ environment }: Pick<Sandbox, 'environment'>, path: string): void {
  if (environment.GRITE_NO_DAEMON !== '' || process.env.GRITE_TEST_TWIN !== 'daemon' || tried.has(path)) return
  tried.add(path)
  // A repository that a daemon cannot serve is served without.
  spawnSync(process.execPath, [gritePath, 'daemon', 'start'], { cwd: path, env: environment, timeout: 30_000 })
}

/** What the daemons of the repositories in a folder say. */
async function countRequests(folder: string): Promise<number> {
  let count = 0
  for (const name of readdirSync(folder)) {
    const endpoint = readEndpoint(join(folder, name, '.git/grite', endpointName() ?? ''))
    if (endpoint === undefined) continue
    const connection = await DaemonConnection.open(endpoint.socket, '').catch(() => undefined)
    const status = await connection?.ask(ask.status).catch(() => undefined)
    connection?.close()
    count += Number((status as WireMap | undefined)?.requests_total ?? 0)
  }
  return count
}
