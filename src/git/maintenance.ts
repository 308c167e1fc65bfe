import { isMentionedInConfig } from './config-files.ts'
import { requirePermanentStore } from './permanent-store.ts'
import type { GitPort } from './port.ts'
import { createGitRunner } from './run-git.ts'

/**
 * Starts `git maintenance run --auto`, which this process does not wait for: it looks whether there is enough to do and
 * does it. Known to git since 2.29. Never fails: a repository that is not tidied up works as well.
 *
 * `maintenance.auto` is for the commands that would start it (run-command.c: run_auto_maintenance()), so it is asked for
 * here; `gc.auto` and the tasks are git's own affair. GRITE_NO_MAINTENANCE keeps everything from being started.
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
    // There is no git, or its configuration cannot be read: the command that needs it says so.
  }
}
