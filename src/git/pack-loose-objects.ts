import { requirePermanentStore } from './permanent-store.ts'
import type { GitPort } from './port.ts'
import { createGitRunner } from './run-git.ts'

/**
 * Puts loose objects that something reaches, a reflog included, into a pack. Those that nothing reaches stay: unlike
 * `git gc`, this deletes nothing that is not elsewhere afterwards.
 */
export async function packLooseObjects({ layout, environment }: GitPort): Promise<void> {
  requirePermanentStore(layout, environment)
  await createGitRunner(layout, environment).run(['repack', '-d', '-l', '-q'])
}
