/**
 * Where a shallow clone cuts history off. git lists the oldest commits that it has in one file, of all branches alike, and
 * hides their parents from every command. A repository without that file costs one look at it.
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { asStorageFailure, errnoOf } from './durable/storage-failure.ts'
import { isOid } from './object-codec.ts'
import type { Oid, RepositoryLayout } from './port.ts'

/** A text that differs whenever the boundary was written since; empty where nothing is cut off. */
export function shallowMark(layout: RepositoryLayout): string {
  const stat = statSync(shallowPath(layout), { throwIfNoEntry: false })
  return stat === undefined || stat.size === 0 ? '' : `${stat.size} ${stat.mtimeMs} ${stat.ctimeMs} ${stat.ino}`
}

/** Commits whose parents git takes for absent. One of them may have none: git lists a first commit at the very depth too. */
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
