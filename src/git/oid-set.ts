import { oidLength } from './oid.ts'
import type { ObjectFormat, Oid } from './port.ts'

const idsMin = 1024

/**
 * A set of object ids as bytes: 30 to 60 per id, where a set of texts takes 150 that the garbage collector walks. Ids are only
 * appended until one is looked for: a reader of a straight history looks for none.
 */
export class OidSet {
  readonly #idBytes: number
  readonly #hexLength: number
  /** The ids that were added, one after the other, and behind them the one that is looked for. */
  #ids: Buffer
  #count = 0
  /** By hash, the number of an id plus one; 0 for a free slot. */
  #slots = new Uint32Array(0)
  /** How many of the ids are in slots, and how many slots they take. */
  #indexed = 0
  #distinct = 0

  constructor(format: ObjectFormat) {
    this.#hexLength = oidLength[format]
    this.#idBytes = this.#hexLength / 2
    this.#ids = Buffer.allocUnsafeSlow(idsMin * this.#idBytes)
  }

  add(oid: Oid): void {
    this.#writeBehind(oid)
    this.#count += 1
  }

  /** Number of different ids. */
  get size(): number {
    this.#index()
    return this.#distinct
  }

  has(oid: Oid): boolean {
    return this.numberOf(oid) >= 0
  }

  /** A number that no other id of the set has, below the number of calls of `add` so far; -1 for an id that was not added. */
  numberOf(oid: Oid): number {
    if (oid.length !== this.#hexLength || this.#count === 0) return -1
    this.#writeBehind(oid)
    this.#index()
    return (this.#slots[this.#find(this.#count)] as number) - 1
  }

  #writeBehind(oid: Oid): void {
    const at = this.#count * this.#idBytes
    if (at === this.#ids.length) this.#ids = Buffer.concat([this.#ids], 2 * at)
    this.#ids.write(oid, at, 'hex')
  }

  #index(): void {
    if (2 * this.#count > this.#slots.length) {
      let length = 2 * idsMin
      while (length < 4 * this.#count) length *= 2
      this.#slots = new Uint32Array(length)
      this.#indexed = 0
      this.#distinct = 0
    }
    for (; this.#indexed < this.#count; this.#indexed++) {
      const slot = this.#find(this.#indexed)
      if (this.#slots[slot] !== 0) continue
      this.#slots[slot] = this.#indexed + 1
      this.#distinct += 1
    }
  }

  /** The slot of the id with this number, or the free one where it belongs. */
  #find(number: number): number {
    const [ids, slots, idBytes] = [this.#ids, this.#slots, this.#idBytes]
    const mask = slots.length - 1
    const wanted = number * idBytes
    for (let slot = ids.readUInt32BE(wanted) & mask; ; slot = (slot + 1) & mask) {
      const found = slots[slot] as number
      if (found === 0) return slot
      const at = (found - 1) * idBytes
      let index = 0
      while (index < idBytes && ids[at + index] === ids[wanted + index]) index++
      if (index === idBytes) return slot
    }
  }
}
