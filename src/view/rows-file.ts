/**
 * The bytes of a rows file: a copy of some families of keys of a view, as text that is read in one step. Opening LevelDB
 * for the same read takes several times as long, and flushes three files.
 *
 *     part    := line of JSON, padded to a multiple of 4 bytes; sections, each padded in the same way
 *     base    := first part: {"format", "schema", "state", "sections": [[family, bytes, is ASCII, [checksum, …]], …]}
 *     change  := further part, one section: {"state", "bytes", "checksum"}
 *     section := lines: <rest of the key, hex> TAB <value>
 *                of a change: <family> TAB <rest of the key, hex> [TAB <value>]; without a value, the key was deleted
 *
 * A line of JSON begins with its length and checksum, 8 hex digits each. Values are UTF-8, or base64 in families of bytes.
 * The lines of a section of the base are in the order of their keys, and each block of it has a checksum, so a single key is
 * found without reading the rest. Checksums guard against accidents: a file that was not flushed, or was damaged.
 */

import { checksum, checksumsOf } from './checksums.ts'
import { parseOwnJson } from './own-json.ts'
import { rowsBytesMax } from './rows-families.ts'

/** Increases when the layout changes. */
const format = 2

/** Bytes of a section with a checksum of their own; the last block is shorter. A multiple of 4. */
const blockBytes = 4096

/** What the copied view was at: its metadata `wal_head` and `reflog_mark`. */
export interface RowsState {
  readonly head: string
  readonly reflogMark: string
}

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
  /**
   * Lines of a family by key; undefined when the file does not have the family, or they are damaged.
   *
   * @param gte - hex
   * @param lt - hex; undefined for all keys from `gte`
   */
  readonly readLines: (name: string, gte?: string, lt?: string) => readonly string[] | undefined
}

export function formatLine(keyHex: string, value: string): string {
  return `${keyHex}\t${value}`
}

export function keyIn(line: string): string {
  return line.slice(0, line.indexOf('\t'))
}

export function valueIn(line: string): string {
  return line.slice(line.indexOf('\t') + 1)
}

/** The index of the first line, from `start` on, whose key is not below this one. */
export function placeOf(lines: readonly string[], key: string, start = 0): number {
  let [low, high] = [start, lines.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (keyIn(lines[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * @param families - lines by key
 * @returns undefined when a value cannot be a line, or when the file would be too large
 */
export function encodeBase(
  schema: string,
  state: RowsState,
  families: ReadonlyMap<string, readonly string[]>,
): Buffer | undefined {
  const sections: Buffer[] = []
  const table: SectionFacts[] = []
  let length = 0
  for (const [name, lines] of families) {
    for (const line of lines) {
      if (line.includes('\n')) return undefined
      length += line.length + 1
    }
    if (length > rowsBytesMax) return undefined
    const text = lines.length === 0 ? '' : `${lines.join('\n')}\n`
    const bytes = Buffer.from(text)
    const section = pad(bytes)
    sections.push(section)
    table.push([name, bytes.length, bytes.length === text.length, checksumsOf(section, blockBytes)])
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

type SectionFacts = readonly [family: string, bytes: number, isAscii: boolean, checksums: readonly number[]]

interface BaseLine {
  readonly format: number
  readonly schema: string
  readonly state: RowsState
  readonly sections: readonly SectionFacts[]
}

interface ChangeLine {
  readonly state: RowsState
  readonly bytes: number
  readonly checksum: number
}

function openRowsFile(bytes: Buffer): RowsFile | undefined {
  const base = readLine<BaseLine>(bytes, 0)
  if (base === undefined || base.value.format !== format) return undefined
  const sections = new Map<string, ReadLines>()
  let end = base.end
  for (const facts of base.value.sections) {
    const [name, length] = facts
    sections.set(name, openSection(bytes, end, facts))
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
    readLines(name, gte = '', lt) {
      const lines = sections.get(name)?.(gte, lt)
      const changes = changed.get(name)
      return lines === undefined || changes === undefined ? lines : mergeLines(lines, changes, gte, lt)
    },
  }
}

function splitLine(line: string): readonly [before: string, after: string] {
  return [keyIn(line), valueIn(line)]
}

/** Values of changed keys; undefined deletes a key. */
export type ChangedValues = ReadonlyMap<string, string | undefined>

/** Lines of a range with the changes in it. */
export function mergeLines(lines: readonly string[], changes: ChangedValues, gte = '', lt?: string): readonly string[] {
  const keys = [...changes.keys()].filter((key) => key >= gte && (lt === undefined || key < lt)).sort()
  const merged: string[] = []
  let next = 0
  for (const key of keys) {
    const place = placeOf(lines, key, next)
    while (next < place) merged.push(lines[next++] as string)
    const line = lines[next]
    if (line !== undefined && keyIn(line) === key) next += 1
    const value = changes.get(key)
    if (value !== undefined) merged.push(formatLine(key, value))
  }
  while (next < lines.length) merged.push(lines[next++] as string)
  return merged
}

type ReadLines = (gte: string, lt: string | undefined) => readonly string[] | undefined

const tab = 0x09
const newLine = 0x0a

/** Reads ranges of a section. Looks only at the blocks that it needs, each of which it verifies once. */
function openSection(bytes: Buffer, start: number, [, length, isAscii, checksums]: SectionFacts): ReadLines {
  const end = start + length
  const verified = new Uint8Array(checksums.length)

  /** Whether bytes of the section are as they were written. */
  function isSound(from: number, to: number): boolean {
    if (padded(end) > bytes.length) return false
    let block = Math.floor((from - start) / blockBytes)
    while (verified[block] === 1) block++
    const unverified = start + block * blockBytes
    if (unverified >= to) return true
    const blocksEnd = start + Math.ceil((to - start) / blockBytes) * blockBytes
    const sums = checksumsOf(bytes.subarray(unverified, Math.min(blocksEnd, padded(end))), blockBytes)
    for (const sum of sums) {
      if (sum !== checksums[block]) return false
      verified[block++] = 1
    }
    return true
  }

  /** Where the first line starts whose key is not below this one; undefined when the section is damaged. */
  function startOf(key: string): number | undefined {
    let [low, high] = [start, end]
    while (low < high) {
      const line = Math.max(low, bytes.lastIndexOf(newLine, ((low + high) >> 1) - 1) + 1)
      const keyEnd = bytes.indexOf(tab, line)
      const lineEnd = bytes.indexOf(newLine, line)
      // With the line end before it, which says that this is the start of a line.
      const isLine = line < keyEnd && keyEnd < lineEnd && lineEnd < high
      if (!isLine || !isSound(Math.max(start, line - 1), lineEnd + 1)) return undefined
      if (bytes.toString('latin1', line, keyEnd) < key) low = lineEnd + 1
      else high = line
    }
    return low
  }

  return (gte, lt) => {
    const from = gte === '' ? start : startOf(gte)
    const to = lt === undefined ? end : startOf(lt)
    if (from === undefined || to === undefined || !isSound(from, to)) return undefined
    return from < to ? bytes.toString(isAscii ? 'latin1' : 'utf8', from, to - 1).split('\n') : []
  }
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
