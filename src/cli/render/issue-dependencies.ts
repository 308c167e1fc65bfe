import type { IssueDepAddData, IssueDepRemoveData } from '../../commands/issue/dependency-change.ts'
import type { IssueDepListData } from '../../commands/issue/dependency-list.ts'
import type { IssueDepTopoData } from '../../commands/issue/dependency-order.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { paintState } from './issue-list.ts'
import { shortId } from './issue-shapes.ts'
import type { Renderer, RenderView } from './renderer.ts'
import { renderTable } from './table.ts'

/** The relation of an edge in words, from its source and from its target. */
const edgeWords: Readonly<Record<string, readonly [own: string, reverse: string]>> = {
  depends_on: ['depends on', 'needed by'],
  blocks: ['blocks', 'blocked by'],
  related_to: ['related to', 'related to'],
}

export function wordsOf(type: string, end: 'own' | 'reverse' = 'own'): string {
  return edgeWords[type]?.[end === 'own' ? 0 : 1] ?? type
}

export const renderDependencyChange: Renderer<IssueDepAddData | IssueDepRemoveData> = (data, { quiet, style }) => {
  if (quiet) return ''
  const source = name(shortId(data), data.title, style)
  const target = name(data.target_short_id, data.target_title, style)
  const edge = `${source} ${wordsOf(data.dep_type)} ${target}`
  const inOtherWords =
    data.stored_as === null || data.stored_as.issue_id === data.issue_id
      ? ''
      : ` (${data.action === 'removed' ? 'it was stored' : 'stored'} as: ${escapeLine(data.target_short_id)} ${wordsOf(data.stored_as.dep_type)} ${escapeLine(shortId(data))})`
  if (data.event_id !== null) {
    return `${style.good(data.action === 'removed' ? 'Removed' : 'Added')} ${edge}${inOtherWords}\n`
  }
  return data.action === 'removed' ? `No such edge: ${edge}\n` : `Nothing to change: ${edge}${inOtherWords}\n`
}

function name(id: string, title: string | null | undefined, style: RenderView['style']): string {
  return title === null || title === undefined
    ? style.accent(escapeLine(id))
    : `${style.accent(escapeLine(id))} ${escapeLine(title)}`
}

export const renderDependencyList: Renderer<IssueDepListData> = async (data, view) => {
  const { deps, direction } = data
  const isReverse = direction === 'dependents'
  if (deps.length > 0) {
    return renderTable(
      deps,
      [
        {
          heading: 'Edge',
          text: ({ dep_type }) => wordsOf(dep_type, isReverse ? 'reverse' : 'own'),
          plainText: ({ dep_type }) => dep_type,
        },
        { heading: 'ID', text: shortId, paint: view.style.accent },
        {
          heading: 'State',
          text: ({ state }) => state ?? 'unknown',
          paint: (text, { state }) => paintState(state ?? '', text, view.style),
        },
        { heading: 'Title', text: ({ title }) => title, shrink: 1, isProse: true },
      ],
      view,
    )
  }
  if (view.quiet || view.width === null) return ''
  const other = isReverse ? 'without' : 'with'
  const whose = isReverse ? 'No dependencies on' : 'No dependencies of'
  return `${whose} ${escapeLine(shortId(data))} ${escapeLine(data.title)}; also try ${other} --reverse\n`
}

/** Omits parent labels: their value is an id that nobody reads. */
const withoutParents = (labels: readonly string[]) => labels.filter((label) => !label.startsWith('parent:'))

export const renderDependencyOrder: Renderer<IssueDepTopoData> = async ({ issues }, view) => {
  if (issues.length === 0) return view.quiet || view.width === null ? '' : 'No issues match.\n'
  return renderTable(
    issues,
    [
      { heading: 'ID', text: shortId, paint: view.style.accent },
      {
        heading: 'State',
        text: ({ state }) => state,
        paint: (text, { state }) => paintState(state, text, view.style),
        drop: 1,
      },
      { heading: 'Title', text: ({ title }) => title, shrink: 1, widthMin: 16, isProse: true },
      {
        heading: 'Labels',
        text: ({ labels }) => withoutParents(labels).join(', '),
        shrink: 2,
        paint: view.style.dim,
        drop: 2,
      },
      { heading: 'Cycle', text: ({ in_cycle }) => (in_cycle ? 'cycle' : ''), paint: view.style.bad },
    ],
    view,
  )
}
