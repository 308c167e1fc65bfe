/**
 * The bytes of a rows file: a copy of some families of keys of a view, as text of which whole families or single lines are
 * read in few steps. Opening LevelDB for the same read takes several times as long, and flushes three files.
 *
 *     file    := base; changes
 *     base    := line of JSON {"format", "schema", "state", "sections": facts of each}; sections, see rows-section.ts
 *     change  := line of JSON {"state", "bytes", "checksum"}; lines
 *     lines   := <family> TAB <rest of the key, hex> [TAB <value>]; without a value, the key was deleted
 *
 * Every part is padded to a multiple of 4 bytes. A line of JSON begins with its length and checksum, 8 hex digits each. Values are
 * UTF-8, or base64 in families of bytes. Checksums guard against accidents: a file that was not flushed, or was damaged.
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { ChangedValues } from './changed-values.ts'
import { checksum, checksumsOf, openSummedMemory, type SummedMemory } from './checksums.ts'
import { parseOwnJson } from './own-json.ts'
import {
  encodeSection,
  type FoundLine,
  keyIn,
  lengthOf,
  pad,
  padded,
  type RowsSource,
  Section,
  type SectionFacts,
  valueIn,
} from './rows-section.ts'

/** Increases when the layout changes. */
const format = 4

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
  /** The state without the changes. */
  readonly baseState: RowsState
  /** Size without the changes. */
  readonly baseBytes: number
  readonly changesBytes: number
  /**
   * Lines of a family by key; undefined when the file does not have the family, or they are damaged.
   *
   * @param gte - hex
   * @param lt - hex; undefined for all keys from `gte`
   */
  readonly readLines: (name: string, gte?: string, lt?: string) => readonly string[] | undefined
  /**
   * The line of a key; null when there is none. Undefined as for `readLines`, and when keys of the family have changed.
   *
   * @param key - hex
   */
  readonly findLine: (name: string, key: string) => FoundLine | null | undefined
  /** Lines of a family by key without the changes; undefined as for `readLines`. */
  readonly readBase: (name: string) => readonly string[] | undefined
  /** The changed values of a family by key, hex; undefined when they are damaged. */
  readonly changesOf: (name: string) => ReadonlyMap<string, string | undefined> | undefined
  /** Bytes of the lines of a family. */
  readonly bytesOf: (name: string) => number
  readonly close: () => void
}

/**
 * @param families - lines by key
 * @returns undefined when a value cannot be a line, or when the lines have more bytes
 */
export function encodeBase(
  { schema, state, bytesMax }: { readonly schema: string; readonly state: RowsState; readonly bytesMax: number },
  families: ReadonlyMap<string, readonly string[]>,
): Buffer | undefined {
  const parts: Buffer[] = []
  const sections: SectionFacts[] = []
  let length = 0
  for (const [name, lines] of families) {
    for (const line of lines) {
      if (line.includes('\n')) return undefined
      length += line.length + 1
    }
    if (length > bytesMax) return undefined
    const section = encodeSection(name, lines)
    sections.push(section.facts)
    parts.push(...section.parts)
  }
  return Buffer.concat([encodeLine({ format, schema, state, sections } satisfies BaseLine), ...parts])
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
    return openRows(wholeSource(bytes), () => {})
  } catch {
    // Not JSON, or without an expected member.
    return undefined
  }
}

const wholeSource = (bytes: Buffer): RowsSource => ({
  length: bytes.length,
  read: (from, to) => summed(bytes.subarray(from, to)),
})

/** A rows file on disk, which stays open: reads of other lines than before may fail. */
export function openRowsFile(path: string): RowsFile | undefined {
  let descriptor: number | undefined
  const close = (): void => {
    if (descriptor !== undefined) closeSync(descriptor)
    descriptor = undefined
  }
  try {
    descriptor = openSync(path, 'r')
    const { size } = fstatSync(descriptor)
    const fill = (buffer: Buffer, position: number): void => {
      if (descriptor === undefined) throw new Error('the rows file was closed')
      if (readSync(descriptor, buffer, 0, buffer.length, position) !== buffer.length) throw new Error('it was cut off')
    }
    const file = openRows(partSource(size, fill), close)
    if (file === undefined) close()
    return file
  } catch {
    close()
    return undefined
  }
}

/** Small parts are read into the same memory, one after the other. */
function partSource(length: number, fill: (buffer: Buffer, position: number) => void): RowsSource {
  const small = Buffer.allocUnsafeSlow(smallPartBytes)
  return {
    length,
    read(from, to) {
      const memory = to - from <= small.length ? summed(small.subarray(0, to - from)) : openSummedMemory(to - from)
      fill(memory.bytes, from)
      return memory
    },
  }
}

