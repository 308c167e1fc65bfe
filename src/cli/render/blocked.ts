import type { BlockedData } from '../../commands/blocked.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount, formatNumber } from './facts.ts'
import { wordsOf } from './issue-dependencies.ts'
import { paintPriority } from './issue-list.ts'
import { shortId } from './issue-shapes.ts'
import type { Renderer, RenderView } from './renderer.ts'
import { renderTable } from './table.ts'

type BlockedIssue = BlockedData['issues'][number]
type Blocker = BlockedIssue['blockers'][number]

/** Each issue with its blockers below it; without a terminal, one line per pair. */
export const renderBlocked: Renderer<BlockedData> = async ({ issues, total }, view) => {
  if (view.width === null) return renderPairs(issues, view)
  if (issues.length === 0) return view.quiet || total > 0 ? '' : 'Nothing is blocked.\n'
  const text = issues.map((issue) => renderIssue(issue, view)).join('')
  if (view.quiet) return text
  const shown = issues.length === total ? '' : `${formatNumber(issues.length)} of `
  return `${text}\n${view.style.dim(`${shown}${formatCount(total, 'issue')} blocked`)}\n`
}

function renderIssue(issue: BlockedIssue, { style }: RenderView): string {
  const priority = issue.fields?.priority ?? ''
  const notes = [
    ...(issue.in_cycle ? ['in a cycle'] : []),
    ...(issue.overdue ? [`due ${escapeLine(issue.fields?.due ?? '')}, overdue`] : []),
  ]
  const words = [
    style.accent(escapeLine(shortId(issue))),
    ...(priority === '' ? [] : [paintPriority(escapeLine(priority), style)]),
    escapeLine(issue.title),
    ...(notes.length === 0 ? [] : [style.bad(`(${notes.join('; ')})`)]),
  ]
  return `${words.join(' ')}\n${issue.blockers.map((blocker) => renderBlocker(blocker, style)).join('')}`
}

/** The relation from the point of view of the waiting issue: `depends on` or `blocked by`. */
function edgeWords({ through }: Blocker): string {
  return through.map((type) => wordsOf(type, type === 'blocks' ? 'reverse' : 'own')).join(', ')
}

function renderBlocker(blocker: Blocker, style: RenderView['style']): string {
  return `  ${style.dim(edgeWords(blocker))} ${style.accent(escapeLine(shortId(blocker)))} ${escapeLine(blocker.title)}\n`
}

function renderPairs(issues: readonly BlockedIssue[], view: RenderView): Promise<string> {
  const pairs = issues.flatMap((issue) => issue.blockers.map((blocker) => ({ issue, blocker })))
  return renderTable(
    pairs,
    [
      { heading: 'ID', text: ({ issue }) => shortId(issue) },
      { heading: 'Title', text: ({ issue }) => issue.title },
      { heading: 'Edge', text: ({ blocker }) => blocker.through.join(',') },
      { heading: 'Blocker', text: ({ blocker }) => shortId(blocker) },
      { heading: 'Blocker title', text: ({ blocker }) => blocker.title },
    ],
    view,
  )
}
