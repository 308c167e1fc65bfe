/** One line for each command that changes one issue: what was done, to which issue. */
import { escapeLine } from './escape-for-terminal.ts'
import { type IssueChangeData, shortId } from './issue-shapes.ts'
import type { Renderer } from './renderer.ts'

/** @param done - the verb as it opens the line, for example `Closed` */
export function renderIssueChange(done: string): Renderer<IssueChangeData> {
  return (data, { quiet, style }) => {
    if (quiet) return ''
    const id = style.accent(escapeLine(shortId(data)))
    const title = data.title === undefined ? '' : ` ${escapeLine(data.title)}`
    return data.event_id === null ? `Nothing to change in ${id}${title}\n` : `${style.good(done)} ${id}${title}\n`
  }
}
