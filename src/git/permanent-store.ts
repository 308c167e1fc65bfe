/**
 * Checks that new objects stay in the repository. In a `pre-receive` hook they go into a folder that git deletes when
 * the push is refused: a ref to one of them would then dangle.
 */
import { readFileSync, realpathSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { StorageError } from '../model/errors/index.ts'
import type { Environment } from './locate-git.ts'
import type { RepositoryLayout } from './port.ts'

/**
 * @throws {StorageError} in git's quarantine, where git itself refuses to move refs (refs.c,
 *   ref_transaction_prepare()), and where GIT_OBJECT_DIRECTORY names a store that the repository does not see without
 *   it
 */
export function requirePermanentStore(layout: RepositoryLayout, environment: Environment): void {
  if (environment.GIT_QUARANTINE_PATH !== undefined) {
    throw new StorageError('cannot write while git is checking a push (GIT_QUARANTINE_PATH is set)', {
      details: { reason: 'quarantine', path: environment.GIT_QUARANTINE_PATH },
      hints: ['Write in a post-receive hook, which runs after the push is accepted; reading works here'],
    })
  }
  if (!environment.GIT_OBJECT_DIRECTORY || permanentStores(layout).has(realOr(layout.objectDir))) return
  const message = `cannot write to ${layout.objectDir} (GIT_OBJECT_DIRECTORY): the repository does not see objects there without that variable`
  throw new StorageError(message, {
    details: { reason: 'temporary-store', path: layout.objectDir },
    hints: ['Run the command without GIT_OBJECT_DIRECTORY, or add the folder to objects/info/alternates'],
  })
}

/**
 * The environment for a git that writes: keeps only those alternates from the environment that the repository sees
 * without it. An object found only in another alternate is then written again.
 */
export function writeEnvironment(layout: RepositoryLayout, environment: Environment): Environment {
  const given = environment.GIT_ALTERNATE_OBJECT_DIRECTORIES
  if (!given) return {}
  const stores = permanentStores(layout)
  const kept = given.split(delimiter).filter((path) => path !== '' && stores.has(realOr(path)))
  return { GIT_ALTERNATE_OBJECT_DIRECTORIES: kept.join(delimiter) }
}

/** git follows no deeper chains (object-file.c, link_alt_odb_entries()). */
const alternatesDepthMax = 5

/** The repository's own store and those in its alternates files. Real paths. */
function permanentStores({ commonDir }: RepositoryLayout): ReadonlySet<string> {
  const stores = new Set<string>()
  const visit = (store: string, depth: number): void => {
    const path = realOr(store)
    if (stores.has(path)) return
    stores.add(path)
    if (depth < alternatesDepthMax) for (const other of readAlternates(path)) visit(other, depth + 1)
  }
  visit(join(commonDir, 'objects'), 0)
  return stores
}

/** Lines of `info/alternates`: paths, relative ones from the store; `#` begins a comment. Quoted paths are skipped. */
function readAlternates(store: string): string[] {
  let text: string
  try {
    text = readFileSync(join(store, 'info', 'alternates'), 'utf8')
  } catch {
    return []
  }
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('"'))
  return lines.map((line) => resolve(store, line))
}

function realOr(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}
