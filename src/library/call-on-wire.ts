/** Calls between a program and the daemon: typed input and data as JSON texts (docs/ipc.md, Call). */
import { type WireError, type WireValue, wireText } from '../ipc/index.ts'
import { InternalError, parseForeignJson, shape } from '../model/index.ts'
import { formatJson } from '../tracker/export/json-pieces.ts'

/** A data of several hundred megabytes is the bound of a text. */
const depthMax = 256

export function toText(value: unknown): string {
  return formatJson(value, 'compact')
}

/** @throws {InternalError} when the peer has sent something else */
export function fromText(value: WireValue | undefined): unknown {
  const text = wireText(value)
  const read = parseForeignJson(text, shape.anything, { name: 'a message of the peer', sizeMax: text.length, depthMax })
  if (read.problem !== null) throw new InternalError(read.problem.message)
  return read.value
}

const errorShape = shape.table({
  name: shape.text(),
  code: shape.text(),
  message: shape.text(),
  details: shape.record(shape.anything),
  hints: shape.list(shape.text()),
})

/** @throws {InternalError} when the peer has sent something else */
export function errorFromText(value: WireValue | undefined): WireError {
  const text = wireText(value)
  const read = parseForeignJson(text, errorShape, { name: 'an error of the peer', sizeMax: text.length, depthMax })
  if (read.problem !== null) throw new InternalError(read.problem.message)
  return { ...read.value, details: Object.fromEntries(read.value.details) }
}
