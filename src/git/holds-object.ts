import { existsSync } from 'node:fs'
import { CorruptObjectError, ObjectTooLargeError } from '../model/errors/index.ts'
import { findPackOf } from './durable/pack-index.ts'
import type { Oid, RepositoryLayout } from './port.ts'
import { looseObjectPath } from './ref-paths.ts'
import type { ReadObject } from './walk-history.ts'

/**
 * Whether a repository has an object, sound or not: checks files first, and reads the object when they are not
 * conclusive.
 */
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
 * Whether an object may exist, from files alone: false means it does not, as far as a check of a few packs shows. For
 * callers that poll for an object that is most probably still missing, and must not start git each time.
 */
export function mayHoldObject(layout: RepositoryLayout, oid: Oid): boolean {
  return layout.unusualObjectStore || existsSync(looseObjectPath(layout, oid)) || findPackOf(layout, oid) !== null
}
