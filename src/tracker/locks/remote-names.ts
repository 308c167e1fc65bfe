import { showRemote } from '../../git/index.ts'
import { encodeNamePart } from '../../model/index.ts'
import type { Workspace } from '../workspace.ts'
import type { SeenLock } from './known-locks.ts'

/**
 * Maps the part of a tracking ref that identifies a remote, which cannot be decoded, to the name of the remote. Null, the
 * part of local locks, has no name; a remote that is configured neither in git nor in grite is named by its part.
 */
export async function nameRemotes(
  repository: Workspace,
  sights: readonly SeenLock[],
): Promise<Map<string | null, string>> {
  const parts = new Set(sights.flatMap(({ remotePart }) => (remotePart === null ? [] : [remotePart])))
  const names = new Map<string | null, string>()
  if (parts.size === 0) return names
  const { lease, sync } = await repository.config()
  const configured = [sync.remote, ...(lease.remote === undefined ? [] : [lease.remote])]
  for (const name of [...configured, ...(await repository.remotes.listRemotes())])
    names.set(encodeNamePart(name), showRemote(name))
  return new Map([...parts].map((part) => [part, names.get(part) ?? part]))
}
