/** The export for spreadsheets, in pieces. */
import { currentBody, type IssueId } from '../../model/index.ts'
import type { IssueRow, View } from '../../view/index.ts'

/** Issues looked up per batch; bounds the texts in memory. */
const issuesInWindow = 64

export async function* rowWindows(view: View, issueIds: readonly IssueId[]): AsyncGenerator<readonly IssueRow[]> {
  for (let start = 0; start < issueIds.length; start += issuesInWindow) {
    yield [...(await view.findRows(issueIds.slice(start, start + issuesInWindow))).values()]
  }
}

const csvColumns = [
  'issue_id',
  'title',
  'state',
  'priority',
  'type',
  'status',
  'due',
  'defer',
  'milestone',
  'parent',
  'labels',
  'assignees',
  'created',
  'updated',
  'comment_count',
  'body',
] as const

/** CSV by RFC 4180: a header line, CRLF, quotes where needed; lists are joined by spaces and semicolons. */
export async function* csvPieces(view: View, issueIds: readonly IssueId[]): AsyncGenerator<string> {
  const { stringify } = await import('csv-stringify/sync')
  const format = (records: readonly object[], header: boolean) =>
    stringify([...records], {
      header,
      columns: [...csvColumns],
      record_delimiter: 'windows',
      escape_formulas: true,
    })
  yield format([], true)
  for await (const rows of rowWindows(view, issueIds)) yield format(await csvRecords(view, rows), false)
}

async function csvRecords(view: View, rows: readonly IssueRow[]): Promise<object[]> {
  const states = await view.findStates(rows.map(({ issue_id }) => issue_id))
  return rows.map((row) => {
    const state = states.get(row.issue_id)
    return {
      ...row.fields,
      issue_id: row.issue_id,
      title: row.title,
      state: row.state,
      labels: row.labels.join('; '),
      assignees: row.assignees.join('; '),
      created: isoTime(row.created_ts),
      updated: isoTime(row.updated_ts),
      comment_count: row.comment_count,
      body: state === undefined ? '' : currentBody(state),
    }
  })
}

/** Empty for a time outside the range of dates. */
function isoTime(tsUnixMs: number): string {
  const date = new Date(tsUnixMs)
  return Number.isNaN(date.getTime()) ? '' : date.toISOString()
}
