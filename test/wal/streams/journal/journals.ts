import type { Oid } from '../../../../src/git/index.ts'
import { privatePermissions } from '../../../../src/git/index.ts'
import { type CloneId, FrameEncoder, type Incarnation, type StreamId } from '../../../../src/model/streams/index.ts'
import {
  type JournalDisk,
  type JournalPlace,
  JournalWriter,
  type JournalWriterOptions,
  readJournals,
  type SealedPoint,
} from '../../../../src/wal/streams/journal/index.ts'
import { plainCrc32c } from '../../../support/crc32c.ts'
import { journalFolder, MemoryJournalDisk } from '../../../support/memory-journal-disk.ts'

export const facts = {
  streamId: 'build/42' as StreamId,
  incarnation: '0102030405060708' as Incarnation,
  epoch: 1,
  cloneId: 'c'.repeat(32) as CloneId,
}

export const genesis: SealedPoint = sealedAt(0)

export function sealedAt(nextOffset: number, commit = 'a'.repeat(40)): SealedPoint {
  return { commit: commit as Oid, root: new Uint8Array(32).fill(7), nextOffset }
}

export function placeOn(disk: JournalDisk, folder = journalFolder): JournalPlace {
  let files = 0
  return {
    folder,
    encodedId: 'v'.repeat(32),
    generation: 0,
    permissions: privatePermissions,
    disk,
    crc32c: plainCrc32c,
    newTemporaryPath: () => `${folder}-tmp/${process.pid}-${files++}`,
  }
}

export function newDisk(): { disk: MemoryJournalDisk; place: JournalPlace } {
  const disk = new MemoryJournalDisk()
  return { disk, place: placeOn(disk) }
}

export function openWriter(
  place: JournalPlace,
  sealed: SealedPoint = genesis,
  options?: JournalWriterOptions,
): Promise<JournalWriter> {
  return JournalWriter.open(place, facts, sealed, options)
}

export function newEncoder(): FrameEncoder {
  return new FrameEncoder('0'.repeat(16), plainCrc32c, (count) => new Uint8Array(count))
}

/** A stored record whose payload is a text of less than 24 bytes. */
export function record(text: string): Uint8Array {
  return Buffer.concat([Buffer.from([0x87, 0, 0xf6, 0xf6, 0xf6, 0x80, 0xf6, 0x40 + text.length]), Buffer.from(text)])
}

/** Payload of a stored record made by `record`. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(8)).toString()
}

/** Texts of all records in the journals, each with its offset. */
export function readTexts(place: JournalPlace, from = 0): readonly string[] {
  const state = readJournals(place)
  try {
    return [...state.batchesFrom(from)].flatMap(({ firstOffset, records }) =>
      records.map((bytes, index) => `${firstOffset + index} ${textOf(bytes)}`),
    )
  } finally {
    state.close()
  }
}
