/**
 * The record streams of one repository (docs/format.md#record-streams).
 *
 * Invariants
 * - A reader opens the journals first, then reads the ref: so each record is in one of them.
 * - One writer per stream and process. Several processes may write; the journal decides (`journal/`).
 */

import { newTemporaryPath, type Oid, type RefName } from '../../git/index.ts'
import {
  ConflictError,
  DamagedStreamError,
  formatHex,
  InvalidArgsError,
  NotFoundError,
  RefMovedError,
  StorageError,
} from '../../model/index.ts'
import {
  encodeStreamId,
  type Incarnation,
  type Labels,
  type Lineage,
  type Manifest,
  nextOffsetOf,
  rootOfManifest,
  type StreamId,
  shownStreamId,
  streamLimits,
} from '../../model/streams/index.ts'
import { publishBatch } from '../append.ts'
import { StreamActs } from './acts/index.ts'
import { type AppendRequest, checkDrafts } from './append-planner.ts'
import { FileSealer } from './file-sealer.ts'
import { divergedFrom, findDivergence } from './find-divergence.ts'
import { followStream, StreamSignals } from './follow-stream.ts'
import { goesOnFrom } from './goes-on.ts'
import { generationsOnDisk, healRef } from './heal-ref.ts'
import {
  JournalBlocked,
  type JournalPlace,
  type JournalState,
  KeptJournals,
  nodeJournalDisk,
  readJournals,
  unlinkSealed,
} from './journal/index.ts'
import { listStreams } from './list-streams.ts'
import { loadSegmentTools, type SegmentTools } from './open-segment.ts'
import { PolicyKeeper } from './policy-keeper.ts'
import { readTail } from './read-tail.ts'
import type {
  AppendedRecords,
  AppendOptions,
  BranchStream,
  CreateStream,
  Divergence,
  FollowOptions,
  ListFilter,
  ReadOptions,
  ReadRecord,
  RecordDraft,
  RecordStreams,
  Sealed,
  StreamDamage,
  StreamPlace,
  StreamStatus,
  StreamSummary,
} from './record-streams.ts'
import {
  type Fetched,
  type FetchPlace,
  type FetchSelection,
  fetchStreams,
  type Imported,
  type ImportRules,
  importStreams,
} from './remote/fetch-streams.ts'
import type { RemotePlace } from './remote/remote-place.ts'
import {
  discardFiles,
  journalContradicts,
  type Rescued,
  type RescueFacts,
  rescueOrphan,
  rescueStream,
} from './rescue-stream.ts'
import { sealWorkerPath } from './seal-worker-path.ts'
import { readSealedNote } from './sealed-note.ts'
import { SealingThread } from './sealing-thread.ts'
import type { UnreadPart } from './segment-loader.ts'
import { type StreamCommit, segmentStream } from './stream-codec.ts'
import { type StreamHead, StreamHeads, stateOf } from './stream-heads.ts'
import { StreamReader } from './stream-reader.ts'
import { listStreamRefs, refOfStream } from './stream-refs.ts'
import { statusOf } from './stream-status.ts'
import { type ActCommit, type BlockedAppend, StreamWriter } from './stream-writer.ts'
import { summaryOf } from './summaries.ts'

/** How often an append opens its writer again, because other processes seal or act all the time. */
const reopensMax = 100
/** A writer looks this often whether another program has moved the ref. */
const refCheckMs = 250
/** Streams that stay open to write; the one used longest ago is closed. */
const writersMax = 256

interface OpenWriter {
  readonly writer: StreamWriter
  /** Appends again, with another writer. */
  readonly onBlocked: (blocked: BlockedAppend) => void
  checkedAtMs: number
}

