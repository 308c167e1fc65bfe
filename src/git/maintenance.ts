import { isMentionedInConfig } from './config-files.ts'
import { requirePermanentStore } from './permanent-store.ts'
import type { GitPort } from './port.ts'
import { createGitRunner } from './run-git.ts'

/**
 * Starts `git maintenance run --auto` without waiting for it: git checks whether there is enough to do. Available since
 * git 2.29. Never fails: an untidy repository works as well.
 *
 * git honours `maintenance.auto` only in the commands that start maintenance (run-command.c: run_auto_maintenance()),
 * so it is read here; git itself reads `gc.auto` and the tasks. GRITE_NO_MAINTENANCE disables this.
 */
export async function startMaintenance({ layout, environment }: GitPort): Promise<void> {
  if ((environment.GRITE_NO_MAINTENANCE ?? '') !== '') return
  try {
    requirePermanentStore(layout, environment)
    const git = createGitRunner(layout, environment)
    if (isMentionedInConfig(layout, environment, /maintenance|include/i)) {
      const { stdout } = await git.run(['config', '--type=bool', '--get', 'maintenance.auto'], { okStatuses: [0, 1] })
      if (stdout.toString('latin1').trim() === 'false') return
    }
    await git.startDetached(['maintenance', 'run', '--auto', '--quiet'])
  } catch {
    // There is no git, or its configuration is unreadable: a command that needs it reports that.
  }
}
