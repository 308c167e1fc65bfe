import { ObjectTooLargeError } from '../model/errors/index.ts'
import type { ObjectType, Oid } from './port.ts'

export interface TooLarge {
  readonly oid: Oid
  readonly type: ObjectType
  /** Bytes. */
  readonly size: number
  /** Bytes. */
  readonly limit: number
}

/** The error for an object that was not loaded. Its details state the type, for readers that need only that. */
export function tooLargeError({ oid, type, size, limit }: TooLarge): ObjectTooLargeError {
  return new ObjectTooLargeError(`object ${oid} has ${size} bytes, the limit is ${limit}`, {
    details: { oid, type, size, limit },
  })
}