export class StreamStore implements RecordStreams {
  readonly #place: StreamPlace
  readonly #reader: StreamReader
  readonly #heads: StreamHeads
  readonly #writers = new Map<StreamId, Promise<OpenWriter>>()
  /** Those of `#writers` that are open. */
  readonly #ready = new Map<StreamId, OpenWriter>()
  readonly #signals = new StreamSignals()
  readonly #thread = new SealingThread(sealWorkerPath)
  readonly #closing = new AbortController()
  readonly #policies = new PolicyKeeper({
    apply: (streamId) => this.acts.applyPolicy(streamId),
    onFailure: (head, error) => this.#place.warn(failureOf(head, 'the retention policy was not applied', error)),
  })
  #tools: SegmentTools | undefined
  #acts: StreamActs | undefined

  constructor(place: StreamPlace) {
    this.#place = place
    this.#reader = new StreamReader(place.git, place)
    this.#heads = new StreamHeads(place.git, this.#reader.manifests)
  }

  /** Merges, checkpoints, proofs and other acts on whole streams. */
  get acts(): StreamActs {
    this.#acts ??= new StreamActs({
      ...{ place: this.#place, reader: this.#reader, heads: this.#heads },
      tools: () => this.#useTools(),
      journalPlace: async (streamId, generation) => this.#journalPlace(await this.#useTools(), streamId, generation),
      sealedPosition: (streamId, below) => this.#forkPoint(streamId, below),
      nextOffset: async (streamId) => (await this.status(streamId)).nextOffset,
      metadata: (facts, retention) => this.#metadataOf(facts, retention),
      genesis: (...facts) => this.#genesis(...facts),
      begin: (manifest, parents) => this.#begin(manifest, parents),
      act: (streamId, makeCommit) => this.act(streamId, makeCommit),
      summary: (head) => this.#summary(head, undefined),
      forget: async (streamId) => {
        const open = await this.#writers.get(streamId)?.catch(() => undefined)
        if (open !== undefined) await this.#closeWriter(streamId, open)
        this.#signals.notify(streamId)
      },
    })
    return this.#acts
  }

  /** For merges, proofs and checks, which read commits themselves. */
  get reader(): StreamReader {
    return this.#reader
  }

  /** The newest generation's head. @throws {NotFoundError} when there is none, or it was deleted */
  async head(streamId: StreamId): Promise<StreamHead> {
    return await this.#require(streamId)
  }

  /** The newest generation's head, even of a deleted stream; null for an id that was never used here. */
  async find(streamId: StreamId): Promise<StreamHead | null> {
    return await this.#find(streamId)
  }

  refOf(streamId: StreamId, generation: number): RefName {
    return refOfStream(streamId, generation)
  }

  /** Brings streams of a remote here, and moves the refs of this clone forward. */
  async fetch(place: RemotePlace, selection: FetchSelection): Promise<Fetched> {
    const fetched = await fetchStreams(await this.#fetchPlace(place), selection)
    for (const { streamId, outcome } of fetched.streams)
      if (outcome === 'created' || outcome === 'moved') this.#signals.notify(streamId)
    return fetched
  }

  /** Brings all streams of a bundle here, or none; in a dry run none. */
  async importBundle(place: RemotePlace, isDryRun: boolean): Promise<Imported> {
    const problemsOf: ImportRules['problemsOf'] = (head, onChecked) => this.acts.verifyHead(head, onChecked)
    return await importStreams(await this.#fetchPlace(place), { problemsOf, isDryRun })
  }

  async #fetchPlace(place: RemotePlace): Promise<FetchPlace> {
    const tools = await this.#useTools()
    const cloneId = await this.#place.cloneId()
    const journalPlaceOf = (encodedId: string, generation: number) => this.#placeOf(tools, encodedId, generation)
    return { ...place, reader: this.#reader, cloneId, journalPlaceOf }
  }

  /**
   * Turns what only this clone has of a diverged stream into a branch, and goes on from another head.
   *
   * @param onto - where to go on; null to stay at the ref, when only the journal has diverged
   * @returns what became a branch; none when nothing has diverged
   */
  async rescue(
    { streamId, generation }: { readonly streamId: StreamId; readonly generation: number },
    onto: StreamHead | null,
    facts: RescueFacts,
  ): Promise<readonly Rescued[]> {
    const tools = await this.#useTools()
    const writing = await this.#writers.get(streamId)?.catch(() => undefined)
    if (writing !== undefined) await this.#closeWriter(streamId, writing)
    const { git, clock, random } = this.#place
    const journals = this.#journalPlace(tools, streamId, generation)
    const found = await this.#soundHead(streamId, journals)
    if (found === null) {
      if ((await this.#heads.find(streamId)) !== null) return []
      throw unknownStream(streamId)
    }
    const { head: local, divergence } = found
    const chains = { git, manifests: this.#reader.manifests }
    const isBehind = onto === null || (await goesOnFrom(chains, local, onto))
    const target = isBehind ? local : onto
    if (target.commit === local.commit && divergence === null) return []
    const cloneId = await this.#place.cloneId()
    const nowUnixMs = () => clock.nowUnixMs()
    const place = { git, reader: this.#reader, heads: this.#heads, tools, journals, cloneId, random, nowUnixMs }
    if (target.commit !== local.commit && divergence !== null && (await journalContradicts(place, local))) {
      // Two things at once: the journal against the ref, and the ref against the other head.
      const first = await this.rescue({ streamId, generation }, null, facts)
      if (first.length > 0) return [...first, ...(await this.rescue({ streamId, generation }, onto, facts))]
    }
    const orphans = target.commit === local.commit ? [] : await this.#orphansOf(local, target)
    const rescued: Rescued[] = []
    for (const orphan of orphans) {
      const ownPlace = { ...place, journals: this.#journalPlace(tools, streamId, orphan.manifest.generation) }
      const kept = await rescueOrphan(ownPlace, orphan, { before: local, onto: target }, facts)
      if (kept !== null) rescued.push(kept)
    }
    rescued.unshift(await rescueStream(place, local, target, { ...facts, orphans }))
    for (const { manifest } of orphans) discardFiles(this.#journalPlace(tools, streamId, manifest.generation))
    this.#signals.notify(streamId)
    return rescued
  }

  /** Later generations that go on from the end of this one, which the stream will no longer have. */
  async #orphansOf(local: StreamHead, target: StreamHead): Promise<readonly StreamHead[]> {
    const { streamId, generation, incarnation } = local.manifest
    if (stateOf(target.manifest) === 'continued') return []
    const orphans: StreamHead[] = []
    for (const found of await listStreamRefs(this.#place.git, () => {})) {
      if (found.encoded !== encodeStreamId(streamId) || found.generation <= generation) continue
      const head = await this.#heads.read(streamId, found.generation)
      // A stream that was created again stays behind any deletion.
      const isAgain = head?.manifest.incarnation !== incarnation && stateOf(target.manifest) === 'deleted'
      if (head !== null && !isAgain) orphans.push(head)
    }
    return orphans
  }

  async list(filter: ListFilter = {}): Promise<readonly StreamSummary[]> {
    const tools = await this.#useTools()
    const journalPlaceOf = (encodedId: string, generation: number) => this.#placeOf(tools, encodedId, generation)
    return await listStreams({ place: this.#place, reader: this.#reader, journalPlaceOf }, filter)
  }

  async status(streamId: StreamId): Promise<StreamStatus> {
    const tools = await this.#useTools()
    const before = await this.#require(streamId)
    const journals = this.#journalPlace(tools, streamId, before.manifest.generation)
    const note = readSealedNote(journals)
    const state = readJournals(journals)
    try {
      const head = await this.#heads.require(streamId)
      const divergence = await findDivergence(this.#place.git, this.#reader, head, { files: state.files, note })
      const summary = await this.#summary(head, divergence === null ? (state.nextOffset ?? undefined) : undefined)
      return statusOf(summary, state, divergence)
    } finally {
      state.close()
    }
  }

  async create(streamId: StreamId, options: CreateStream): Promise<StreamSummary> {
    const generation = await this.#requireFree(streamId)
    const metadata = this.#metadataOf(options, options.retention)
    const manifest = await this.#genesis(streamId, generation, 0, { kind: 'root', parents: [], metadata })
    return await this.#begin(manifest, [])
  }

  append(streamId: StreamId, drafts: readonly RecordDraft[], options: AppendOptions): Promise<AppendedRecords> {
    let bytes: number
    try {
      bytes = checkDrafts(drafts)
    } catch (error) {
      return Promise.reject(error)
    }
    const request = { drafts, bytes, options }
    const ready = this.#ready.get(streamId)
    if (ready === undefined || performance.now() - ready.checkedAtMs > refCheckMs)
      return this.#appendTo(streamId, request)
    // Not async: with thousands of appends in flight, each promise counts.
    return ready.writer.append(request, ready.onBlocked)
  }

  #appendTo(streamId: StreamId, request: AppendRequest): Promise<AppendedRecords> {
    return this.#withWriter(streamId, (writer) => writer.append(request))
  }

  /** Runs an operation of a stream's writer, which is opened again when other processes have sealed its journal. */
  async #withWriter<Result>(streamId: StreamId, run: (writer: StreamWriter) => Promise<Result>): Promise<Result> {
    for (let reopens = 0; ; reopens++) {
      let open: OpenWriter | null = null
      try {
        open = await this.#openWriter(streamId)
        if (performance.now() - open.checkedAtMs > refCheckMs) await this.#checkRef(open)
        return await run(open.writer)
      } catch (error) {
        if (!(error instanceof JournalBlocked) || reopens >= reopensMax) throw error
        if (open !== null) await this.#closeWriter(streamId, open)
      }
    }
  }

  read(streamId: StreamId, options: ReadOptions): AsyncGenerator<readonly ReadRecord[]> {
    return this.#read(streamId, options, null)
  }

  /** @param kept - of a reader that follows the stream */
  async *#read(
    streamId: StreamId,
    options: ReadOptions,
    kept: KeptJournals | null,
  ): AsyncGenerator<readonly ReadRecord[]> {
    requireOffset('from', options.from)
    if (options.to !== undefined) requireOffset('to', options.to)
    const tools = await this.#useTools()
    const onDamage = options.onDamage ?? refuseDamage
    const { head, tail, end } = await this.#open(streamId, tools, options, { onDamage, kept })
    const to = Math.min(options.to ?? end, end)
    const sealedOffset = nextOffsetOf(head.manifest)
    let rest = options.limitRecords ?? Number.MAX_SAFE_INTEGER
    const onUnread = (part: UnreadPart): void => onDamage(damageOf(head, part))
    const sealed = { from: options.from, to: Math.min(to, sealedOffset, options.from + rest) }
    if (sealed.from < sealed.to) {
      for await (const records of this.#reader.read(head.commit, head.manifest, sealed, onUnread)) {
        options.signal?.throwIfAborted()
        rest -= records.length
        if (records.length > 0) yield records
      }
    }
    for (const batch of tail) {
      options.signal?.throwIfAborted()
      const records = batch.filter(({ offset }) => offset >= options.from && offset < to).slice(0, Math.max(0, rest))
      rest -= records.length
      if (records.length > 0) yield records
      if (rest <= 0) return
    }
  }

  async readAt(streamId: StreamId, offset: number): Promise<ReadRecord> {
    for await (const [record] of this.read(streamId, { from: offset, to: offset + 1, includeTail: true })) {
      if (record !== undefined) return record
    }
    throw new NotFoundError(`stream '${shownStreamId(streamId)}' has no record at offset ${offset}`, {
      details: { stream: streamId, offset },
    })
  }

  async branch(newId: StreamId, parentId: StreamId, options: BranchStream): Promise<StreamSummary> {
    if (options.at !== undefined) requireOffset('at', options.at)
    const generation = await this.#requireFree(newId)
    const { at, head } = await this.#forkPoint(parentId, options.at)
    const commit = await this.#reader.layoutOf(head.commit).containingCommit(at)
    if (commit === null) {
      const oldest = await this.#reader.oldestOffsetOf(head.commit)
      throw outOfRange(parentId, at, `is below the oldest one, ${oldest}`)
    }
    const { manifest: containing } = await this.#reader.manifests.read(commit)
    const { streamId, incarnation } = head.manifest
    const parent = { streamId, incarnation, offset: at, root: formatHex(rootOfManifest(containing)) }
    const metadata = this.#metadataOf(options, null)
    const manifest = await this.#genesis(newId, generation, at, { kind: 'branch', parents: [parent], metadata })
    return await this.#begin(manifest, [commit])
  }

  async seal(streamId: StreamId): Promise<Sealed> {
    const { head, ...sealed } = await this.#seal(streamId)
    await this.#policies.note({ count: sealed.commits.length, head })
    return { ...sealed, head: head.commit }
  }

  async #seal(streamId: StreamId): Promise<Omit<Sealed, 'head'> & { readonly head: StreamHead }> {
    const sealed = await this.#withWriter(streamId, async (writer) => ({
      ...(await sayingWhatIsSafe(streamId, writer.seal())),
      head: writer.head,
    }))
    this.#signals.notify(streamId)
    return sealed
  }

  /**
   * Lets nothing be appended, seals everything, and makes one more commit: a merge, a checkpoint, a deletion.
   *
   * @param makeCommit - called again after a lost race; null for no commit
   * @returns the head after it
   */
  async act(streamId: StreamId, makeCommit: (head: StreamHead) => Promise<ActCommit | null>): Promise<StreamHead> {
    const head = await this.#withWriter(streamId, (writer) => sayingWhatIsSafe(streamId, writer.act(makeCommit)))
    this.#signals.notify(streamId)
    const isEnded = stateOf(head.manifest) !== 'live'
    const open = this.#ready.get(streamId)
    if (isEnded && open !== undefined) await this.#closeWriter(streamId, open)
    return head
  }

  follow(streamId: StreamId, { from, signal, onDamage }: FollowOptions): AsyncGenerator<readonly ReadRecord[]> {
    const kept = new KeptJournals()
    const options = { includeTail: true, signal, ...(onDamage === undefined ? {} : { onDamage }) }
    const read = (at: number) => this.#read(streamId, { from: at, ...options }, kept)
    return followStream({
      close: () => kept.close(),
      ...{ folder: this.#place.folder, encodedId: encodeStreamId(streamId), streamId, from, read },
      knowsAll: () => this.#knowsAll(streamId),
      signals: this.#signals,
      signal: AbortSignal.any([signal, this.#closing.signal]),
    })
  }

  /** See `Following`. */
  #knowsAll(streamId: StreamId): boolean | undefined {
    const open = this.#ready.get(streamId)
    return open === undefined ? false : open.writer.knowsAll()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#ready.values()].map(({ writer }) => writer.settle()))
    await this.#policies.close()
    this.#closing.abort()
    const writers = [...this.#writers.values()]
    this.#writers.clear()
    this.#ready.clear()
    for (const opening of writers) {
      const open = await opening.catch(() => null)
      await open?.writer.close()
    }
    await this.#thread.close()
  }

  /** The journals' state and the head that goes with it. */
  async #open(
    streamId: StreamId,
    tools: SegmentTools,
    { includeTail, from, to }: ReadOptions,
    { onDamage, kept }: { readonly onDamage: (damage: StreamDamage) => void; readonly kept: KeptJournals | null },
  ) {
    const head = await this.#require(streamId)
    const end = nextOffsetOf(head.manifest)
    // Sealed records never change, so the journal is not needed for them.
    if (!includeTail || (to !== undefined && to <= end)) return { head, tail: [], end }
    return await readTail(
      {
        ...{ git: this.#place.git, reader: this.#reader, writer: this.#ready.get(streamId)?.writer ?? null },
        journals: this.#journalPlace(tools, streamId, head.manifest.generation),
        kept,
        readHead: () => this.#heads.require(streamId),
      },
      from,
      onDamage,
    )
  }

  async #forkPoint(
    parentId: StreamId,
    wanted: number | undefined,
  ): Promise<{ readonly at: number; readonly head: StreamHead }> {
    const head = await this.#require(parentId)
    const sealedOffset = nextOffsetOf(head.manifest)
    if (wanted !== undefined && wanted <= sealedOffset) return { at: wanted, head }
    if (head.manifest.epoch.owner !== (await this.#place.cloneId())) {
      if (wanted === undefined) return { at: sealedOffset, head }
      throw outOfRange(parentId, wanted, `is above its next offset, ${sealedOffset}`)
    }
    const end = await this.#withWriter(parentId, async (writer) => {
      await writer.refresh()
      return writer.nextOffset
    })
    if (wanted !== undefined && wanted > end) throw outOfRange(parentId, wanted, `is above its next offset, ${end}`)
    if (end > sealedOffset) await this.#seal(parentId)
    const sealed = await this.#heads.require(parentId)
    return { at: wanted ?? nextOffsetOf(sealed.manifest), head: sealed }
  }

  async #genesis(streamId: StreamId, generation: number, firstOffset: number, lineage: Lineage): Promise<Manifest> {
    return {
      ...{ streamId, generation, lineage, firstOffset },
      incarnation: formatHex(this.#place.random(8)) as Incarnation,
      epoch: { number: 1, owner: await this.#place.cloneId() },
      ...{ commitCount: 1, count: 0, content: null, producers: [], entries: 0, peaks: [] },
      act: { name: 'genesis' },
    }
  }

  async #begin(manifest: Manifest, parents: readonly Oid[]): Promise<StreamSummary> {
    const tools = await this.#useTools()
    const { streamId, generation, lineage } = manifest
    const ref = refOfStream(streamId, generation)
    const commit: StreamCommit = { manifest, segment: null, tsUnixMs: lineage.metadata.createdTs }
    try {
      const stream = segmentStream(ref, streamId, tools)
      const oid = await publishBatch({ git: this.#place.git, stream }, commit, null, parents)
      return await this.#summary({ ref, commit: oid, manifest }, undefined)
    } catch (error) {
      if (!(error instanceof RefMovedError)) throw error
      throw new ConflictError(`stream '${shownStreamId(streamId)}' exists`, {
        details: { reason: 'exists', stream: streamId, ref, object_id: error.found },
        cause: error,
      })
    }
  }

  #metadataOf(
    { actor, reason, labels }: Pick<CreateStream, 'actor' | 'reason' | 'labels'>,
    retention: CreateStream['retention'],
  ) {
    checkLabels(labels)
    return { createdTs: this.#place.clock.nowUnixMs(), actor, reason, labels, retention }
  }

  async #summary(head: StreamHead, journalEnd: number | undefined): Promise<StreamSummary> {
    const { generation, lineage } = head.manifest
    // Nothing was cut off it, or off a parent: a stream that was just created is not read back.
    const isWhole = generation === 0 && lineage.kind !== 'branch'
    const firstOffset = isWhole ? 0 : await this.#reader.oldestOffsetOf(head.commit)
    return summaryOf(head, { cloneId: await this.#place.cloneId(), journalEnd, firstOffset })
  }

  #openWriter(streamId: StreamId): Promise<OpenWriter> {
    const known = this.#writers.get(streamId)
    if (known !== undefined) return known
    const opening = this.#newWriter(streamId).then((writer): OpenWriter => {
      const onBlocked = ({ request, resolve, reject }: BlockedAppend): void => {
        this.#closeWriter(streamId, open)
          .then(() => this.#appendTo(streamId, request))
          .then(resolve, reject)
      }
      const open = { writer, onBlocked, checkedAtMs: performance.now() }
      return open
    })
    this.#writers.set(streamId, opening)
    opening.then(
      (open) => {
        if (this.#writers.get(streamId) === opening) this.#ready.set(streamId, open)
      },
      () => {
        if (this.#writers.get(streamId) === opening) this.#writers.delete(streamId)
      },
    )
    if (this.#writers.size > writersMax) void this.#closeOldest()
    return opening
  }

  async #closeOldest(): Promise<void> {
    const [oldest] = this.#writers
    if (oldest === undefined) return
    const [streamId, opening] = oldest
    const open = await opening.catch(() => null)
    if (open !== null) await this.#closeWriter(streamId, open)
  }

  async #newWriter(streamId: StreamId): Promise<StreamWriter> {
    const tools = await this.#useTools()
    const { generation } = (await this.#require(streamId)).manifest
    const journals = this.#journalPlace(tools, streamId, generation)
    if (generation > 0) await this.#removeEnded(streamId, { ...journals, generation: generation - 1 })
    const { git, clock } = this.#place
    const { head, divergence } = (await this.#soundHead(streamId, journals)) ?? { head: null, divergence: null }
    if (head === null) throw unknownStream(streamId)
    if (divergence !== null) throw divergedFrom(head, divergence)
    return await StreamWriter.open(
      {
        ...{ git, journals, heads: this.#heads, tools },
        sealer: new FileSealer(tools, git, this.#thread),
        findDivergence: (found, files) => findDivergence(git, this.#reader, found, { files, note: null }),
        cloneId: await this.#place.cloneId(),
        nowUnixMs: () => clock.nowUnixMs(),
        newestTime: (newest) => this.#newestTime(newest),
        onChange: (appended) =>
          this.#signals.notify(
            streamId,
            appended && (() => ({ firstOffset: appended.firstOffset, records: appended.records() })),
          ),
        onSealed: (sealed) => void this.#policies.note(sealed),
        onSealFailure: (error) =>
          this.#place.warn(failureOf(head, 'sealing failed; the records stay in the journal', error)),
      },
      head,
    )
  }

  /** Removes sealed journals that a process left which died after it had ended their generation. */
  async #removeEnded(streamId: StreamId, journals: JournalPlace): Promise<void> {
    if (!generationsOnDisk(journals).includes(journals.generation)) return
    const ended = await this.#heads.read(streamId, journals.generation)
    if (ended === null) return
    const isOnChain = (commit: string) => this.#place.git.isAncestor(commit as Oid, ended.commit)
    await unlinkSealed(journals, { nextOffset: nextOffsetOf(ended.manifest) }, isOnChain, 'remove')
  }

  /** The head of a generation, healed, and how the journal contradicts it. */
  async #soundHead(streamId: StreamId, journals: JournalPlace): Promise<SoundHead | null> {
    for (let heals = 0; ; heals++) {
      // The ref last: journals and note that are read later may be of a newer head.
      const note = readSealedNote(journals)
      const state = readJournals(journals)
      try {
        const head = await this.#heads.read(streamId, journals.generation)
        const files = { files: state.files, note }
        const divergence = head && (await findDivergence(this.#place.git, this.#reader, head, files))
        const isSound = head !== null && divergence === null && !isGap(head, state)
        if (isSound || heals >= healsMax || !(await this.#heal(streamId, journals)))
          return head === null ? null : { head, divergence }
      } finally {
        state.close()
      }
    }
  }

  async #heal(streamId: StreamId, journals: JournalPlace): Promise<boolean> {
    const { git } = this.#place
    const healed = await healRef({ git, manifests: this.#reader.manifests, journals }, streamId)
    if (healed === null) return false
    const ref = refOfStream(streamId, journals.generation)
    const reason = `${ref} was moved back or deleted; it was restored to ${healed}`
    this.#place.warn({ streamId, ref, objectId: healed, file: null, bytePosition: null, offsets: null, reason })
    return true
  }

  /** Like `heads.find`, after restoring a ref that another program deleted, be it of a later generation only. */
  async #find(streamId: StreamId): Promise<StreamHead | null> {
    const found = await this.#heads.find(streamId)
    if (found !== null && stateOf(found.manifest) === 'live') return found
    const place = this.#journalPlace(await this.#useTools(), streamId, 0)
    const newest = found?.manifest.generation ?? -1
    for (const generation of generationsOnDisk(place)) {
      if (generation <= newest) break
      if (await this.#heal(streamId, { ...place, generation })) return await this.#heads.find(streamId)
    }
    return found
  }

  async #require(streamId: StreamId): Promise<StreamHead> {
    await this.#find(streamId)
    return await this.#heads.require(streamId)
  }

  async #requireFree(streamId: StreamId): Promise<number> {
    await this.#find(streamId)
    return await this.#heads.requireFree(streamId)
  }

  async #newestTime({ commit, manifest }: StreamHead): Promise<number> {
    const end = nextOffsetOf(manifest)
    if (end === 0) return 0
    let tsUnixMs = 0
    const range = { from: end - 1, to: end }
    for await (const records of this.#reader.read(commit, manifest, range, () => {}))
      for (const record of records) tsUnixMs = record.record().tsUnixMs
    return tsUnixMs
  }

  /** @throws {JournalBlocked} when another program has moved the ref */
  async #checkRef(open: OpenWriter): Promise<void> {
    open.checkedAtMs = performance.now()
    const { writer } = open
    // Its own seal moves the ref before the writer knows that it has moved.
    const wasSealing = writer.isSealing
    const { ref, commit } = writer.head
    const found = await this.#place.git.readRef(ref)
    const isOwn = found === commit || found === writer.head.commit
    if (!isOwn && !wasSealing && !writer.isSealing) throw new JournalBlocked('stale')
  }

  async #closeWriter(streamId: StreamId, open: OpenWriter): Promise<void> {
    const known = await this.#writers.get(streamId)?.catch(() => undefined)
    if (known !== open) return
    this.#writers.delete(streamId)
    this.#ready.delete(streamId)
    await open.writer.close()
  }

  async #useTools(): Promise<SegmentTools> {
    this.#tools ??= await loadSegmentTools()
    return this.#tools
  }

  #journalPlace(tools: SegmentTools, streamId: StreamId, generation: number): JournalPlace {
    return this.#placeOf(tools, encodeStreamId(streamId), generation)
  }

  #placeOf({ crc32c }: SegmentTools, encodedId: string, generation: number): JournalPlace {
    const { folder, permissions, git } = this.#place
    const shared = { folder, encodedId, generation, permissions, disk: nodeJournalDisk, crc32c }
    return { ...shared, newTemporaryPath: () => newTemporaryPath(git.layout) }
  }
}

interface SoundHead {
  readonly head: StreamHead
  readonly divergence: Divergence | null
}

/** A ref is healed to the newest commit that is known, so a second time only follows another program. */
const healsMax = 3

/** Whether records between the ref's commit and the journal are missing: the ref was moved back. */
function isGap({ manifest }: StreamHead, { firstOffset }: JournalState): boolean {
  return (firstOffset ?? 0) > nextOffsetOf(manifest)
}

function unknownStream(streamId: StreamId): NotFoundError {
  return new NotFoundError(`no stream '${shownStreamId(streamId)}'`, { details: { stream: streamId } })
}

function refuseDamage(damage: StreamDamage): never {
  const { streamId, ref, objectId, file, offsets } = damage
  throw new DamagedStreamError(damage.reason, {
    details: { stream: streamId, ref, object_id: objectId, path: file, offsets },
  })
}

function damageOf({ ref, manifest }: StreamHead, { objectId, reason, from, to }: UnreadPart): StreamDamage {
  const { streamId } = manifest
  return { streamId, ref, objectId, file: null, bytePosition: null, offsets: { from, to }, reason }
}

/** Every record is in the journal until the ref has moved, so a full disk loses none. */
async function sayingWhatIsSafe<Result>(streamId: StreamId, work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    const message = `sealing stream '${shownStreamId(streamId)}' failed: ${error.message}; every acknowledged record is safe`
    const { details, hints } = error
    throw new StorageError(message, { details: { ...details, stream: streamId }, hints, cause: error })
  }
}

function failureOf({ ref, manifest }: StreamHead, what: string, error: unknown): StreamDamage {
  const reason = `${what}: ${error instanceof Error ? error.message : error}`
  const nowhere = { objectId: null, file: null, bytePosition: null, offsets: null }
  return { streamId: manifest.streamId, ref, ...nowhere, reason }
}

function requireOffset(field: string, offset: number): void {
  if (Number.isSafeInteger(offset) && offset >= 0) return
  throw new InvalidArgsError(`${field} is ${offset}, not a whole number from 0 below 2^53`, {
    details: { field, value: offset },
  })
}

function outOfRange(streamId: StreamId, offset: number, fault: string): InvalidArgsError {
  return new InvalidArgsError(`offset ${offset} of stream '${shownStreamId(streamId)}' ${fault}`, {
    details: { field: 'at', stream: streamId, value: offset },
  })
}

const utf8 = new TextEncoder()

function checkLabels(labels: Labels): void {
  const { labelsMax, labelKeyBytesMax, labelValueBytesMax } = streamLimits
  const refuse = (fault: string): never => {
    throw new InvalidArgsError(`labels ${fault}`, { details: { field: 'labels' } })
  }
  if (labels.length > labelsMax) refuse(`are ${labels.length}, more than ${labelsMax}`)
  if (new Set(labels.map(([key]) => key)).size < labels.length) refuse('have a key twice')
  for (const [key, value] of labels) {
    if (key === '') refuse('have an empty key')
    if (utf8.encode(key).length > labelKeyBytesMax) refuse(`have a key of more than ${labelKeyBytesMax} bytes`)
    if (utf8.encode(value).length > labelValueBytesMax) refuse(`have a value of more than ${labelValueBytesMax} bytes`)
    if (!key.isWellFormed() || !value.isWellFormed()) refuse('are not valid Unicode')
  }
}
