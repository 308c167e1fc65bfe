/** Exports for people and spreadsheets. */
import { currentBody, type Event } from '../model/index.ts'
import type { IssueRow, View } from '../view/index.ts'

/** Markdown: a heading per issue, its text, its comments as quotes. */
export async function formatMarkdownExport(view: View, rows: readonly IssueRow[], nowUnixMs: number): Promise<string> {
  const blocks = ['# grite Export', `Generated: ${nowUnixMs}`, rows.length === 0 ? 'No issues found.' : '## Issues']
  for (const row of rows) {
    const state = await view.findIssue(row.issue_id)
    const comments = (await view.eventsOf(row.issue_id)).filter(({ body }) => body.type === 'CommentAdded')
    blocks.push(`### ${oneLine(row.title)} [${row.state}]`, `**ID:** \`${row.issue_id}\``)
    if (row.labels.length > 0) blocks.push(`**Labels:** ${row.labels.map(oneLine).join(', ')}`)
    if (row.assignees.length > 0) blocks.push(`**Assignees:** ${row.assignees.map(oneLine).join(', ')}`)
    blocks.push(`**Comments:** ${comments.length}`)
    const body = state === undefined ? '' : currentBody(state)
    if (body !== '') blocks.push(body)
    if (comments.length > 0) blocks.push('#### Comments')
    for (const comment of comments) blocks.push(formatComment(comment))
    blocks.push('---')
  }
  return `${blocks.join('\n\n')}\n`
}

function formatComment(event: Event): string {
  const text = event.body.type === 'CommentAdded' ? event.body.body : ''
  const lines = [`**${event.actor.slice(0, 8)}** at ${event.tsUnixMs}:`, ...text.split('\n')]
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
  'milestone',
  'parent',
  'labels',
  'assignees',
  'created',
  'updated',
  'comment_count',
  'body',
] as const

/** CSV as RFC 4180 has it: a header line, CRLF, quotes where needed; lists joined by spaces and semicolons. */
export async function formatCsvExport(view: View, rows: readonly IssueRow[]): Promise<string> {
  const { stringify } = await import('csv-stringify/sync')
  const records = []
  for (const row of rows) {
    const state = await view.findIssue(row.issue_id)
    records.push({
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
    })
  }
  return stringify(records, {
    header: true,
    columns: [...csvColumns],
    record_delimiter: 'windows',
    escape_formulas: true,
  })
}

/** Empty for a time that no calendar has. */
function isoTime(tsUnixMs: number): string {
  const date = new Date(tsUnixMs)
  return Number.isNaN(date.getTime()) ? '' : date.toISOString()
}
