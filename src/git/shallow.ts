/**
 * The boundary of a shallow clone. git lists its oldest commits in one file, for all branches, and hides their parents
 * from every command. In a repository without that file this costs one stat.
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { asStorageFailure, errnoOf } from './durable/storage-failure.ts'
import { isOid } from './oid.ts'
import type { Oid, RepositoryLayout } from './port.ts'

/** A mark that changes when the boundary is written; empty without a boundary. */
export function shallowMark(layout: RepositoryLayout): string {
  const stat = statSync(shallowPath(layout), { throwIfNoEntry: false })
  return stat === undefined || stat.size === 0 ? '' : `${stat.size} ${stat.mtimeMs} ${stat.ctimeMs} ${stat.ino}`
}

/**
 * Commits whose parents git treats as absent. One of them may really have none: git also lists a root commit at exactly
 * the depth.
 */
export function readShallow(layout: RepositoryLayout): ReadonlySet<Oid> {
  let text: string
  try {
    text = readFileSync(shallowPath(layout), 'latin1')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return new Set()
    throw asStorageFailure(error, 'reading where the clone is shallow')
  }
  return new Set(text.split('\n').filter((line): line is Oid => isOid(line, layout.objectFormat)))
}

function shallowPath({ commonDir }: RepositoryLayout): string {
  return join(commonDir, 'shallow')
}
