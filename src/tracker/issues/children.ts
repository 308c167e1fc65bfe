import { formatScopedLabel, type IssueId, parentOf } from '../../model/index.ts'
import type { IssueRow, View } from '../../view/index.ts'
import type { CommandContext } from '../effects.ts'
import { describeIssues, type MentionedIssue } from './describe-issues.ts'
import type { ChangeData, IssueChange } from './issue-change.ts'

/** The parts of an issue, in order of creation. Reads only the issues listed by the index of labels. */
export async function readChildren(view: View, parent: IssueId): Promise<IssueRow[]> {
  const rows = await view.listIssues({ labels: [formatScopedLabel('parent', parent)] })
  // The issue may still have the label of an overridden parent.
  return rows.filter(({ fields }) => parentOf(fields) === parent)
}

/** Progress over the parts of an issue; null when it has none. */
export function progressOf(children: readonly IssueRow[]): { readonly closed: number; readonly total: number } | null {
  if (children.length === 0) return null
  return { closed: children.filter(({ state }) => state === 'closed').length, total: children.length }
}

/** Maximum number of parts listed in a warning. */
const partsToldMax = 5

/**
 * Checks the parts and parents of issues that were just closed: warns of open parts, and returns the parents whose last
 * part is now closed. Never fails, because the issues are already closed.
 */
export async function checkPartsAndParents(
  context: CommandContext,
  data: ChangeData<object>,
): Promise<readonly MentionedIssue[]> {
  const changes = 'results' in data ? data.results : [data]
  const closed = changes.filter(({ outcome }) => outcome === 'changed')
  if (closed.length === 0) return []
  try {
    return await lookAround(context, closed)
  } catch (error) {
    const message = `closed, but could not read its parts and parents: ${(error as Error).message}`
    context.warn({ code: 'parts-unread', message })
    return []
  }
}

async function lookAround(context: CommandContext, closed: readonly IssueChange[]): Promise<MentionedIssue[]> {
  const view = await (await context.repository()).view()
  for (const { issue_id, short_id } of closed) {
    const open = (await readChildren(view, issue_id)).filter(({ state }) => state === 'open')
    if (open.length > 0) await warnOfOpenChildren(context, view, { issueId: issue_id, shortId: short_id }, open)
  }
  const rows = await view.findRows(closed.map(({ issue_id }) => issue_id))
  const parents = new Set([...rows.values()].flatMap(({ fields }) => parentOf(fields) ?? []))
  const done: IssueId[] = []
  for (const [parent, { state }] of await view.findRows([...parents])) {
    if (state !== 'open') continue
    const progress = progressOf(await readChildren(view, parent))
    if (progress !== null && progress.closed === progress.total) done.push(parent)
  }
  return describeIssues(view, done)
}

async function warnOfOpenChildren(
  context: CommandContext,
  view: View,
  { issueId, shortId }: { readonly issueId: IssueId; readonly shortId: string },
  open: readonly IssueRow[],
): Promise<void> {
  const ids = open.slice(0, partsToldMax).map(({ issue_id }) => issue_id)
  const names = (await describeIssues(view, ids)).map(({ short_id }) => short_id).join(', ')
  const more = open.length > ids.length ? ` and ${open.length - ids.length} more` : ''
  const [part, are] = open.length === 1 ? ['part', 'is'] : ['parts', 'are']
  context.warn({
    code: 'open-children',
    message: `closed ${shortId}, but ${open.length} ${part} of it ${are} still open: ${names}${more}`,
    details: { issue_id: issueId, open_children: open.length },
  })
}
