import { oidLength } from './object-codec.ts'
import type { ObjectFormat, Oid } from './port.ts'

const slotsMin = 1024

/** A set of object ids as bytes: 40 to 80 per id, where a set of texts takes 150 that the garbage collector walks. */
export class OidSet {
  readonly #idBytes: number
  readonly #hexLength: number
  /** The id in each slot, and whether there is one. */
  #ids: Buffer
  #isUsed: Uint8Array
  #count = 0
  readonly #wanted: Buffer

  constructor(format: ObjectFormat) {
    this.#hexLength = oidLength[format]
    this.#idBytes = this.#hexLength / 2
    this.#ids = Buffer.alloc(slotsMin * this.#idBytes)
    this.#isUsed = new Uint8Array(slotsMin)
    this.#wanted = Buffer.alloc(this.#idBytes)
  }

  add(oid: Oid): void {
    this.#wanted.write(oid, 'hex')
    const slot = this.#find(this.#wanted, 0)
    if (this.#isUsed[slot] === 1) return
    this.#put(slot, this.#wanted, 0)
    this.#count += 1
    if (2 * this.#count > this.#isUsed.length) this.#grow()
  }

  has(oid: Oid): boolean {
    if (oid.length !== this.#hexLength) return false
    this.#wanted.write(oid, 'hex')
    return this.#isUsed[this.#find(this.#wanted, 0)] === 1
  }

  /** The slot of an id, or the free one where it belongs. */
  #find(bytes: Buffer, start: number): number {
    const idBytes = this.#idBytes
    const mask = this.#isUsed.length - 1
    for (let slot = bytes.readUInt32BE(start) & mask; ; slot = (slot + 1) & mask) {
      if (this.#isUsed[slot] === 0) return slot
      const at = slot * idBytes
      let index = 0
      while (index < idBytes && this.#ids[at + index] === bytes[start + index]) index++
      if (index === idBytes) return slot
    }
  }

  #grow(): void {
    const [ids, isUsed] = [this.#ids, this.#isUsed]
    this.#isUsed = new Uint8Array(2 * isUsed.length)
    this.#ids = Buffer.alloc(2 * ids.length)
    for (let slot = 0; slot < isUsed.length; slot++) {
      if (isUsed[slot] === 0) continue
      const at = slot * this.#idBytes
      this.#put(this.#find(ids, at), ids, at)
    }
  }

  /** For so few bytes, a loop takes less time than `copy`. */
  #put(slot: number, bytes: Buffer, start: number): void {
    const idBytes = this.#idBytes
    const at = slot * idBytes
    for (let index = 0; index < idBytes; index++) this.#ids[at + index] = bytes[start + index] as number
    this.#isUsed[slot] = 1
  }
}
