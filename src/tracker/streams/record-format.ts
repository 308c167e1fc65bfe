/** Records as bytes for a program or a terminal, in the format that the caller chooses. */
import { isUtf8 } from 'node:buffer'
import { InvalidArgsError, makeVisible } from '../../model/index.ts'
import type { StreamRecord } from '../../model/streams/index.ts'
import type { DecodedRecord } from './record-batches.ts'
import type { ReadStream } from './record-json.ts'
import { parseEscapes } from './text-escapes.ts'

/** The bytes of one record, in parts. */
export type RecordFormat = (decoded: DecodedRecord) => readonly Uint8Array[]

const fieldNames = ['%o', '%t', '%k', '%h', '%s', '%v', '%w', '%c', '%i', '%%'] as const

/** Payload, then the delimiter. */
export function payloadFormat(delimiter: Uint8Array, isTerminal: boolean): RecordFormat {
  if (!isTerminal) return ({ record }) => [record.payload, delimiter]
  return ({ record }) => [visibleBytes(record.payload, '\n\t'), delimiter]
}

/**
 * Compiles `%o` offset, `%t` time in milliseconds, `%k` key, `%h` headers, `%s` size of the payload, `%v` payload, `%w` writer,
 * `%c` content type, `%i` stream id, `%%` a percent sign, with `\n`, `\t`, `\0` and other escapes.
 *
 * @param isTerminal - foreign text is then made visible, else its bytes are unchanged
 * @throws {InvalidArgsError} naming the unknown field
 */
export function compileFormat(text: string, { streamId }: ReadStream, isTerminal: boolean): RecordFormat {
  const parts: RecordFormat[] = []
  const foreign = (bytes: Uint8Array) => (isTerminal ? visibleBytes(bytes, '\n\t') : bytes)
  const fields: Readonly<Record<string, (decoded: DecodedRecord) => Uint8Array>> = {
    o: ({ read }) => Buffer.from(`${read.offset}`),
    t: ({ record }) => Buffer.from(`${record.tsUnixMs}`),
    k: ({ record }) => foreign(record.key ?? none),
    h: ({ record }) => foreign(formatHeaders(record.headers)),
    s: ({ record }) => Buffer.from(`${record.payload.length}`),
    v: ({ record }) => foreign(record.payload),
    w: ({ record }) => Buffer.from(record.writer ?? ''),
    c: ({ record }) => foreign(Buffer.from(record.contentType ?? '')),
    i: () => foreign(Buffer.from(streamId)),
    '%': () => percent,
  }
  for (const [whole, letter] of text.matchAll(/%([\s\S]?)|[^%]+/g)) {
    if (letter === undefined) {
      const bytes = parseEscapes('format', whole)
      parts.push(() => [bytes])
      continue
    }
    const field = Object.hasOwn(fields, letter) ? fields[letter] : undefined
    if (field === undefined) {
      throw new InvalidArgsError(`--format has the unknown field '${whole}'; allowed: ${fieldNames.join(' ')}`, {
        details: { field: 'format', value: text, allowed: fieldNames },
      })
    }
    parts.push((decoded) => [field(decoded)])
  }
  return (decoded) => parts.flatMap((part) => part(decoded))
}

const none = new Uint8Array(0)
const percent = Buffer.from('%')

/** `name=value,other=value`, as kcat does. */
function formatHeaders(headers: StreamRecord['headers']): Uint8Array {
  return Buffer.concat(
    headers.flatMap(([name, value], index) => [
      Buffer.from(`${index === 0 ? '' : ','}${name}=`),
      typeof value === 'string' ? Buffer.from(value) : value,
    ]),
  )
}

/** Bytes that are not UTF-8 are shown as `\xNN`. */
function visibleBytes(bytes: Uint8Array, allowed: string): Uint8Array {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Buffer.from(isUtf8(view) ? makeVisible(view.toString('utf8'), allowed) : makeVisible(latinText(view), allowed))
}

/** ASCII as it is, other bytes as escapes. */
function latinText(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replaceAll(/[\x80-\xff]/g, (character) => `\\x${character.charCodeAt(0).toString(16)}`)
}
