/**
 * Which commits hold which offsets of a stream, as one commit gives it: found by walking back by first parents, only as
 * far as a reader needs.
 *
 * Invariants
 * - Spans are contiguous in the walk, newest first, each clipped at the forks above it.
 * - A plain seal is known by the hints in its message; its reader compares them with its manifest. Commits with an
 *   act, and those that begin a stream, are known by their manifest.
 * - What an earlier walk has found is taken from the cache of the chain, from its second commit on.
 */
import type { BareCommit, GitPort, Oid } from '../../git/index.ts'
import { type AdoptedRow, type Incarnation, nextOffsetOf, type StreamId } from '../../model/streams/index.ts'
import type { ChainPlace, ChainRow } from './chain-cache.ts'
import { ChainMemory } from './chain-memory.ts'
import { hintsOf, type ManifestReader, readCommitFacts, UnreadableCommitError } from './commit-reader.ts'
import { beginsStream } from './stream-codec.ts'

/** A stream in its present incarnation. */
export interface StreamIdentity {
  readonly streamId: StreamId
  readonly incarnation: Incarnation
}

export function isSameStream(left: StreamIdentity, right: StreamIdentity): boolean {
  return left.streamId === right.streamId && left.incarnation === right.incarnation
}

/** The content of one commit, as far as the reader's stream holds it. */
export interface Span {
  readonly commit: Oid
  readonly owner: StreamIdentity
  /** Of the commit's content. */
  readonly firstOffset: number
  /** Up to, not including, this offset: below the commit's own end where a fork cuts it. */
  readonly to: number
  /** Null for a segment. */
  readonly adopted: { readonly rows: readonly AdoptedRow[]; readonly parents: readonly Oid[] } | null
  /** The commit before it in git when it is the only parent; null otherwise. */
  readonly onlyParent: Oid | null
}

/** Offsets that cannot be read because a commit is unreadable. */
export interface LayoutBreak {
  readonly objectId: Oid
  readonly reason: string
  /** Offsets below this are unknown. */
  readonly below: number
}

/** Where the walk goes on. Owner and generation are known from the second commit of a stream on. */
export interface Next {
  readonly commit: Oid
  readonly below: number
  readonly owner: StreamIdentity | null
  readonly generation: number | null
}

/** Commits that are read one by one, before a walk asks git for all of them. */
const singleReadsMax = 64

export class Layout {
  readonly head: Oid
  readonly #manifests: ManifestReader
  /** Newest first. */
  readonly #spans: Span[] = []
  #next: Next | null
  readonly #memory: ChainMemory
  #broken: LayoutBreak | null = null
  #commits: CommitWalk
  /** Commits that were read. */
  #stepCount = 0
  #walking: Promise<void> = Promise.resolve()
  /** The commit of another stream from which the stream was forked; null before the walk has met it. */
  #forkedFrom: Oid | null = null
  #firstOffset: number | null = null
  #oldestCommit: Oid | null = null

  /** @param chains - where caches of chains are; null for none */
  constructor(git: GitPort, manifests: ManifestReader, head: Oid, chains: ChainPlace | null) {
    this.#manifests = manifests
    this.head = head
    this.#next = { commit: head, below: Number.MAX_SAFE_INTEGER, owner: null, generation: null }
    this.#commits = new CommitWalk(git)
    this.#memory = new ChainMemory(chains)
  }

  /** Set when the walk met a commit that it cannot read. */
  get broken(): LayoutBreak | null {
    return this.#broken
  }

  get spanCount(): number {
    return this.#spans.length
  }

  /** Spans with offsets from one up to, not including, another, by ascending offset. */
  async spansOf(from: number, to: number): Promise<readonly Span[]> {
    await this.#extend(from)
    const found: Span[] = []
    const spans = this.#spans
    for (let at = this.#firstBelow(to); at < spans.length; at++) {
      const span = spans[at] as Span
      if (span.to <= from) break
      found.push(span)
    }
    return found.reverse()
  }

  /** The oldest offset that the stream holds: above 0 after retention, also where that was a parent's. */
  async oldestOffset(): Promise<number> {
    await this.#extend(-1)
    return this.#firstOffset ?? this.#spans.at(-1)?.firstOffset ?? 0
  }

  /** The commit of a parent from which the stream was forked; null for another one. Walks over the stream's own commits. */
  async forkedFrom(): Promise<Oid | null> {
    await this.#extend('fork')
    return this.#forkedFrom
  }

  /**
   * The containing commit of an offset: the oldest one, on the way by first parents, whose next offset is at least that.
   * Null when the offset is below all that the stream holds.
   */
  async containingCommit(offset: number): Promise<Oid | null> {
    if (offset > 0) {
      const [span] = await this.spansOf(offset - 1, offset)
      if (span !== undefined) return span.commit
    }
    await this.#extend(-1)
    return offset === this.#firstOffset ? this.#oldestCommit : null
  }

  /** Index of the newest span that begins below an offset. */
  #firstBelow(to: number): number {
    let [low, high] = [0, this.#spans.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#spans[middle] as Span).firstOffset >= to) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Walks until an offset is covered, or the fork is met; to the end for -1. Callers at the same time wait for each other. */
  async #extend(to: number | 'fork'): Promise<void> {
    const turn = this.#walking.then(() => this.#walk(to))
    this.#walking = turn.catch(() => {})
    await turn
  }

