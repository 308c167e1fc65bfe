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
