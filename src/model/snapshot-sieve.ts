/**
 * Where a snapshot keeps each record of the log (docs/format.md#snapshot), decided in log order with memory for no more
 * than what each issue and id needs.
 *
 * Invariants
 * - `events` gets each id once, one creation for each issue, and nothing that is dated at or before its issue's
 *   creation or has none: the Rust tool gives up on a snapshot that holds anything of that.
 * - `events` and `orphans` together hold every record that the view would fold, copies with another signature included.
 * - What a later record would make wrong is noticed: `isOverturned`. The log has to be read again then, with `again()`,
 *   which knows all creations and repeated ids beforehand and is never overturned.
 */
import { compareVersions, type Event, type Version, versionOf } from './event.ts'
import { blake2b256 } from './hash.ts'
import { formatHex } from './hex.ts'
import type { EventId, IssueId } from './ids.ts'

/** `nowhere`: the same bytes have been kept already. */
export type SnapshotPlace = 'events' | 'orphans' | 'nowhere'

export class SnapshotSieve {
  /** The creation that counts, of each issue: so far, or of the whole log. */
  readonly #creations: Map<IssueId, Version>
  /** Ids that come more than once, with the signatures seen so far. Null as long as they are being found out. */
  readonly #repeated: ReadonlyMap<EventId, Set<string>> | null
  /** The first reading: first 48 bits of every id, and ids of which those came twice. */
  readonly #prefixes = new Set<number>()
  readonly #suspects = new Set<EventId>()
  /** The first reading: issues of which something came before a creation. */
  readonly #waiting = new Set<IssueId>()
  readonly #opaque = new Set<string>()
  #isOverturned = false
  #hasRepeats = false

  constructor(known?: { readonly creations: Map<IssueId, Version>; readonly repeated: ReadonlySet<EventId> }) {
    this.#creations = known?.creations ?? new Map()
    this.#repeated = known === undefined ? null : new Map([...known.repeated].map((id) => [id, new Set()]))
  }

  /** Whether a place that was given is wrong by what came later. */
  get isOverturned(): boolean {
    return this.#isOverturned
  }

  /** Whether an id came twice. Known for certain unless `isOverturned`. */
  get hasRepeats(): boolean {
    return this.#hasRepeats
  }

  /** For a second reading of the same log from its start. */
  again(): SnapshotSieve {
    return new SnapshotSieve({ creations: this.#creations, repeated: this.#suspects })
  }

  place(event: Event): SnapshotPlace {
    return this.#placeOfCopy(event) ?? this.#placeOfFirst(event)
  }

  /** The place of a record whose id verifies though nothing else of it is known. */
  placeOpaque(record: Uint8Array): SnapshotPlace {
    const digest = formatHex(blake2b256(record))
    if (this.#opaque.has(digest)) return 'nowhere'
    this.#opaque.add(digest)
    return 'orphans'
  }

  /** Undefined for the first record of an id. Copies of an event differ in nothing but the signature. */
  #placeOfCopy({ eventId, sig }: Event): SnapshotPlace | undefined {
    if (this.#repeated === null) {
      const prefix = Number.parseInt(eventId.slice(0, 12), 16)
      if (this.#prefixes.has(prefix)) {
        this.#suspects.add(eventId)
        this.#isOverturned = true
      }
      this.#prefixes.add(prefix)
      return undefined
    }
    const signatures = this.#repeated.get(eventId)
    if (signatures === undefined) return undefined
    const signature = sig === null ? 'none' : formatHex(sig)
    const isFirst = signatures.size === 0
    if (!isFirst) this.#hasRepeats = true
    if (signatures.has(signature)) return 'nowhere'
    signatures.add(signature)
    return isFirst ? undefined : 'orphans'
  }

  #placeOfFirst(event: Event): SnapshotPlace {
    const { type } = event.body
    if (type === 'ContextUpdated' || type === 'ProjectContextUpdated') return 'events'
    if (type === 'IssueCreated') return this.#placeOfCreation(event)
    const creation = this.#creations.get(event.issueId)
    if (creation !== undefined) return event.tsUnixMs > creation.tsUnixMs ? 'events' : 'orphans'
    this.#waiting.add(event.issueId)
    return 'orphans'
  }

  #placeOfCreation(event: Event): SnapshotPlace {
    const known = this.#creations.get(event.issueId)
    if (known !== undefined) {
      const order = compareVersions(event, known)
      if (order === 0) return 'events'
      if (order > 0) return 'orphans'
    }
    this.#creations.set(event.issueId, versionOf(event))
    if (known !== undefined || this.#waiting.has(event.issueId)) this.#isOverturned = true
    return 'events'
  }
}