  async #walk(to: number | 'fork'): Promise<void> {
    const isOpen = () => (to === 'fork' ? this.#forkedFrom === null : this.#reached > to)
    try {
      while (this.#next !== null && isOpen()) {
        const row = await this.#memory.take(this.#next)
        if (row === null) await this.#step(this.#next)
        else await this.#stepTo(this.#next, row)
      }
    } catch (error) {
      if (!(error instanceof UnreadableCommitError)) throw error
      const below = Math.min(this.#next?.below ?? 0, this.#reached)
      this.#broken = { objectId: error.objectId, reason: error.message, below }
      this.#next = null
    } finally {
      await this.#commits.pause()
    }
    if (this.#broken === null) await this.#memory.save(this.#next)
  }

  /** The oldest offset that was found. */
  get #reached(): number {
    return this.#spans.at(-1)?.firstOffset ?? Number.MAX_SAFE_INTEGER
  }

  /** A step to what the cache knows of the commit. */
  async #stepTo(next: Next, { row, parent }: { readonly row: ChainRow; readonly parent: Oid }): Promise<void> {
    const { commit, below, owner } = next
    if (row.kind === 'unusual' || owner === null) {
      await this.#stepByManifest(next)
      return
    }
    const { firstOffset, end } = row
    if (row.kind === 'segment')
      this.#add({ commit, owner, firstOffset, count: end - firstOffset, below, adopted: null, onlyParent: parent })
    this.#next = { ...next, commit: parent }
  }

  async #step(next: Next): Promise<void> {
    const { commit, below, owner } = next
    const facts = await this.#commits.read(commit, this.#stepCount++)
    const hints = hintsOf(facts)
    const [parent] = facts.parents
    if (
      hints !== null &&
      hints.act === null &&
      owner?.streamId === hints.streamId &&
      parent !== undefined &&
      facts.parents.length === 1
    ) {
      this.#add({ commit, owner, ...hints, below, adopted: null, onlyParent: parent })
      const { firstOffset, count } = hints
      const kind = count === 0 ? 'empty' : 'segment'
      this.#memory.note({ commit, firstOffset, end: firstOffset + count, kind }, parent)
      this.#next = { ...next, commit: parent }
      return
    }
    await this.#stepByManifest(next)
  }

  async #stepByManifest({ commit, below, owner }: Next): Promise<void> {
    const { manifest, parents } = await this.#manifests.read(commit)
    const [parent] = parents
    const identity = { streamId: manifest.streamId, incarnation: manifest.incarnation }
    if (owner !== null && !isSameStream(owner, identity))
      throw new UnreadableCommitError(commit, `commit ${commit} is of another stream`)
    const { content, act } = manifest
    // Rows of an unknown act are taken for a segment, which then is unreadable.
    const adopted = content?.kind === 'rows' && act?.name !== 'unknown' ? { rows: content.rows, parents } : null
    const onlyParent = parents.length === 1 ? (parents[0] as Oid) : null
    this.#add({ commit, owner: identity, ...manifest, below, adopted, onlyParent })
    if (!beginsChain(manifest)) {
      if (parent === undefined) throw new UnreadableCommitError(commit, `commit ${commit} has no parent`)
      const { firstOffset, generation } = manifest
      const kind = content === null && parents.length === 1 ? 'empty' : 'unusual'
      if (owner !== null) this.#memory.note({ commit, firstOffset, end: nextOffsetOf(manifest), kind }, parent)
      this.#next = { commit: parent, below, owner: identity, generation }
      return
    }
    const [origin] = manifest.lineage.parents
    if (manifest.lineage.kind === 'branch' && beginsStream(manifest) && parent !== undefined && origin !== undefined) {
      this.#forkedFrom ??= parent
      // The containing commit may be of a parent's parent, so its manifest says whose it is.
      this.#next = { commit: parent, below: Math.min(below, origin.offset), owner: null, generation: null }
      return
    }
    this.#oldestCommit = commit
    this.#firstOffset = manifest.act?.name === 'carry' ? nextOffsetOf(manifest) : 0
    this.#next = null
  }

  #add(span: Omit<Span, 'to'> & { readonly count: number; readonly below: number }): void {
    const { commit, owner, firstOffset, count, below, adopted, onlyParent } = span
    const newest = this.#spans.at(-1)
    const to = Math.min(firstOffset + count, below)
    if (to <= firstOffset) return
    // Hints that overlap are wrong; the newer commit counts.
    const end = newest === undefined ? to : Math.min(to, newest.firstOffset)
    if (end <= firstOffset) return
    this.#spans.push({ commit, owner, firstOffset, to: end, adopted, onlyParent })
  }
}

function beginsChain({ commitCount }: { readonly commitCount: number }): boolean {
  return commitCount === 1
}

/** Reads commits from newer to older: a few one by one, many through one walk of git. */
export class CommitWalk {
  readonly #git: GitPort
  #list: AsyncIterator<readonly BareCommit[]> | null = null
  readonly #listed = new Map<Oid, BareCommit>()

  constructor(git: GitPort) {
    this.#git = git
  }

  async read(oid: Oid, readBefore: number): Promise<{ parents: readonly Oid[]; message: string }> {
    if (readBefore < singleReadsMax) return readCommitFacts(this.#git, oid)
    this.#list ??= this.#git.listCommits({ head: oid })[Symbol.asyncIterator]()
    while (!this.#listed.has(oid)) {
      const step = await this.#list.next()
      // Not reachable in this walk; rare enough to be read alone.
      if (step.done === true) return readCommitFacts(this.#git, oid)
      for (const row of step.value) this.#listed.set(row.oid, row)
    }
    const row = this.#listed.get(oid) as BareCommit
    this.#listed.delete(oid)
    return row.problem === null && row.gap === null ? row : readCommitFacts(this.#git, oid)
  }

  /** Ends the walk of git; a later one begins where the reader is. */
  async pause(): Promise<void> {
    const list = this.#list
    this.#list = null
    this.#listed.clear()
    await list?.return?.()
  }
}
