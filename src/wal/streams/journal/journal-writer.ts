/**
 * Appends to the journal of one stream (docs/format.md#journal).
 *
 * Invariants
 * - One call at a time. Several processes may append; the frames of only one of them stand.
 * - Nothing is acknowledged that was not read back where it must stand, in a file that its path still names, and that is
 *   not flushed, if the caller asked for it.
 * - After a failed flush nothing in that file is acknowledged: it is closed, and its frames are copied to the next file.
 */
import { type Oid, randomBytes } from '../../../git/index.ts'
import { ConflictError } from '../../../model/errors/index.ts'
import type { CloneId, Incarnation, StreamId } from '../../../model/streams/index.ts'
import { type ClosedFrame, type CloseReason, FrameEncoder, type OpenFrame } from '../../../model/streams/index.ts'
import { createJournal, openJournal } from './create-journal.ts'
import { journalFailure } from './journal-disk.ts'
import type { JournalFile } from './journal-file.ts'
import { firstTokenOf, type JournalPlace, listOwnJournals } from './journal-place.ts'
import type { JournalBatch } from './read-frames.ts'
import { readJournals } from './read-journals.ts'

export interface JournalFacts {
  readonly streamId: StreamId
  readonly incarnation: Incarnation
  readonly epoch: number
  readonly cloneId: CloneId
}

/** What the ref of a stream holds. */
export interface SealedPoint {
  readonly commit: Oid
  /** Root of that commit, 32 bytes. */
  readonly root: Uint8Array
  readonly nextOffset: number
}

/**
 * - `appended`: the first `batchCount` batches stand. With a `failure`, the disk took no more: nothing of the others
 *   was written.
 * - `moved`: nothing of it stands, because another process has appended. Plan again from `nextOffset`.
 * - `barrier`: an act comes first; `resume` after it
 * - `stale`: other processes have sealed and removed the file, or an act has added records that this one does not know.
 *   Open the journal again, with the new sealed point.
 */
export type Appended =
  | {
      readonly outcome: 'appended'
      readonly firstOffset: number
      readonly batchCount: number
      readonly failure: Error | null
    }
  | { readonly outcome: 'moved' | 'barrier' | 'stale'; readonly nextOffset: number }

/** Another process that appends all the time can win every race; then appends fail. */
const closeTriesMax = 100

/** A larger buffer is not kept for the next group. */
const keptBytesMax = 4 * 1024 * 1024

export interface JournalWriterOptions {
  /** Receives records that another process appended, or whose append failed although they may count. */
  readonly onRecords?: (batch: JournalBatch) => void
}

export class JournalWriter {
  readonly #place: JournalPlace
  #facts: JournalFacts
  #sealed: SealedPoint
  readonly #onRecords: (batch: JournalBatch) => void
  /** Closed files that are not sealed, oldest first. */
  #waiting: JournalFile[]
  #file: JournalFile
  readonly #encoder: FrameEncoder
  /** Bytes that were read back; used again. */
  #back = new Uint8Array(0)
  /** Files with frames that this process did not flush. */
  readonly #unflushed: Set<JournalFile>
  #isFolderFlushed = false
  /** Flushing other files has failed, so nothing is appended behind them before that works. */
  #flushesFirst = false
  #isFaulted: boolean

  private constructor(
    place: JournalPlace,
    facts: JournalFacts,
    sealed: SealedPoint,
    files: readonly JournalFile[],
    { onRecords = () => {} }: JournalWriterOptions,
  ) {
    this.#place = place
    this.#facts = facts
    this.#sealed = sealed
    this.#onRecords = onRecords
    this.#waiting = files.slice(0, -1)
    this.#file = files.at(-1) as JournalFile
    this.#encoder = new FrameEncoder(this.#file.token, place.crc32c, randomBytes)
    this.#unflushed = new Set(files)
    // Without a first frame the file says nothing about its stream: a copy of it will.
    this.#isFaulted = this.#file.open === null
  }