const summed = (bytes: Buffer): SummedMemory => ({ bytes, sumsOf: (ends) => checksumsOf(bytes, ends) })

const smallPartBytes = 16 * 1024

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

function openRows(source: RowsSource, close: () => void): RowsFile | undefined {
  const base = readLine<BaseLine>(source.read(0, Math.min(firstReadBytes, source.length)).bytes, 0)
  if (base === undefined || base.value.format !== format) return undefined
  const sections = new Map<string, Section>()
  let baseBytes = base.end
  for (const facts of base.value.sections) {
    sections.set(facts[0], new Section(source, baseBytes, facts))
    baseBytes += lengthOf(facts)
  }
  if (baseBytes > source.length) return undefined
  const bytes = Buffer.from(source.read(baseBytes, source.length).bytes)
  let { state } = base.value
  const changes: { readonly start: number; readonly line: ChangeLine }[] = []
  let end = 0
  while (end < bytes.length) {
    const line = readLine<ChangeLine>(bytes, end)
    if (line === undefined) return undefined
    changes.push({ start: line.end, line: line.value })
    state = line.value.state
    end = padded(line.end + line.value.bytes)
  }
  if (end !== bytes.length) return undefined
  let changed: ReadonlyMap<string, ChangedValues> | undefined
  return {
    schema: base.value.schema,
    state,
    baseState: base.value.state,
    baseBytes,
    changesBytes: bytes.length,
    readLines(name, gte = '', lt) {
      try {
        changed ??= readChanges(bytes, changes)
        const lines = sections.get(name)?.read(gte, lt)
        const values = changed.get(name)
        return lines === undefined || values === undefined ? lines : values.mergeInto(lines, gte, lt)
      } catch {
        return undefined
      }
    },
    findLine(name, key) {
      try {
        changed ??= readChanges(bytes, changes)
        return changed.has(name) ? undefined : sections.get(name)?.find(key)
      } catch {
        return undefined
      }
    },
    readBase(name) {
      try {
        return sections.get(name)?.read('', undefined)
      } catch {
        return undefined
      }
    },
    changesOf(name) {
      try {
        changed ??= readChanges(bytes, changes)
        return changed.get(name)?.values ?? new Map()
      } catch {
        return undefined
      }
    },
    bytesOf: (name) => base.value.sections.find(([family]) => family === name)?.[3] ?? 0,
    close,
  }
}

/** Holds the first line of a file. */
const firstReadBytes = 4096

/** The changed values by family. @throws when they are damaged */
function readChanges(
  bytes: Buffer,
  changes: readonly { readonly start: number; readonly line: ChangeLine }[],
): ReadonlyMap<string, ChangedValues> {
  const changed = new Map<string, ChangedValues>()
  for (const { start, line } of changes) {
    const end = start + line.bytes
    if (checksum(bytes.subarray(start, padded(end))) !== line.checksum) throw new Error('a change is damaged')
    const lines = bytes.toString('utf8', start, end).split('\n')
    lines.pop()
    for (const each of lines) {
      const [family, rest] = [keyIn(each), valueIn(each)]
      const [keyHex, value] = rest.includes('\t') ? [keyIn(rest), valueIn(rest)] : [rest, undefined]
      let values = changed.get(family)
      if (values === undefined) {
        values = new ChangedValues()
        changed.set(family, values)
      }
      values.set(keyHex, value)
    }
  }
  return changed
}

const prefixLength = 16

/** A line of JSON. */
export function encodeLine(value: unknown): Buffer {
  const json = pad(Buffer.from(`${JSON.stringify(value)}\n`))
  const hex = (number: number) => (number >>> 0).toString(16).padStart(8, '0')
  return Buffer.concat([Buffer.from(hex(json.length) + hex(checksum(json))), json])
}

export function readLine<Value>(
  bytes: Buffer,
  start: number,
): { readonly value: Value; readonly end: number } | undefined {
  const hex = bytes.toString('latin1', start, start + prefixLength)
  if (!/^[0-9a-f]{16}$/.test(hex)) return undefined
  const end = start + prefixLength + Number.parseInt(hex.slice(0, 8), 16)
  if (end > bytes.length || end % 4 !== 0) return undefined
  const json = bytes.subarray(start + prefixLength, end)
  if (checksum(json) >>> 0 !== Number.parseInt(hex.slice(8), 16)) return undefined
  return { value: parseOwnJson<Value>(json), end }
}
