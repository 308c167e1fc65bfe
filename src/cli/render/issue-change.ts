/** One line for each issue that a command changed: what was done, to which issue. */
import type { IssueCloseData } from '../../commands/issue/state.ts'
import type { IssueUpdateData } from '../../commands/issue/update.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { shortId } from './issue-shapes.ts'
import type { Renderer, RenderView } from './renderer.ts'

/** What became of one issue; of a new one only the full id is told. */
type IssueChange = Pick<IssueUpdateChange, 'issue_id' | 'event_id' | 'title'> &
  Partial<Pick<IssueUpdateChange, 'short_id'>>
type IssueUpdateChange = Extract<IssueUpdateData, { readonly results: object }>['results'][number]

/** What every command that changes issues answers: one change, or a list of them when several were named. */
export type IssueChangeData = IssueChange | { readonly results: readonly IssueChange[] }

/** @param done - the verb as it opens the line, for example `Closed` */
export function renderIssueChange(done: string): Renderer<IssueChangeData> {
  return (data, view) => {
    if (view.quiet) return ''
    const changes = 'results' in data ? data.results : [data]
    return changes.map((change) => renderChange(done, change, view)).join('')
  }
}

/** As every change, and then of which issues the last part is done now. */
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
