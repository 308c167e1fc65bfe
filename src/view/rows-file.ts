/**
 * The bytes of a rows file: a copy of some families of keys of a view, as text that is read in one step. Opening LevelDB
 * for the same read takes several times as long, and flushes three files.
 *
 *     part    := line of JSON, padded to a multiple of 4 bytes; sections, each padded in the same way
 *     base    := first part: {"format", "schema", "state", "sections": [[family, bytes, checksum], …]}
 *     change  := further part, one section: {"state", "bytes", "checksum"}
 *     section := lines: <rest of the key, hex> TAB <value>
 *                of a change: <family> TAB <rest of the key, hex> [TAB <value>]; without a value, the key was deleted
 *
 * A line of JSON begins with its length and checksum, 8 hex digits each. Values are UTF-8, or base64 in families of bytes.
 * Checksums guard against accidents: a file that was not flushed, or was damaged.
 */

import { parseOwnJson } from './own-json.ts'

/** Increases when the layout changes. */
const format = 1

/** What the copied view was at: its metadata `wal_head` and `reflog_mark`. */
export interface RowsState {
  readonly head: string
  readonly reflogMark: string
}

export type Entry = readonly [keyHex: string, value: string]

/** A change of a key; undefined deletes it. */
export interface Change {
  readonly family: string
  readonly keyHex: string
  readonly value: string | undefined
}

export interface RowsFile {
  readonly schema: string
  readonly state: RowsState
  /** Size of all changes after the base. */
  readonly changesBytes: number
  /** Entries of a family by key; undefined when the file does not have the family, or it is damaged. */
  readonly readFamily: (name: string) => readonly Entry[] | undefined
}

/** @returns undefined when a value cannot be a line */
export function encodeBase(
  schema: string,
  state: RowsState,
  families: ReadonlyMap<string, readonly Entry[]>,
): Buffer | undefined {
  const sections: Buffer[] = []
  const table: [string, number, number][] = []
  for (const [name, entries] of families) {
    if (entries.some(([, value]) => value.includes('\n'))) return undefined
    const bytes = Buffer.from(entries.map(([key, value]) => `${key}\t${value}\n`).join(''))
    const section = pad(bytes)
    sections.push(section)
    table.push([name, bytes.length, checksum(section)])
  }
  return Buffer.concat([encodeLine({ format, schema, state, sections: table }), ...sections])
}

/** @returns undefined when a value cannot be a line */
export function encodeChange(state: RowsState, changes: readonly Change[]): Buffer | undefined {
  if (changes.some(({ value }) => value?.includes('\n'))) return undefined
  const lines = changes.map(({ family, keyHex, value }) => [family, keyHex, ...(value === undefined ? [] : [value])])
  const bytes = Buffer.from(lines.map((line) => `${line.join('\t')}\n`).join(''))
  const section = pad(bytes)
  return Buffer.concat([encodeLine({ state, bytes: bytes.length, checksum: checksum(section) }), section])
}

/** @returns undefined for anything but a complete file of this format */
export function readRowsFile(bytes: Buffer): RowsFile | undefined {
  try {
    return openRowsFile(bytes)
  } catch {
    // Not JSON, or without an expected member.
    return undefined
  }
}

interface BaseLine {
  readonly format: number
  readonly schema: string
  readonly state: RowsState
  readonly sections: readonly (readonly [string, number, number])[]
}

interface ChangeLine {
  readonly state: RowsState
  readonly bytes: number
  readonly checksum: number
}

