/**
 * Applies log segments to the store.
 *
 * Invariants
 * - One atomic batch per call carries events, states, index entries and the head they belong to: a crash leaves the
 *   view at a head that existed, never between two.
 * - An event id is applied once, however often and in whatever segments it comes.
 * - Stale index entries are deleted in the batch that writes their successors.
 */
import {
  applyEvent,
  type ChunkEvent,
  decodeRecord,
  type Event,
  type EventBodyOf,
  type EventId,
  emptyIssueState,
  type FileContext,
  formatIssueState,
  type IssueId,
  type IssueState,
  importedEdgeTargetsOf,
  isCardEvent,
  laterContext,
  type PackedIssueState,
  type ProjectContext,
  unpackIssueState,
} from '../model/index.ts'
import { attachmentShaOf, type IssueSegment } from '../wal/index.ts'
import { CardFold } from './card-fold.ts'
import { EventCopies } from './event-copies.ts'
import { type IndexEntry, listIndexEntries } from './index-entries.ts'
import {
  attachmentKey,
  eventKey,
  fileContextKey,
  importedEdgeKey,
  issueStateKey,
  metaKey,
  projectContextKey,
  RecordKeys,
  symbolKey,
} from './keys.ts'
import { newSymbolsMark, symbolsMarkName } from './names-file.ts'
import { parseOwnJson } from './own-json.ts'
import { SeenIds } from './seen-ids.ts'
import type { Store, StoreBatch } from './store.ts'

/** Bounds on states cached between calls; beyond them the oldest are read again when needed. */
const cachedStatesMax = 24_000
const cachedWeightMax = 64 * 1024 * 1024
/** States per batch when deferred ones are written at the end: LevelDB takes one in while the next is formatted. */
const deferredStatesPerBatch = 500
/** From so many events on, LevelDB writes their table while the states are formatted, and not after them. */
const tableEventsMin = 2000

export interface ProjectorOptions {
  /** True when the store was empty at the start, so that unknown ids need no lookup. */
  readonly fresh: boolean
  /**
   * True when nobody reads the store before `flush`, as in a rebuild: states and index entries are then written once,
   * and the head last, so that a half-filled store has no head.
   */
  readonly deferred: boolean
}

interface CachedState {
  readonly state: IssueState
  /** Index entries as stored. */
  stored: readonly IndexEntry[]
  isDirty: boolean
  /** Approximate memory use. */
  weight: number
}

const nothing = Buffer.alloc(0)

export class Projector {
  readonly #store: Store
  readonly #options: ProjectorOptions
  readonly #cache = new Map<IssueId, CachedState>()
  /** Whether the store may hold a state that is not in the cache. */
  #storeKnowsMore: boolean
  #cachedWeight = 0
  /** Event ids written to a fresh store: a miss is certainly new. */
  readonly #seen = new SeenIds()
  readonly #keys = new RecordKeys()
  #eventCount: number
  #issueCount: number
  #hasCopies = false
  #pending: Promise<void> = Promise.resolve()
  #head: string | null = null
  #sawRepeat = false

  constructor(store: Store, counts: { readonly events: number; readonly issues: number }, options: ProjectorOptions) {
    this.#store = store
    this.#options = options
    this.#storeKnowsMore = !options.fresh
    this.#eventCount = counts.events
    this.#issueCount = counts.issues
  }

  get eventCount(): number {
    return this.#eventCount
  }

  get issueCount(): number {
    return this.#issueCount
  }

  /** Whether an event id came twice: on one chain, if the applied segments were declared to be one. */
  get sawRepeat(): boolean {
    return this.#sawRepeat
  }

  /** Whether this projector has seen an event with several signatures. */
  get hasCopies(): boolean {
    return this.#hasCopies
  }

