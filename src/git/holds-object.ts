import { existsSync } from 'node:fs'
import { CorruptObjectError, ObjectTooLargeError } from '../model/errors/index.ts'
import { findPackOf } from './durable/pack-index.ts'
import type { Oid, RepositoryLayout } from './port.ts'
import { looseObjectPath } from './ref-paths.ts'
import type { ReadObject } from './walk-history.ts'

/** Whether a repository holds an object, sound or not: by its files, and by reading it where those do not tell. */
export async function holdsObject(layout: RepositoryLayout, read: ReadObject, oid: Oid): Promise<boolean> {
  if (existsSync(looseObjectPath(layout, oid)) || findPackOf(layout, oid) !== null) return true
  try {
    return (await read(oid, 0)) !== null
  } catch (error) {
    if (error instanceof ObjectTooLargeError || error instanceof CorruptObjectError) return true
    throw error
  }
}

/**
 * Whether an object may be here, by files alone: false means that it is not, as far as a look at a few packs tells. For
 * callers that ask again and again for what is most probably still missing, and must not start git each time.
 */
export function mayHoldObject(layout: RepositoryLayout, oid: Oid): boolean {
  return layout.unusualObjectStore || existsSync(looseObjectPath(layout, oid)) || findPackOf(layout, oid) !== null
}
