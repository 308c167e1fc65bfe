/** `cursor.json`: a reader's durable position (docs/format.md#cursor). */
import { compareText } from '../compare.ts'
import { parseForeignJson } from '../foreign/parse-json.ts'
import { shape } from '../foreign/shapes.ts'
import { type ActorId, isActorId } from '../ids.ts'
import { makeVisible } from '../visible-text.ts'
import { StreamFormatError } from './format-error.ts'
import type { Labels } from './labels.ts'
import { type Incarnation, isIncarnation, isStreamId, type StreamId } from './stream-id.ts'
import { streamLimits } from './stream-limits.ts'

export interface CursorDocument {
  readonly name: string
  readonly streamId: StreamId
  readonly incarnation: Incarnation
  readonly epoch: number
  /** Of the next record to consume. */
  readonly offset: number
  /** Leaf hash of the record before it, 64 hex; null at the first. */
  readonly leaf: string | null
  readonly actor: ActorId | null
  readonly reason: string | null
  readonly labels: Labels
  readonly createdTs: number
  readonly updatedTs: number
}

/** 1 to 256 bytes, printable. */
export function isCursorName(text: string): boolean {
  const isShort = text !== '' && new TextEncoder().encode(text).length <= streamLimits.cursorNameBytesMax
  return isShort && text.isWellFormed() && /\S/.test(text) && makeVisible(text) === text
}

/** Pretty JSON, with labels sorted by key. */
export function formatCursor(cursor: CursorDocument): string {
  const labels = cursor.labels.toSorted(([left], [right]) => compareText(left, right))
  const document = {
    schema_version: 1,
    name: cursor.name,
    stream: cursor.streamId,
    incarnation: cursor.incarnation,
    epoch: cursor.epoch,
    offset: cursor.offset,
    leaf: cursor.leaf,
    actor: cursor.actor,
    reason: cursor.reason,
    labels: Object.fromEntries(labels),
    created_ts: cursor.createdTs,
    updated_ts: cursor.updatedTs,
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

const cursorShape = shape.table({
  schema_version: shape.oneOf([1]),
  name: shape.text({ accepts: isCursorName, words: 'a cursor name' }),
  stream: shape.text({ accepts: isStreamId, words: 'a stream id' }),
  incarnation: shape.text({ accepts: isIncarnation, words: '16 hexadecimal digits' }),
  epoch: shape.integer({ min: 1 }),
  offset: shape.integer(),
  leaf: shape.nullable(shape.text({ pattern: /^[0-9a-f]{64}$/, words: '64 hexadecimal digits' })),
  actor: shape.nullable(shape.text({ accepts: isActorId, words: 'an actor id' })),
  reason: shape.nullable(shape.text()),
  labels: shape.record(shape.text(), { countMax: streamLimits.labelsMax }),
  created_ts: shape.integer(),
  updated_ts: shape.integer(),
})

/** A cursor with the longest of everything is smaller. */
const cursorLengthMax = 1024 * 1024

/** @throws {StreamFormatError} naming the first key with a wrong value */
export function parseCursor(text: string | Uint8Array): CursorDocument {
  const { value, problem } = parseForeignJson(text, cursorShape, {
    name: 'cursor.json',
    sizeMax: cursorLengthMax,
    depthMax: 2,
  })
  if (value === null) throw new StreamFormatError(problem.message)
  if ((value.leaf === null) !== (value.offset === 0))
    throw new StreamFormatError('cursor.json: leaf must be null at offset 0, and only there')
  return {
    name: value.name,
    streamId: value.stream as StreamId,
    incarnation: value.incarnation as Incarnation,
    epoch: value.epoch,
    offset: value.offset,
    leaf: value.leaf,
    actor: value.actor as ActorId | null,
    reason: value.reason,
    labels: [...value.labels].toSorted(([left], [right]) => compareText(left, right)),
    createdTs: value.created_ts,
    updatedTs: value.updated_ts,
  }
}