  /**
   * Opens the journals of a stream for appending, and creates the first one if there is none. Read the sealed point
   * before, and compare it with the files (`readJournals`): the writer does not look for a divergence.
   *
   * @throws {ConflictError} when the journal belongs to another incarnation or epoch
   */
  static async open(
    place: JournalPlace,
    facts: JournalFacts,
    sealed: SealedPoint,
    options: JournalWriterOptions = {},
  ): Promise<JournalWriter> {
    let state = readJournals(place, 'append')
    if (state.last === undefined) {
      const { generation } = place
      const token = firstTokenOf({ ...facts, generation, sealedCommit: sealed.commit })
      await storing(place, () => createJournal(place, token, openFrame(place, facts, sealed, sealed.nextOffset, null)))
      state = readJournals(place, 'append')
    }
    for (const file of state.all) if (!state.files.includes(file)) file.close()
    try {
      requireOwn(state.last, facts)
    } catch (error) {
      for (const file of state.files) file.close()
      throw error
    }
    return new JournalWriter(place, facts, sealed, state.files, options)
  }

  /** The offset of the next record, as far as this process has read. */
  get nextOffset(): number {
    return this.#file.nextOffset
  }

  /** Bytes and records in the file that appends go to: what decides when to seal. */
  get current(): { readonly firstOffset: number; readonly recordCount: number; readonly bytes: number } {
    const { firstOffset, nextOffset, recordBytes } = this.#file
    return { firstOffset, recordCount: nextOffset - firstOffset, bytes: recordBytes }
  }

  /** Closed files that wait to be sealed. */
  get waitingCount(): number {
    return this.#waiting.length
  }

