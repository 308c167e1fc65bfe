import type { BlockedData } from '../../commands/blocked.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount, formatNumber } from './facts.ts'
import { wordsOf } from './issue-dependencies.ts'
import { paintPriority } from './issue-list.ts'
import { shortId } from './issue-shapes.ts'
import type { Renderer, RenderView } from './renderer.ts'
import { renderTable } from './table.ts'
import { wrapTitle } from './wrap-prose.ts'

type BlockedIssue = BlockedData['issues'][number]
type Blocker = BlockedIssue['blockers'][number]

/** Each issue with its blockers below it; without a terminal, one line per pair. */
export const renderBlocked: Renderer<BlockedData> = async ({ issues, total }, view) => {
  if (view.width === null) return renderPairs(issues, view)
  if (issues.length === 0) return view.quiet || total > 0 ? '' : 'Nothing is blocked.\n'
  const text = (await Promise.all(issues.map((issue) => renderIssue(issue, view)))).join('')
  if (view.quiet) return text
  const shown = issues.length === total ? '' : `${formatNumber(issues.length)} of `
  return `${text}\n${view.style.dim(`${shown}${formatCount(total, 'issue')} blocked`)}\n`
}

async function renderIssue(issue: BlockedIssue, view: RenderView): Promise<string> {
  const { style } = view
  const priority = escapeLine(issue.fields?.priority ?? '')
  const notes = [
    ...(issue.in_cycle ? ['in a cycle'] : []),
    ...(issue.overdue ? [`due ${escapeLine(issue.fields?.due ?? '')}, overdue`] : []),
  ]
  const id = escapeLine(shortId(issue))
  const depth = id.length + 1 + (priority === '' ? 0 : priority.length + 1)
  const words = [
    style.accent(id),
    ...(priority === '' ? [] : [paintPriority(priority, style)]),
    await wrapTitle(escapeLine(issue.title), view.width, depth),
    ...(notes.length === 0 ? [] : [style.bad(`(${notes.join('; ')})`)]),
  ]
  const blockers = await Promise.all(issue.blockers.map((blocker) => renderBlocker(blocker, view)))
  return `${words.join(' ')}\n${blockers.join('')}`
}

/** The relation from the point of view of the waiting issue: `depends on` or `blocked by`. */
function edgeWords({ through }: Blocker): string {
  return through.map((type) => wordsOf(type, type === 'blocks' ? 'reverse' : 'own')).join(', ')
}

async function renderBlocker(blocker: Blocker, { style, width }: RenderView): Promise<string> {
  const [edge, id] = [edgeWords(blocker), escapeLine(shortId(blocker))]
  const title = await wrapTitle(escapeLine(blocker.title), width, edge.length + id.length + 4)
  return `  ${style.dim(edge)} ${style.accent(id)} ${title}\n`
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
