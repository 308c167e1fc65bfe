/** Where reading begins: `beginning`, `end`, `-10`, `ts@<time>` or an offset. */
import { InvalidArgsError } from '../../model/index.ts'
import type { StreamId } from '../../model/streams/index.ts'
import type { RecordStreams, StreamSummary } from '../../wal/streams/index.ts'
import { parseMoment } from '../parse-time.ts'

export type Start =
  | { readonly kind: 'beginning' | 'end' }
  /** This many records before the end. */
  | { readonly kind: 'last'; readonly count: number }
  | { readonly kind: 'time'; readonly tsUnixMs: number }
  | { readonly kind: 'offset'; readonly offset: number }

/** @throws {InvalidArgsError} naming the option and the allowed values */
export function parseStart(option: string, text: string, nowUnixMs: number): Start {
  const word = text.trim()
  if (word === 'beginning' || word === 'end') return { kind: word }
  const [, time] = /^ts@(.+)$/s.exec(word) ?? []
  if (time !== undefined) return { kind: 'time', tsUnixMs: parseMoment(option, time, nowUnixMs) }
  const number = /^-?\d+$/.test(word) ? Number(word) : Number.NaN
  if (Number.isSafeInteger(number)) {
    return word.startsWith('-') ? { kind: 'last', count: -number } : { kind: 'offset', offset: number }
  }
  const allowed = ['beginning', 'end', '<offset>', '-<records before the end>', 'ts@<time>']
  throw new InvalidArgsError(`--${option} must be ${allowed.join(', ')}, got '${text}'`, {
    details: { field: option, value: text, allowed },
  })
}

/**
 * The offset where reading begins. A time leads to the first record of that time or later, found by halving: where times
 * do not ascend, as after a merge, to some record after an earlier one.
 */
export async function findStart(
  streams: RecordStreams,
  { streamId, firstOffset, nextOffset }: Pick<StreamSummary, 'streamId' | 'firstOffset' | 'nextOffset'>,
  start: Start,
): Promise<number> {
  switch (start.kind) {
    case 'beginning':
      return firstOffset
    case 'end':
      return nextOffset
    case 'last':
      return Math.max(firstOffset, nextOffset - start.count)
    case 'offset':
      return start.offset
    case 'time':
      return findByTime(streams, streamId, { from: firstOffset, to: nextOffset }, start.tsUnixMs)
  }
}

async function findByTime(
  streams: RecordStreams,
  streamId: StreamId,
  { from, to }: { readonly from: number; readonly to: number },
  tsUnixMs: number,
): Promise<number> {
  let [low, high] = [from, to]
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2)
    const record = (await streams.readAt(streamId, middle)).record()
    if (record.tsUnixMs < tsUnixMs) low = middle + 1
    else high = middle
  }
  return low
}
