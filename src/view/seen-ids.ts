/** Where a record has the id of its event: 88, 58 20 <event id>. */
const idAt = 3
const slotsMin = 4096

/**
 * The event ids of a fresh store, by their first 64 bits, in 16 to 32 bytes each. Sets of texts or numbers take several
 * times as much memory, and the garbage collector has to walk them.
 */
export class SeenIds {
  /** Two words per slot; a free slot has zeros. */
  #words = new Uint32Array(2 * slotsMin)
  #count = 0

  /**
   * Adds the id in a verified record. False when an id with the same bits was added before: the event is known, or, by
   * a rare chance, another one.
   */
  add(record: Uint8Array): boolean {
    const high = wordAt(record, idAt)
    // An id that begins with 64 zero bits would look like a free slot.
    const low = wordAt(record, idAt + 4) || 1
    if (!insert(this.#words, high, low)) return false
    this.#count += 1
    if (4 * this.#count > this.#words.length) this.#grow()
    return true
  }

  #grow(): void {
    const old = this.#words
    this.#words = new Uint32Array(2 * old.length)
    for (let at = 0; at < old.length; at += 2) {
      const low = old[at + 1] as number
      if (low !== 0) insert(this.#words, old[at] as number, low)
    }
  }
}

function insert(words: Uint32Array, high: number, low: number): boolean {
  const mask = words.length - 1
  // Ids are digests: any of their bits are evenly spread, unless somebody searched for ids with equal bits.
  for (let at = (2 * high) & mask; ; at = (at + 2) & mask) {
    const found = words[at + 1]
    if (found === 0) {
      words[at] = high
      words[at + 1] = low
      return true
    }
    if (found === low && words[at] === high) return false
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  )
}
