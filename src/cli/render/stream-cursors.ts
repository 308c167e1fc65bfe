/** Cursors of streams, for people. */
import type {
  StreamCursorAckData,
  StreamCursorAdvanceData,
  StreamCursorCreateData,
  StreamCursorDeleteData,
  StreamCursorGetData,
  StreamCursorListData,
} from '../../commands/stream/cursor.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount, formatNumber } from './facts.ts'
import { formatAbsoluteTime, formatRelativeTime } from './relative-time.ts'
import type { Renderer } from './renderer.ts'
import { renderTable } from './table.ts'

type CursorActData = StreamCursorCreateData | StreamCursorAdvanceData | StreamCursorAckData | StreamCursorDeleteData

export const renderStreamCursorAct: Renderer<CursorActData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const name = `${style.accent(escapeLine(data.cursor))} of ${escapeLine(data.stream)}`
  if (data.action === 'deleted') return `${style.good('Deleted')} ${name}\n`
  const { action, outcome, offset } = data
  const word = outcome === 'changed' ? style.good(action === 'created' ? 'Created' : 'Moved') : 'Unchanged:'
  return `${word} ${name}: next record ${formatNumber(offset)}\n`
}

export const renderStreamCursorGet: Renderer<StreamCursorGetData> = ({ stream, cursor, offset, behind }, { style }) =>
  `${style.accent(escapeLine(cursor))} of ${escapeLine(stream)}: next record ${formatNumber(offset)}, ` +
  `${behind === 0 ? 'nothing waits' : `${formatCount(behind, 'record')} waiting`}\n`

export const renderStreamCursorList: Renderer<StreamCursorListData> = async ({ cursors }, view) => {
  const { quiet, width, style, nowUnixMs } = view
  if (cursors.length === 0) return quiet || width === null ? '' : 'No cursors\n'
  return await renderTable(
    cursors,
    [
      { heading: 'Stream', text: ({ stream }) => stream, shrink: 1, widthMin: 12 },
      { heading: 'Cursor', text: ({ cursor }) => cursor, paint: style.accent, shrink: 2, widthMin: 8 },
      {
        heading: 'Next',
        text: ({ offset }) => formatNumber(offset),
        plainText: ({ offset }) => `${offset}`,
        align: 'right',
      },
      {
        heading: 'Moved',
        text: ({ updated_ts }) => formatRelativeTime(updated_ts, nowUnixMs),
        plainText: ({ updated_ts }) => formatAbsoluteTime(updated_ts),
        drop: 1,
      },
    ],
    view,
  )
}
