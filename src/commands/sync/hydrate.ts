import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Oid, RepositoryLayout } from '../../git/index.ts'
import type { Repository } from '../repository.ts'

/**
 * What fetches the blobs of the log that a partial clone left at its remote, in one go; undefined in a clone that has
 * everything.
 *
 * @param remote - where to ask
 */
export function hydrator(
  { layout, remotes }: Pick<Repository, 'layout' | 'remotes'>,
  remote: string,
): ((heads: readonly Oid[]) => Promise<void>) | undefined {
  if (!isPartialClone(layout)) return undefined
  return async (heads) => {
    for (const head of heads) {
      const missing = await remotes.listMissing(head, [])
      if (missing.length > 0) await remotes.fetchObjects(remote, missing)
    }
  }
}

/** gitrepository-layout(5): `remote.<name>.promisor`, or `extensions.partialClone` as older ones have it. */
export function isPartialClone({ commonDir }: RepositoryLayout): boolean {
  try {
    return /^\s*(promisor|partialclone)\s*=/im.test(readFileSync(join(commonDir, 'config'), 'utf8'))
  } catch {
    return false
  }
}
