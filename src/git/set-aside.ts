import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { CorruptObjectError, limits, ObjectTooLargeError } from '../model/index.ts'
import { asStorageFailure } from './durable/storage-failure.ts'
import { readLooseObject } from './in-process/loose-objects.ts'
import { isOid } from './oid.ts'
import type { Oid, RefName, RepositoryLayout } from './port.ts'
import { looseObjectPath, looseRefPath } from './ref-paths.ts'

/**
 * Moves a loose object with wrong bytes to `grite/corrupt/` in the git directory, for a person to inspect. While it
 * stays in its place, git takes the object for present and does not fetch it.
 *
 * @returns its new path; null when it is not a loose object, is sound, or is too large to check
 */
export function setAsideCorruptObject(layout: RepositoryLayout, oid: Oid): string | null {
  try {
    readLooseObject(layout, oid, limits.chunkReadBytesMax)
    return null
  } catch (error) {
    // None of our objects is this large.
    if (error instanceof ObjectTooLargeError) return null
    if (!(error instanceof CorruptObjectError)) throw error
  }
  return moveAside(layout, looseObjectPath(layout, oid), oid)
}

/**
 * Moves a ref's file that holds neither an id nor the name of another ref, such as one emptied by a power cut, to
 * `grite/corrupt/`. The ref then has its packed value, or none.
 *
 * @returns its new path; null when it is not such a file
 */
export function setAsideBrokenRef(layout: RepositoryLayout, ref: RefName): string | null {
  if (layout.refStorage !== 'files') return null
  const path = looseRefPath(layout, ref)
  let text: string
  try {
    text = readFileSync(path, 'latin1').trim()
  } catch {
    return null
  }
  if (isOid(text, layout.objectFormat) || text.startsWith('ref:')) return null
  return moveAside(layout, path, ref.replaceAll('/', '-'))
}

function moveAside({ commonDir }: RepositoryLayout, from: string, name: string): string {
  const folder = join(commonDir, 'grite', 'corrupt')
  const path = join(folder, name)
  try {
    if (!existsSync(folder)) {
      mkdirSync(folder, { recursive: true })
      // Where users share a repository, git has given its folders the right mode.
      chmodSync(folder, statSync(join(commonDir, 'objects')).mode)
    }
    renameSync(from, path)
  } catch (error) {
    throw asStorageFailure(error, 'setting a damaged file aside')
  }
  return path
}
