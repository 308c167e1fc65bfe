/** Sandboxes whose commands go through a daemon, for tests that know nothing of it. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readTextIfThere } from '../../src/cli/daemon/read-text-if-there.ts'
import { endDaemons } from '../daemon/end-daemons.ts'
import { type CleanUp, createSandbox, type Sandbox } from '../git/temp-repository.ts'
import { lastFirst } from './last-first.ts'

const gritePath = fileURLToPath(new URL('../../dist/grite.cjs', import.meta.url))

/** Requests that the daemons of ended sandboxes have served. */
let served = 0

export function countServedByTwins(): number {
  return served
}

const tried = new Set<string>()

export function createTwinSandbox(t: CleanUp): Sandbox {
  const cleanUp = lastFirst(t)
  const sandbox = createSandbox(cleanUp)
  cleanUp.after(async () => {
    await endDaemons(sandbox.dir)
    served += countRequests(sandbox.dir)
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

/** What the logs of the daemons in a folder say at their end. */
function countRequests(folder: string): number {
  let count = 0
  for (const name of readdirSync(folder)) {
    const log = readTextIfThere(join(folder, name, `.git/grite/daemon.${process.geteuid?.()}.log`)) ?? ''
    for (const [, requests] of log.matchAll(/"requests":(\d+)/g)) count += Number(requests)
  }
  return count
}
