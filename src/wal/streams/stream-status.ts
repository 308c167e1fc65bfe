import { basename } from 'node:path'
import type { JournalDamage, JournalState } from './journal/index.ts'
import type { Divergence, StreamDamage, StreamStatus, StreamSummary } from './record-streams.ts'

/** The status of a stream, from its judged journals. */
export function statusOf(summary: StreamSummary, state: JournalState, divergence: Divergence | null): StreamStatus {
  const { sealedOffset } = summary
  const tail = state.files.filter(({ nextOffset }) => nextOffset > sealedOffset)
  const unsealedRecords = tail.reduce(
    (count, { firstOffset, nextOffset }) => count + nextOffset - Math.max(firstOffset, sealedOffset),
    0,
  )
  return {
    ...summary,
    journals: state.files.map(({ path, firstOffset, nextOffset, judgedSize, closed }) => ({
      ...{ file: basename(path), firstOffset, nextOffset, byteCount: judgedSize, closed: closed?.reason ?? null },
    })),
    unsealedRecords,
    unsealedBytes: tail.reduce((bytes, { recordBytes }) => bytes + recordBytes, 0),
    damage: state.damageAbove(sealedOffset).map((damage) => damageOfJournal(summary, damage)),
    divergence,
  }
}

/** Damage of a journal, as it is reported. */
export function damageOfJournal(
  { streamId, ref }: Pick<StreamSummary, 'streamId' | 'ref'>,
  { kind, path, start, end, lost }: JournalDamage,
): StreamDamage {
  const file = basename(path)
  const what = {
    bytes: `bytes ${start} to ${end - 1} are no frame`,
    gap: `records ${lost?.from} to ${(lost?.to ?? 0) - 1} are missing at byte ${start}`,
    overlap: `the frame at byte ${start} has an offset that was there before`,
    order: `the frame at byte ${start} is at the wrong place`,
  }[kind]
  return { streamId, ref, objectId: null, file, bytePosition: start, offsets: lost, reason: `journal ${file}: ${what}` }
}
