/**
 * What a walk over a stream knows of its chain from the cache, and learns for it.
 *
 * Invariants
 * - Rows are of the commits after the first that the walk meets, and never of the one that begins the chain.
 * - The cache only grows, unless the walk has found another chain down to its beginning.
 */
import type { Oid } from '../../git/index.ts'
import { encodeStreamId, type StreamId } from '../../model/streams/index.ts'
import {
  type ChainName,
  type ChainPlace,
  type ChainRow,
  type KnownChain,
  readKnownChain,
  writeKnownChain,
} from './chain-cache.ts'
import type { Next } from './layout.ts'

/** Fewer new rows do not rewrite the file. */
const newRowsMin = 64

export interface KnownCommit {
  readonly row: ChainRow
  /** Its first parent. */
  readonly parent: Oid
}

export class ChainMemory {
  readonly #place: ChainPlace | null
  #name: (ChainName & { readonly streamId: StreamId }) | null = null
  #known: KnownChain | null = null
  /** Where the walk has met the known chain; null before. */
  #metAt: number | null = null
  /** The row to take next; null when the walk is not on the known chain. */
  #at: number | null = null
  #newer: ChainRow[] = []
  #older: ChainRow[] = []
  /** First parent of the row that was noted last. */
  #before: Oid | null = null
  #taken: Oid | null = null
  /** The file contradicts the commits. */
  #isOff = false

  constructor(place: ChainPlace | null) {
    this.#place = place
  }

  /** What the cache says of the next commit; null when it does not know it. */
  async take(next: Next): Promise<KnownCommit | null> {
    const place = this.#place
    if (place === null || this.#isOff || next.owner === null || next.generation === null) return null
    const isNew = !this.#isOf(next)
    if (isNew) await this.#enter(place, next)
    const known = this.#known
    if (known === null) return null
    if (this.#metAt === null) this.#meet(known, next.commit, isNew)
    const at = this.#at
    if (at === null) return null
    if (known.commitAt(at) !== next.commit) {
      this.#forget()
      this.#isOff = true
      return null
    }
    this.#at = at === 0 ? null : at - 1
    this.#taken = next.commit
    return { row: known.row(at), parent: at === 0 ? known.before : known.commitAt(at - 1) }
  }

  #isOf({ owner, generation }: Next): boolean {
    const name = this.#name
    return (
      name?.streamId === owner?.streamId && name?.incarnation === owner?.incarnation && name?.generation === generation
    )
  }

  async #enter(place: ChainPlace, { commit, owner, generation }: Next): Promise<void> {
    await this.save(null)
    if (owner === null || generation === null) return
    const { streamId, incarnation } = owner
    const name = { encodedId: encodeStreamId(streamId), streamId, incarnation, generation }
    this.#name = name
    this.#known = await readKnownChain(place, name, commit.length / 2)
  }

  #meet(known: KnownChain, commit: Oid, isFirst: boolean): void {
    const newest = known.count - 1
    if (known.before === commit) {
      // Below other commits than those of the file, it is another chain.
      if (this.#newer.length > 0) this.#known = null
      else this.#metAt = newest
      return
    }
    // Most walks begin at a commit that the file has, or above all that it has.
    const at = isFirst ? known.indexOf(commit) : newest >= 0 && known.commitAt(newest) === commit ? newest : -1
    if (at === -1) return
    this.#metAt = at
    this.#at = at
  }

  /** Notes a commit that the walk has read. */
  note(row: ChainRow, parent: Oid): void {
    if (this.#name === null || row.commit === this.#taken) return
    if (this.#metAt === null) this.#newer.push(row)
    else this.#older.push(row)
    this.#before = parent
  }

  /**
   * Writes what is new.
   * @param next - where the walk goes on; null when it has reached the beginning
   */
  async save(next: Next | null): Promise<void> {
    const [place, name, known, metAt, before] = [this.#place, this.#name, this.#known, this.#metAt, this.#before]
    const [newer, older] = [this.#newer, this.#older]
    if (place === null || name === null) return
    const isOver = next === null || next.owner === null
    const isEnough = newer.length + older.length >= newRowsMin
    // Before it meets the known chain, the walk may be on the same one, or on another.
    const isUndecided = known !== null && metAt === null
    if (!isOver && (!isEnough || isUndecided)) return
    this.#forget()
    if (!isEnough || before === null) return
    if (known === null || metAt === null) {
      await writeKnownChain(place, name, { before, newer, known: new Uint8Array(0), older: [] })
      return
    }
    const kept = known.rowBytesUpTo(newer.length > 0 ? metAt : known.count - 1)
    await writeKnownChain(place, name, { before: older.length > 0 ? before : known.before, newer, known: kept, older })
  }

  #forget(): void {
    this.#name = null
    this.#known = null
    this.#metAt = null
    this.#at = null
    this.#newer = []
    this.#older = []
    this.#before = null
    this.#taken = null
  }
}
