import { join } from 'node:path'
import { newTemporaryPath } from '../../git/index.ts'
import { encodeStreamId } from '../../model/streams/index.ts'
import { findDivergence } from './find-divergence.ts'
import { type JournalPlace, listJournals, nodeJournalDisk, readJournals } from './journal/index.ts'
import { formatJournalName } from './journal/journal-place.ts'
import { listStreams } from './list-streams.ts'
import { loadSegmentTools } from './open-segment.ts'
import type { Divergence, StreamDamage, StreamPlace, StreamSummary } from './record-streams.ts'
import { readSealedNote, sealedNoteName } from './sealed-note.ts'
import { StreamReader } from './stream-reader.ts'
import { damageOfJournal } from './stream-status.ts'

/** The state of all streams, as far as heads and journals tell. */
export interface StreamsInspection {
  /** Deleted and continued ones, too. */
  readonly streams: readonly StreamSummary[]
  /** Refs that lead to no stream, and unreadable heads. */
  readonly damagedHeads: readonly StreamDamage[]
  readonly damagedJournals: readonly StreamDamage[]
  readonly diverged: readonly { readonly stream: StreamSummary; readonly divergence: Divergence }[]
  /** Journals of a stream without a ref. */
  readonly orphans: readonly string[]
  readonly journalCount: number
  readonly journalBytes: number
  readonly unsealedRecords: number
}

/** Looks at the heads and journals of all streams. Reads no segments of theirs, and changes nothing. */
export async function inspectStreams(place: StreamPlace): Promise<StreamsInspection> {
  const { folder, permissions, git } = place
  const { crc32c } = await loadSegmentTools()
  const reader = new StreamReader(git, null)
  const journalPlaceOf = (encodedId: string, generation: number): JournalPlace => ({
    ...{ folder, encodedId, generation, permissions, disk: nodeJournalDisk, crc32c },
    newTemporaryPath: () => newTemporaryPath(git.layout),
  })
  const names = listJournals({ disk: nodeJournalDisk, folder })
  const damagedHeads: StreamDamage[] = []
  const streams = await listStreams(
    { place, reader, journalPlaceOf },
    { includeEnded: true, keepsHeads: false, onDamage: (damage) => damagedHeads.push(damage) },
  )
  const keyOf = (encodedId: string, generation: number) => `${encodedId}.${generation}`
  const damagedRefs = new Set(damagedHeads.map(({ ref }) => ref?.slice(ref.lastIndexOf('/') + 1)))
  const withJournals = new Set(names.map(({ encodedId, generation }) => keyOf(encodedId, generation)))
  const files = new Set(nodeJournalDisk.list(folder))
  const known = new Set(streams.map(({ streamId, generation }) => keyOf(encodeStreamId(streamId), generation)))
  const damagedJournals: StreamDamage[] = []
  const diverged: { stream: StreamSummary; divergence: Divergence }[] = []
  let unsealedRecords = 0
  for (const stream of streams) {
    const encodedId = encodeStreamId(stream.streamId)
    const journals = journalPlaceOf(encodedId, stream.generation)
    const hasNote = files.has(sealedNoteName(journals))
    if (!hasNote && !withJournals.has(keyOf(encodedId, stream.generation))) continue
    unsealedRecords += stream.nextOffset - stream.sealedOffset
    const note = readSealedNote(journals)
    const state = readJournals(journals)
    try {
      damagedJournals.push(...state.damageAbove(stream.sealedOffset).map((damage) => damageOfJournal(stream, damage)))
      const { manifest } = await reader.manifests.read(stream.head)
      const head = { ref: stream.ref, commit: stream.head, manifest }
      const divergence = await findDivergence(git, reader, head, { files: state.files, note })
      if (divergence !== null) diverged.push({ stream, divergence })
    } finally {
      state.close()
    }
  }
  return {
    ...{ streams, damagedHeads, damagedJournals, diverged, unsealedRecords },
    orphans: names
      .filter(({ encodedId, generation }) => {
        const key = keyOf(encodedId, generation)
        return !known.has(key) && !damagedRefs.has(key)
      })
      .map(formatJournalName),
    journalCount: names.length,
    journalBytes: names.reduce((bytes, name) => bytes + sizeOf(join(folder, formatJournalName(name))), 0),
  }
}

/** 0 for a file that was sealed and removed meanwhile. */
const sizeOf = (path: string): number => nodeJournalDisk.statusAt(path)?.size ?? 0
