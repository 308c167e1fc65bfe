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
import { indexEntriesOf, listIndexEntries } from './index-entries.ts'
import {
  attachmentKey,
  eventKey,
  fileContextKey,
  importedEdgeKey,
  issueStateKey,
  keysOfRecord,
  metaKey,
  projectContextKey,
  symbolKey,
} from './keys.ts'
import { parseOwnJson } from './own-json.ts'
import type { Store, StoreOperation } from './store.ts'

/** Bounds on states cached between calls; beyond them the oldest are read again when needed. */
const cachedStatesMax = 24_000
const cachedWeightMax = 64 * 1024 * 1024
/** States per batch when deferred ones are written at the end. */
const deferredStatesPerBatch = 2000

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
  readonly stored: ReadonlyMap<string, Buffer>
  readonly isDirty: boolean
  /** Approximate memory use. */
  readonly weight: number
}

const nothing = Buffer.alloc(0)

export class Projector {
  readonly #store: Store
  readonly #options: ProjectorOptions
  readonly #cache = new Map<IssueId, CachedState>()
  /** Whether the store may hold a state that is not in the cache. */
  #storeKnowsMore: boolean
  #cachedWeight = 0
  /** First 48 bits of every event id written to a fresh store: a miss is certainly new. */
  readonly #seen = new Set<number>()
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
    const operations: StoreOperation[] = []
    const copies = new EventCopies()
    const fresh = await this.#takeFresh(segments, copies, isExtension)
    await this.#applyIssueEvents(fresh, operations)
    await this.#applyContextEvents(fresh, operations)
    await this.#applyCards(fresh, copies, operations)
    if (await copies.settle(this.#store, operations)) {
      this.#hasCopies = true
      putText(operations, 'has_copies', '1')
    }
    for (const segment of segments) {
      for (const [path, oid] of segment.extras) {
        const sha256 = attachmentShaOf(path)
        if (sha256 !== undefined) put(operations, attachmentKey(sha256), Buffer.from(oid))
      }
    }
    this.#eventCount += fresh.length
    this.#head = head
    if (!this.#options.deferred) this.#putHead(operations)
    this.#write(operations)
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
    for (let start = 0; start < waiting.length; start += deferredStatesPerBatch) {
      const operations: StoreOperation[] = []
      for (const cached of waiting.slice(start, start + deferredStatesPerBatch)) putLastState(operations, cached)
      // Builds one batch while the previous one is written.
      await this.#pending
      this.#write(operations)
    }
    const operations: StoreOperation[] = []
    this.#putHead(operations)
    this.#write(operations)
    await this.#pending
  }

  #putHead(operations: StoreOperation[]): void {
    putText(operations, 'wal_head', this.#head ?? '')
    putText(operations, 'event_count', `${this.#eventCount}`)
    putText(operations, 'issue_count', `${this.#issueCount}`)
  }

  /** The next call decodes and hashes while LevelDB writes this one. */
  #write(operations: readonly StoreOperation[]): void {
    const before = this.#pending
    this.#pending = before.then(() => this.#store.batch([...operations]))
    this.#pending.catch(() => {})
  }

