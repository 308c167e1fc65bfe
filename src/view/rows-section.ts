/**
 * A section of a rows file: the lines of a family by key, of which some are read without the others.
 *
 *     section := index; lines                    each padded to a multiple of 4 bytes
 *     index   := JSON {"keys", "ends", "sums"}: of each block the start of its first key, the offset of its end, its checksum
 *     lines   := lines: <rest of the key, hex> TAB <value>
 *
 * A block ends with a line, at a multiple of 4 bytes. The start of its first key is as short as it can be above the last key before it.
 */
import { checksum, checksumsOf, type SummedMemory } from './checksums.ts'
import { parseOwnJson } from './own-json.ts'

/** Bytes of a block at least; the last one may be shorter. */
const blockBytesMin = 1024

/** What the head of a file says of a section. */
export type SectionFacts = readonly [
  family: string,
  indexBytes: number,
  indexChecksum: number,
  linesBytes: number,
  isAscii: boolean,
]

interface BlockIndex {
  readonly keys: readonly string[]
  readonly ends: readonly number[]
  readonly sums: readonly number[]
}

/** The bytes of a file. */
export interface RowsSource {
  readonly length: number
  /** A part, at least until the next read. @throws when it cannot be read */
  readonly read: (from: number, to: number) => SummedMemory
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

export const padded = (length: number): number => (length + 3) & ~3

export function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(padded(bytes.length) - bytes.length, '\n')])
}

export function lengthOf([, indexBytes, , linesBytes]: SectionFacts): number {
  return padded(indexBytes) + padded(linesBytes)
}

/** @param lines - by key, none with a line break */
export function encodeSection(
  family: string,
  lines: readonly string[],
): { readonly facts: SectionFacts; readonly parts: readonly Buffer[] } {
  const text = lines.length === 0 ? '' : `${lines.join('\n')}\n`
  const bytes = Buffer.from(text)
  const isAscii = bytes.length === text.length
  const content = pad(bytes)
  const keys: string[] = []
  const ends: number[] = []
  let start = 0
  let end = 0
  let before: string | undefined
  for (const line of lines) {
    if (end === start) keys.push(before === undefined ? '' : startAbove(keyIn(before), keyIn(line)))
    before = line
    end += (isAscii ? line.length : Buffer.byteLength(line)) + 1
    if (end - start < blockBytesMin || end % 4 !== 0) continue
    ends.push(end)
    start = end
  }
  if (end > start) ends.push(content.length)
  const index = Buffer.from(JSON.stringify({ keys, ends, sums: checksumsOf(content, ends) } satisfies BlockIndex))
  const paddedIndex = pad(index)
  return {
    facts: [family, index.length, checksum(paddedIndex), bytes.length, isAscii],
    parts: [paddedIndex, content],
  }
}

/** The shortest start of a key that is above another key. */
function startAbove(below: string, key: string): string {
  return key.slice(0, sharedStart(key, below) + 1)
}

/** How many characters two texts have in common at the start. */
function sharedStart(one: string, other: string): number {
  let length = 0
  while (length < one.length && one[length] === other[length]) length++
  return length
}

export interface FoundLine {
  readonly value: string
  /** Characters that the key has in common with the one before or after it, whichever are more. */
  readonly sharedLength: number
}

/** Reads lines of a section. Reads only the blocks that it needs, each of which it verifies once. */
export class Section {
  readonly #source: RowsSource
  readonly #start: number
  readonly #facts: SectionFacts
  #index: BlockIndex | undefined
  /** By block. */
  readonly #lines: (readonly string[] | undefined)[] = []

  /** @param start - of the section in the file */
  constructor(source: RowsSource, start: number, facts: SectionFacts) {
    this.#source = source
    this.#start = start
    this.#facts = facts
  }

  /**
   * Lines of a range of keys.
   *
   * @param lt - undefined for all keys from `gte`
   * @returns undefined when they are damaged, or cannot be read
   */
  read(gte: string, lt: string | undefined): readonly string[] | undefined {
    const index = this.#readIndex()
    if (index === undefined) return undefined
    const { keys } = index
    // The last block that begins at or below the range, and the last one that begins in it.
    const first = gte === '' ? 0 : Math.max(0, countBelow(keys, `${gte}${leastEnd}`) - 1)
    const last = (lt === undefined ? keys.length : countBelow(keys, lt)) - 1
    if (last < first) return []
    const lines = first === last ? this.#readBlock(index, first) : this.#readBlocks(index, first, last)
    if (lines === undefined || (gte === '' && lt === undefined)) return lines
    return lines.slice(placeOf(lines, gte), lt === undefined ? undefined : placeOf(lines, lt))
  }

  /**
   * The line of a key, and how far the keys beside it are like it. Reads one block: the starts of keys in the index tell the rest.
   *
   * @returns null when there is no such line; undefined when it is damaged, or cannot be read
   */
  find(key: string): FoundLine | null | undefined {
    const index = this.#readIndex()
    if (index === undefined) return undefined
    const { keys } = index
    const block = countBelow(keys, `${key}${leastEnd}`) - 1
    if (block < 0) return null
    const lines = this.#readBlock(index, block)
    if (lines === undefined) return undefined
    const place = placeOf(lines, key)
    const line = lines[place]
    if (line === undefined || keyIn(line) !== key) return null
    const [before, after] = [lines[place - 1], lines[place + 1]]
    const sharedLength = Math.max(
      before === undefined ? (keys[block] as string).length - 1 : sharedStart(key, before),
      after === undefined ? (keys[block + 1]?.length ?? 0) - 1 : sharedStart(key, after),
      0,
    )
    return { value: valueIn(line), sharedLength }
  }

  #readIndex(): BlockIndex | undefined {
    if (this.#index !== undefined) return this.#index
    const [, indexBytes, indexChecksum] = this.#facts
    const length = padded(indexBytes)
    const { bytes, sumsOf } = this.#source.read(this.#start, this.#start + length)
    if (sumsOf([length])[0] !== indexChecksum) return undefined
    this.#index = parseOwnJson<BlockIndex>(bytes.toString('latin1', 0, indexBytes))
    return this.#index
  }

  #readBlock(index: BlockIndex, block: number): readonly string[] | undefined {
    const lines = this.#lines[block] ?? this.#readBlocks(index, block, block)
    this.#lines[block] = lines
    return lines
  }

  #readBlocks({ ends, sums }: BlockIndex, first: number, last: number): readonly string[] | undefined {
    const [, indexBytes, , linesBytes, isAscii] = this.#facts
    const linesStart = this.#start + padded(indexBytes)
    const from = ends[first - 1] ?? 0
    const to = ends[last] as number
    const { bytes, sumsOf } = this.#source.read(linesStart + from, linesStart + to)
    const isWhole = first === 0 && last === ends.length - 1
    const found = sumsOf(isWhole ? ends : ends.slice(first, last + 1).map((end) => end - from))
    for (let block = first; block <= last; block++) if (found[block - first] !== sums[block]) return undefined
    // Without the last line break.
    const end = Math.min(to, linesBytes) - from - 1
    return (isAscii ? bytes.latin1Slice(0, end) : bytes.utf8Slice(0, end)).split('\n')
  }
}

/** Above the end of a key, and below a further digit of it. */
const leastEnd = '!'

/** How many of the sorted keys are below a key. */
export function countBelow(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
}
