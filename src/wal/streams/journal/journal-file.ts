/**
 * One journal, open and judged.
 *
 * Invariants
 * - Every byte below `judgedSize` has been read and judged, or was written here and read back.
 * - The bytes from `restStart` to `judgedSize` are no frame yet. They are judged again together with what follows,
 *   because another process may be in the middle of a write.
 * - Offsets of counted frames only grow. Nothing counts after a closed frame, or beyond `endMax`.
 */
import {
  type ClosedFrame,
  frameBytesMax,
  type JournalPayload,
  type OpenFrame,
  type RecordsFrame,
  type ScannedPart,
  scanFrames,
} from '../../../model/streams/index.ts'
import { FrameList } from './frame-list.ts'
import type { FileStatus } from './journal-disk.ts'
import type { JournalName, JournalPlace } from './journal-place.ts'
import { type JournalBatch, readBytes, readFrames, readInto } from './read-frames.ts'

/**
 * Something wrong in a journal:
 * - `bytes`: bytes that are no frame. Alone they are the rest of an unfinished write, and nothing is lost.
 * - `gap`: offsets that no frame holds
 * - `overlap`: a frame with an offset that was there before; it does not count
 * - `order`: a frame at the wrong place, or a first frame that is missing
 */
export interface JournalDamage {
  readonly kind: 'bytes' | 'gap' | 'overlap' | 'order'
  readonly path: string
  /** Byte positions. */
  readonly start: number
  readonly end: number
  /** Offsets that no frame of this file holds, up to but not including `to`. */
  readonly lost: { readonly from: number; readonly to: number } | null
}

const windowBytes = 1024 * 1024

export class JournalFile {
  readonly place: JournalPlace
  readonly path: string
  readonly token: string
  readonly firstOffset: number
  readonly descriptor: number
  readonly #identity: FileStatus
  readonly #damage: JournalDamage[] = []
  readonly #frames = new FrameList()
  #open: OpenFrame | null = null
  #closed: ClosedFrame | null = null
  #restStart = 0
  #judgedSize = 0
  #nextOffset: number
  #recordBytes = 0
  #endMax = Number.MAX_SAFE_INTEGER

  constructor(place: JournalPlace, path: string, { firstOffset, token }: JournalName, descriptor: number) {
    this.place = place
    this.path = path
    this.firstOffset = firstOffset
    this.token = token
    this.descriptor = descriptor
    this.#nextOffset = firstOffset
    this.#identity = place.disk.statusOf(descriptor)
  }

  /** Null when the first frame is damaged. */
  get open(): OpenFrame | null {
    return this.#open
  }

  get closed(): ClosedFrame | null {
    return this.#closed
  }

  /** The end of the closed frame; otherwise of the last frame that counts or is void. */
  get end(): number {
    return this.#restStart
  }

  get nextOffset(): number {
    return this.#nextOffset
  }

  /** The end up to which every byte is judged: the position of the next frame. */
  get judgedSize(): number {
    return this.#judgedSize
  }

  /** Bytes of the stored records, with their frames. */
  get recordBytes(): number {
    return this.#recordBytes
  }

  get damage(): readonly JournalDamage[] {
    return this.#damage
  }

