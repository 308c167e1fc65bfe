/** Names of record streams, and their forms in refs and trailers (docs/format.md#record-streams). */
import { InvalidArgsError } from '../errors/index.ts'
import { shortenText } from '../foreign/describe-foreign.ts'
import { parseHex } from '../hex.ts'
import { encodeNamePart } from '../name-part.ts'
import { streamLimits } from './stream-limits.ts'

declare const brand: unique symbol

/** 1 to 512 bytes of UTF-8 with a character that is not white space. */
export type StreamId = string & { readonly [brand]: 'StreamId' }
/** 8 random bytes as 16 lower-case hex characters: tells streams apart that had the same id one after the other. */
export type Incarnation = string & { readonly [brand]: 'Incarnation' }
/** 16 random bytes as 32 lower-case hex characters: a clone, as the owner of an epoch. */
export type CloneId = string & { readonly [brand]: 'CloneId' }

const utf8 = new TextEncoder()

/** @throws {InvalidArgsError} naming the rule that the text breaks */
export function parseStreamId(text: string): StreamId {
  const fault = findIdFault(text)
  if (fault === null) return text as StreamId
  const shown = shortenText(text, 80)
  throw new InvalidArgsError(`stream id '${shown}' ${fault}`, { details: { field: 'stream', value: shown } })
}

export function isStreamId(text: string): text is StreamId {
  return findIdFault(text) === null
}

function findIdFault(text: string): string | null {
  if (!/\S/.test(text)) return 'has no visible character'
  if (!text.isWellFormed()) return 'is not valid Unicode'
  if (text.length > streamLimits.idBytesMax || utf8.encode(text).length > streamLimits.idBytesMax)
    return `is longer than ${streamLimits.idBytesMax} bytes`
  return null
}

export function isIncarnation(text: string): text is Incarnation {
  return /^[0-9a-f]{16}$/.test(text)
}

export function isCloneId(text: string): text is CloneId {
  return /^[0-9a-f]{32}$/.test(text)
}

/** All stream refs: `<enc(stream id)>.<generation>` below it. */
export const streamRefPrefix = 'refs/grite/streams/'
/** Shared cursors, by stream. */
export const cursorRefPrefix = 'refs/grite-cursors/'

/** `enc(id)`: the part of a ref or file name that stands for an id. */
export function encodeStreamId(id: string): string {
  return encodeNamePart(id)
}

/** The ref of one generation of a stream. */
export function streamRefOf(id: string, generation: number): string {
  return `${streamRefPrefix}${encodeStreamId(id)}.${generation}`
}

/** The parts of a stream's ref; null for any other ref. */
export function parseStreamRef(ref: string): { readonly encoded: string; readonly generation: number } | null {
  if (!ref.startsWith(streamRefPrefix)) return null
  const [, encoded = '', digits = ''] =
    /^([0-9a-v]{32})\.(0|[1-9]\d{0,15})$/.exec(ref.slice(streamRefPrefix.length)) ?? []
  const generation = Number(digits)
  return encoded === '' || !Number.isSafeInteger(generation) ? null : { encoded, generation }
}

/** Encodes every byte except letters, digits, `-`, `.`, `_`, `~` and `/` as `%XX`. */
export function percentEncodeId(id: string): string {
  if (/^[\w.~/-]*$/.test(id)) return id
  let text = ''
  for (const byte of utf8.encode(id)) {
    const character = String.fromCharCode(byte)
    text += /[\w.~/-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}

/** The inverse of `percentEncodeId`; null for text that it does not return. */
export function percentDecodeId(text: string): string | null {
  if (!/^(?:[\w.~/-]|%[0-9A-F]{2})*$/.test(text)) return null
  try {
    const id = decodeURIComponent(text)
    return percentEncodeId(id) === text ? id : null
  } catch {
    return null
  }
}

/** @param hex - of an id that has been parsed */
export function bytesOfHex(hex: string): Uint8Array {
  const bytes = parseHex(hex)
  if (bytes === undefined) throw new RangeError('not hexadecimal')
  return bytes
}
