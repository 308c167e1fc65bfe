/** One line per changed issue: the action and the issue. */
import type { IssueCloseData } from '../../commands/issue/state.ts'
import type { IssueUpdateData } from '../../commands/issue/update.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { shortId } from './issue-shapes.ts'
import type { Renderer, RenderView } from './renderer.ts'

/** The change of one issue; a new one has only the full id. */
type IssueChange = Pick<IssueUpdateChange, 'issue_id' | 'event_id' | 'title'> &
  Partial<Pick<IssueUpdateChange, 'short_id'>>
type IssueUpdateChange = Extract<IssueUpdateData, { readonly results: object }>['results'][number]

/** The data of all commands that change issues: one change, or a list of them for several issues. */
export type IssueChangeData = IssueChange | { readonly results: readonly IssueChange[] }

/** @param done - the verb at the start of the line, for example `Closed` */
export function renderIssueChange(done: string): Renderer<IssueChangeData> {
  return (data, view) => {
    if (view.quiet) return ''
    const changes = 'results' in data ? data.results : [data]
    return changes.map((change) => renderChange(done, change, view)).join('')
  }
}

/** Like any other change, followed by the parents whose last part is now closed. */
export const renderIssueClose: Renderer<IssueCloseData> = async (data, view) => {
  const changes = await renderIssueChange('Closed')(data, view)
  if (view.quiet) return changes
  const finished = (data.finished_parents ?? []).map((parent) => {
    return `All parts of ${view.style.accent(escapeLine(shortId(parent)))} ${escapeLine(parent.title)} are closed\n`
  })
  return changes + finished.join('')
}

function renderChange(done: string, change: IssueChange, { style }: RenderView): string {
  const id = style.accent(escapeLine(shortId(change)))
  const title = change.title === undefined ? '' : ` ${escapeLine(change.title)}`
  return change.event_id === null ? `Nothing to change in ${id}${title}\n` : `${style.good(done)} ${id}${title}\n`
}