  /** New events in log order. Records all copies whose signatures differ. */
  async #takeFresh(
    segments: readonly IssueSegment[],
    copies: EventCopies,
    isExtension: boolean,
  ): Promise<ChunkEvent[]> {
    const candidates = new Map<EventId, ChunkEvent>()
    for (const segment of segments) {
      for (const item of segment.items) {
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
    }
    const doubtful = [...candidates.keys()].filter((id) => !this.#options.fresh || this.#seen.has(prefixOf(id)))
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
    if (this.#options.fresh) for (const id of candidates.keys()) this.#seen.add(prefixOf(id))
    return [...candidates.values()]
  }

  async #applyCards(fresh: readonly ChunkEvent[], copies: EventCopies, operations: StoreOperation[]): Promise<void> {
    const cards = new CardFold(this.#store)
    for (const { event } of fresh) if (isCardEvent(event)) await cards.add(event)
    for (const event of copies.all()) if (isCardEvent(event)) await cards.add(event)
    await cards.settle(operations)
  }

  async #applyIssueEvents(fresh: readonly ChunkEvent[], operations: StoreOperation[]): Promise<void> {
    const byIssue = new Map<IssueId, Event[]>()
    for (const { event, record } of fresh) {
      const keys = keysOfRecord(record, event.tsUnixMs)
      put(operations, keys.event, Buffer.from(record.buffer, record.byteOffset, record.length))
      if (event.body.type === 'ContextUpdated' || event.body.type === 'ProjectContextUpdated') continue
      put(operations, keys.issueEvent, nothing)
      for (const target of importedEdgeTargetsOf(event))
        put(operations, importedEdgeKey(target, event.issueId), nothing)
      const events = byIssue.get(event.issueId)
      if (events === undefined) byIssue.set(event.issueId, [event])
      else events.push(event)
    }
    await this.#loadStates([...byIssue.keys()])
    for (const [issueId, events] of byIssue) {
      const known = this.#cache.get(issueId)
      const state = known?.state ?? emptyIssueState(issueId)
      const wasShown = state.creation !== null
      for (const event of events) applyEvent(state, event)
      if (!wasShown && state.creation !== null) this.#issueCount += 1
      const changed = { state, stored: known?.stored ?? noEntries, isDirty: true, weight: weigh(state) }
      this.#remember(issueId, this.#options.deferred ? changed : putState(operations, changed))
    }
    this.#evict(operations)
  }

  async #loadStates(issueIds: readonly IssueId[]): Promise<void> {
    const missing = issueIds.filter((id) => !this.#cache.has(id))
    if (missing.length === 0 || !this.#storeKnowsMore) return
    const texts = await this.#store.getMany(missing.map(issueStateKey))
    for (const [index, id] of missing.entries()) {
      const text = texts[index]?.toString('utf8')
      if (text === undefined) continue
      const state = unpackIssueState(parseOwnJson<PackedIssueState>(text))
      this.#remember(id, { state, stored: indexEntriesOf(state), isDirty: false, weight: weigh(state) })
    }
  }

  #remember(issueId: IssueId, cached: CachedState): void {
    const old = this.#cache.get(issueId)
    if (old !== undefined) {
      this.#cachedWeight -= old.weight
      this.#cache.delete(issueId)
    }
    this.#cache.set(issueId, cached)
    this.#cachedWeight += cached.weight
  }

  /** Evicts the least recently used states, after writing the unsaved ones. */
  #evict(operations: StoreOperation[]): void {
    for (const [id, cached] of this.#cache) {
      if (this.#cache.size <= cachedStatesMax && this.#cachedWeight <= cachedWeightMax) return
      if (cached.isDirty) putLastState(operations, cached)
      this.#storeKnowsMore = true
      this.#cache.delete(id)
      this.#cachedWeight -= cached.weight
    }
  }

  async #applyContextEvents(fresh: readonly ChunkEvent[], operations: StoreOperation[]): Promise<void> {
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
    for (const [path, context] of files) {
      const old = await this.#readFileContext(path)
      putDifference(operations, symbolEntries(path, old?.body), symbolEntries(path, context.body))
      put(operations, fileContextKey(path), Buffer.from(JSON.stringify(context), 'utf8'))
    }
    for (const [key, context] of projects) {
      put(operations, projectContextKey(key), Buffer.from(JSON.stringify(context), 'utf8'))
    }
  }

  async #readFileContext(path: string): Promise<FileContext | null> {
    return parseJson<FileContext>(await this.#store.get(fileContextKey(path)))
  }

  async #readProjectContext(key: string): Promise<ProjectContext | null> {
    return parseJson<ProjectContext>(await this.#store.get(projectContextKey(key)))
  }
}

const noEntries: ReadonlyMap<string, Buffer> = new Map()

/** Adds the operations that store a state and its index entries; returns the state as stored. */
function putState(operations: StoreOperation[], { state, stored, weight }: CachedState): CachedState {
  const entries = indexEntriesOf(state)
  putStateText(operations, state)
  putDifference(operations, stored, entries)
  return { state, stored: entries, isDirty: false, weight }
}

/** Like `putState`, for a state that is not cached any more: a new one needs no comparison. */
function putLastState(operations: StoreOperation[], cached: CachedState): void {
  if (cached.stored !== noEntries) {
    putState(operations, cached)
    return
  }
  putStateText(operations, cached.state)
  for (const [key, value] of listIndexEntries(cached.state)) put(operations, key, value)
}

function putStateText(operations: StoreOperation[], state: IssueState): void {
  put(operations, issueStateKey(state.issueId), Buffer.from(formatIssueState(state), 'utf8'))
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
  operations: StoreOperation[],
  before: ReadonlyMap<string, Buffer>,
  after: ReadonlyMap<string, Buffer>,
): void {
  for (const key of before.keys()) {
    if (!after.has(key)) operations.push({ type: 'del', key: Buffer.from(key, 'latin1') })
  }
  for (const [key, value] of after) {
    const old = before.get(key)
    if (old === undefined || !old.equals(value)) put(operations, Buffer.from(key, 'latin1'), value)
  }
}

function put(operations: StoreOperation[], key: Buffer, value: Buffer): void {
  operations.push({ type: 'put', key, value })
}

function putText(operations: StoreOperation[], name: string, value: string): void {
  put(operations, metaKey(name), Buffer.from(value, 'utf8'))
}

function parseJson<Value>(bytes: Buffer | undefined): Value | null {
  return bytes === undefined ? null : parseOwnJson<Value>(bytes)
}

function prefixOf(id: EventId): number {
  return Number.parseInt(id.slice(0, 12), 16)
}