  /** Bytes at the end that are no whole frame: an unfinished write, or damage. Null without such bytes. */
  get rest(): { readonly start: number; readonly end: number } | null {
    const isRest =
      this.#closed === null && this.#endMax === Number.MAX_SAFE_INTEGER && this.#restStart < this.#judgedSize
    return isRest ? { start: this.#restStart, end: this.#judgedSize } : null
  }

  /** Whether the path still names this file. */
  isInPlace(): boolean {
    const found = this.place.disk.statusAt(this.path)
    return found !== undefined && found.inode === this.#identity.inode && found.device === this.#identity.device
  }

  close(): void {
    this.place.disk.close(this.descriptor)
  }

  /** Closes a file that was removed, beside other work. */
  release(): void {
    this.place.disk.release(this.descriptor)
  }

  /** Whether the file is as it was judged, and open to appends. */
  isUnchanged(): boolean {
    return this.#closed === null && this.place.disk.statusOf(this.descriptor).size === this.#judgedSize
  }

  /**
   * Judges the bytes that were appended since.
   * @returns `cut` for a file that became shorter, as when a copy was written over it: nothing judged before holds
   */
  judge(): 'same' | 'grown' | 'cut' {
    const { size } = this.place.disk.statusOf(this.descriptor)
    if (size < this.#judgedSize) return 'cut'
    if (size === this.#judgedSize || this.#closed !== null) return 'same'
    this.#judgeUpTo(size)
    return 'grown'
  }

  #judgeUpTo(size: number): void {
    for (let windowMax = windowBytes; this.#closed === null && this.#restStart < size; ) {
      const start = this.#restStart
      const bytes = this.readBytes(start, Math.min(size, start + windowMax))
      if (bytes.length === 0) break
      const isEnd = start + bytes.length >= size || bytes.length < Math.min(windowMax, size - start)
      for (const part of scanFrames(bytes, start, this.token, this.place.crc32c)) this.#take(part)
      this.#judgedSize = Math.max(this.#judgedSize, start + bytes.length)
      if (isEnd) break
      if (this.#restStart > start) windowMax = windowBytes
      else if (windowMax < 2 * frameBytesMax) windowMax *= 2
      else {
        // No frame is that long, so none begins in the first half.
        this.#restStart = start + bytes.length - frameBytesMax
        this.#addDamage('bytes', start, this.#restStart)
      }
    }
  }

  #take(part: ScannedPart): void {
    if (this.#closed !== null || part.kind === 'rest') return
    const { start, end } = part
    if (end > this.#endMax) return
    this.#restStart = end
    if (part.kind === 'frame') this.#takeFrame(part.payload, start, end)
    else if (part.kind === 'junk') this.#addDamage('bytes', start, end)
  }

  #takeFrame(payload: JournalPayload, start: number, end: number): void {
    if (payload.kind === 'open') {
      if (start !== 0 || payload.firstOffset !== this.firstOffset) this.#addDamage('order', start, end)
      else this.#open = payload
      return
    }
    if (start === 0) this.#addDamage('order', start, end)
    if (payload.kind === 'records') this.#takeRecords(payload, start, end)
    else this.#takeClosed(payload, start, end)
  }

  #takeRecords(frame: RecordsFrame, start: number, end: number): void {
    if (!this.#reaches(frame.firstOffset, start, end)) return
    this.#nextOffset = frame.firstOffset + frame.count
    this.#recordBytes += end - start
    this.#frames.add(start, end, frame.firstOffset, frame.count)
  }

  #takeClosed(frame: ClosedFrame, start: number, end: number): void {
    if (!this.#reaches(frame.nextOffset, start, end)) return
    this.#nextOffset = frame.nextOffset
    this.#closed = frame
    this.#restStart = end
  }

  /** False for an offset that was there before. Reports the offsets before it that are missing. */
  #reaches(offset: number, start: number, end: number): boolean {
    if (offset < this.#nextOffset) this.#addDamage('overlap', start, end)
    else if (offset > this.#nextOffset) this.#addDamage('gap', start, start, { from: this.#nextOffset, to: offset })
    return offset >= this.#nextOffset
  }

  #addDamage(kind: JournalDamage['kind'], start: number, end: number, lost: JournalDamage['lost'] = null): void {
    this.#damage.push({ kind, path: this.path, start, end, lost })
  }

  /**
   * Ends the file where the file that follows it says. Its closed frame did not reach the disk.
   * @param end - a byte position
   */
  endAt(end: number): void {
    this.#endMax = end
    this.#damage.length = 0
    this.#frames.clear()
    this.#open = null
    this.#closed = null
    this.#restStart = 0
    this.#judgedSize = 0
    this.#recordBytes = 0
    this.#nextOffset = this.firstOffset
    this.judge()
    if (this.#restStart < end) this.#addDamage('bytes', this.#restStart, end)
  }

  /** Counts a frame of records that this process appended at `judgedSize` and read back. */
  addOwn(firstOffset: number, count: number, byteLength: number): void {
    const start = this.#judgedSize
    this.#settleRest(start)
    this.#frames.add(start, start + byteLength, firstOffset, count)
    this.#nextOffset = firstOffset + count
    this.#recordBytes += byteLength
    this.#judgedSize = this.#restStart = start + byteLength
  }

  /** A frame follows the rest, so it stays what it is. */
  #settleRest(start: number): void {
    if (this.#restStart < start) this.#addDamage('bytes', this.#restStart, start)
  }

  /**
   * The batches with records at or above an offset, in order, read from the file.
   * @throws {StorageError} when a frame that was judged before can no longer be read
   */
  batchesFrom(offset: number): Generator<JournalBatch, void, undefined> {
    return readFrames(this.place, this, this.#frames, offset)
  }

  /** Places of the frames with records at or above an offset, for another thread (`FrameList`). */
  framesFrom(offset: number): Float64Array<ArrayBuffer> {
    return this.#frames.numbersFrom(offset)
  }

  /** The first offset of the first frame with records at or above an offset; the end of the file without one. */
  nextFrameFrom(offset: number): number {
    const index = this.#frames.indexOf(offset)
    return index === this.#frames.length ? this.#nextOffset : this.#frames.firstOffsetOf(index)
  }

  /** Reads bytes of the file; fewer when it ends before. */
  readBytes(start: number, end: number): Uint8Array {
    return readBytes(this.place, this, start, end)
  }

  /** Reads bytes of the file into a buffer. @returns the part that was read */
  readInto(target: Uint8Array, start: number): Uint8Array {
    return readInto(this.place, this, target, start)
  }
}
