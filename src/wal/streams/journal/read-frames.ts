/** Reads frames that were judged before. Needs no more of a journal than its descriptor, so any thread can do it. */
import { StorageError } from '../../../model/errors/index.ts'
import { type Crc32c, takeRecords } from '../../../model/streams/index.ts'
import type { FrameList } from './frame-list.ts'
import type { JournalDisk } from './journal-disk.ts'

/** An atomic batch, as it stands in a journal. */
export interface JournalBatch {
  readonly firstOffset: number
  /** Stored records, as views. */
  readonly records: readonly Uint8Array[]
}

export interface FramesDisk {
  readonly disk: Pick<JournalDisk, 'read'>
  readonly crc32c: Crc32c
}

export interface OpenJournal {
  readonly path: string
  readonly token: string
  readonly descriptor: number
}

/** Bytes that are read at once. */
const windowBytes = 1024 * 1024

/**
 * The batches with records at or above an offset, in order.
 *
 * @throws {StorageError} when a frame can no longer be read
 */
export function* readFrames(
  place: FramesDisk,
  journal: OpenJournal,
  frames: FrameList,
  offset: number,
): Generator<JournalBatch, void, undefined> {
  const token = Buffer.from(journal.token, 'hex')
  for (let index = frames.indexOf(offset); index < frames.length; ) {
    const to = windowEnd(frames, index)
    const first = frames.startOf(index)
    const bytes = readBytes(place, journal, first, frames.endOf(to - 1))
    for (; index < to; index++) {
      const start = frames.startOf(index)
      const frame = bytes.subarray(start - first, frames.endOf(index) - first)
      const records = takeRecords(frame, start, token, place.crc32c)
      if (records === null) throw lostFrame(journal, start)
      yield { firstOffset: frames.firstOffsetOf(index), records }
    }
  }
}

/** Index after the frames, at least one, that are read together with one. */
function windowEnd(frames: FrameList, index: number): number {
  let to = index + 1
  while (to < frames.length && frames.endOf(to) - frames.startOf(index) <= windowBytes) to++
  return to
}

/** Reads bytes of a file; fewer when it ends before. */
export function readBytes(
  place: Pick<FramesDisk, 'disk'>,
  journal: Pick<OpenJournal, 'descriptor'>,
  start: number,
  end: number,
): Uint8Array {
  return readInto(place, journal, Buffer.allocUnsafe(end - start), start)
}

/** Reads bytes of a file into a buffer. @returns the part that was read */
export function readInto(
  { disk }: Pick<FramesDisk, 'disk'>,
  { descriptor }: Pick<OpenJournal, 'descriptor'>,
  target: Uint8Array,
  start: number,
): Uint8Array {
  let read = 0
  while (read < target.length) {
    const count = disk.read(descriptor, target.subarray(read), start + read)
    if (count === 0) break
    read += count
  }
  return target.subarray(0, read)
}

function lostFrame({ path }: OpenJournal, start: number): StorageError {
  return new StorageError(`the frame at byte ${start} of ${path} changed after it was read`, {
    details: { path, byte: start },
  })
}
