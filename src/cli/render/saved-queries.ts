import type { QueryListData, QueryRemoveData, QuerySaveData } from '../../commands/query/query.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { shorten } from './issue-shapes.ts'
import { formatMinute, formatRelativeTime } from './relative-time.ts'
import type { Renderer } from './renderer.ts'
import { renderTable } from './table.ts'

export const renderQuerySave: Renderer<QuerySaveData> = ({ name, query, replaced, event_id }, { quiet, style }) => {
  if (quiet) return ''
  const line = `${style.accent(escapeLine(name))}: ${escapeLine(query ?? '')}\n`
  if (event_id === null) return `Nothing to change in ${line}`
  const before = replaced ? style.dim(`Replaced: ${escapeLine(replaced)}\n`) : ''
  return `${style.good('Saved')} ${line}${before}`
}

export const renderQueryRemove: Renderer<QueryRemoveData> = ({ name, query }, { quiet, style }) => {
  if (quiet) return ''
  const what = query === null ? '' : ` ${style.dim(`(${escapeLine(query)})`)}`
  return `${style.good('Removed')} ${style.accent(escapeLine(name))}${what}\n`
}

export const renderQueryList: Renderer<QueryListData> = async ({ queries }, view) => {
  const { style, nowUnixMs } = view
  if (queries.length === 0) {
    return view.quiet || view.width === null
      ? ''
      : 'No saved queries yet. Run `grite query save <name> <query>` to save one.\n'
  }
  return renderTable(
    queries,
    [
      { heading: 'Name', text: ({ name }) => name, paint: style.accent, shrink: 2 },
      { heading: 'Query', text: ({ query }) => query ?? '', shrink: 1, widthMin: 16 },
      { heading: 'Broken', text: ({ problem }) => problem ?? '', paint: style.bad, shrink: 3, widthMin: 12 },
      { heading: 'By', text: ({ actor, actor_label }) => actor_label ?? shorten(actor), shrink: 4, drop: 2 },
      {
        heading: 'Saved',
        text: ({ ts_unix_ms }) => formatRelativeTime(ts_unix_ms, nowUnixMs),
        plainText: ({ ts_unix_ms }) => formatMinute(ts_unix_ms),
        paint: style.dim,
        drop: 1,
      },
    ],
    view,
  )
}
