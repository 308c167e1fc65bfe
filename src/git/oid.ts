import { InvalidArgsError } from '../model/errors/index.ts'
import type { ObjectFormat, Oid } from './port.ts'

/** Hex length of an id by object format. */
export const oidLength = { sha1: 40, sha256: 64 } as const satisfies Record<ObjectFormat, number>

const lowerHex = /^[0-9a-f]+$/

/** Parses an object id. @throws {InvalidArgsError} when it is not lower-case hex of the format's length */
export function parseOid(text: string, format: ObjectFormat): Oid {
  if (!isOid(text, format)) {
    throw new InvalidArgsError(`object id ${JSON.stringify(text.slice(0, 80))}: want ${oidLength[format]} hex digits`)
  }
  return text
}

/** True for lower-case hex of the format's length. */
export function isOid(text: string, format: ObjectFormat): text is Oid {
  return text.length === oidLength[format] && lowerHex.test(text)
}
