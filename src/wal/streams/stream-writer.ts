/**
 * The open end of one stream: appends to its journal, and seals what the journal holds.
 *
 * Invariants
 * - The head known here is the ref's value when it was last read, or what this writer has made of it.
 * - One seal at a time. Closed files are sealed oldest first, each in segments of its own.
 * - A closed file is removed only after the ref's commit holds all its records.
 */
import { join } from 'node:path'
import type { GitPort, Oid, PublishPlan } from '../../git/index.ts'
import { ConflictError, RefMovedError } from '../../model/index.ts'
import { type Act, type CloneId, nextOffsetOf, type StreamId, shownStreamId } from '../../model/streams/index.ts'
import { publishBatch, publishEncoded } from '../append.ts'
import { lockFileQueue, type Queue } from '../append-queue.ts'
import type { AppendRequest } from './append-planner.ts'
import { RecordPlanner } from './append-planner.ts'
import type { FileSealer } from './file-sealer.ts'
import { divergedFrom } from './find-divergence.ts'
import {
  type AppendedGroup,
  GroupedAppends,
  JournalBlocked,
  type JournalFile,
  type JournalPlace,
  JournalWriter,
  unlinkSealed,
  type WaitingAppend,
} from './journal/index.ts'
import type { SegmentTools } from './open-segment.ts'
import type { AppendedRecords, Divergence, Sealed } from './record-streams.ts'
import type { SealedCommit } from './seal-batches.ts'
import type { SealedBatch } from './seal-records.ts'
import { writeSealedNote } from './sealed-note.ts'
import { sealedPointOf } from './stop-appends.ts'
import { type StreamCommit, segmentStream } from './stream-codec.ts'
import type { StreamHead, StreamHeads } from './stream-heads.ts'

export interface WriterPlace {
  readonly git: GitPort
  readonly journals: JournalPlace
  readonly heads: StreamHeads
  readonly tools: SegmentTools
  readonly sealer: FileSealer
  /** Whether a head holds other records than these files. */
  readonly findDivergence: (head: StreamHead, files: readonly JournalFile[]) => Promise<Divergence | null>
  readonly cloneId: CloneId
  readonly nowUnixMs: () => number
  /** Time of the newest sealed record; 0 without one. */
  readonly newestTime: (head: StreamHead) => Promise<number>
  /** Called after records were appended, with those that are flushed, or an act has moved the head. */
  readonly onChange: (appended: AppendedGroup | null) => void
  /** Called after a seal in the background. */
  readonly onSealed: (sealed: { readonly count: number; readonly head: StreamHead }) => void
  /** Why a seal in the background failed. The next one tries again. */
  readonly onSealFailure: (error: unknown) => void
}

/** An append that was not made: the writer has to be opened again. */
export type BlockedAppend = Pick<WaitingAppend<AppendRequest, AppendedRecords>, 'request' | 'resolve' | 'reject'>

/** When the current file is closed to be sealed. */
const sealLimits = {
  bytes: 4 * 1024 * 1024,
  records: 8192,
  ageMs: 10 * 60_000,
  /** More closed files than this make appends wait. */
  waitingFiles: 8,
} as const

/** Another process may have moved the ref meanwhile; then sealing goes on from where it is. */
const racesMax = 100