function openRowsFile(bytes: Buffer): RowsFile | undefined {
  const base = readLine<BaseLine>(bytes, 0)
  if (base === undefined || base.value.format !== format) return undefined
  const places = new Map<string, { readonly start: number; readonly bytes: number; readonly checksum: number }>()
  let end = base.end
  for (const [name, length, sum] of base.value.sections) {
    places.set(name, { start: end, bytes: length, checksum: sum })
    end = padded(end + length)
  }
  const changesStart = end
  let { state } = base.value
  const changed = new Map<string, Map<string, string | undefined>>()
  while (end < bytes.length) {
    const line = readLine<ChangeLine>(bytes, end)
    if (line === undefined) return undefined
    const text = readSection(bytes, { start: line.end, bytes: line.value.bytes, checksum: line.value.checksum })
    if (text === undefined) return undefined
    for (const [family, rest] of linesOf(text).map(splitLine)) {
      const [keyHex, value] = rest.includes('\t') ? splitLine(rest) : [rest, undefined]
      const keys = changed.get(family) ?? new Map<string, string | undefined>()
      changed.set(family, keys.set(keyHex, value))
    }
    state = line.value.state
    end = padded(line.end + line.value.bytes)
  }
  if (end !== bytes.length) return undefined
  return {
    schema: base.value.schema,
    state,
    changesBytes: end - changesStart,
    readFamily(name) {
      const place = places.get(name)
      const text = place === undefined ? undefined : readSection(bytes, place)
      return text === undefined ? undefined : merge(linesOf(text).map(splitLine), changed.get(name))
    },
  }
}

function splitLine(line: string): Entry {
  const tab = line.indexOf('\t')
  return [line.slice(0, tab), line.slice(tab + 1)]
}

/** Entries with the changes applied, by key. */
function merge(
  entries: readonly Entry[],
  changes: ReadonlyMap<string, string | undefined> | undefined,
): readonly Entry[] {
  if (changes === undefined) return entries
  const kept = entries.filter(([key]) => !changes.has(key))
  const added = [...changes].filter((each): each is [string, string] => each[1] !== undefined)
  return [...kept, ...added].sort(([left], [right]) => (left < right ? -1 : 1))
}

function linesOf(text: string): string[] {
  const lines = text.split('\n')
  lines.pop()
  return lines
}

function readSection(
  bytes: Buffer,
  place: { readonly start: number; readonly bytes: number; readonly checksum: number },
): string | undefined {
  const { start, bytes: length } = place
  const end = padded(start + length)
  if (end > bytes.length || checksum(bytes.subarray(start, end)) !== place.checksum) return undefined
  return bytes.toString('utf8', start, start + length)
}

const prefixLength = 16

function encodeLine(value: unknown): Buffer {
  const json = pad(Buffer.from(`${JSON.stringify(value)}\n`))
  const hex = (number: number) => (number >>> 0).toString(16).padStart(8, '0')
  return Buffer.concat([Buffer.from(hex(json.length) + hex(checksum(json))), json])
}

function readLine<Value>(bytes: Buffer, start: number): { readonly value: Value; readonly end: number } | undefined {
  const hex = bytes.toString('latin1', start, start + prefixLength)
  if (!/^[0-9a-f]{16}$/.test(hex)) return undefined
  const end = start + prefixLength + Number.parseInt(hex.slice(0, 8), 16)
  if (end > bytes.length || end % 4 !== 0) return undefined
  const json = bytes.subarray(start + prefixLength, end)
  if (checksum(json) >>> 0 !== Number.parseInt(hex.slice(8), 16)) return undefined
  return { value: parseOwnJson<Value>(json), end }
}

const padded = (length: number): number => (length + 3) & ~3

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(padded(bytes.length) - bytes.length, '\n')])
}

/** A polynomial over words. Few operations, in few rounds: most of it runs before V8 optimizes it. */
function checksum(bytes: Buffer): number {
  const isAligned = bytes.byteOffset % 4 === 0
  const source = isAligned ? bytes : Buffer.from(new Uint8Array(bytes).buffer)
  const words = new Int32Array(source.buffer, source.byteOffset, source.length >> 2)
  const { length } = words
  const evenly = length - (length % 4)
  let sum = length
  let index = 0
  while (index < evenly) {
    sum = (sum * 31 + (words[index++] as number)) | 0
    sum = (sum * 31 + (words[index++] as number)) | 0
    sum = (sum * 31 + (words[index++] as number)) | 0
    sum = (sum * 31 + (words[index++] as number)) | 0
  }
  while (index < length) sum = (sum * 31 + (words[index++] as number)) | 0
  return sum
}
