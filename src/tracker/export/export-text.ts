/** Exports for people and spreadsheets, in pieces. */
import { currentBody, type Event, type IssueId } from '../../model/index.ts'
import type { IssueRow, View } from '../../view/index.ts'

/** Issues looked up per batch; bounds the texts in memory. */
const issuesInWindow = 64

async function* rowWindows(view: View, issueIds: readonly IssueId[]): AsyncGenerator<readonly IssueRow[]> {
  for (let start = 0; start < issueIds.length; start += issuesInWindow) {
    yield [...(await view.findRows(issueIds.slice(start, start + issuesInWindow))).values()]
  }
}

/** Markdown: for each issue a heading, its text, and its comments as quotes. */
export async function* markdownPieces(
  view: View,
  issueIds: readonly IssueId[],
  { nowUnixMs, namesOf }: { readonly nowUnixMs: number; readonly namesOf: NamesOf },
): AsyncGenerator<string> {
  yield `# grite Export\n\nGenerated: ${nowUnixMs}`
  yield issueIds.length === 0 ? '\n\nNo issues found.' : '\n\n## Issues'
  for await (const rows of rowWindows(view, issueIds)) {
    for (const row of rows) for (const block of await issueBlocks(view, row, namesOf)) yield `\n\n${block}`
  }
  yield '\n'
}

async function issueBlocks(view: View, row: IssueRow, namesOf: NamesOf): Promise<string[]> {
  const blocks = [`### ${oneLine(row.title)} [${row.state}]`, `**ID:** \`${row.issue_id}\``]
  const state = await view.findIssue(row.issue_id)
  const comments = (await view.eventsOf(row.issue_id)).filter(({ body }) => body.type === 'CommentAdded')
  if (row.labels.length > 0) blocks.push(`**Labels:** ${row.labels.map(oneLine).join(', ')}`)
  if (row.assignees.length > 0) blocks.push(`**Assignees:** ${row.assignees.map(oneLine).join(', ')}`)
  blocks.push(`**Comments:** ${comments.length}`)
  const body = state === undefined ? '' : currentBody(state)
  if (body !== '') blocks.push(body)
  if (comments.length > 0) blocks.push('#### Comments')
  const names = await namesOf(comments.map(({ actor }) => actor))
  for (const comment of comments) blocks.push(formatComment(comment, names.get(comment.actor)))
  return [...blocks, '---']
}

/** Finds the names of actors. */
type NamesOf = (actors: readonly string[]) => Promise<ReadonlyMap<string, string>>

function formatComment(event: Event, name: string | undefined): string {
  const text = event.body.type === 'CommentAdded' ? event.body.body : ''
  const lines = [
    `**${name === undefined ? event.actor.slice(0, 8) : oneLine(name)}** at ${event.tsUnixMs}:`,
    ...text.split('\n'),
  ]
  return lines.map((line) => `> ${line}`).join('\n')
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ')
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
