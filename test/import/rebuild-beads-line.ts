/**
 * Reverses an import: rebuilds a line of the tracker from the events of its issue. Written from docs/format.md without
 * any code of src/import, so that it checks independently that an import loses nothing.
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

/** Returns the line as an object. Does not distinguish keys of the newest import from keys that only an older one had. */
export function rebuildBeadsLine(events: readonly Event[]): Record<string, unknown> {
  const sorted = [...events].sort(compareVersions)
  const [creation] = sorted
  if (creation?.body.type !== 'IssueCreated') throw new Error('the first event is not a creation')
  const state = foldIssue(creation.issueId, sorted)
  const { priority, type, status, due } = fieldsOf(state)
  const others = readOthers(newestComment(sorted, 'Other beads fields:') ?? 'none')
  const labels = presentLabels(state).filter((label) => !/^(priority|type|status|parent|due):/.test(label))
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
  // A due label and a due_at time of the line are one field; see `normalizeLine`.
  if (due !== undefined) line.due_at = `${due}T00:00:00Z`
  const [assignee] = presentAssignees(state)
  if (assignee !== undefined) line.assignee = assignee
  for (const event of sorted) Object.assign(line, readLink(event))
  const comments = sorted.flatMap((event) => readComment(line.id, event))
  if (comments.length > 0) line.comments = comments
  for (const [key, header] of Object.entries(textHeaders)) {
    const text = newestComment(sorted, header)
    if (text !== undefined) line[key] = text
  }
  return { ...line, ...others }
}

const textHeaders = {
  close_reason: 'Closed because (beads close_reason):',
  notes: 'Notes (beads notes):',
  design: 'Design (beads design):',
  acceptance_criteria: 'Acceptance criteria (beads acceptance_criteria):',
}

/** Parses lines `key: value`; a value that is not a plain word is JSON. */
function readOthers(text: string): Record<string, unknown> {
  if (text === 'none') return {}
  return Object.fromEntries(
    text.split('\n').map((line) => {
      const [, key = '', value = ''] = /^("(?:[^"\\]|\\.)*"|[^:"]+): (.*)$/s.exec(line) ?? []
      const isText = /^[A-Za-z]/.test(value) && !['true', 'false', 'null'].includes(value)
      return [key.startsWith('"') ? JSON.parse(key) : key, isText ? value : JSON.parse(value)]
    }),
  )
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
  readonly id: string
  readonly author: string
  readonly text: string
}

function readComment(_issueId: unknown, { body }: Event): Comment[] {
  if (body.type !== 'CommentAdded') return []
  const match = /^([^\n]*) wrote \(beads comment ([A-Za-z0-9._-]+)\):\n([\s\S]*)$/.exec(body.body)
  if (match === null) return []
  const [, author, id, text] = match as unknown as [string, string, string, string]
  return [{ id, author, text }]
}

function newestComment(sorted: readonly Event[], header: string): string | undefined {
  const texts = sorted.flatMap(({ body }) =>
    body.type === 'CommentAdded' && body.body.startsWith(`${header}\n`) ? [body.body.slice(header.length + 1)] : [],
  )
  return texts.at(-1)
}

const computedKeys = ['_type', 'dependency_count', 'dependent_count', 'comment_count', 'notes_preview']
const emptyIfZeroKeys = ['compaction_level', 'original_size']

/**
 * Removes from a line what docs/format.md allows an import to lose: empty keys and keys that beads computes, the time of
 * the update, the notation of times, the order of labels and comments, and the type of a comment's id.
 */
export function normalizeLine(line: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { updated_at: _updated, closed_at, comments, labels, due_at, ...rest } = line
  const all: Record<string, unknown> = { ...rest }
  if (line.status !== 'closed' && closed_at !== undefined) all.closed_at = closed_at
  if (Array.isArray(labels)) all.labels = [...new Set(labels)].sort()
  const due = Array.isArray(labels) ? labels.filter((label) => /^due:\d{4}-\d\d-\d\d$/.test(label)) : []
  if ((due_at ?? null) === null && due.length === 1) {
    all.due_at = due[0].slice(4)
    all.labels = (all.labels as string[]).filter((label) => label !== due[0])
  }
  if (Array.isArray(comments)) all.comments = comments.map(normalizeComment).sort(compareTexts)
  if (typeof due_at === 'string')
    all.due_at = /^.{10}(T00:00:00(\.0+)?\D.*)?$/.test(due_at) ? due_at.slice(0, 10) : due_at
  all.created_at = rfc3339(Date.parse(`${line.created_at}`))
  all.status ??= 'open'
  for (const key of computedKeys) delete all[key]
  for (const key of emptyIfZeroKeys) if (all[key] === 0) delete all[key]
  for (const [key, value] of Object.entries(all)) {
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0
    if (value === null || value === false || value === '' || isEmpty) delete all[key]
  }
  return all
}

function normalizeComment(comment: Record<string, unknown>): Record<string, unknown> {
  const { id, author, text } = comment
  return { ...(id === undefined || id === null ? {} : { id: `${id}` }), author, text }
}

function compareTexts(left: unknown, right: unknown): number {
  return JSON.stringify(left) < JSON.stringify(right) ? -1 : 1
}
