/**
 * The materialized view of the issue log: a copy of all projections with the indexes that queries need. A cache: it
 * derives from the log, and can be deleted at any moment (R1).
 */

import type { Oid } from '../git/index.ts'
import {
  type ActorId,
  type CardSlot,
  type CommentFacts,
  compareText,
  compareVersions,
  type DependencyType,
  decodeRecord,
  type EdgeList,
  type Event,
  type EventBodyOf,
  type EventId,
  type FileContext,
  formatHex,
  type IssueId,
  type IssueState,
  type IssueStateWord,
  type PackedIssueState,
  type PinnedActor,
  type ProjectContext,
  readCommentOn,
  type StoredEdge,
  unpackIssueState,
  type ValidCard,
} from '../model/index.ts'
import { GapTally, type IssueSegment, type LogGap, type LogGaps, noGaps } from '../wal/index.ts'
import { readCardSlot } from './card-fold.ts'
import { DependencyText, parseDependencyList } from './dependency-list.ts'
import { chooseCopy } from './event-copies.ts'
import type { IssueRow } from './index-entries.ts'
import { KeptList } from './kept-list.ts'
import {
  actorKey,
  actorsOfPrefix,
  allAliases,
  allAssignees,
  allCardEvents,
  allDependencies,
  allEvents,
  allFileContexts,
  allImportedEdges,
  allIssueRows,
  allIssueStates,
  allLabels,
  attachmentKey,
  dependencyForwardKey,
  dependentsOf,
  eventIdBytesAtEnd,
  eventKey,
  eventsOfIssue,
  eventsOfPrefix,
  fileContextKey,
  issueIdAtEnd,
  issueRowKey,
  issueRowsOfPrefix,
  issueStateKey,
  issueStatesOfPrefix,
  issuesOfAlias,
  issuesOfAssignee,
  issuesOfLabel,
  issuesOfState,
  type KeyRange,
  metaKey,
  neighboursOfRow,
  parseCardEventKey,
  parseDependencyReverseKey,
  parseEventKey,
  parseImportedEdgeSource,
  parseIndexText,
  parseIssueEventKey,
  parseIssueRowKey,
  parseSymbolKey,
  projectContextKey,
  projectContextsOfPrefix,
  type SymbolName,
  stateIndexTimeBytes,
  symbolsNamed,
  symbolsOfPrefix,
} from './keys.ts'
import { layeredStore } from './layered-store.ts'
import type { ListText } from './list-file.ts'
import { symbolsMarkName } from './names-file.ts'
import { parseOwnJson } from './own-json.ts'
import { Projector } from './projector.ts'
import { openRowTexts, type UnparsedRow } from './row-text.ts'
import { shorten } from './short-ids.ts'
import { StateText } from './state-text.ts'
import type { Scan, Store } from './store.ts'
import { listWhole, type WholeList } from './whole-list.ts'

/** Increases when keys or values change their shape; a store with another number is rebuilt. */
export const viewSchema = 6

/** Filters with an index. All given ones must match. */
export interface IssueFilter {
  readonly state?: IssueStateWord
  readonly labels?: readonly string[]
  readonly assignee?: string
}

/** One edge as seen from an issue. */
export interface DependencyEdge {
  readonly other: IssueId
  readonly type: DependencyType
}

/** An event that sets a project key. */
export type ProjectEvent = Event & { readonly body: EventBodyOf<'ProjectContextUpdated'> }

/** A former head of the log with an unreadable chunk, whose events are unknown. */
export interface HeldHead {
  readonly head: Oid
  readonly objectId: Oid
}

export interface ViewOptions {
  /** Receives the new events of the view, whenever some were applied. */
  readonly onNewEvents?: (events: readonly Event[]) => void
  /** True for a store that nobody reads before `flush`, as in a rebuild. */
  readonly deferred?: boolean
}

interface StoredMeta {
  readonly head: string | null
  readonly events: number
  readonly issues: number
  readonly reflogMark: string
  readonly lostHeads: readonly string[]
  readonly heldHeads: readonly HeldHead[]
  readonly mayRepeat: boolean
  readonly hasCopies: boolean
  readonly gaps: LogGaps
  readonly shallowMark: string
  readonly apartHeads: readonly string[]
}

/** How much LevelDB returns per step of a long scan; its default of 16 KiB takes more time in steps than in reading. */
const scanBytes = 256 * 1024

const metaNames = [
  'schema',
  'wal_head',
  'event_count',
  'issue_count',
  'reflog_mark',
  'lost_heads',
  'held_heads',
  'may_repeat',
  'has_copies',
  'log_gaps',
  'shallow_mark',
  'apart_heads',
] as const

