import { showRemote } from '../../git/index.ts'
import { encodeRefPart } from '../../wal/index.ts'
import type { Workspace } from '../workspace.ts'
import type { LockInSight } from './known-locks.ts'

/**
 * Names of remotes by the part of a tracking ref that stands for them, which does not lead back to the name. Null, the
 * part of local locks, has none; one that is neither configured in git nor in grite is called by its part.
 */
export async function nameRemotes(
  repository: Workspace,
  sights: readonly LockInSight[],
): Promise<Map<string | null, string>> {
  const parts = new Set(sights.flatMap(({ remotePart }) => (remotePart === null ? [] : [remotePart])))
  const names = new Map<string | null, string>()
  if (parts.size === 0) return names
  const { lease, sync } = await repository.config()
  const configured = [sync.remote, ...(lease.remote === undefined ? [] : [lease.remote])]
  for (const name of [...configured, ...(await repository.remotes.listRemotes())])
    names.set(encodeRefPart(name), showRemote(name))
  return new Map([...parts].map((part) => [part, names.get(part) ?? part]))
}
