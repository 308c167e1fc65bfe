/** Messages of stream commits (docs/format.md#stream-commit): a subject for people, and trailers. */

import { shortenText } from '../foreign/describe-foreign.ts'
import { formatHex } from '../hex.ts'
import { makeVisible } from '../visible-text.ts'
import { isStreamId, percentDecodeId, percentEncodeId, type StreamId } from './stream-id.ts'
import { streamLimits } from './stream-limits.ts'

export interface MessageFacts {
  readonly streamId: StreamId
  readonly generation: number
  /** Name of the act. */
  readonly act: string | null
  /** In genesis commits, one for each lineage parent. */
  readonly parents: readonly { readonly streamId: StreamId; readonly offset: number }[]
  readonly firstOffset: number
  readonly count: number
  readonly root: Uint8Array
}

/** What the trailers state: hints until the manifest confirms them. */
export interface Trailers extends Omit<MessageFacts, 'root'> {
  /** 64 hex. */
  readonly root: string
}

const idShownMax = 60

export function commitMessage(facts: MessageFacts): string {
  const { streamId, generation, act, parents, firstOffset, count, root } = facts
  const lines = [
    subjectOf(facts),
    '',
    `Grite-Stream: ${percentEncodeId(streamId)}`,
    `Grite-Generation: ${generation}`,
    ...(act === null ? [] : [`Grite-Act: ${act}`]),
    ...parents.map((parent) => `Grite-Parent: ${percentEncodeId(parent.streamId)}@${parent.offset}`),
    `Grite-First-Offset: ${firstOffset}`,
    `Grite-Count: ${count}`,
    `Grite-Root: ${formatHex(root)}`,
  ]
  return lines.join('\n')
}

function subjectOf({ streamId, act, firstOffset, count }: MessageFacts): string {
  const records =
    count === 0 ? [] : [count === 1 ? `record ${firstOffset}` : `records ${firstOffset} to ${firstOffset + count - 1}`]
  const parts = act === null || (act === 'genesis' && count > 0) ? records : [act, ...records]
  return `stream ${shownStreamId(streamId)}: ${parts.join(', ')}`
}

/** An id as shown in one line: foreign text, escaped and shortened. */
export function shownStreamId(id: string): string {
  return shortenText(makeVisible(id), idShownMax)
}

/** Number below 2^53 without leading zeros. */
const number = '(0|[1-9]\\d{0,15})'
const trailerLines = new RegExp(
  [
    '^[^\\n]*\\n\\nGrite-Stream: (\\S+)',
    `Grite-Generation: ${number}`,
    `(?:Grite-Act: ([^\\n]{1,64})\\n)?((?:Grite-Parent: \\S+@${number}\\n){0,${streamLimits.mergeSourcesMax}})Grite-First-Offset: ${number}`,
    `Grite-Count: ${number}`,
    'Grite-Root: ([0-9a-f]{64})\\n?$',
  ].join('\\n'),
)

/** Reads the trailers of a message; null for any other message. */
export function parseTrailers(message: string): Trailers | null {
  const found = trailerLines.exec(message)
  if (found === null) return null
  const [, encoded = '', generation, act = null, parentLines = '', , firstOffset, count, root = ''] = found
  const streamId = parseEncoded(encoded)
  const parents = parentLines
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const at = line.lastIndexOf('@')
      return { streamId: parseEncoded(line.slice('Grite-Parent: '.length, at)), offset: Number(line.slice(at + 1)) }
    })
  const numbers = [generation, firstOffset, count, ...parents.map(({ offset }) => offset)].map(Number)
  if (!numbers.every(Number.isSafeInteger) || streamId === null) return null
  const known = parents.flatMap((parent) =>
    parent.streamId === null ? [] : [{ ...parent, streamId: parent.streamId }],
  )
  if (known.length < parents.length) return null
  const [generationNumber = 0, first = 0, records = 0] = numbers
  return { streamId, generation: generationNumber, act, parents: known, firstOffset: first, count: records, root }
}

function parseEncoded(text: string): StreamId | null {
  const id = percentDecodeId(text)
  return id !== null && isStreamId(id) ? id : null
}