export class StreamWriter {
  readonly #place: WriterPlace
  readonly #journal: JournalWriter
  readonly #groups: GroupedAppends<AppendRequest, AppendedRecords>
  readonly #planner: RecordPlanner
  #head: StreamHead
  #sealing: Promise<void> | null = null
  #background: Promise<void> | null = null
  /** Commits that are made before their turn. */
  #ahead: {
    readonly file: JournalFile
    readonly base: Oid
    readonly commits: Promise<readonly SealedCommit[]>
  } | null = null
  #ageTimer: NodeJS.Timeout | undefined
  #hasUnflushed = false
  #sealsUnderWay = 0
  /** The first offset that no journal has and that stops the seals, once that was reported. */
  #reportedLoss: number | null = null
  #isClosed = false

  private constructor(place: WriterPlace, head: StreamHead, journal: JournalWriter, planner: RecordPlanner) {
    this.#place = place
    this.#head = head
    this.#journal = journal
    this.#planner = planner
    this.#groups = new GroupedAppends(journal, planner, {
      afterGroup: (appended) => this.#afterGroup(appended),
      onFailure: place.onSealFailure,
    })
  }

  /**
   * @throws {ConflictError} when another clone may append, or the journal and the ref have diverged
   */
  static async open(place: WriterPlace, head: StreamHead): Promise<StreamWriter> {
    const { epoch, streamId, incarnation } = head.manifest
    if (epoch.owner !== place.cloneId) {
      const message = `stream '${shownStreamId(streamId)}' is written by another clone, since epoch ${epoch.number}`
      throw new ConflictError(message, {
        details: { reason: 'foreign-epoch', stream: streamId, epoch: epoch.number, owner: epoch.owner },
        hints: ['Take the stream over first, or append in the clone that owns it'],
      })
    }
    const { act } = head.manifest
    if (act?.name === 'unknown') {
      const message = `stream '${shownStreamId(streamId)}' ends with an act of a later version, '${act.text}'`
      throw new ConflictError(message, {
        details: { reason: 'unknown-act', stream: streamId, act: act.text, object_id: head.commit },
        hints: ['Use the version of grite that has made it'],
      })
    }
    const planner = new RecordPlanner(head, place.nowUnixMs, await place.newestTime(head))
    const facts = { streamId, incarnation, epoch: epoch.number, cloneId: place.cloneId }
    const journal = await JournalWriter.open(place.journals, facts, sealedPointOf(head), {
      onRecords: (batch) => planner.note(batch),
    })
    const writer = new StreamWriter(place, head, journal, planner)
    try {
      // A process that ended the generation has removed its journals: then this made a new one, behind the end.
      const now = await place.heads.read(streamId, head.manifest.generation)
      const hasEnded = now !== null && now.manifest.act !== null && endsGeneration(now.manifest.act)
      if (hasEnded) journal.discardEmpty()
      if (hasEnded || now === null) throw new JournalBlocked('stale')
      for (const batch of journal.batchesFrom(nextOffsetOf(head.manifest))) planner.note(batch)
      await writer.#settleFiles()
    } catch (error) {
      journal.dispose()
      throw error
    }
    return writer
  }

  get head(): StreamHead {
    return this.#head
  }

  /** Whether this writer may move the ref at the moment. */
  get isSealing(): boolean {
    return this.#sealsUnderWay > 0
  }

  get nextOffset(): number {
    return Math.max(this.#journal.nextOffset, nextOffsetOf(this.#head.manifest))
  }

  /** Whether the journal holds only what this writer knows; undefined while it is appending. */
  knowsAll(): boolean | undefined {
    if (this.#isClosed) return false
    return this.#groups.isRunning ? undefined : this.#journal.isCurrent()
  }

  /**
   * Appends records that `checkDrafts` accepts. Rejects with `JournalBlocked` when the writer has to be opened again;
   * then nothing was written.
   *
   * @param onBlocked - settles the append in that case instead
   */
  append(request: AppendRequest, onBlocked?: (blocked: BlockedAppend) => void): Promise<AppendedRecords> {
    const flush = request.options.durability === 'local'
    if (!flush) this.#hasUnflushed = true
    if (this.#isClosed) {
      if (onBlocked === undefined) return Promise.reject(new JournalBlocked('stale'))
      return new Promise((resolve, reject) => onBlocked({ request, resolve, reject }))
    }
    return this.#groups.append(request, { bytes: request.bytes, flush }, onBlocked)
  }

  /** Whether the journals have all records after the sealed ones. */
  get isWhole(): boolean {
    return this.#journal.isWhole
  }

  /**
   * Batches of records that are not sealed, from an offset on; flushed before they are given.
   * @throws {JournalBlocked} when the writer has to be opened again
   */
  async batchesFrom(offset: number): Promise<readonly SealedBatch[]> {
    return await this.#groups.exclusive(async () => {
      await this.#requireCurrent()
      if (this.#hasUnflushed) await this.#journal.flush()
      this.#hasUnflushed = false
      return [...this.#journal.batchesFrom(offset)]
    })
  }

  /** Reads what other processes have appended. @throws {JournalBlocked} when the writer has to be opened again */
  async refresh(): Promise<void> {
    await this.#groups.exclusive(() => this.#requireCurrent())
  }

  async #requireCurrent(): Promise<void> {
    const found = await this.#journal.refresh()
    if (found === 'stale' || found === 'barrier') throw new JournalBlocked(found)
  }

  /**
   * Seals everything appended before the call, by any process.
   * @throws {JournalBlocked} when the writer has to be opened again
   */
  async seal(): Promise<Sealed> {
    const before = nextOffsetOf(this.#head.manifest)
    await this.#groups.exclusive(async () => {
      await this.#requireCurrent()
      await this.#closeFile()
    })
    const commits = await this.#sealAll()
    const { manifest, commit } = this.#head
    const sealedOffset = nextOffsetOf(manifest)
    return { streamId: manifest.streamId, head: commit, sealedOffset, commits, records: sealedOffset - before }
  }

  /**
   * Lets nothing be appended, seals everything, and makes one more commit. Appends go on after it, unless the act has
   * ended the generation.
   *
   * @param makeCommit - called again after a lost race; null for no commit
   * @throws {JournalBlocked} when the writer has to be opened again; then no commit was made
   */
  async act(makeCommit: (head: StreamHead) => Promise<ActCommit | null>): Promise<StreamHead> {
    return await this.#groups.exclusive(async () => {
      const leave = await this.#barrierQueue().enter()
      try {
        await this.#requireCurrent()
        await this.#raiseBarrier()
        try {
          await this.#commitAct(makeCommit)
          return this.#head
        } finally {
          await this.#afterAct()
        }
      } finally {
        await leave()
      }
    })
  }

  async #commitAct(makeCommit: (head: StreamHead) => Promise<ActCommit | null>): Promise<void> {
    await this.#sealAll()
    const end = nextOffsetOf(this.#head.manifest)
    for (let races = 0; ; races++) {
      const made = await makeCommit(this.#head)
      if (made === null) return
      // A process that took this one for dead goes on behind the barrier.
      const found = await this.#journal.refresh()
      if (found !== 'barrier') throw new JournalBlocked('stale')
      try {
        await this.#publish(made.commit, made.parents?.(this.#head.commit), made.beside)
        this.#note()
        if (nextOffsetOf(this.#head.manifest) > end) this.#planner.noteAdopted(await this.#place.newestTime(this.#head))
        return
      } catch (error) {
        if (!(error instanceof RefMovedError) || races >= racesMax) throw error
        await this.#readHead()
      }
    }
  }

  async #afterAct(): Promise<void> {
    const { epoch, act } = this.#head.manifest
    const sealed = sealedPointOf(this.#head)
    if (act !== null && endsGeneration(act)) {
      await unlinkSealed(this.#place.journals, sealed, (commit) => this.#isBefore(commit as Oid), 'remove')
    } else if (epoch.owner === this.#place.cloneId) await this.#journal.resume(sealed, epoch.number)
  }

  /** An act, or a writer that goes on behind the barrier of another, is alone. */
  #barrierQueue(): Queue {
    return barrierQueue(this.#place.journals)
  }

  /** Waits for what is being sealed because the journal was long. */
  async settle(): Promise<void> {
    await this.#background
  }

  /** Waits for the appends and the seal under way, and releases the files. Later appends reject with `JournalBlocked`. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#ageTimer)
    await this.#groups.finish(async () => {})
    await this.#sealing?.catch(() => {})
    await this.#ahead?.commits.catch(() => {})
    this.#journal.dispose()
  }

  /** Seals files that an earlier process has closed, and goes on after its barrier. */
  async #settleFiles(): Promise<void> {
    const found = await this.#journal.refresh()
    await this.#sealUpToLoss()
    if (found === 'barrier') await this.#passBarrier()
    else if (this.#isBehind) await this.#passHead()
    if (this.#journal.waitingCount > 0) await this.#removeLeft()
  }

  /** Whether the ref's commit has records after all that the journal may hold: their offsets are taken. */
  get #isBehind(): boolean {
    return this.#journal.nextOffset < nextOffsetOf(this.#head.manifest)
  }

  /** Goes on behind the head, when another program has moved the ref past the journal. */
  async #passHead(): Promise<void> {
    const leave = await this.#barrierQueue().enter()
    try {
      await this.#raiseBarrier()
      await this.#resume()
    } finally {
      await leave()
    }
  }

  async #resume(): Promise<void> {
    // A process that did not know the head may have appended before the barrier.
    const divergence = await this.#place.findDivergence(this.#head, this.#journal.files)
    if (divergence !== null) throw divergedFrom(this.#head, divergence)
    await this.#journal.resume(sealedPointOf(this.#head), this.#head.manifest.epoch.number)
  }

  /** Goes on behind the barrier of an act, once that is done or its process is gone. */
  async #passBarrier(): Promise<void> {
    const leave = await this.#barrierQueue().enter()
    try {
      await this.#readHead()
      await this.#sealUpToLoss()
      const { act } = this.#head.manifest
      if (act !== null && endsGeneration(act)) throw new JournalBlocked('stale')
      if ((await this.#journal.refresh()) === 'barrier') await this.#resume()
    } finally {
      await leave()
    }
  }

  #closedFiles(): readonly JournalFile[] {
    return this.#journal.files.filter(
      ({ closed, nextOffset }) => closed !== null && nextOffset > nextOffsetOf(this.#head.manifest),
    )
  }

  async #closeFile(): Promise<void> {
    if (this.#journal.current.recordCount === 0) return
    const closed = await this.#journal.close('seal')
    if (closed !== 'closed') throw new JournalBlocked(closed)
  }

  /** Another process may close the file to seal it at the same time: then the next file gets the barrier. */
  async #raiseBarrier(): Promise<void> {
    for (let closed = await this.#journal.close('barrier'); closed !== 'barrier'; ) {
      if (closed === 'stale') throw new JournalBlocked(closed)
      closed = await this.#journal.close('barrier')
    }
  }

  #afterGroup(appended: AppendedGroup): Promise<void> | undefined {
    this.#place.onChange(appended.isFlushed ? appended : null)
    const { bytes, recordCount } = this.#journal.current
    if (recordCount > 0 && this.#ageTimer === undefined && !this.#isClosed) this.#startAgeTimer()
    return bytes < sealLimits.bytes && recordCount < sealLimits.records ? undefined : this.#sealFull()
  }

  async #sealFull(): Promise<void> {
    try {
      await this.#closeFile()
      const sealing = this.#sealInBackground()
      this.#background = sealing
      if (this.#journal.waitingCount >= sealLimits.waitingFiles) await sealing
    } catch (error) {
      // The records stand; only the seal waits.
      this.#place.onSealFailure(error)
    }
  }

  #startAgeTimer(): void {
    this.#ageTimer = setTimeout(() => {
      this.#ageTimer = undefined
      this.seal().then(({ commits }) => this.#noteSealed(commits), this.#place.onSealFailure)
    }, sealLimits.ageMs)
    this.#ageTimer.unref()
  }

  async #sealInBackground(): Promise<void> {
    await this.#sealAll().then(
      (commits) => this.#noteSealed(commits),
      (error: unknown) => this.#report(error),
    )
  }

  /** Seals closed files. Records that are missing in a journal stop that, but no append. */
  async #sealUpToLoss(): Promise<void> {
    if (this.#closedFiles().length === 0) return
    try {
      await this.#sealAll()
    } catch (error) {
      if (!(error instanceof LostRecordsError)) throw error
      this.#report(error)
    }
  }

  /** Reports a failed seal; one that will fail the same way each time, only once. */
  #report(error: unknown): void {
    if (error instanceof LostRecordsError) {
      if (this.#reportedLoss === error.from) return
      this.#reportedLoss = error.from
    }
    this.#place.onSealFailure(error)
  }

  #noteSealed({ length: count }: readonly Oid[]): void {
    if (count > 0) this.#place.onSealed({ count, head: this.#head })
  }

  /** Seals all closed files. @returns the commits of this call, or of the one that it joined */
  async #sealAll(): Promise<readonly Oid[]> {
    const before = this.#sealing
    const commits: Oid[] = []
    const sealing = (async () => {
      await before?.catch(() => {})
      for (let file = this.#closedFiles()[0]; file !== undefined; file = this.#closedFiles()[0])
        commits.push(...(await this.#sealFile(file)))
      if (commits.length > 0) this.#note()
      await this.#removeSealed()
    })()
    this.#sealing = sealing
    this.#sealsUnderWay++
    try {
      await sealing
    } finally {
      this.#sealsUnderWay--
    }
    return commits
  }

  async #sealFile(file: JournalFile): Promise<readonly Oid[]> {
    const commits: Oid[] = []
    for (let races = 0; ; races++) {
      // What another process has merged lies between the head that is known here and its next file.
      if (file.firstOffset > nextOffsetOf(this.#head.manifest)) await this.#readHead()
      const from = nextOffsetOf(this.#head.manifest)
      if (from >= file.nextOffset) return commits
      const next = file.nextFrameFrom(from)
      const made = next > from ? [] : await this.#commitsOf(file)
      if (made.length === 0) {
        const { commit } = this.#head
        await this.#readHead()
        // Another process may have sealed these records.
        if (this.#head.commit !== commit && races < racesMax) continue
        throw new LostRecordsError(this.#head.manifest.streamId, file.path, from, next)
      }
      try {
        for (const commit of made) {
          await this.#publishSealed(commit)
          commits.push(commit.commit)
        }
      } catch (error) {
        if (!(error instanceof RefMovedError) || races >= racesMax) throw error
        // Another process has sealed the same records, with the same bytes.
        await this.#readHead()
      }
    }
  }

  /** Begins with the commits of the next file at once, while these are published. */
  async #commitsOf(file: JournalFile): Promise<readonly SealedCommit[]> {
    const ahead = this.#ahead
    this.#ahead = null
    const isReady = ahead !== null && ahead.file === file && ahead.base === this.#head.commit
    const commits = await (isReady ? ahead.commits : this.#place.sealer.seal(this.#head, file))
    const last = commits.at(-1)
    const next = this.#journal.files.find(
      ({ closed, firstOffset }) => closed !== null && last !== undefined && firstOffset === nextOffsetOf(last.manifest),
    )
    if (last !== undefined && next !== undefined) {
      const made = this.#place.sealer.seal({ ...last, ref: this.#head.ref }, next)
      made.catch(() => {})
      this.#ahead = { file: next, base: last.commit, commits: made }
    }
    return commits
  }

  async #publishSealed(commit: SealedCommit): Promise<void> {
    const { ref, commit: before } = this.#head
    const { git, tools } = this.#place
    const stream = segmentStream(ref, commit.manifest.streamId, tools)
    const { objects, isWritten } = commit
    const encoded = isWritten ? { ...commit, objects: [] } : commit
    await publishEncoded({ git, stream }, encoded, before, { staged: isWritten ? objects : [], updates: [] })
    this.#head = { ref, commit: commit.commit, manifest: commit.manifest }
  }

  async #publish(commit: StreamCommit, parents?: readonly Oid[], beside?: ActCommit['beside']): Promise<Oid> {
    const { ref, commit: before } = this.#head
    const { git, tools } = this.#place
    const stream = segmentStream(ref, commit.manifest.streamId, tools)
    const oid = await publishBatch({ git, stream }, commit, before, parents ?? [before], beside)
    this.#head = { ref, commit: oid, manifest: commit.manifest }
    this.#place.onChange(null)
    return oid
  }

  #note(): void {
    const { commit, manifest } = this.#head
    writeSealedNote(this.#place.journals, { commit, incarnation: manifest.incarnation })
  }

  async #readHead(): Promise<void> {
    const { streamId, generation, incarnation } = this.#head.manifest
    const found = await this.#place.heads.read(streamId, generation)
    if (found?.manifest.incarnation === incarnation && (await this.#isAfter(found.commit))) {
      if (found.commit !== this.#head.commit) await this.#requireSame(found)
      this.#head = found
      return
    }
    throw new ConflictError(`stream '${shownStreamId(streamId)}' was moved aside of its journal`, {
      details: { reason: 'diverged', stream: streamId, object_ids: [this.#head.commit, found?.commit ?? null] },
      hints: ['Run `grite doctor` to see both positions'],
    })
  }

  /**
   * Another process of this clone seals what the journal holds. A fetch may bring other records at these offsets, from a
   * copy of the clone: then nothing more is appended, and the files stay for a rescue.
   */
  async #requireSame(head: StreamHead): Promise<void> {
    const [before, end] = [nextOffsetOf(this.#head.manifest), nextOffsetOf(head.manifest)]
    const files = this.#journal.files.filter(({ firstOffset, nextOffset }) => nextOffset > before && firstOffset < end)
    const divergence = files.length === 0 ? null : await this.#place.findDivergence(head, files)
    if (divergence === null) return
    this.#isClosed = true
    throw divergedFrom(head, divergence)
  }

  async #isAfter(commit: Oid): Promise<boolean> {
    return await this.#place.git.isAncestor(this.#head.commit, commit)
  }

  /** Removes the files that are sealed now. The newest stays: its token decides the name of the next one. */
  async #removeSealed(): Promise<void> {
    const sealed = sealedPointOf(this.#head)
    const { disk, folder } = this.#place.journals
    const files = this.#journal.files.slice(0, -1)
    const removed = files.filter((file) => file.nextOffset <= sealed.nextOffset && file.isInPlace())
    this.#journal.noteSealed(sealed)
    await Promise.all(removed.map(({ path }) => disk.discard(path)))
    if (removed.length > 0) await disk.flushFolder(folder)
  }

  /** Removes sealed files that an earlier process has left. */
  async #removeLeft(): Promise<void> {
    await unlinkSealed(this.#place.journals, sealedPointOf(this.#head), (commit) => this.#isBefore(commit as Oid))
  }

  async #isBefore(commit: Oid): Promise<boolean> {
    return commit === this.#head.commit || (await this.#place.git.isAncestor(commit, this.#head.commit))
  }
}

/** Records that were acknowledged are missing in a journal, so nothing after them can be sealed. */
class LostRecordsError extends ConflictError {
  constructor(
    stream: StreamId,
    path: string,
    readonly from: number,
    to: number,
  ) {
    const lost = to === from + 1 ? `record ${from}` : `records ${from} to ${to - 1}`
    super(`journal ${path} lacks ${lost} of stream '${shownStreamId(stream)}'; what follows cannot be sealed`, {
      details: { reason: 'damaged', stream, path, offset: from, next_offset: to },
      hints: [`Run \`grite stream verify\` on it; the records from offset ${to} on can still be read`],
    })
  }
}

/** One for all generations of a stream: the next act breaks the lock of a process that died while it ended one. */
export function barrierQueue({ folder, encodedId, permissions }: JournalPlace): Queue {
  return lockFileQueue(join(folder, encodedId), permissions)
}

/** A commit that an act makes. */
export interface ActCommit {
  readonly commit: StreamCommit
  /** By default the head alone. */
  readonly parents?: (head: Oid) => readonly Oid[]
  /** Refs that move before that of the stream, with objects that an earlier publish has written. */
  readonly beside?: Pick<PublishPlan, 'staged' | 'updates'>
}

function endsGeneration({ name }: Pick<Act, 'name'>): boolean {
  return name === 'tombstone' || name === 'continued'
}
