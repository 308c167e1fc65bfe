/**
 * The import backwards: one line of the tracker from the events of its issue. Written from the table in
 * src/import/beads-facts.ts and from nothing else of src/import, so that it is a second opinion on "nothing is lost".
 */
import {
  compareVersions,
  currentBody,
  currentState,
  currentTitle,
  type Event,
  fieldsOf,
  foldIssue,
  presentAssignees,
  presentLabels,
} from '../../src/model/index.ts'

/** The line as an object. Keys that the newest import left out are not told from keys that an older one had. */
export function rebuildBeadsLine(events: readonly Event[]): Record<string, unknown> {
  const sorted = [...events].sort(compareVersions)
  const [creation] = sorted
  if (creation?.body.type !== 'IssueCreated') throw new Error('the first event is no creation')
  const state = foldIssue(creation.issueId, sorted)
  const { priority, type, status } = fieldsOf(state)
  const labels = presentLabels(state).filter((label) => !/^(priority|type|status|parent):/.test(label))
  const line: Record<string, unknown> = {
    id: creation.body.title,
    title: currentTitle(state),
    status: currentState(state) === 'closed' ? 'closed' : (status ?? 'open'),
    created_at: rfc3339(creation.tsUnixMs),
  }
  if (currentBody(state) !== '') line.description = currentBody(state)
  if (priority !== undefined) line.priority = Number(priority.slice(1))
  if (type !== undefined) line.issue_type = type
  if (labels.length > 0) line.labels = labels
  const [assignee] = presentAssignees(state)
  if (assignee !== undefined) line.assignee = assignee
  for (const event of sorted) Object.assign(line, readLink(event))
  const comments = sorted.flatMap((event) => readComment(line.id, event))
  if (comments.length > 0) line.comments = comments.sort((a, b) => compare(a.created_at, b.created_at) || a.id - b.id)
  for (const key of ['Closed because (beads close_reason):', 'Notes (beads notes):']) {
    const text = newestComment(sorted, key)
    if (text !== undefined) line[key.includes('close_reason') ? 'close_reason' : 'notes'] = text
  }
  return { ...line, ...JSON.parse(newestComment(sorted, 'Other beads fields:') ?? '{}') }
}

function rfc3339(ms: number): string {
  const [seconds, fraction] = new Date(ms).toISOString().slice(0, -1).split('.') as [string, string]
  const digits = fraction.replace(/0+$/, '')
  return digits === '' ? `${seconds}Z` : `${seconds}.${digits}Z`
}

function readLink({ body }: Event): Record<string, string> {
  return body.type === 'LinkAdded' && body.note === 'beads external_ref' ? { external_ref: body.url } : {}
}

interface Comment {
  readonly id: number
  readonly issue_id: unknown
  readonly author: string
  readonly text: string
  readonly created_at: string
}

function readComment(issueId: unknown, { body, tsUnixMs }: Event): Comment[] {
  if (body.type !== 'CommentAdded') return []
  const match = /^([^\n]*) wrote \(beads comment (-?\d+)\):\n([\s\S]*)$/.exec(body.body)
  if (match === null) return []
  const [, author, id, text] = match as unknown as [string, string, string, string]
  return [{ id: Number(id), issue_id: issueId, author, text, created_at: rfc3339(tsUnixMs) }]
}

function compare(left: string, right: string): number {
  return Date.parse(left) - Date.parse(right)
}

function newestComment(sorted: readonly Event[], header: string): string | undefined {
  const texts = sorted.flatMap(({ body }) =>
    body.type === 'CommentAdded' && body.body.startsWith(`${header}\n`) ? [body.body.slice(header.length + 1)] : [],
  )
  return texts.at(-1)
}
