import { readdirSync } from 'node:fs'
import { isMentionedInConfig } from './config-files.ts'
import { readFlushSettings } from './durable/flush-settings.ts'
import { isMaintenanceOff } from './maintenance-off.ts'
import { flushArguments } from './native/write-objects.ts'
import { requirePermanentStore } from './permanent-store.ts'
import type { GitPort } from './port.ts'
import { looseRefPath } from './ref-paths.ts'
import { createGitRunner, type GitRunner } from './run-git.ts'

/**
 * Starts `git maintenance run --auto` without waiting for it: git checks whether there is enough to do. Available since
 * git 2.29. Never fails: an untidy repository works as well.
 *
 * git honours `maintenance.auto` only in the commands that start maintenance (run-command.c: run_auto_maintenance()),
 * so it is read here; git itself reads `gc.auto` and the tasks. GRITE_NO_MAINTENANCE disables this.
 */
export async function startMaintenance(port: GitPort): Promise<void> {
  await inBackground(port, async () => ['maintenance', 'run', '--auto', '--quiet'])
}

/** More loose refs than this slow down every `git fetch` by more than 15 ms. */
const looseRefsMax = 512

/** How many refs directly below a prefix have files of their own. */
export function countLooseRefs({ layout }: GitPort, prefix: string): number {
  try {
    return readdirSync(looseRefPath(layout, prefix)).length
  } catch {
    // No such ref is loose, or refs are no files.
    return 0
  }
}

/** Whether so many refs below a prefix are loose that they should be packed. */
export function hasManyLooseRefs(port: GitPort, prefix: string): boolean {
  return countLooseRefs(port, prefix) > looseRefsMax
}

/**
 * Starts `git pack-refs` without waiting for it when many refs below a prefix are loose. Under the same settings as
 * `startMaintenance`, which packs refs only when there are many loose objects. Never fails.
 *
 * Packs all refs, as `git gc` does: git selects by pattern only since 2.43. It removes the file of a ref under the ref's
 * lock and only while it has the value that was packed, so writers lose nothing.
 */
export async function startPackingRefs(port: GitPort, prefix: string): Promise<void> {
  if (!hasManyLooseRefs(port, prefix)) return
  await inBackground(port, async (git) => await packRefsWords(port, git))
}

/** Packs all refs now. */
export async function packRefs(port: GitPort): Promise<void> {
  requirePermanentStore(port.layout, port.environment)
  const git = createGitRunner(port.layout, port.environment)
  await git.run(await packRefsWords(port, git))
}

async function packRefsWords({ layout, environment }: GitPort, git: GitRunner): Promise<readonly string[]> {
  return [...flushArguments(await readFlushSettings(layout, environment, git)), 'pack-refs', '--all']
}

async function inBackground(
  { layout, environment }: GitPort,
  wordsOf: (git: GitRunner) => Promise<readonly string[]>,
): Promise<void> {
  if (isMaintenanceOff(environment)) return
  try {
    requirePermanentStore(layout, environment)
    const git = createGitRunner(layout, environment)
    if (isMentionedInConfig(layout, environment, /maintenance|include/i)) {
      const { stdout } = await git.run(['config', '--type=bool', '--get', 'maintenance.auto'], { okStatuses: [0, 1] })
      if (stdout.toString('latin1').trim() === 'false') return
    }
    await git.startDetached(await wordsOf(git))
  } catch {
    // There is no git, or its configuration is unreadable: a command that needs it reports that.
  }
}