export class View {
  readonly store: Store
  readonly #options: ViewOptions
  #head: string | null
  #counts: { events: number; issues: number }
  #projector: Projector | undefined
  #fresh: boolean
  #reflogMark: string
  #lostHeads: readonly string[]
  #heldHeads: readonly HeldHead[]
  #mayRepeat: boolean
  #hadCopies: boolean
  #gaps: LogGaps
  #listener: ViewOptions['onNewEvents']
  #unreadHead: Oid | undefined
  #shallowMark: string
  #apartHeads: readonly string[]
  /** Of ids whose rows were read from rows files, which never change: characters in common with the ids beside them. */
  readonly #sharedLengths = new Map<IssueId, number>()
  #list: KeptList | undefined
  /** Of a snapshot: the state of the list that it sees. */
  #listVersion: number | undefined

  private constructor(store: Store, meta: StoredMeta, options: ViewOptions) {
    this.store = store
    this.#head = meta.head
    this.#counts = { events: meta.events, issues: meta.issues }
    this.#options = options
    this.#listener = options.onNewEvents
    this.#fresh = meta.head === null && meta.events === 0
    this.#reflogMark = meta.reflogMark
    this.#lostHeads = meta.lostHeads
    this.#heldHeads = meta.heldHeads
    this.#mayRepeat = meta.mayRepeat
    this.#hadCopies = meta.hasCopies
    this.#gaps = meta.gaps
    this.#shallowMark = meta.shallowMark
    this.#apartHeads = meta.apartHeads
  }

  /** A view over a store that holds this schema, or is empty. Undefined when it holds another schema. */
  static async over(store: Store, options: ViewOptions): Promise<View | undefined> {
    const values = await store.getMany(metaNames.map((name) => metaKey(name)))
    const [schema, head, events, issues, reflogMark, lostHeads, heldHeads, mayRepeat, hasCopies, gaps, shallow, apart] =
      values.map((value) => value?.toString('utf8'))
    if (schema === undefined) {
      if ((await store.keys({ limit: 1 }).all()).length > 0) return undefined
      await store.put(metaKey('schema'), Buffer.from(`${viewSchema}`))
    } else if (schema !== `${viewSchema}`) return undefined
    const meta = {
      head: head ?? null,
      events: Number(events ?? 0),
      issues: Number(issues ?? 0),
      reflogMark: reflogMark ?? '',
      lostHeads: lostHeads?.split(' ').filter(Boolean) ?? [],
      heldHeads: parseOwnJson<HeldHead[]>(heldHeads ?? '[]'),
      mayRepeat: mayRepeat !== undefined,
      hasCopies: hasCopies !== undefined,
      gaps: gaps === undefined ? noGaps : parseOwnJson<LogGaps>(gaps),
      shallowMark: shallow ?? '',
      apartHeads: apart?.split(' ').filter(Boolean) ?? [],
    }
    return new View(store, meta, options)
  }

  /**
   * The present state of the view, read-only. Closing it leaves this one open, which must outlive it. Applied events
   * must have been flushed.
   */
  snapshot(): View {
    const view = this.#over(this.store.snapshot())
    view.#list = this.#list
    view.#listVersion = this.#list?.version
    return view
  }

  /** Keeps the list for later readers: for a view that stays open. */
  keepList(): void {
    this.#list = new KeptList()
  }

  /** A view that applies changes in memory and leaves this one unchanged. Closing it does nothing. */
  layered(): View {
    return this.#over(layeredStore(this.store))
  }

