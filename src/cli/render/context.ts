import type { ContextIndexData } from '../../commands/context/index-files.ts'
import type { ContextProjectData, ContextSetData, ContextUnsetData } from '../../commands/context/project.ts'
import type { ContextQueryData } from '../../commands/context/query.ts'
import type { ContextShowData } from '../../commands/context/show.ts'
import type { ContextStaleData } from '../../commands/context/stale.ts'
import { escapeLine, escapeText } from './escape-for-terminal.ts'
import { formatRelativeTime } from './relative-time.ts'
import type { Renderer } from './renderer.ts'
import { renderTable } from './table.ts'

const reasons: Readonly<Record<string, string>> = {
  language: 'of no known language',
  symlink: 'links',
  submodule: 'submodules',
  generated: 'generated',
  'no-diff': 'without diffs',
  binary: 'binary',
  encoding: 'not UTF-8',
  large: 'above 1 MiB',
  path: 'with a path that is not UTF-8',
  unreadable: 'not readable',
  'too-slow': 'too slow to parse',
  crashed: 'that stop the parser',
  'too-many-symbols': 'with too many symbols',
}

export const renderContextIndex: Renderer<ContextIndexData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const { indexed, unchanged, removed, left_out } = data
  const parts = [`${unchanged} unchanged`, ...(removed === 0 ? [] : [`${removed} removed`])]
  const heading = `${style.good('Indexed')} ${indexed} ${indexed === 1 ? 'file' : 'files'}; ${parts.join(', ')}\n`
  const left = Object.entries(left_out).map(([reason, count]) => `${count} ${reasons[reason] ?? reason}`)
  return left.length === 0 ? heading : `${heading}${style.dim(`Left out: ${left.join(', ')}`)}\n`
}

export const renderContextQuery: Renderer<ContextQueryData> = async (data, view) => {
  const { matches, more, query } = data
  const { style, quiet, width } = view
  if (matches.length === 0) {
    if (quiet || width === null) return ''
    return `No symbol matches '${escapeLine(query)}'. Try --substring or --fuzzy, or run \`grite context index\`.\n`
  }
  const table = await renderTable(
    matches,
    [
      { heading: 'Place', text: ({ path, line_start }) => `${path}:${line_start}`, shrink: 1, paint: style.accent },
      { heading: 'Kind', text: ({ kind }) => kind },
      { heading: 'Name', text: ({ symbol }) => symbol },
      { heading: 'File', text: ({ state }) => (state === 'fresh' ? '' : state), plainText: ({ state }) => state },
    ],
    view,
  )
  return more && !quiet && width !== null ? `${table}${style.dim('and more; see --limit')}\n` : table
}

export const renderContextShow: Renderer<ContextShowData> = async (data, view) => {
  const { path, language, summary, symbols, state, indexed_ts, actor_label, actor } = data
  const { style, quiet, nowUnixMs } = view
  const rows = await renderTable(
    symbols,
    [
      { heading: 'Lines', text: ({ line_start, line_end }) => `${line_start}-${line_end}`, align: 'right' },
      { heading: 'Kind', text: ({ kind }) => kind },
      { heading: 'Name', text: ({ name }) => name, paint: style.accent },
    ],
    view,
  )
  if (quiet) return rows
  const by = escapeLine(actor_label ?? actor.slice(0, 8))
  const facts = `${escapeLine(language)}, indexed ${formatRelativeTime(indexed_ts, nowUnixMs)} by ${by}`
  const note = state === 'fresh' ? '' : `${style.bad(state === 'changed' ? 'Changed since' : 'Not in the work tree')}\n`
  return `${style.accent(escapeLine(path))}\n${escapeLine(summary)}\n${style.dim(facts)}\n${note}${rows === '' ? '' : `\n${rows}`}`
}

export const renderContextStale: Renderer<ContextStaleData> = (data, view) => {
  const { files, total_files } = data
  if (files.length > 0) {
    return renderTable(
      files,
      [
        { heading: 'State', text: ({ state }) => state },
        { heading: 'Path', text: ({ path }) => path, shrink: 1 },
      ],
      view,
    )
  }
  if (view.quiet || view.width === null) return ''
  return total_files === 0
    ? 'No file is indexed. Run `grite context index`.\n'
    : `All ${total_files} files are as indexed\n`
}

export const renderContextProject: Renderer<ContextProjectData> = (data, view) => {
  if ('value' in data) return `${escapeText(data.value)}\n`
  if (data.entries.length === 0) {
    return view.quiet || view.width === null ? '' : 'Nothing is set. Run `grite context set <key> <value>`.\n'
  }
  return renderTable(
    data.entries,
    [
      { heading: 'Key', text: ({ key }) => key, paint: view.style.accent },
      { heading: 'Value', text: ({ value }) => value, shrink: 1, isProse: true },
    ],
    view,
  )
}

export const renderContextSet: Renderer<ContextSetData> = ({ key, outcome }, { quiet, style }) => {
  if (quiet) return ''
  const name = style.accent(escapeLine(key))
  return outcome === 'unchanged' ? `Nothing to change in ${name}\n` : `${style.good('Set')} ${name}\n`
}

export const renderContextUnset: Renderer<ContextUnsetData> = ({ key }, { quiet, style }) =>
  quiet ? '' : `${style.good('Removed')} ${style.accent(escapeLine(key))}\n`
