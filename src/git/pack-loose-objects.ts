import { requirePermanentStore } from './permanent-store.ts'
import type { GitPort } from './port.ts'
import { createGitRunner } from './run-git.ts'

/**
 * Packs the loose objects reachable from refs and reflogs. Unreachable objects stay: unlike `git gc`, this deletes only
 * files whose objects are packed.
 */
export async function packLooseObjects({ layout, environment }: GitPort): Promise<void> {
  requirePermanentStore(layout, environment)
  await createGitRunner(layout, environment).run(['repack', '-d', '-l', '-q'])
}
