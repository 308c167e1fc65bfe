import { dirname } from 'node:path'
import { randomBytes } from '../../../git/index.ts'
import { FrameEncoder, type OpenFrame } from '../../../model/streams/index.ts'
import { errnoOf } from './journal-disk.ts'
import { JournalFile } from './journal-file.ts'
import { type JournalPlace, journalPathOf } from './journal-place.ts'
import type { JournalBatch } from './read-frames.ts'

/** Bytes of copied frames that are written at once. */
const copyBytes = 1024 * 1024

/**
 * Creates a journal whole: in a temp file, flushed, linked into place, the folder flushed. When another process was
 * faster, its file is the one.
 *
 * @param batches - that the file starts with
 * @returns whether this call made the file
 */
export async function createJournal(
  place: JournalPlace,
  token: string,
  open: Omit<OpenFrame, 'kind'>,
  batches: Iterable<JournalBatch> = [],
): Promise<boolean> {
  const { disk, permissions } = place
  const path = journalPathOf(place, open.firstOffset, token)
  const temporary = place.newTemporaryPath()
  disk.makeFolder(dirname(temporary))
  const gained = disk.makeFolder(place.folder)
  if (permissions.isShared) for (const _ of gained) permissions.adjust(place.folder)
  const descriptor = disk.create(temporary)
  let isNew = true
  try {
    writeFrames(place, descriptor, token, open, batches)
    if (permissions.isShared) permissions.adjust(temporary)
    await disk.flush(descriptor)
    try {
      disk.link(temporary, path)
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
      isNew = false
    }
  } finally {
    disk.close(descriptor)
    disk.remove(temporary)
  }
  for (const folder of [place.folder, ...gained]) await disk.flushFolder(folder)
  return isNew
}

function writeFrames(
  { disk, crc32c }: JournalPlace,
  descriptor: number,
  token: string,
  open: Omit<OpenFrame, 'kind'>,
  batches: Iterable<JournalBatch>,
): void {
  const encoder = new FrameEncoder(token, crc32c, randomBytes)
  let position = 0
  const write = () => {
    const { bytes } = encoder
    for (let written = 0; written < bytes.length; ) written += disk.write(descriptor, bytes.subarray(written))
    position += bytes.length
    encoder.begin(position)
  }
  encoder.begin(0)
  encoder.addOpen(open)
  for (const { firstOffset, records } of batches) {
    encoder.addRecords(firstOffset, records)
    if (encoder.byteLength >= copyBytes) write()
  }
  write()
}

/** Opens a journal for appending; null when it does not exist. */
export function openJournal(place: JournalPlace, firstOffset: number, token: string): JournalFile | null {
  const path = journalPathOf(place, firstOffset, token)
  let descriptor: number
  try {
    descriptor = place.disk.open(path, 'append')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null
    throw error
  }
  const { encodedId, generation } = place
  const file = new JournalFile(place, path, { encodedId, generation, firstOffset, token }, descriptor)
  try {
    file.judge()
  } catch (error) {
    file.close()
    throw error
  }
  return file
}
