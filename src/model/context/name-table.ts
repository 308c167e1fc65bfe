/**
 * All distinct names of symbols as one block of bytes, in which names are found and ranked without a string for each.
 *
 *     block  := name NUL …  in byte order: ASCII, with the highest bit set where a word begins
 *     others := name NUL …  UTF-8: names with other characters, or too long
 *
 * Invariants
 * - The matches and their order are those of `matchNames`.
 */
import { compareText } from '../compare.ts'
import { beginsWord, matchNames, type NameMatch, type NameMatching } from './match-names.ts'

/** Longer names are among the others: with these bounds, rank, length and place of a name fit into one number of 53 bits. */
const [lengthBits, placeBits] = [12, 28]
const lengthMax = 2 ** lengthBits - 1

const wordBit = 0x80
/** The lower-case byte of each byte of a block. */
const folded = Uint8Array.from({ length: 256 }, (_, byte) => {
  const plain = byte & ~wordBit
  return plain >= 0x41 && plain <= 0x5a ? plain + 0x20 : plain
})

export class NameTable {
  readonly block: Uint8Array
  readonly others: Uint8Array

  /** @param block - and `others`: not changed afterwards */
  constructor(block: Uint8Array, others: Uint8Array) {
    this.block = block
    this.others = others
  }

  /** @param names - in byte order, equal ones side by side */
  static of(names: Iterable<string>, bytesMax = 2 ** placeBits): NameTable {
    const block: string[] = []
    const others: string[] = []
    let bytes = 0
    let last: string | undefined
    for (const name of names) {
      if (name === last) continue
      last = name
      const end = bytes + name.length + 1
      const fits = name.length <= lengthMax && end <= bytesMax && /^[\x01-\x7f]+$/.test(name)
      if (fits) bytes = end
      ;(fits ? block : others).push(name)
    }
    return new NameTable(
      encodeBlock(block, bytes),
      new TextEncoder().encode(others.map((name) => `${name}\0`).join('')),
    )
  }

  /** Yields the names that match, the best ones first. */
  *match(query: string, matching: Exclude<NameMatching, 'prefix'>): Generator<string> {
    const others = matchNames(textsOf(this.others), query, matching)
    let next = 0
    for (const key of rankBlock[matching](this.block, query)) {
      const match = this.#matchOf(key)
      for (let other = others[next]; other !== undefined && compareMatches(other, match) < 0; other = others[++next]) {
        yield other.name
      }
      yield match.name
    }
    for (const { name } of others.slice(next)) yield name
  }

  #matchOf(key: number): NameMatch {
    const place = key % 2 ** placeBits
    const rank = Math.floor(key / 2 ** (placeBits + lengthBits))
    const length = Math.floor(key / 2 ** placeBits) % 2 ** lengthBits
    let name = ''
    for (let at = place; at < place + length; at++) name += String.fromCharCode((this.block[at] as number) & ~wordBit)
    return { name, rank }
  }
}

function encodeBlock(names: readonly string[], bytes: number): Uint8Array {
  const block = new Uint8Array(bytes)
  let at = 0
  for (const name of names) {
    for (let index = 0; index < name.length; index++) {
      block[at++] = name.charCodeAt(index) | (beginsWord(name, index) ? wordBit : 0)
    }
    at++
  }
  return block
}

function* textsOf(bytes: Uint8Array): Generator<string> {
  if (bytes.length > 0) yield* new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).slice(0, -1).split('\0')
}

function compareMatches(left: NameMatch, right: NameMatch): number {
  return left.rank - right.rank || left.name.length - right.name.length || compareText(left.name, right.name)
}

/** A match as a number, which is the smaller the better it is. */
function keyOf(rank: number, length: number, place: number): number {
  return (rank * 2 ** lengthBits + length) * 2 ** placeBits + place
}

/** Keys of the names of a block that match, in their order. */
type RankBlock = (block: Uint8Array, query: string) => Float64Array

/** The loops see each byte of the block, so all that they need is in constants of their own: a third of the time. */
const rankBlock: Readonly<Record<Exclude<NameMatching, 'prefix'>, RankBlock>> = {
  substring(block, query) {
    const wanted = wantedBytes(query)
    if (wanted === undefined) return noKeys
    const isQuery = comparerTo(query)
    const [table, size, first, any] = [folded, block.length, wanted[0] ?? 0, wanted.length === 0]
    const keys: number[] = []
    let start = 0
    for (let at = 0; at < size; at++) {
      const raw = block[at] as number
      if (raw === 0) start = at + 1
      else if ((table[raw] === first || any) && isAt(block, at, wanted)) {
        const end = block.indexOf(0, at)
        const length = end - start
        let rank = at === start ? 2 : raw >= wordBit ? 3 : 4
        if (length === query.length) rank = isQuery(block, start, length) ? 0 : 1
        keys.push(keyOf(rank, length, start))
        at = end
        start = end + 1
      }
    }
    return Float64Array.from(keys).sort()
  },
  fuzzy(block, query) {
    const wanted = wantedBytes(query)
    if (wanted === undefined) return noKeys
    const isQuery = comparerTo(query)
    const [table, size, count] = [folded, block.length, wanted.length]
    const keys: number[] = []
    const first = wanted[0] ?? noByte
    let letter = first
    let [next, last, cost, start] = [0, -1, 1, 0]
    for (let at = 0; at < size; at++) {
      const raw = block[at] as number
      if (raw === 0) {
        const length = at - start
        if (next === count) keys.push(keyOf(isQuery(block, start, length) ? 0 : cost, length, start))
        start = at + 1
        last = at
        next = 0
        letter = first
        cost = 1
      } else if (table[raw] === letter) {
        if (at !== last + 1) cost += raw >= wordBit ? 1 : 2
        last = at
        next++
        letter = next < count ? (wanted[next] as number) : noByte
      }
    }
    return Float64Array.from(keys).sort()
  },
}

/** Equal to no byte. V8 makes the loop slow when a variable in it may be undefined. */
const noByte = -1

const noKeys = new Float64Array(0)

/** The bytes of a query as `folded` has them; undefined when no name of a block can have them. */
function wantedBytes(query: string): Uint8Array | undefined {
  const text = query.toLowerCase()
  return /^[\x01-\x7f]*$/.test(text) ? new TextEncoder().encode(text) : undefined
}

function isAt(block: Uint8Array, place: number, wanted: Uint8Array): boolean {
  for (let index = 1; index < wanted.length; index++) {
    if (folded[block[place + index] as number] !== wanted[index]) return false
  }
  return true
}

/** Whether the name at a place is the query as it was written. */
function comparerTo(query: string): (block: Uint8Array, place: number, length: number) => boolean {
  return (block, place, length) => {
    if (length !== query.length) return false
    for (let index = 0; index < length; index++) {
      if (((block[place + index] as number) & ~wordBit) !== query.charCodeAt(index)) return false
    }
    return true
  }
}
