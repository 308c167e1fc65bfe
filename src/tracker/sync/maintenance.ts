/** Runs `git maintenance run --auto` at times, so that git packs the objects of many small commits. */
import { type Oid, startMaintenance } from '../../git/index.ts'
import type { Workspace } from '../workspace.ts'

/** One in this many writes starts git maintenance; git itself packs from about 6,700 loose objects, which are 840 writes. */
const writesPerLook = 128

/**
 * Whether to start maintenance after a write. Sampled by commit id, so no counter is needed.
 */
export function isLookDue(head: Oid): boolean {
  return Number.parseInt(head.slice(-4), 16) % writesPerLook === 0
}

/**
 * Starts git maintenance in the background, as git's own commands do after large writes. Never fails and does not wait.
 */
export async function maintain(repository: Pick<Workspace, 'config' | 'git'>): Promise<void> {
  if (!(await repository.config()).maintenance.auto) return
  await startMaintenance(repository.git)
}
