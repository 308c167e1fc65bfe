/** Records as lines of JSON, for `produce --ndjson`: the form that `consume --json` prints, or a part of it. */
import { InvalidArgsError, parseForeignJson, type Shape, shape } from '../../model/index.ts'
import { streamLimits } from '../../model/streams/index.ts'
import type { RecordDraft } from '../../wal/streams/index.ts'

const base64Text = shape.text({
  accepts: (text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text),
  words: 'base64',
})
const producerTable = shape.table({ id: shape.text(), sequence: shape.integer() })
const headerTable = shape.table({ base64: base64Text })

const textOr =
  <Other>(other: Shape<Other>): Shape<string | Other> =>
  (value) =>
    typeof value === 'string' ? value : other(value)

const lineShape = shape.table({
  key: shape.nullable(shape.text()),
  key_base64: shape.nullable(base64Text),
  content_type: shape.nullable(shape.text()),
  headers: shape.nullable(shape.record(textOr(headerTable))),
  value: shape.nullable(shape.text()),
  payload: shape.nullable(shape.text()),
  payload_base64: shape.nullable(base64Text),
  producer: shape.nullable(textOr(producerTable)),
  sequence: shape.nullable(shape.integer()),
})

/** What a line may leave out. */
export interface LineDefaults {
  readonly contentType: string | null
  readonly headers: readonly (readonly [string, string])[]
  /** Producer of a line that has only a sequence, or neither. */
  readonly producer: string | undefined
}

const depthMax = 8

/**
 * @param number - of the line, from 1
 * @throws {InvalidArgsError} naming line, field and what is allowed
 */
export function parseRecordLine(bytes: Uint8Array, number: number, defaults: LineDefaults): RecordDraft {
  const name = `line ${number}`
  const read = parseForeignJson(bytes, lineShape, { name, sizeMax: 8 * streamLimits.recordBytesCeiling, depthMax })
  if (read.problem !== null) {
    const { message, field, detail } = read.problem
    throw new InvalidArgsError(detail === null ? message : `${message}: ${detail}`, {
      details: { line: number, field: field ?? 'line' },
    })
  }
  const { value: line } = read
  const refuse = (field: string, problem: string): never => {
    throw new InvalidArgsError(`${name}: ${problem}`, { details: { line: number, field } })
  }
  const payloads = [
    line.value === null ? null : Buffer.from(line.value),
    line.payload === null ? null : Buffer.from(line.payload),
    line.payload_base64 === null ? null : Buffer.from(line.payload_base64, 'base64'),
  ].filter((each) => each !== null)
  if (payloads.length !== 1) {
    const found = payloads.length === 0 ? 'none' : `${payloads.length} of them`
    refuse('value', `needs one of value, payload and payload_base64, has ${found}`)
  }
  if (line.key !== null && line.key_base64 !== null) refuse('key', 'has both key and key_base64')
  const key = line.key_base64 === null ? line.key : Buffer.from(line.key_base64, 'base64')
  return {
    payload: payloads[0] as Uint8Array,
    key: typeof key === 'string' ? Buffer.from(key) : key,
    contentType: line.content_type ?? defaults.contentType,
    headers: headersOf(line.headers, defaults),
    producer: producerOf(line.producer, line.sequence, defaults, refuse),
  }
}

type Header = readonly [string, string | Uint8Array]

function headersOf(
  given: ReadonlyMap<string, string | { readonly base64: string }> | null,
  { headers }: LineDefaults,
): readonly Header[] {
  if (given === null) return headers
  const own = [...given].map(
    ([name, value]): Header => [name, typeof value === 'string' ? value : Buffer.from(value.base64, 'base64')],
  )
  return [...headers.filter(([name]) => !given.has(name)), ...own]
}

function producerOf(
  producer: string | { readonly id: string; readonly sequence: number } | null,
  sequence: number | null,
  defaults: LineDefaults,
  refuse: (field: string, problem: string) => never,
): RecordDraft['producer'] {
  if (typeof producer === 'object' && producer !== null) return producer
  const id = producer ?? (sequence === null ? null : (defaults.producer ?? null))
  if (id === null && sequence === null) return null
  if (id === null) return refuse('producer', 'has a sequence, but no producer')
  if (sequence === null) return refuse('sequence', 'has a producer, but no sequence')
  return { id, sequence }
}
