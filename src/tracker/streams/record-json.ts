/** The JSON form of records: text where the bytes are UTF-8, else base64. */
import { isUtf8 } from 'node:buffer'
import type { DecodedRecord } from './record-batches.ts'

/** A position: an offset alone is no identity. */
export interface PositionJson {
  readonly stream: string
  readonly incarnation: string
  readonly offset: number
}

export interface RecordJson extends PositionJson {
  readonly ts_unix_ms: number
  /** Actor id, 32 hex. */
  readonly writer: string | null
  /** Null where the record has none, or is not text. */
  readonly key: string | null
  /** Only where the key is not text. */
  readonly key_base64?: string
  readonly content_type: string | null
  readonly headers: Readonly<Record<string, string | { readonly base64: string }>>
  readonly producer: { readonly id: string; readonly sequence: number } | null
  /** Null where the payload is not text. */
  readonly payload: string | null
  /** Only where the payload is not text. */
  readonly payload_base64?: string
  /** Where an inherited or adopted record was appended; null for the stream's own. */
  readonly origin: PositionJson | null
}

/** The stream that is read. */
export interface ReadStream {
  readonly streamId: string
  readonly incarnation: string
}

/** @param asBase64 - whether payloads and keys are base64 even if they are text */
export function recordJson(
  { streamId, incarnation }: ReadStream,
  { read: { offset, origin }, record }: DecodedRecord,
  asBase64 = false,
): RecordJson {
  const { tsUnixMs, writer, key, contentType, headers, producer, payload } = record
  return {
    stream: streamId,
    incarnation,
    offset,
    ts_unix_ms: tsUnixMs,
    writer,
    key: null,
    ...(key === null ? {} : isText(key, asBase64) ? { key: textOf(key) } : { key_base64: base64Of(key) }),
    content_type: contentType,
    headers: Object.fromEntries(headers.map(([name, value]) => [name, headerJson(value)])),
    producer,
    payload: null,
    ...(isText(payload, asBase64) ? { payload: textOf(payload) } : { payload_base64: base64Of(payload) }),
    origin:
      origin === null ? null : { stream: origin.streamId, incarnation: origin.incarnation, offset: origin.offset },
  }
}

function headerJson(value: string | Uint8Array): string | { readonly base64: string } {
  return typeof value === 'string' ? value : { base64: base64Of(value) }
}

const isText = (bytes: Uint8Array, asBase64: boolean): boolean => !asBase64 && isUtf8(bytes)
const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength)
const textOf = (bytes: Uint8Array): string => viewOf(bytes).toString('utf8')
const base64Of = (bytes: Uint8Array): string => viewOf(bytes).toString('base64')
