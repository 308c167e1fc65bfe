import type { GitPort } from '../../git/index.ts'
import { ConflictError, StorageError } from '../../model/index.ts'
import { nextOffsetOf, shownStreamId } from '../../model/streams/index.ts'
import { findDivergence } from './find-divergence.ts'
import {
  JournalBlocked,
  type JournalPlace,
  type JournalState,
  type KeptJournals,
  readJournals,
} from './journal/index.ts'
import type { StreamDamage } from './record-streams.ts'
import type { SealedBatch } from './seal-records.ts'
import { readSealedNote } from './sealed-note.ts'
import { StoredRecord } from './stored-record.ts'
import type { StreamHead } from './stream-heads.ts'
import type { StreamReader } from './stream-reader.ts'
import { damageOfJournal } from './stream-status.ts'
import type { StreamWriter } from './stream-writer.ts'

export interface TailPlace {
  readonly git: GitPort
  readonly reader: StreamReader
  /** The writer of this process, which knows what the journal holds; null without one. */
  readonly writer: StreamWriter | null
  readonly journals: JournalPlace
  /** What a reader that follows the stream knows of the journals; null for a single look. */
  readonly kept: KeptJournals | null
  readonly readHead: () => Promise<StreamHead>
}

/** A head, and the records after it. */
export interface StreamEnd {
  readonly head: StreamHead
  readonly tail: readonly (readonly StoredRecord[])[]
  /** The next offset. */
  readonly end: number
}

/** Journal and ref both changed between two looks; each time another process has sealed some thousand records. */
const looksMax = 100

/**
 * The records of the journals from an offset on, flushed, with the head before them.
 * @throws {ConflictError} when other processes seal faster than this one reads
 */
export async function readTail(
  { git, reader, writer, journals, kept, readHead }: TailPlace,
  from: number,
  onDamage: (damage: StreamDamage) => void,
): Promise<StreamEnd> {
  for (let looks = 0; looks < looksMax; looks++) {
    const batches = looks > 0 || writer === null ? null : await batchesOfWriter(writer, from)
    if (batches !== null) {
      const head = await readHead()
      const found = joinTail(head, batches, Math.max(from, nextOffsetOf(head.manifest)))
      if (found !== null) return { ...found, end: Math.max(found.end, nextOffsetOf(head.manifest)) }
      continue
    }
    // Before the ref: a note that is read later may be of a newer head.
    const note = readSealedNote(journals)
    const state = kept === null ? readJournals(journals) : kept.look(journals)
    try {
      const head = await readHead()
      const divergence = await findDivergence(git, reader, head, { files: state.files, note })
      const sealedOffset = nextOffsetOf(head.manifest)
      const subject = { streamId: head.manifest.streamId, ref: head.ref }
      if (divergence !== null) {
        const nowhere = { objectId: divergence.sealedCommit, bytePosition: null, offsets: null }
        onDamage({ ...subject, ...nowhere, file: divergence.file, reason: divergence.reason })
        return { head, tail: [], end: sealedOffset }
      }
      if ((state.firstOffset ?? 0) > sealedOffset) continue
      for (const damage of state.damageAbove(sealedOffset))
        if (damage.lost !== null) onDamage(damageOfJournal(subject, damage))
      await flush(journals, state, sealedOffset)
      const tail = toRecords(state.batchesFrom(Math.max(from, sealedOffset)), Math.max(from, sealedOffset))
      return { head, tail, end: Math.max(sealedOffset, state.nextOffset ?? 0) }
    } catch (error) {
      // A file was written over: nothing that was judged before holds.
      if (kept === null || looks > 0 || !(error instanceof StorageError)) throw error
      kept.close()
    } finally {
      if (kept === null) state.close()
    }
  }
  const head = await readHead()
  const shown = shownStreamId(head.manifest.streamId)
  throw new ConflictError(`stream '${shown}' is sealed faster than it is read`, {
    details: { reason: 'contended', stream: head.manifest.streamId },
  })
}

/** Null when other processes have sealed the files that the writer has open, or records are missing in them. */
async function batchesOfWriter(writer: StreamWriter, from: number): Promise<readonly SealedBatch[] | null> {
  try {
    const batches = await writer.batchesFrom(Math.max(from, nextOffsetOf(writer.head.manifest)))
    return writer.isWhole ? batches : null
  } catch (error) {
    if (error instanceof JournalBlocked) return null
    throw error
  }
}

/** Nothing is shown that a crash of the machine could take back. */
async function flush({ disk }: JournalPlace, { files }: JournalState, sealedOffset: number): Promise<void> {
  const shown = files.filter(({ nextOffset, firstOffset }) => nextOffset > Math.max(sealedOffset, firstOffset))
  await Promise.all(shown.map(({ descriptor }) => disk.flush(descriptor)))
}

function joinTail(head: StreamHead, batches: readonly SealedBatch[], from: number): StreamEnd | null {
  const first = batches[0]?.firstOffset
  if (first !== undefined && first > from) return null
  const last = batches.at(-1)
  const end = last === undefined ? 0 : last.firstOffset + last.records.length
  return { head, tail: toRecords(batches, from), end }
}

function toRecords(batches: Iterable<SealedBatch>, from: number): readonly (readonly StoredRecord[])[] {
  const tail: (readonly StoredRecord[])[] = []
  for (const { firstOffset, records } of batches) {
    const skip = Math.max(0, from - firstOffset)
    const rest = skip === 0 ? records : records.slice(skip)
    const start = firstOffset + skip
    tail.push(rest.map((_bytes, index) => new StoredRecord(start + index, rest, index, null, 0)))
  }
  return tail
}
