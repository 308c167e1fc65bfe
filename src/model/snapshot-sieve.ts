/**
 * Decides where a snapshot keeps each record of the log (docs/format.md#snapshot), in log order, with memory only per
 * issue and id.
 *
 * Invariants
 * - `events` gets each id once, one creation per issue, and no event that is dated at or before its issue's creation or
 *   whose issue has none: the Rust tool rejects a snapshot that holds any of those.
 * - `events` and `orphans` together hold every record that the view would fold, including copies with another
 *   signature.
 * - When a later record makes an earlier decision wrong, `isOverturned` is set. The log must then be read again with
 *   `again()`, which knows all creations and repeated ids in advance and is never overturned.
 */
import { compareVersions, type Event, type Version, versionOf } from './event.ts'
import { blake2b256 } from './hash.ts'
import { formatHex } from './hex.ts'
import type { EventId, IssueId } from './ids.ts'

/** `nowhere`: the same bytes are already kept. */
export type SnapshotPlace = 'events' | 'orphans' | 'nowhere'

export class SnapshotSieve {
  /** The winning creation of each issue: so far, or of the whole log. */
  readonly #creations: Map<IssueId, Version>
  /** Repeated ids, with the signatures seen so far. Null during the first reading, which finds them. */
  readonly #repeated: ReadonlyMap<EventId, Set<string>> | null
  /** First reading: the first 48 bits of every id, and the ids whose prefix came twice. */
  readonly #prefixes = new Set<number>()
  readonly #suspects = new Set<EventId>()
  /** First reading: issues with a record before any creation. */
  readonly #waiting = new Set<IssueId>()
  readonly #opaque = new Set<string>()
  #isOverturned = false
  #hasRepeats = false

  constructor(known?: { readonly creations: Map<IssueId, Version>; readonly repeated: ReadonlySet<EventId> }) {
    this.#creations = known?.creations ?? new Map()
    this.#repeated = known === undefined ? null : new Map([...known.repeated].map((id) => [id, new Set()]))
  }

  /** Whether a later record made an earlier decision wrong. */
  get isOverturned(): boolean {
    return this.#isOverturned
  }

  /** Whether an id came twice. Certain unless `isOverturned`. */
  get hasRepeats(): boolean {
    return this.#hasRepeats
  }

  /** A sieve for a second reading of the same log from its start. */
  again(): SnapshotSieve {
    return new SnapshotSieve({ creations: this.#creations, repeated: this.#suspects })
  }

  place(event: Event): SnapshotPlace {
    return this.#placeOfCopy(event) ?? this.#placeOfFirst(event)
  }

  /** The place of a record that verifies, but cannot be decoded. */
  placeOpaque(record: Uint8Array): SnapshotPlace {
    const digest = formatHex(blake2b256(record))
    if (this.#opaque.has(digest)) return 'nowhere'
    this.#opaque.add(digest)
    return 'orphans'
  }

  /** Undefined for the first record of an id. Copies of an event differ only in the signature. */
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
