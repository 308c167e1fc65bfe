/** When `git maintenance run --auto` is started, so that the objects of many small commits end up in packs. */
import { type Oid, startMaintenance } from '../../git/index.ts'
import type { Workspace } from '../workspace.ts'

/** One write in so many asks git; git itself begins at about 6,700 loose objects, which are 840 writes. */
const writesPerLook = 128

/**
 * Whether a write is one of those after which git is asked. Taken from the id of its commit, which is as good as random,
 * so that nothing has to be counted or remembered.
 */
export function isLookDue(head: Oid): boolean {
  return Number.parseInt(head.slice(-4), 16) % writesPerLook === 0
}

/**
 * Lets git look in the background whether it should tidy up, as its own commands do after much was written. Never fails,
 * and waits for nothing.
 */
export async function maintain(repository: Workspace): Promise<void> {
  if (!(await repository.config()).maintenance.auto) return
  await startMaintenance(repository.git)
}
