/** Records of streams for people: one line each. */
import type { ConsumeData } from '../../commands/consume.ts'
import type { ProduceData } from '../../commands/produce.ts'
import type { StreamAppendData } from '../../commands/stream/append.ts'
import type { StreamDiffData } from '../../commands/stream/diff.ts'
import type { StreamReadData } from '../../commands/stream/read.ts'
import type { StreamTailData, StreamTailItem } from '../../commands/stream/tail.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatBytes, formatCount } from './facts.ts'
import { formatAbsoluteTime } from './relative-time.ts'
import type { PieceRenderer, Renderer, RenderView } from './renderer.ts'

type LineView = Pick<RenderView, 'width' | 'style'>

/** `12  2026-04-05 14:35:02  log  step 1 passed`; without a terminal, tab-separated and complete. */
export function formatRecordLine(record: StreamTailItem, { width, style }: LineView): string {
  const time = formatAbsoluteTime(record.ts_unix_ms)
  const key = describeBytes(record.key, record.key_base64)
  const payload = describeBytes(record.payload, record.payload_base64)
  if (width === null) return [record.offset, time, key, payload].join('\t')
  const shownTime = /^\d{4}-/.test(time) ? `${time.slice(0, 10)} ${time.slice(11, 19)}` : time
  const start = [style.accent(`${record.offset}`), style.dim(shownTime), style.bold(key)].filter((cell) => cell !== '')
  const room = Math.max(payloadLengthMin, width - `${record.offset}  ${shownTime}  ${key}  `.length)
  return `${start.join('  ')}  ${cut(payload, room)}`.trimEnd()
}

/** Code units of a payload on a narrow terminal. */
const payloadLengthMin = 20

function describeBytes(text: string | null, base64: string | undefined): string {
  if (base64 !== undefined) return `(${formatBytes(Math.floor((base64.replace(/=+$/, '').length * 3) / 4))})`
  return escapeLine(text ?? '')
}

function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  return `${[...text.slice(0, lengthMax)].slice(0, lengthMax - 1).join('')}…`
}

export const renderStreamItem: Renderer<StreamTailItem> = (record, view) => `${formatRecordLine(record, view)}\n`

export const renderStreamRead: PieceRenderer<StreamReadData> = function* ({ records, next_offset, end_offset }, view) {
  for (const record of records) yield `${formatRecordLine(record, view)}\n`
  if (view.quiet || view.width === null) return
  if (records.length === 0) yield 'No records there.\n'
  else if (next_offset < end_offset)
    yield view.style.dim(`More from offset ${next_offset} on; the end is ${end_offset}.\n`)
}

export const renderStreamAppend: Renderer<StreamAppendData> = ({ stream, offset, repeated, level }, view) => {
  if (view.quiet) return `${offset}\n`
  const done = repeated ? 'Had been appended to' : view.style.good('Appended to')
  const note = level === 'local' ? '' : view.style.dim(' (not flushed to the disk)')
  return `${done} ${view.style.accent(escapeLine(stream))} at offset ${offset}${note}\n`
}

export const renderProduce: Renderer<ProduceData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const { records, repeated, first_offset, next_offset, interrupted } = data
  const where = first_offset === null ? '' : `, offsets ${first_offset} to ${next_offset - 1}`
  const again = repeated === 0 ? '' : `; ${formatCount(repeated, 'record')} had been appended before`
  const done = interrupted ? style.attention('Interrupted:') : style.good('Appended')
  const what = interrupted ? `${formatCount(records, 'record')} appended` : formatCount(records, 'record')
  return `${done} ${what} to ${style.accent(escapeLine(data.stream))}${where}${again}\n`
}

/** Nothing: the output is the records. */
export const renderConsume: Renderer<ConsumeData> = () => ''

export const renderStreamTail: Renderer<StreamTailData> = ({ records, ended }, { quiet, width, style }) =>
  quiet || width === null || ended === 'interrupted' ? '' : style.dim(`${formatCount(records, 'record')} told.\n`)

export const renderStreamDiff: PieceRenderer<StreamDiffData> = function* ({ common, left, right }, view) {
  const { style, width, quiet } = view
  if (width !== null) {
    yield common === null
      ? 'They inherit nothing in common.\n'
      : `Common up to ${style.accent(escapeLine(common.stream))}@${common.offset}\n`
  }
  const sides = [
    { side: left, mark: '-', paint: style.bad },
    { side: right, mark: '+', paint: style.good },
  ] as const
  for (const { side, mark, paint } of sides) {
    if (width !== null)
      yield `${paint(mark.repeat(3))} ${escapeLine(side.stream)}: ${formatCount(side.count, 'record')}\n`
    for (const record of side.records) {
      yield `${paint(mark)}${width === null ? '\t' : ' '}${formatRecordLine(record, view)}\n`
    }
    const left = side.count - side.records.length
    if (left > 0 && side.records.length > 0 && width !== null && !quiet) yield style.dim(`  and ${left} more\n`)
  }
}