  #over(store: Store): View {
    const meta = {
      head: this.#head,
      events: this.eventCount,
      issues: this.issueCount,
      reflogMark: this.#reflogMark,
      lostHeads: this.#lostHeads,
      heldHeads: this.#heldHeads,
      mayRepeat: this.#mayRepeat,
      hasCopies: this.#hasCopies,
      gaps: this.gaps,
      shallowMark: this.#shallowMark,
      apartHeads: this.#apartHeads,
    }
    return new View(store, meta, {})
  }

  /** Whether a store holds a view, of any schema, and nothing else. */
  static async isOurs(store: Store): Promise<boolean> {
    return (await store.get(metaKey('schema'))) !== undefined
  }

  /** The log commit that this view corresponds to; null for the empty log. */
  get head(): string | null {
    return this.#head
  }

  get eventCount(): number {
    return this.#projector?.eventCount ?? this.#counts.events
  }

  get issueCount(): number {
    return this.#projector?.issueCount ?? this.#counts.issues
  }

  /**
   * Applies segments, after which the view corresponds to `head`. Returns the number of new events.
   *
   * @param how - `extension`: they extend the view's head; `join`: they come from beside it
   */
  async apply(
    segments: readonly IssueSegment[],
    head: string,
    how: 'extension' | 'join' = 'extension',
  ): Promise<number> {
    this.#projector ??= new Projector(this.store, this.#counts, {
      fresh: this.#fresh,
      deferred: this.#options.deferred ?? false,
    })
    const fresh = await this.#projector.apply(segments, head, how === 'extension')
    this.#list?.noteChanges(fresh.map(({ event }) => event.issueId))
    this.#head = head
    const repeatsChunk = how === 'extension' && segments.some((segment) => segment.repeatsChunk)
    if (repeatsChunk || this.#projector.sawRepeat) await this.noteRepeats()
    if (this.#listener !== undefined && fresh.length > 0) this.#listener(fresh.map(({ event }) => event))
    return fresh.length
  }

  /** Replaces the listener for new events; undefined removes it. */
  listen(onNewEvents: ViewOptions['onNewEvents']): void {
    this.#listener = onNewEvents
  }

  /** Waits until everything applied can be queried. */
  async flush(): Promise<void> {
    await this.#projector?.flush()
  }

  /** Frees the list and the states that are remembered between calls; they are read from the store again. No other call may run. */
  async forgetStates(): Promise<void> {
    this.#list?.forget()
    const projector = this.#projector
    if (projector === undefined) return
    await projector.flush()
    this.#counts = { events: projector.eventCount, issues: projector.issueCount }
    this.#hadCopies ||= projector.hasCopies
    this.#fresh &&= projector.eventCount === 0
    this.#projector = undefined
  }

  async close(): Promise<void> {
    await this.#projector?.flush().catch(() => {})
    await this.store.close()
  }

  /** Mark of the log's reflog at the last catch-up. */
  get reflogMark(): string {
    return this.#reflogMark
  }

  async writeReflogMark(mark: string): Promise<void> {
    if (mark === this.#reflogMark) return
    await this.writeMeta('reflog_mark', mark)
    this.#reflogMark = mark
  }

  /** Whether an event id may be on the log's chain more than once, as after joins by other tools. */
  get mayRepeat(): boolean {
    return this.#mayRepeat
  }

  /** Records a repeat, even if the applied segments do not show it. */
  async noteRepeats(): Promise<void> {
    if (this.#mayRepeat) return
    await this.writeMeta('may_repeat', 'yes')
    this.#mayRepeat = true
  }

  /** Former heads of the log whose objects are gone; they are not tried again. */
  get lostHeads(): readonly string[] {
    return this.#lostHeads
  }

  async rememberLostHeads(heads: readonly string[]): Promise<void> {
    await this.writeMeta('lost_heads', heads.join(' '))
    this.#lostHeads = heads
  }

  /** Former heads of the log that could not be restored completely; see catch-up.ts. */
  get heldHeads(): readonly HeldHead[] {
    return this.#heldHeads
  }

  async rememberHeldHeads(heads: readonly HeldHead[]): Promise<void> {
    if (heads.length === 0 && this.#heldHeads.length === 0) return
    await this.writeMeta('held_heads', JSON.stringify(heads))
    this.#heldHeads = heads
  }

  /** Gaps of the log when it was read; see catch-up.ts for when it is read again. */
  get gaps(): LogGaps {
    if (this.#unreadHead === undefined) return this.#gaps
    const tally = new GapTally(this.#gaps)
    const oid = this.#unreadHead
    tally.add({ reason: 'missing', kind: 'commit', objectId: oid, commit: oid })
    return tally
  }

  /** Records, for this process, that the log's ref points to an unreadable object. */
  noteUnreadHead(oid: Oid): void {
    this.#unreadHead = oid
  }

  /** Adds new gaps. */
  async noteGaps(found: LogGaps): Promise<void> {
    const tally = new GapTally(this.#gaps)
    for (const gap of found.gaps) tally.add(gap)
    tally.count += found.count - found.gaps.length
    if (tally.count > this.#gaps.count) await this.#writeGaps({ gaps: tally.gaps, count: tally.count })
  }

  /** Boundary of the shallow clone, as the mark of git's file. */
  get shallowMark(): string {
    return this.#shallowMark
  }

  async writeShallowMark(mark: string): Promise<void> {
    if (mark === this.#shallowMark) return
    await this.writeMeta('shallow_mark', mark)
    this.#shallowMark = mark
  }

  /** Replaces the gaps caused by a shallow clone. */
  async replaceCuts(cuts: readonly LogGap[]): Promise<void> {
    const others = this.#gaps.gaps.filter(({ reason }) => reason !== 'shallow')
    const gaps = [...others, ...cuts]
    if (gaps.length + this.#gaps.count > 0) await this.#writeGaps({ gaps, count: gaps.length })
  }

  async #writeGaps(gaps: LogGaps): Promise<void> {
    await this.writeMeta('log_gaps', JSON.stringify(gaps))
    this.#gaps = gaps
  }

  /** Former heads that cannot be joined to the log until it is complete. Their events are in the view. */
  get apartHeads(): readonly string[] {
    return this.#apartHeads
  }

  async rememberApartHeads(heads: readonly string[]): Promise<void> {
    if (heads.length === 0 && this.#apartHeads.length === 0) return
    await this.writeMeta('apart_heads', heads.join(' '))
    this.#apartHeads = heads
  }

  async readMeta(name: string): Promise<string | undefined> {
    return (await this.store.get(metaKey(name)))?.toString('utf8')
  }

  /**
   * Excludes events written in a few large batches from the count since the last rebuild: they are stored as a rebuild
   * would store them.
   */
  async noteBulkEvents(count: number): Promise<void> {
    const before = Number((await this.readMeta('events_at_rebuild')) ?? 0)
    await this.writeMeta('events_at_rebuild', `${Math.min(before + count, this.eventCount)}`)
  }

  /** Resets the count from which `db stats` and `doctor` measure growth. */
  noteEventsAtRebuild(): Promise<void> {
    return this.writeMeta('events_at_rebuild', `${this.eventCount}`)
  }

  async writeMeta(name: string, value: string): Promise<void> {
    await this.store.put(metaKey(name), Buffer.from(value, 'utf8'))
  }

  // --- issues -----------------------------------------------------------------------------------------------------

  async findIssue(id: IssueId): Promise<IssueState | undefined> {
    const text = await this.store.get(issueStateKey(id))
    if (text === undefined) return undefined
    const state = unpackIssueState(parseOwnJson<PackedIssueState>(text))
    return state.creation === null ? undefined : state
  }

  /** States by id, including those without a creation: a write must be dated after them. */
  async findStates(ids: readonly IssueId[]): Promise<Map<IssueId, IssueState>> {
    const texts = await this.store.getMany(ids.map(issueStateKey))
    const states = new Map<IssueId, IssueState>()
    for (const [index, id] of ids.entries()) {
      const text = texts[index]
      if (text !== undefined) states.set(id, unpackIssueState(parseOwnJson<PackedIssueState>(text)))
    }
    return states
  }

  async findRows(ids: readonly IssueId[]): Promise<Map<IssueId, IssueRow>> {
    const rows = new Map<IssueId, IssueRow>()
    for (const row of parseRows(await this.#findTexts(ids))) rows.set(row.issue_id, row)
    return rows
  }

  async #findTexts(ids: readonly IssueId[]): Promise<string[]> {
    const lines = this.store.findRows?.(ids)
    if (lines === undefined) {
      const found = await this.store.getMany(ids.map(issueRowKey))
      return found.flatMap((bytes) => bytes?.utf8Slice() ?? [])
    }
    return lines.flatMap((line, index) => {
      if (line === null) return []
      this.#sharedLengths.set(ids[index] as IssueId, line.sharedLength)
      return line.value
    })
  }

  /** Ids of shown issues that begin with a hex prefix, ascending, at most `limit`. */
  async findIdsByPrefix(prefix: string, limit: number): Promise<IssueId[]> {
    const keys = await this.store.keys({ ...issueRowsOfPrefix(prefix), limit }).all()
    return keys.map(parseIssueRowKey)
  }

  /** Issues that had this id in their original tracker. */
  async findByAlias(originalId: string): Promise<IssueId[]> {
    return this.#idsOf(issuesOfAlias(originalId))
  }

  /**
   * Rows that match a filter, in order of creation, ties by id. An index that selects few issues saves reading the
   * others; one that selects most of them is ignored, because reading all rows in order is faster than many lookups.
   */
  async listIssues(filter: IssueFilter = {}): Promise<IssueRow[]> {
    const ids = await this.#candidates(filter)
    const rows = ids === undefined ? await this.allRows() : [...(await this.findRows(ids)).values()]
    return rows.filter((row) => rowPasses(row, filter)).sort(compareByCreation)
  }

  /** Whether this many issues are found faster by reading all in order than one by one. */
  isMost(count: number): boolean {
    return count > this.issueCount / 4
  }

  /** Candidates from the indexes, intersected when several apply; undefined when none narrows. */
  async #candidates({ labels = [], assignee, state }: IssueFilter): Promise<IssueId[] | undefined> {
    const ranges = [
      ...labels.map((label) => ({ range: issuesOfLabel(label), between: 0 })),
      ...(assignee === undefined ? [] : [{ range: issuesOfAssignee(assignee), between: 0 }]),
    ]
    if (ranges.length === 0 && state !== undefined) {
      ranges.push({ range: issuesOfState(state), between: stateIndexTimeBytes })
    }
    let common: Set<IssueId> | undefined
    for (const { range, between } of ranges) {
      const keys = await this.store.keys({ ...range, limit: Math.floor(this.issueCount / 4) + 1 }).all()
      if (this.isMost(keys.length)) continue
      const ids = keys.flatMap((key) => issueIdAtEnd(key, range, between) ?? [])
      const previous: Set<IssueId> | undefined = common
      common = new Set(previous === undefined ? ids : ids.filter((id) => previous.has(id)))
      if (common.size === 0) break
    }
    return common === undefined ? undefined : [...common]
  }

  async #idsOf(range: KeyRange): Promise<IssueId[]> {
    const keys = await this.store.keys(range).all()
    return keys.flatMap((key) => issueIdAtEnd(key, range) ?? [])
  }

  /** Every row, by id. */
  async allRows(): Promise<IssueRow[]> {
    return parseRows(await this.#allTexts(allIssueRows()))
  }

  /** Ids of all shown issues, by creation, ties by id. Keeps only the ids in memory. */
  async idsByCreation(): Promise<IssueId[]> {
    const issues: Created[] = []
    for await (const text of this.store.texts({ ...allIssueRows(), highWaterMarkBytes: scanBytes })) {
      const { issue_id, created_ts } = parseOwnJson<IssueRow>(text)
      issues.push({ issue_id, created_ts })
    }
    return issues.sort(compareByCreation).map(({ issue_id }) => issue_id)
  }

  /** Like `allRows`, unparsed. */
  async allRowTexts(): Promise<UnparsedRow[]> {
    return openRowTexts(await this.#allTexts(allIssueRows()))
  }

  /** Every row and its short id, of at least `lengthMin` characters, as text. */
  async wholeList(lengthMin: number): Promise<WholeList> {
    const all = () => this.#allTexts(allIssueRows())
    if (this.#list === undefined) return listWhole(await all(), lengthMin)
    const some = async (ids: readonly IssueId[]) =>
      (await this.store.getMany(ids.map(issueRowKey))).map((text) => text?.toString('utf8'))
    return this.#list.read(this.#listVersion ?? this.#list.version, lengthMin, { all, some })
  }

  /** The JSON of the whole list without claims, where a file has it; its short ids have at least `shortIdLength` characters. */
  listText(): ListText | undefined {
    return this.store.listText?.()
  }

  async #allTexts(range: KeyRange): Promise<string[]> {
    return this.store.texts({ ...range, highWaterMarkBytes: scanBytes }).all()
  }

  /**
   * The shortest unique prefix, of at least `lengthMin` characters, for each of some issues. For few of many issues it
   * reads only what is beside them in key order.
   *
   * @param shown - gives the ids of all shown issues, ascending, if the caller has them
   */
  async shortIds(
    ids: readonly IssueId[],
    lengthMin: number,
    shown?: () => readonly IssueId[],
  ): Promise<Map<IssueId, string>> {
    if (ids.every((id) => this.#sharedLengths.has(id))) {
      const lengthOf = (id: IssueId) => Math.max(lengthMin, 1 + (this.#sharedLengths.get(id) as number))
      return new Map(ids.map((id) => [id, id.slice(0, lengthOf(id))]))
    }
    if (ids.length * keysPerLookup > this.issueCount) return this.#shortIdsOfAll(ids, lengthMin, shown?.())
    const ranges = ids.map((id) => issueRowsOfPrefix(id.slice(0, lengthMin)))
    const alike = await this.store.firstKeys(ranges, 2)
    const short = new Map<IssueId, string>()
    for (const [index, id] of ids.entries()) {
      const isAlone = alike[index]?.every((key) => parseIssueRowKey(key) === id) === true
      short.set(id, isAlone ? id.slice(0, lengthMin) : await this.#shortenBeside(id, lengthMin))
    }
    return short
  }

  async #shortIdsOfAll(
    ids: readonly IssueId[],
    lengthMin: number,
    shown: readonly IssueId[] | undefined,
  ): Promise<Map<IssueId, string>> {
    const short = new Map<IssueId, string>()
    // When all issues are requested, their sorted ids are enough.
    const isWhole = ids.length === this.issueCount
    const all =
      shown ?? (isWhole ? [...ids].sort() : (await this.store.keys(allIssueRows()).all()).map(parseIssueRowKey))
    const starts = all.map((id) => id.slice(0, lengthMin))
    for (let index = 0; index < all.length; index++) {
      const id = all[index] as IssueId
      const start = starts[index] as string
      // Nearly always: no neighbour begins like it.
      const isUnique = start !== starts[index - 1] && start !== starts[index + 1]
      short.set(id, isUnique ? start : shorten(id, [all[index - 1], all[index + 1]], lengthMin))
    }
    // Ids of issues that are not shown.
    for (const id of ids) if (!short.has(id)) short.set(id, await this.#shortenBeside(id, lengthMin))
    return short
  }

  async #shortenBeside(id: IssueId, lengthMin: number): Promise<string> {
    const around = neighboursOfRow(id)
    const [before, after] = await Promise.all([
      this.store.keys({ ...around.before, reverse: true, limit: 1 }).all(),
      this.store.keys({ ...around.after, limit: 1 }).all(),
    ])
    return shorten(id, [...before, ...after].map(parseIssueRowKey), lengthMin)
  }

  // --- events -----------------------------------------------------------------------------------------------------

  /** Events of one issue in `(ts, actor, event_id)` order. */
  async eventsOf(issueId: IssueId): Promise<Event[]> {
    const keys = await this.store.keys(eventsOfIssue(issueId)).all()
    const events = await this.findEvents(keys.map(parseIssueEventKey))
    return events.sort(compareVersions)
  }

  /** Fails at once on a view over rows files without events, before a caller reads what it needs besides. */
  async requireEvents(): Promise<void> {
    await this.store.keys({ ...eventsOfPrefix('00'), limit: 1 }).all()
  }

  /** Events by id; unknown ids are left out. */
  async findEvents(ids: readonly EventId[]): Promise<Event[]> {
    const records = await this.store.getMany(ids.map(eventKey))
    const events = records.flatMap((record) => (record === undefined ? [] : [requireEvent(record)]))
    return this.#hasCopies ? Promise.all(events.map((event) => this.#chooseCopy(event))) : events
  }

  get #hasCopies(): boolean {
    return this.#hadCopies || this.#projector?.hasCopies === true
  }

  #chooseCopy(event: Event): Promise<Event> {
    return chooseCopy(this.store, event, (actor) => this.findActor(actor))
  }

  /** Ids of events that begin with a hex prefix, ascending, at most `limit`. */
  async findEventIdsByPrefix(prefix: string, limit: number): Promise<EventId[]> {
    const keys = await this.store.keys({ ...eventsOfPrefix(prefix), limit }).all()
    return keys.map(parseEventKey)
  }

  /** The ids among these that are in the log. */
  async findKnownEventIds(ids: readonly EventId[]): Promise<Set<EventId>> {
    const records = await this.store.getMany(ids.map(eventKey))
    return new Set(ids.filter((_, index) => records[index] !== undefined))
  }

  /** Ids of all events, 32 bytes each, ascending. */
  async allEventIds(): Promise<Uint8Array> {
    const ids: Buffer[] = []
    for await (const key of this.store.keys(allEvents())) ids.push(eventIdBytesAtEnd(key))
    return Buffer.concat(ids)
  }

  /** All events in the store, in id order, streamed. */
  async *allEvents(): AsyncGenerator<Event> {
    const { gte, lt } = allEvents()
    for await (const record of this.store.values({ gte, lt })) {
      const event = requireEvent(record)
      yield this.#hasCopies ? await this.#chooseCopy(event) : event
    }
  }

  /** Events of project keys with a prefix, in id order, streamed. Scans the records of all events, and decodes few. */
  async *projectEvents(prefix: string): AsyncGenerator<ProjectEvent> {
    const { gte, lt } = allEvents()
    for await (const record of this.store.values({ gte, lt })) {
      if (!record.includes(prefix)) continue
      const event = requireEvent(record)
      const { body } = event
      if (body.type === 'ProjectContextUpdated' && body.key.startsWith(prefix)) yield { ...event, body }
    }
  }

  /** Comments of these issues, streamed, in no particular order. */
  async *commentsOf(ids: ReadonlySet<IssueId>): AsyncGenerator<CommentFacts> {
    if (!this.isMost(ids.size)) {
      for (const id of ids) for (const event of await this.eventsOf(id)) yield* commentFacts(event)
      return
    }
    for await (const records of inParts((digit) => this.store.values({ ...eventsOfPrefix(digit), ...largeSteps }))) {
      for (const record of records) {
        const comment = readCommentOn(ids, record)
        if (comment !== undefined) yield comment
      }
    }
  }

  /** States of all shown issues, streamed in id order. */
  async *allStates(): AsyncGenerator<IssueState> {
    for await (const text of this.store.values(allIssueStates())) {
      const state = unpackIssueState(parseOwnJson<PackedIssueState>(text))
      if (state.creation !== null) yield state
    }
  }

  /** Like `allStates`, unparsed, with states of issues that are not shown. */
  async *allStateTexts(): AsyncGenerator<StateText> {
    for await (const texts of inParts((digit) => this.store.texts({ ...issueStatesOfPrefix(digit), ...largeSteps }))) {
      for (const text of texts) yield new StateText(text)
    }
  }

  // --- actors -----------------------------------------------------------------------------------------------------

  /** The actor according to the log's cards; undefined without a valid one. */
  async findActor(id: ActorId): Promise<PinnedActor | undefined> {
    return (await this.findActors([id])).get(id)
  }

  /** Like `findActor`, for several. */
  async findActors(ids: readonly ActorId[]): Promise<Map<ActorId, PinnedActor>> {
    const actors = new Map<ActorId, PinnedActor>()
    for (const [index, bytes] of (await this.store.getMany(ids.map(actorKey))).entries()) {
      if (bytes !== undefined) actors.set(ids[index] as ActorId, parseActor(bytes))
    }
    return actors
  }

  /** Actors with a card whose id begins with a hex prefix, by id, at most `limit`. */
  async findActorsByPrefix(prefix: string, limit: number): Promise<PinnedActor[]> {
    return (await this.store.values({ ...actorsOfPrefix(prefix), limit }).all()).map(parseActor)
  }

  /** The winning card of an actor in a slot. */
  findCard(actor: ActorId, slot: CardSlot): Promise<ValidCard | undefined> {
    return readCardSlot(this.store, actor, slot)
  }

  /** Every event with the key of an actor card, valid or not, streamed by id. */
  async *cardEvents(): AsyncGenerator<Event> {
    for await (const key of this.store.keys(allCardEvents())) yield* await this.findEvents([parseCardEventKey(key)])
  }

  // --- edges, attachments, context, words -------------------------------------------------------------------------

  /** Edges stored on an issue, by the other issue's id, then type. */
  async dependenciesOf(issueId: IssueId): Promise<DependencyEdge[]> {
    const list = await this.store.get(dependencyForwardKey(issueId))
    if (list === undefined) return []
    return parseDependencyList(list.toString('latin1')).map(({ target, type }) => ({ other: target, type }))
  }

  /** All edges of all shown issues, by source id, then as in `dependenciesOf`. */
  async allDependencies(): Promise<StoredEdge[]> {
    return (await this.#allTexts(allDependencies())).flatMap(parseDependencyList)
  }

  /** Like `allDependencies`, without an object for each edge. */
  async allEdgeLists(): Promise<EdgeList[]> {
    return (await this.#allTexts(allDependencies())).map((text) => new DependencyText(text))
  }

  /** Edges stored on other issues that point to this one, by the other issue's id, then type. */
  async dependentsOf(issueId: IssueId): Promise<DependencyEdge[]> {
    return (await this.store.keys(dependentsOf(issueId)).all()).map(parseDependencyReverseKey)
  }

  /** Edges that imports kept as text: original ids with the issue of each. Streamed by original id. */
  async *importedEdges(): AsyncGenerator<{ readonly originalId: string; readonly issueId: IssueId }> {
    for await (const key of this.store.keys(allImportedEdges())) {
      yield { originalId: parseIndexText(key), issueId: parseImportedEdgeSource(key) }
    }
  }

  /** Changes when an import brings issues, or edges kept as text. Undefined without such edges. */
  async importMark(): Promise<string | undefined> {
    if ((await this.store.keys({ ...allImportedEdges(), limit: 1 }).all()).length === 0) return undefined
    const counts = [0, 0]
    for (const [at, range] of [allImportedEdges(), allAliases()].entries()) {
      for await (const _ of this.store.keys(range)) counts[at] = (counts[at] ?? 0) + 1
    }
    return counts.join('/')
  }

  /** Object id of the blob with an attachment's content; undefined when only its hash is in the log. */
  async findAttachmentBlob(sha256: string): Promise<string | undefined> {
    return (await this.store.get(attachmentKey(sha256)))?.toString('utf8')
  }

  async fileContexts(): Promise<FileContext[]> {
    const values = await this.store.values(allFileContexts()).all()
    return values.map((value) => parseOwnJson<FileContext>(value))
  }

  /** What is known of a source file; undefined when it never was indexed. */
  async findFileContext(path: string): Promise<FileContext | undefined> {
    const value = await this.store.get(fileContextKey(path))
    return value === undefined ? undefined : parseOwnJson<FileContext>(value)
  }

  /** Like `findFileContext`, for several paths; those that never were indexed are left out. */
  async findFileContexts(paths: readonly string[]): Promise<FileContext[]> {
    const values = await this.store.getMany(paths.map(fileContextKey))
    return values.flatMap((value) => (value === undefined ? [] : [parseOwnJson<FileContext>(value)]))
  }

  /** The files that were indexed last and are not gone, newest first, and the number of all such; of the others only the time is read. */
  async newestFileContexts(limit: number): Promise<{ readonly newest: FileContext[]; readonly count: number }> {
    const removed = `"content_hash":"${'0'.repeat(64)}"`
    const texts = (await this.store.texts(allFileContexts()).all()).filter((text) => !text.includes(removed))
    const dated = texts.map((text, index) => ({
      index,
      ts: Number(/"tsUnixMs":(\d+)/.exec(text.slice(0, 64))?.[1] ?? 0),
    }))
    const newest = dated.sort((a, b) => b.ts - a.ts || a.index - b.index).slice(0, limit)
    return { newest: newest.map(({ index }) => parseOwnJson<FileContext>(texts[index] as string)), count: texts.length }
  }

  /** Names of symbols that begin with a prefix, each with the path of its file, in byte order; at most `limit`, -1 for all. */
  async symbolNames(prefix: string, limit = -1): Promise<SymbolName[]> {
    const keys = await this.store.keys({ ...symbolsOfPrefix(prefix), limit }).all()
    return keys.map(parseSymbolKey)
  }

  /** Paths of the files with symbols of each of these names, in byte order. */
  async pathsOfSymbols(names: readonly string[]): Promise<string[][]> {
    const found = names.map((name) => this.store.keys(symbolsNamed(name)).all())
    return (await Promise.all(found)).map((keys) => keys.map((key) => parseSymbolKey(key).path))
  }

  /** False for a view in memory, or with changes in memory. */
  get isOnDisk(): boolean {
    return this.store.isOnDisk
  }

  /** Changes with every change of the symbols, and never returns to a former value. Undefined without symbols. */
  async symbolsMark(): Promise<string | undefined> {
    return (await this.store.get(metaKey(symbolsMarkName)))?.toString('latin1')
  }

  /** Project keys with a prefix, in byte order; at most `limit`, -1 for all. */
  async projectContexts(prefix = '', limit = -1): Promise<ProjectContext[]> {
    const values = await this.store.values({ ...projectContextsOfPrefix(prefix), limit }).all()
    return values.map((value) => parseOwnJson<ProjectContext>(value))
  }

  /** The newest value of a key in the project's context store; undefined when it was never set. */
  async findProjectContext(key: string): Promise<ProjectContext | undefined> {
    const value = await this.store.get(projectContextKey(key))
    return value === undefined ? undefined : parseOwnJson<ProjectContext>(value)
  }

  /** Like `findProjectContext`, for several keys; keys that were never set are left out. */
  async findProjectContexts(keys: readonly string[]): Promise<Map<string, ProjectContext>> {
    const found = new Map<string, ProjectContext>()
    for (const [index, value] of (await this.store.getMany(keys.map(projectContextKey))).entries()) {
      if (value !== undefined) found.set(keys[index] as string, parseOwnJson<ProjectContext>(value))
    }
    return found
  }

  /** Whether any issue is now assigned to this user. */
  async isAssignee(user: string): Promise<boolean> {
    return (await this.store.keys({ ...issuesOfAssignee(user), limit: 1 }).all()).length > 0
  }

  /** Every present label, or assignee, of any issue, in UTF-8 byte order. */
  async distinctWords(index: 'labels' | 'assignees'): Promise<string[]> {
    const keys = await this.store.keys(index === 'labels' ? allLabels() : allAssignees()).all()
    return [...new Set(keys.map(parseIndexText))].sort(compareText)
  }
}

const largeSteps = { highWaterMarkBytes: scanBytes }

/**
 * Everything whose key begins with an id, by the first digit of the id: whole lists are faster than single items, and one
 * of sixteen parts is small enough to hold. Reads the next part while the caller works on one.
 */
async function* inParts<Item>(scan: (digit: string) => Scan<Item>): AsyncGenerator<Item[]> {
  const [first = '', ...rest] = '0123456789abcdef'
  let next = scan(first).all()
  for (const digit of rest) {
    const part = await next
    next = scan(digit).all()
    // A reader that stops early does not wait for it.
    next.catch(() => undefined)
    yield part
  }
  yield await next
}

function commentFacts({ eventId, issueId, actor, tsUnixMs, body }: Event): CommentFacts[] {
  return body.type === 'CommentAdded' ? [{ eventId, issueId, actor, tsUnixMs, body: body.body }] : []
}

/** A lookup of one issue takes as long as this many keys of a scan. */
const keysPerLookup = 20

function rowPasses(row: IssueRow, { state, labels = [], assignee }: IssueFilter): boolean {
  if (state !== undefined && row.state !== state) return false
  if (assignee !== undefined && !row.assignees.includes(assignee)) return false
  return labels.every((label) => row.labels.includes(label))
}

/** Characters of rows parsed as one text, which is much faster than one by one. A string has a maximum length. */
const rowsTextLength = 64 * 1024 * 1024

function parseRows(texts: readonly string[]): IssueRow[] {
  const rows: IssueRow[][] = []
  let start = 0
  while (start < texts.length) {
    let end = start
    let length = 0
    while (end < texts.length && length < rowsTextLength) length += (texts[end++] as string).length
    rows.push(parseOwnJson<IssueRow[]>(`[${texts.slice(start, end).join(',')}]`))
    start = end
  }
  return rows.length === 1 ? (rows[0] as IssueRow[]) : rows.flat()
}

type Created = Pick<IssueRow, 'issue_id' | 'created_ts'>

function compareByCreation(left: Created, right: Created): number {
  if (left.created_ts !== right.created_ts) return left.created_ts - right.created_ts
  return left.issue_id < right.issue_id ? -1 : 1
}

function parseActor(bytes: Buffer): PinnedActor {
  return parseOwnJson<PinnedActor>(bytes)
}

/** Records were verified before they were stored. */
function requireEvent(record: Buffer): Event {
  const decoded = decodeRecord(record)
  if ('event' in decoded) return decoded.event
  throw new TypeError(
    `record in the view cannot be read: ${decoded.damaged.reason} (${formatHex(record.subarray(0, 40))})`,
  )
}