  /**
   * Applies segments and records `head` as the store's new head. Returns the new events, in log order.
   *
   * @param isExtension - whether the segments extend everything applied before
   */
  async apply(segments: readonly IssueSegment[], head: string, isExtension: boolean): Promise<readonly ChunkEvent[]> {
    await this.#pending
    const batch = this.#store.startBatch()
    const copies = new EventCopies()
    const fresh = await this.#takeFresh(segments, copies, isExtension)
    await this.#applyIssueEvents(fresh, batch)
    await this.#applyContextEvents(fresh, batch)
    await this.#applyCards(fresh, copies, batch)
    if (await copies.settle(this.#store, batch)) {
      this.#hasCopies = true
      putText(batch, 'has_copies', '1')
    }
    for (const segment of segments) {
      for (const [path, oid] of segment.extras) {
        const sha256 = attachmentShaOf(path)
        if (sha256 !== undefined) batch.put(attachmentKey(sha256), Buffer.from(oid))
      }
    }
    this.#eventCount += fresh.length
    this.#head = head
    if (!this.#options.deferred) this.#putHead(batch)
    this.#write(batch)
    return fresh
  }

  /** Waits until everything applied is in the store. @throws the store's write error */
  async flush(): Promise<void> {
    await this.#pending
    if (!this.#options.deferred || this.#head === null) return
    const waiting = [...this.#cache.values()].filter(({ isDirty }) => isDirty)
    this.#cache.clear()
    this.#cachedWeight = 0
    this.#storeKnowsMore = true
    const tableWritten = waiting.length > 0 && this.#eventCount >= tableEventsMin ? this.#store.compactLog() : undefined
    // It may fail before it is waited for.
    tableWritten?.catch(() => {})
    while (waiting.length > 0) {
      const batch = this.#store.startBatch()
      // Removed, so that the states written so far can be collected: this is the peak of memory in a rebuild.
      for (const cached of waiting.splice(0, deferredStatesPerBatch)) {
        putState(batch, cached)
        // The state is needed no more; its many small keys would outlive the batch.
        cached.stored = noEntries
      }
      // Builds one batch while the previous one is written.
      await this.#pending
      this.#write(batch)
    }
    const batch = this.#store.startBatch()
    this.#putHead(batch)
    this.#write(batch)
    await this.#pending
    await tableWritten
  }

  #putHead(batch: StoreBatch): void {
    putText(batch, 'wal_head', this.#head ?? '')
    putText(batch, 'event_count', `${this.#eventCount}`)
    putText(batch, 'issue_count', `${this.#issueCount}`)
  }

  /** The next call decodes and hashes while LevelDB writes this one. */
  #write(batch: StoreBatch): void {
    this.#pending = this.#pending.then(() => batch.write())
    this.#pending.catch(() => {})
  }

  /** New events in log order. Records all copies whose signatures differ. */
  async #takeFresh(
    segments: readonly IssueSegment[],
    copies: EventCopies,
    isExtension: boolean,
  ): Promise<ChunkEvent[]> {
    const items = segments.flatMap((segment) => segment.items)
    const seen = this.#options.fresh ? this.#findSeen(items) : undefined
    if (seen?.size === 0) return items
    const candidates = new Map<EventId, ChunkEvent>()
    for (const item of items) {
      const known = candidates.get(item.event.eventId)
      if (known === undefined) {
        candidates.set(item.event.eventId, item)
        continue
      }
      this.#sawRepeat = true
      if (Buffer.compare(known.record, item.record) === 0) continue
      if (!copies.has(item.event.eventId)) copies.add(known.event)
      copies.add(item.event)
    }
    const doubtful = [...candidates.keys()].filter((id) => seen?.has(id) ?? true)
    const stored = doubtful.length === 0 ? [] : await this.#store.getMany(doubtful.map(eventKey))
    for (const [index, id] of doubtful.entries()) {
      const record = stored[index]
      if (record === undefined) continue
      if (isExtension) this.#sawRepeat = true
      const item = candidates.get(id) as ChunkEvent
      candidates.delete(id)
      if (Buffer.compare(record, item.record) === 0 && !copies.has(id)) continue
      const decoded = decodeRecord(record)
      if ('event' in decoded) copies.add(decoded.event)
      copies.add(item.event)
    }
    return [...candidates.values()]
  }

  /** Ids among these that a fresh store may have, or that come twice. */
  #findSeen(items: readonly ChunkEvent[]): Set<EventId> {
    const found = new Set<EventId>()
    for (const { event, record } of items) if (!this.#seen.add(record)) found.add(event.eventId)
    return found
  }

  async #applyCards(fresh: readonly ChunkEvent[], copies: EventCopies, batch: StoreBatch): Promise<void> {
    const cards = new CardFold(this.#store)
    for (const { event } of fresh) if (isCardEvent(event)) await cards.add(event)
    for (const event of copies.all()) if (isCardEvent(event)) await cards.add(event)
    await cards.settle(batch)
  }

  async #applyIssueEvents(fresh: readonly ChunkEvent[], batch: StoreBatch): Promise<void> {
    if (this.#storeKnowsMore) await this.#loadStates(fresh)
    const changed = new Set<CachedState>()
    for (const { event, record } of fresh) {
      const keys = this.#keys
      keys.set(record, event.tsUnixMs)
      batch.put(keys.event, asBuffer(record))
      if (isContextEvent(event)) continue
      batch.put(keys.issueEvent, nothing)
      for (const target of importedEdgeTargetsOf(event)) batch.put(importedEdgeKey(target, event.issueId), nothing)
      const cached = this.#use(event.issueId)
      const wasShown = cached.state.creation !== null
      applyEvent(cached.state, event)
      if (!wasShown && cached.state.creation !== null) this.#issueCount += 1
      changed.add(cached)
    }
    for (const cached of changed) {
      cached.isDirty = true
      if (!this.#options.deferred) putState(batch, cached)
      const weight = weigh(cached.state)
      this.#cachedWeight += weight - cached.weight
      cached.weight = weight
    }
    this.#evict(batch)
  }

  /** Reads the stored states of the events' issues that are not in the cache. */
  async #loadStates(fresh: readonly ChunkEvent[]): Promise<void> {
    const missing = new Set<IssueId>()
    for (const { event } of fresh) {
      if (!isContextEvent(event) && !this.#cache.has(event.issueId)) missing.add(event.issueId)
    }
    if (missing.size === 0) return
    const ids = [...missing]
    const texts = await this.#store.getMany(ids.map(issueStateKey))
    for (const [index, id] of ids.entries()) {
      const text = texts[index]?.toString('utf8')
      if (text === undefined) continue
      const state = unpackIssueState(parseOwnJson<PackedIssueState>(text))
      this.#remember(id, { state, stored: listIndexEntries(state), isDirty: false, weight: weigh(state) })
    }
  }

  /** The state of an issue, from the cache or empty, as the most recently used one. */
  #use(issueId: IssueId): CachedState {
    const known = this.#cache.get(issueId)
    if (known === undefined) {
      const cached = { state: emptyIssueState(issueId), stored: noEntries, isDirty: false, weight: 0 }
      this.#remember(issueId, cached)
      return cached
    }
    // The order counts only once something may be evicted.
    if (this.#cache.size > cachedStatesMax / 2 || this.#cachedWeight > cachedWeightMax / 2) {
      this.#cache.delete(issueId)
      this.#cache.set(issueId, known)
    }
    return known
  }

  #remember(issueId: IssueId, cached: CachedState): void {
    this.#cache.set(issueId, cached)
    this.#cachedWeight += cached.weight
  }

  /** Evicts the least recently used states, after writing the unsaved ones. */
  #evict(batch: StoreBatch): void {
    for (const [id, cached] of this.#cache) {
      if (this.#cache.size <= cachedStatesMax && this.#cachedWeight <= cachedWeightMax) return
      if (cached.isDirty) putState(batch, cached)
      this.#storeKnowsMore = true
      this.#cache.delete(id)
      this.#cachedWeight -= cached.weight
    }
  }

  async #applyContextEvents(fresh: readonly ChunkEvent[], batch: StoreBatch): Promise<void> {
    const files = new Map<string, FileContext>()
    const projects = new Map<string, ProjectContext>()
    for (const { event } of fresh) {
      const { body } = event
      if (body.type === 'ContextUpdated') {
        const known = files.get(body.path) ?? (await this.#readFileContext(body.path))
        files.set(body.path, laterContext(known, { ...event, body }))
      } else if (body.type === 'ProjectContextUpdated') {
        const known = projects.get(body.key) ?? (await this.#readProjectContext(body.key))
        projects.set(body.key, laterContext(known, { ...event, body }))
      }
    }
    if (files.size > 0) batch.put(metaKey(symbolsMarkName), Buffer.from(newSymbolsMark(), 'latin1'))
    for (const [path, context] of files) {
      const old = await this.#readFileContext(path)
      putDifference(batch, symbolEntries(path, old?.body), symbolEntries(path, context.body))
      batch.put(fileContextKey(path), Buffer.from(JSON.stringify(context), 'utf8'))
    }
    for (const [key, context] of projects) {
      batch.put(projectContextKey(key), Buffer.from(JSON.stringify(context), 'utf8'))
    }
  }

  async #readFileContext(path: string): Promise<FileContext | null> {
    return parseJson<FileContext>(await this.#store.get(fileContextKey(path)))
  }

  async #readProjectContext(key: string): Promise<ProjectContext | null> {
    return parseJson<ProjectContext>(await this.#store.get(projectContextKey(key)))
  }
}

const noEntries: readonly IndexEntry[] = []

/** Puts a state and the changes of its index entries. */
function putState(batch: StoreBatch, cached: CachedState): void {
  const entries = listIndexEntries(cached.state)
  putStateText(batch, cached.state)
  if (cached.stored.length === 0) for (const [key, value] of entries) batch.put(key, value)
  else putDifference(batch, byKey(cached.stored), byKey(entries))
  cached.stored = entries
  cached.isDirty = false
}

/** By key as latin1 text, so that two lists can be compared. */
function byKey(entries: readonly IndexEntry[]): Map<string, Buffer> {
  return new Map(entries.map(([key, value]) => [key.toString('latin1'), value]))
}

function putStateText(batch: StoreBatch, state: IssueState): void {
  batch.put(issueStateKey(state.issueId), Buffer.from(formatIssueState(state), 'utf8'))
}

function isContextEvent({ body: { type } }: Event): boolean {
  return type === 'ContextUpdated' || type === 'ProjectContextUpdated'
}

function asBuffer(record: Uint8Array): Buffer {
  return Buffer.isBuffer(record) ? record : Buffer.from(record.buffer, record.byteOffset, record.length)
}

function weigh(state: IssueState): number {
  const elements = state.labels.size + state.assignees.size + state.dependencies.size
  const { creation, title, body } = state
  const texts = (creation?.title.length ?? 0) + (creation?.body.length ?? 0)
  return 1200 + 400 * elements + texts + (title?.value.length ?? 0) + (body?.value.length ?? 0)
}

function symbolEntries(path: string, body: EventBodyOf<'ContextUpdated'> | undefined): Map<string, Buffer> {
  return new Map((body?.symbols ?? []).map(({ name }) => [symbolKey(name, path).toString('latin1'), nothing]))
}

function putDifference(
  batch: StoreBatch,
  before: ReadonlyMap<string, Buffer>,
  after: ReadonlyMap<string, Buffer>,
): void {
  for (const key of before.keys()) {
    if (!after.has(key)) batch.del(Buffer.from(key, 'latin1'))
  }
  for (const [key, value] of after) {
    const old = before.get(key)
    if (old === undefined || !old.equals(value)) batch.put(Buffer.from(key, 'latin1'), value)
  }
}

function putText(batch: StoreBatch, name: string, value: string): void {
  batch.put(metaKey(name), Buffer.from(value, 'utf8'))
}

function parseJson<Value>(bytes: Buffer | undefined): Value | null {
  return bytes === undefined ? null : parseOwnJson<Value>(bytes)
}
