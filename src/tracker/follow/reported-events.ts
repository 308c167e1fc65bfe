import { type EventId, formatHex, parseHex } from '../../model/index.ts'

const idBytes = 32

/**
 * The set of reported events. The events that exist at the start are one sorted buffer, 32 bytes each, so that watching a
 * log of a million events takes only the memory of the ids.
 */
export class ToldEvents {
  readonly #atStart: Uint8Array
  readonly #since = new Set<EventId>()

  /** @param sortedIds - 32 bytes each, ascending; kept, so the caller must not change them */
  constructor(sortedIds: Uint8Array) {
    if (sortedIds.length % idBytes !== 0) throw new RangeError('ids of events have 32 bytes')
    this.#atStart = sortedIds
  }

  has(id: EventId): boolean {
    return this.#since.has(id) || this.#wasThere(id)
  }

  add(id: EventId): void {
    this.#since.add(id)
  }

  #wasThere(id: EventId): boolean {
    const wanted = parseHex(id)
    if (wanted === undefined) throw new TypeError(`'${id}' is not an event id`)
    let low = 0
    let high = this.#atStart.length / idBytes
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareBytes(this.#atStart, middle * idBytes, wanted) < 0) low = middle + 1
      else high = middle
    }
    if (low * idBytes >= this.#atStart.length) return false
    return formatHex(this.#atStart.subarray(low * idBytes, (low + 1) * idBytes)) === id
  }
}

function compareBytes(bytes: Uint8Array, start: number, wanted: Uint8Array): number {
  for (let index = 0; index < wanted.length; index++) {
    const difference = (bytes[start + index] as number) - (wanted[index] as number)
    if (difference !== 0) return difference
  }
  return 0
}