  /** Closed files with records to seal, oldest first, then the file that appends go to. */
  get files(): readonly JournalFile[] {
    return [...this.#waiting, this.#file]
  }

  /** Whether the files have all offsets after the sealed ones. After a barrier the commit may have more. */
  get isWhole(): boolean {
    const { files } = this
    const sealedOffset = this.#sealed.nextOffset
    return files.every(({ damage, closed, nextOffset }, index) => {
      const next = files[index + 1]
      if (damage.some(({ lost }) => lost !== null && lost.to > sealedOffset)) return false
      const hasAllBefore = next === undefined || next.firstOffset <= Math.max(nextOffset, sealedOffset)
      return hasAllBefore || closed?.reason === 'barrier'
    })
  }

  /** The batches with records at or above an offset, as far as this process has read. */
  *batchesFrom(offset: number): Generator<JournalBatch, void, undefined> {
    for (const file of this.files) yield* file.batchesFrom(offset)
  }

  /** Whether the file that appends go to holds only what this process has read or written. */
  isCurrent(): boolean {
    const { disk } = this.#place
    const file = this.#file
    return file.closed === null && file.isInPlace() && disk.statusOf(file.descriptor).size === file.judgedSize
  }

  /** Reads what other processes have appended. */
  async refresh(): Promise<'same' | 'moved' | 'barrier' | 'stale'> {
    if (!this.#file.isInPlace()) return 'stale'
    return this.#catchUp()
  }

  /**
   * Begins a group: add its frames, each with an atomic batch, for offsets from `nextOffset` on, and `write` it. Records
   * that another process has appended make it void.
   */
  begin(): FrameEncoder {
    this.#encoder.begin(this.#file.judgedSize)
    return this.#encoder
  }

  /** The stored records of the first batches of the group, until the next one begins. */
  recordsOf(batchCount: number): readonly Uint8Array[] {
    return this.#encoder.copyRecords(batchCount)
  }

  /**
   * Appends the group, of which each batch stands whole or not at all.
   *
   * @param flush - false acknowledges what is written and may be lost with the machine
   * @throws {StorageError} with `details.written`: `nothing`, or `maybe` after a failed flush
   */
  async write({ flush }: { readonly flush: boolean }): Promise<Appended> {
    const group = this.#encoder
    const { position } = group
    const faulted = this.#isFaulted
    if (faulted) await this.#replaceFile()
    const found = faulted || !this.#file.isUnchanged() ? await this.#catchUp() : 'same'
    const file = this.#file
    const firstOffset = file.nextOffset
    // Bytes that are void or junk move the position alone.
    const before = found === 'same' && (faulted || position !== file.judgedSize) ? 'moved' : found
    if (before !== 'same') return { outcome: before, nextOffset: firstOffset }
    if (flush && this.#flushesFirst) await storing(this.#place, () => this.#flushOthers())
    const { bytes, frameCount } = group
    const written = await this.#write(bytes)
    let standing = frameCount
    while (standing > 0 && group.endOf(standing - 1) > written) standing--
    if (standing > 0) {
      this.#unflushed.add(file)
      if (flush) await this.#flushOrFail()
      const back = await this.#readBack(standing)
      if (back !== 'stands' && back !== 'removed') return { outcome: back, nextOffset: this.nextOffset }
      for (let index = 0, start = 0; index < standing; index++) {
        file.addOwn(file.nextOffset, group.countOf(index), group.endOf(index) - start)
        start = group.endOf(index)
      }
      // Who closed the file behind these frames counted them, and removed it after they were sealed.
      if (back === 'removed' && (file.judge() === 'cut' || file.closed === null))
        return { outcome: 'stale', nextOffset: this.nextOffset }
    }
    const failure = written === bytes.length ? null : this.#diskFull(written, bytes.length)
    if (standing === 0 && failure !== null) throw failure
    return { outcome: 'appended', firstOffset, batchCount: standing, failure }
  }

  /** Appends batches of stored records, at least one, in a group of their own. */
  async append(batches: readonly (readonly Uint8Array[])[], { flush }: { readonly flush: boolean }): Promise<Appended> {
    if (this.#isFaulted) await this.#replaceFile()
    const found = await this.#catchUp()
    if (found !== 'same') return { outcome: found, nextOffset: this.nextOffset }
    const group = this.begin()
    for (const records of batches) group.addRecords(this.nextOffset + group.recordCount, records)
    return await this.write({ flush })
  }

  /** @returns the bytes written: fewer on a full disk */
  async #write(bytes: Uint8Array): Promise<number> {
    const { disk } = this.#place
    const file = this.#file
    try {
      return disk.write(file.descriptor, bytes)
    } catch (error) {
      // The system says that nothing was written, and the size confirms it.
      if (disk.statusOf(file.descriptor).size === file.judgedSize)
        throw journalFailure('appending to the journal', file.path, error, 'nothing')
      return this.#fail(error)
    }
  }

  #diskFull(written: number, wanted: number): Error {
    const cause = new Error(`the disk took ${written} of ${wanted} bytes`)
    return journalFailure('appending to the journal', this.#file.path, cause, 'nothing')
  }

  /** Flushes the file that appends go to, and what an earlier process or file may have left unflushed. */
  async #flushOrFail(): Promise<void> {
    const file = this.#file
    const others = this.#hasOthers ? this.#flushOthers() : null
    try {
      await this.#place.disk.flush(file.descriptor)
      this.#unflushed.delete(file)
    } catch (error) {
      await others?.catch(() => {})
      await this.#fail(error)
    }
    try {
      await others
    } catch (error) {
      this.#flushesFirst = true
      throw journalFailure('flushing the journal', file.path, error, 'maybe')
    }
  }

  get #hasOthers(): boolean {
    return !this.#isFolderFlushed || this.#unflushed.size > (this.#unflushed.has(this.#file) ? 1 : 0)
  }

  async #flushOthers(): Promise<void> {
    const { disk, folder } = this.#place
    const flushed = [...this.#unflushed].filter((file) => file !== this.#file)
    const waves = flushed.map((file) => disk.flush(file.descriptor))
    // The process that created the newest file may have died before it flushed the folder.
    waves.push(disk.flushFolder(folder))
    await settleAll(waves)
    this.#isFolderFlushed = true
    this.#flushesFirst = false
    for (const file of flushed) this.#unflushed.delete(file)
  }

  /** Whether the first frames of the group stand where they say, which were just written; `removed`: in a file without a path. */
  async #readBack(count: number): Promise<'stands' | 'removed' | 'moved' | 'barrier' | 'stale'> {
    const file = this.#file
    const group = this.#encoder
    const bytes = group.bytes.subarray(0, group.endOf(count - 1))
    if (this.#back.length < bytes.length) this.#back = new Uint8Array(bytes.length)
    const found = file.readInto(this.#back.subarray(0, bytes.length), file.judgedSize)
    if (this.#back.length > keptBytesMax) this.#back = new Uint8Array(0)
    if (isEqual(found, bytes)) return file.isInPlace() ? 'stands' : 'removed'
    if (!file.isInPlace()) return 'stale'
    // Frames that stand beside frames that do not: the disk returns other bytes than were written.
    for (let index = 0, start = 0; index < count; index++) {
      const end = group.endOf(index)
      if (isEqual(found.subarray(start, end), bytes.subarray(start, end)))
        return this.#fail(new Error('the disk returns other bytes than were written'))
      start = end
    }
    const now = await this.#catchUp()
    return now === 'same' ? 'moved' : now
  }

  /** Judges what others have appended, and goes on in the file that follows a closed one. */
  async #catchUp(): Promise<'same' | 'moved' | 'barrier' | 'stale'> {
    let isSame = true
    for (;;) {
      const file = this.#file
      const known = file.nextOffset
      const judged = file.judge()
      if (judged === 'cut') return 'stale'
      if (file.nextOffset !== known) {
        isSame = false
        this.#unflushed.add(file)
        for (const batch of file.batchesFrom(known)) this.#onRecords(batch)
      }
      if (file.closed === null) return isSame ? 'same' : 'moved'
      isSame = false
      if (file.closed.reason === 'barrier') {
        const next = this.#findAfterBarrier(file.closed)
        if (next === null) return file.isInPlace() ? 'barrier' : 'stale'
        if (!this.#knowsAllBefore(next)) {
          next.close()
          return 'stale'
        }
        this.#moveTo(next, false)
      } else if (!(await storing(this.#place, () => this.#goOn()))) return 'stale'
    }
  }

  /** The file after a barrier begins where the act has ended. */
  #findAfterBarrier({ nextToken }: ClosedFrame): JournalFile | null {
    const name = listOwnJournals(this.#place).find(({ token }) => token === nextToken)
    return name === undefined ? null : openJournal(this.#place, name.firstOffset, nextToken)
  }

  /** Whether nothing but the records of this journal lies before a file: no record of a merge or a fetch, and no other epoch. */
  #knowsAllBefore({ firstOffset, open }: JournalFile): boolean {
    return firstOffset === this.#file.nextOffset && open?.epoch === this.#facts.epoch
  }

  /**
   * Opens the file that follows the closed one, and creates it if it is missing.
   * @returns false when the closed file is gone: then its follower may be sealed and gone, too
   */
  async #goOn(): Promise<boolean> {
    const before = this.#file
    const { closed } = before
    if (closed === null) return true
    const isReplaced = closed.reason === 'fault'
    const firstOffset = isReplaced ? before.firstOffset : closed.nextOffset
    let next = openJournal(this.#place, firstOffset, closed.nextToken)
    if (next === null) {
      if (!before.isInPlace()) return false
      // Otherwise a crash could keep the next file and lose records before it.
      if (!isReplaced) await this.#place.disk.flush(before.descriptor)
      const previous = { token: before.token, end: before.end }
      const batches = isReplaced ? before.batchesFrom(0) : []
      const open = openFrame(this.#place, this.#facts, this.#sealed, firstOffset, previous)
      const kept = isReplaced && before.open !== null ? { ...before.open, previous } : open
      const isNew = await createJournal(this.#place, closed.nextToken, kept, batches)
      next = openJournal(this.#place, firstOffset, closed.nextToken)
      // A file is removed only after its follower exists, so the follower is new only if this one is still there.
      if (next === null || !before.isInPlace()) {
        next?.close()
        if (isNew && next !== null) this.#place.disk.remove(next.path)
        return false
      }
    }
    this.#moveTo(next, isReplaced)
    return true
  }

  #moveTo(next: JournalFile, isReplaced: boolean): void {
    const before = this.#file
    this.#file = next
    this.#encoder.useToken(next.token)
    this.#unflushed.add(next)
    this.#isFolderFlushed = false
    if (isReplaced) {
      this.#unflushed.delete(before)
      before.close()
    } else this.#waiting.push(before)
    const known = before.nextOffset
    for (const batch of next.batchesFrom(known)) this.#onRecords(batch)
  }

  /**
   * Ends the file that appends go to. `seal`: appends go on in the next file. `barrier`: they wait for `resume`.
   *
   * @throws {StorageError} on a full disk; then the file may be open or closed, and the next append goes on from there
   */
  async close(reason: Exclude<CloseReason, 'fault'>): Promise<'closed' | 'barrier' | 'stale'> {
    if (this.#isFaulted) await this.#replaceFile()
    const before = await this.#catchUp()
    if (before === 'barrier' || before === 'stale') return before
    // Only frames that are flushed may be followed by a closed frame: after it no failure can be noted in the file.
    if (this.#unflushed.has(this.#file)) await this.flush()
    const file = this.#file
    await this.#writeClosed(reason)
    if (!file.isInPlace()) return 'stale'
    if (reason === 'barrier') await storing(this.#place, () => this.#place.disk.flush(file.descriptor))
    const now = await this.#catchUp()
    return now === 'barrier' || now === 'stale' ? now : 'closed'
  }

  /** Goes on after a barrier, once the act has moved the ref or was given up. */
  async resume(sealed: SealedPoint, epoch: number = this.#facts.epoch): Promise<void> {
    this.#facts = { ...this.#facts, epoch }
    this.noteSealed(sealed)
    const before = this.#file
    if (before.closed?.reason !== 'barrier') return
    const { nextToken, nextOffset } = before.closed
    const firstOffset = Math.max(sealed.nextOffset, nextOffset)
    const previous = { token: before.token, end: before.end }
    const open = openFrame(this.#place, this.#facts, sealed, firstOffset, previous)
    await storing(this.#place, () => createJournal(this.#place, nextToken, open))
    const next = openJournal(this.#place, firstOffset, nextToken)
    if (next === null) throw new ConflictError(`${before.path} was removed while it was continued`)
    this.#moveTo(next, false)
  }

  /** Flushes the frames that others appended, or this writer at level `memory`. */
  async flush(): Promise<void> {
    if (this.#isFaulted) await this.#replaceFile()
    if (this.#hasOthers || this.#unflushed.has(this.#file)) await this.#flushOrFail()
  }

  /** Notes what the ref holds now, and closes descriptors of files below it. It removes no file. */
  noteSealed(sealed: SealedPoint): void {
    this.#sealed = sealed
    const isBelow = (file: JournalFile) => file.nextOffset <= sealed.nextOffset
    for (const file of this.#waiting.filter(isBelow)) {
      this.#unflushed.delete(file)
      file.release()
    }
    this.#waiting = this.#waiting.filter((file) => !isBelow(file))
  }

  /** Removes the file that appends go to, behind the end of a generation, unless it has records. */
  discardEmpty(): void {
    const { path } = this.#file
    if (this.current.recordCount === 0 && this.#file.isInPlace()) this.#place.disk.remove(path)
  }

  /** Closes all descriptors. */
  dispose(): void {
    for (const file of this.files) file.close()
    this.#waiting = []
  }

  /** After a failed flush: nothing of the append is acknowledged, and this file is used no more. */
  async #fail(cause: unknown): Promise<never> {
    this.#isFaulted = true
    const { path } = this.#file
    try {
      await this.#replaceFile()
    } catch {
      // The next append tries it again.
    }
    throw journalFailure('flushing the journal', path, cause, 'maybe')
  }

  async #replaceFile(): Promise<void> {
    await this.#writeClosed('fault')
    const now = await this.#catchUp()
    if (now !== 'stale') this.#isFaulted = false
  }

  /** Appends a closed frame, unless another process has done it. */
  async #writeClosed(reason: CloseReason): Promise<void> {
    const { disk } = this.#place
    const file = this.#file
    for (let tries = 0; tries < closeTriesMax; tries++) {
      const known = file.nextOffset
      if (file.judge() === 'cut') return
      for (const batch of file.batchesFrom(known)) this.#onRecords(batch)
      if (file.closed !== null) return
      this.#encoder.begin(file.judgedSize)
      this.#encoder.addClosed({
        nextOffset: file.nextOffset,
        reason,
        nextToken: randomBytes(8).toString('hex'),
      })
      const { bytes } = this.#encoder
      await storing(this.#place, async () => {
        if (disk.write(file.descriptor, bytes) < bytes.length) throw new Error('the disk is full')
      })
    }
    throw new ConflictError(`other processes keep appending to ${file.path}`, { details: { path: file.path } })
  }
}

function openFrame(
  { generation }: JournalPlace,
  { streamId, incarnation, epoch }: JournalFacts,
  sealed: SealedPoint,
  firstOffset: number,
  previous: OpenFrame['previous'],
): Omit<OpenFrame, 'kind'> {
  const { commit, root } = sealed
  return { streamId, incarnation, generation, epoch, firstOffset, sealedCommit: commit, sealedRoot: root, previous }
}

function requireOwn(file: JournalFile | undefined, { incarnation, epoch }: JournalFacts): void {
  if (file?.open == null || file.closed?.reason === 'barrier') return
  const { open, path } = file
  if (open.incarnation === incarnation && open.epoch === epoch) return
  throw new ConflictError(`${path} belongs to incarnation ${open.incarnation}, epoch ${open.epoch}`, {
    details: { path, expected: { incarnation, epoch }, found: { incarnation: open.incarnation, epoch: open.epoch } },
  })
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}

/** Names what failed. No record of an append is at stake here. */
async function storing<Result>({ folder }: JournalPlace, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof Error && 'kind' in error) throw error
    throw journalFailure('writing a journal', folder, error, 'nothing')
  }
}

/** Waits for all, so that no flush runs when a failure is reported. */
async function settleAll(flushes: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(flushes)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}
