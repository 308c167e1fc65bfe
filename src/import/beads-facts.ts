/**
 * Maps one line of a beads tracker to events (docs/format.md#import). Every event is a function of the source identity
 * and one fact, so that clones that import the same file create the same ids. All are events of the import actor on the
 * derived issue, at `max(the fact's own time, else updated_at; created_at + 1)`.
 *
 * | key                          | event                                                         | own time     |
 * | id, created_at               | IssueCreated [id, "", []], at created_at                      |              |
 * | title                        | IssueUpdated [title, null]                                    |              |
 * | description                  | IssueUpdated [null, description], unless empty                |              |
 * | status open, absent          | StateChanged open                                             |              |
 * | status closed                | StateChanged closed                                           | closed_at    |
 * | status tombstone             | StateChanged closed; the line is skipped unless asked for     | closed_at, deleted_at |
 * | status, other                | StateChanged open, LabelAdded `status:<word>`                 |              |
 * | priority 0 to 4              | LabelAdded `priority:P<n>`                                    |              |
 * | issue_type                   | LabelAdded `type:<t>`                                         |              |
 * | due_at                       | LabelAdded `due:<the day as written>`                         |              |
 * | labels                       | LabelAdded each, unless it would set a field from above       |              |
 * | assignee                     | AssigneeAdded                                                 |              |
 * | dependencies: blocks         | DependencyAdded depends_on, on the waiting issue              | created_at   |
 * | … parent-child               | LabelAdded `parent:<issue id>` for the newest edge            | created_at   |
 * | … parent-child, further      | DependencyAdded related_to, LinkAdded with the word as note   | created_at   |
 * | … other words                | DependencyAdded related_to, LinkAdded with the word as note   | created_at   |
 * | comments                     | CommentAdded each, its first line names author and id         | created_at   |
 * | close_reason                 | CommentAdded                                                  | closed_at    |
 * | notes, design, acceptance_criteria | CommentAdded each                                       |              |
 * | external_ref                 | LinkAdded                                                     |              |
 * | everything else              | one CommentAdded with a line for each key, if any             |              |
 *
 * Direction: a beads line X with `{depends_on_id: Y, type: blocks}` is listed as ready only when Y is closed, so Y
 * comes first. `X depends_on Y` means this in both readings of the order by grite programs (spec §6.5), and is stored on
 * the issue whose line states it. A `blocks` edge stored on Y would make one line's fact an event of another issue.
 *
 * "Everything else" is every key with content that would be lost: unknown keys, values that no event can hold (a
 * priority of 7, a label that is too long or would set another field), closed_at of an issue that is not closed, and
 * dependencies, completely: events do not record the author of an edge, and its other end may not be here yet. Keys that
 * beads computes from others (counts), empty values (null, false, an empty text or list) and the spelling of a time are
 * not kept.
 *
 * An edge becomes events when its other end is here. The choice of the newest parent does not depend on that. Edges
 * without events are in `waitingEdges`: the target is a tombstone that is not imported, or neither in the file nor in the
 * log. Some edges never become events: the target is the issue itself, the edge names another issue as its own, or its
 * word is too long for a link.
 */
import {
  beadsImportActor,
  compareText,
  compareVersions,
  deriveBeadsIssueId,
  type Event,
  type EventBody,
  formatScopedLabel,
  InvalidArgsError,
  type IssueId,
  identifyEvent,
  isFieldValue,
  parseScopedLabel,
  validateBody,
} from '../model/index.ts'
import type { BeadsComment, BeadsDependency, BeadsIssue } from './beads-line.ts'
import {
  commentIsExact,
  formatComment,
  formatExternalRef,
  formatOthersComment,
  formatRelationLink,
  formatSlotComment,
} from './beads-text.ts'
import { parseRfc3339 } from './rfc3339.ts'

/** The issue that an edge points to. */
export type EdgeTarget =
  | { readonly outcome: 'imported'; readonly issueId: IssueId }
  | { readonly outcome: 'tombstone'; readonly issueId: IssueId }
  | { readonly outcome: 'unknown' }

/** Edges with the first two reasons become events when their other end arrives, the others never. */
export const waitingReasons = ['tombstone', 'unknown', 'self', 'foreign', 'too-long'] as const
export type WaitingReason = (typeof waitingReasons)[number]

/** An edge that the log holds as text only. */
export interface WaitingEdge {
  readonly dependsOnId: string
  readonly type: string
  readonly reason: WaitingReason
}

/** One line as events, with the extra facts that a plan needs. */
export interface ImportedIssue {
  readonly originalId: string
  readonly issueId: IssueId
  /** Default time of facts without their own; shows which of two files is older. */
  readonly importedTsUnixMs: number
  /** In version order, the creation first. Two facts may be one event. */
  readonly facts: readonly Event[]
  readonly waitingEdges: readonly WaitingEdge[]
}

/**
 * Maps one line. The result depends on the line, and on its targets only as far as edges refer to them.
 *
 * @param findTarget - finds an issue by its original id
 */
export function mapBeadsIssue(
  issue: BeadsIssue,
  findTarget: (originalId: string) => EdgeTarget,
): ImportedIssue | { readonly malformed: string } {
  const edges = mapEdges(issue, findTarget)
  const facts = [
    ...factsOfTexts(issue),
    ...factsOfLabels(issue),
    ...edges.facts,
    ...factsOfComments(issue),
    { body: formatOthersComment(othersOf(issue)) },
  ]
  const problem = findProblem(facts)
  if (problem !== undefined) return { malformed: problem }
  const issueId = deriveBeadsIssueId(issue.id, issue.createdAtMs)
  return {
    originalId: issue.id,
    issueId,
    importedTsUnixMs: timeOf(issue, undefined),
    facts: [
      identify(issueId, issue.createdAtMs, { type: 'IssueCreated', title: issue.id, body: '', labels: [] }),
      ...identifyFacts(issueId, issue, facts),
    ],
    waitingEdges: edges.waiting,
  }
}

/** Source of edges: a line, or the edges that an earlier import kept. */
export type EdgeSource = Pick<BeadsIssue, 'id' | 'createdAtMs' | 'updatedAtMs' | 'dependencies'>

/** The events of edges whose other end is here, as `mapBeadsIssue` creates them from the whole line. */
export function mapBeadsEdges(
  source: EdgeSource,
  findTarget: (originalId: string) => EdgeTarget,
): Pick<ImportedIssue, 'facts' | 'waitingEdges'> {
  const { facts, waiting } = mapEdges(source, findTarget)
  const issueId = deriveBeadsIssueId(source.id, source.createdAtMs)
  return { facts: identifyFacts(issueId, source, facts), waitingEdges: waiting }
}

function identifyFacts(issueId: IssueId, source: EdgeSource, facts: readonly Fact[]): Event[] {
  return facts.map(({ body, ownMs }) => identify(issueId, timeOf(source, ownMs), body)).sort(compareVersions)
}

function identify(issueId: IssueId, tsUnixMs: number, body: EventBody): Event {
  return identifyEvent({ issueId, actor: beadsImportActor, tsUnixMs, parent: null, body })
}

/** A fact to write, with its own time if it has one. */
interface Fact {
  readonly body: EventBody
  readonly ownMs?: number | undefined
}

function timeOf(issue: EdgeSource, ownMs: number | undefined): number {
  return Math.max(ownMs ?? issue.updatedAtMs, issue.createdAtMs + 1)
}

/** The first limit that the facts violate, as a message. */
function findProblem(facts: readonly Fact[]): string | undefined {
  for (const { body } of facts) {
    const problem = problemOf(body)
    if (problem !== undefined) return problem
  }
  return undefined
}

function problemOf(body: EventBody): string | undefined {
  try {
    validateBody(body)
    return undefined
  } catch (error) {
    if (error instanceof InvalidArgsError) return error.message
    throw error
  }
}

function isWritable(body: EventBody): boolean {
  return problemOf(body) === undefined
}

function factsOfTexts(issue: BeadsIssue): Fact[] {
  const { assignee, externalRef } = issue
  return [
    { body: { type: 'IssueUpdated', title: issue.title, body: null } },
    ...(issue.description ? [{ body: { type: 'IssueUpdated', title: null, body: issue.description } } as const] : []),
    stateOf(issue),
    ...(assigneeIsMapped(issue) ? [{ body: { type: 'AssigneeAdded', user: assignee as string } } as const] : []),
    ...(externalRefIsMapped(issue) ? [{ body: formatExternalRef(externalRef as string) }] : []),
  ]
}

function assigneeIsMapped({ assignee }: BeadsIssue): boolean {
  return assignee !== undefined && isWritable({ type: 'AssigneeAdded', user: assignee })
}

function externalRefIsMapped({ externalRef }: BeadsIssue): boolean {
  return externalRef !== undefined && isWritable(formatExternalRef(externalRef))
}

function stateOf({ status, closedAtMs, deletedAtMs }: BeadsIssue): Fact {
  switch (status) {
    case 'closed':
      return { body: { type: 'StateChanged', state: 'closed' }, ownMs: closedAtMs }
    case 'tombstone':
      return { body: { type: 'StateChanged', state: 'closed' }, ownMs: closedAtMs ?? deletedAtMs }
    default:
      return { body: { type: 'StateChanged', state: 'open' } }
  }
}

function factsOfLabels(issue: BeadsIssue): Fact[] {
  const fields = [priorityLabel(issue), typeLabel(issue), statusLabel(issue), dueLabel(issue)]
  const set = fields.filter((label) => label !== undefined)
  const plain = issue.labels.filter((label) => labelIsMapped(issue, label))
  return [...set, ...plain].map((label) => ({ body: { type: 'LabelAdded', label } }))
}

/** The day as written, in any zone: the day that the user chose. */
function dueLabel({ dueAt = '' }: BeadsIssue): string | undefined {
  const day = dueAt.slice(0, 10)
  const isTime = dueAt.length === 10 || parseRfc3339(dueAt) !== undefined
  return isTime && isFieldValue('due', day) && day > '0001-12-31' ? formatScopedLabel('due', day) : undefined
}

const midnight = /^.{10}(?:[Tt ]00:00:00(?:\.0+)?(?:[Zz]|[+-].*))?$/

function priorityLabel({ priority }: BeadsIssue): string | undefined {
  const value = `P${priority}`
  return isFieldValue('priority', value) ? formatScopedLabel('priority', value) : undefined
}

function typeLabel({ issueType }: BeadsIssue): string | undefined {
  return issueType === undefined ? undefined : fieldLabel('type', issueType)
}

function statusLabel({ status }: BeadsIssue): string | undefined {
  return status === 'open' || status === 'closed' || status === 'tombstone' ? undefined : fieldLabel('status', status)
}

function fieldLabel(key: 'type' | 'status', value: string): string | undefined {
  const label = formatScopedLabel(key, value)
  return value.trim() !== '' && isWritable({ type: 'LabelAdded', label }) ? label : undefined
}

/** A label that looks like a field decided by other keys would conflict with them at the same time. */
function labelIsMapped(issue: BeadsIssue, label: string): boolean {
  const key = parseScopedLabel(label)?.key
  if (key === 'priority' || key === 'type' || key === 'status' || key === 'parent') return false
  if (key === 'due' && dueLabel(issue) !== undefined) return false
  return isWritable({ type: 'LabelAdded', label })
}

function factsOfComments(issue: BeadsIssue): Fact[] {
  const { closeReason, notes, design, acceptanceCriteria } = issue
  return [
    ...issue.comments.map((comment) => ({ body: formatComment(comment), ownMs: comment.createdAtMs })),
    ...(closeReason ? [{ body: formatSlotComment('close_reason', closeReason), ownMs: issue.closedAtMs }] : []),
    ...(notes ? [{ body: formatSlotComment('notes', notes) }] : []),
    ...(design ? [{ body: formatSlotComment('design', design) }] : []),
    ...(acceptanceCriteria ? [{ body: formatSlotComment('acceptance_criteria', acceptanceCriteria) }] : []),
  ]
}

interface Edge {
  readonly dependency: BeadsDependency
  readonly atMs: number
}

/** Facts of edges whose target is here, and the edges without facts. */
function mapEdges(
  source: EdgeSource,
  findTarget: (originalId: string) => EdgeTarget,
): { readonly facts: readonly Fact[]; readonly waiting: readonly WaitingEdge[] } {
  const edges: Edge[] = []
  const waiting: WaitingEdge[] = []
  const wait = ({ dependsOnId, type }: BeadsDependency, reason: WaitingReason) =>
    waiting.push({ dependsOnId, type, reason })
  for (const dependency of source.dependencies) {
    const fault = faultOf(source, dependency)
    if (fault === undefined) edges.push({ dependency, atMs: dependency.createdAtMs ?? source.updatedAtMs })
    else wait(dependency, fault)
  }
  const [parent] = edges.filter(({ dependency }) => dependency.type === 'parent-child').sort(compareNewestFirst)
  const facts = edges.flatMap((edge) => {
    const target = findTarget(edge.dependency.dependsOnId)
    if (target.outcome === 'imported') return factsOfEdge(edge, target.issueId, edge === parent)
    wait(edge.dependency, target.outcome)
    return []
  })
  return { facts, waiting }
}

/** Why an edge can never become events. */
function faultOf(source: EdgeSource, { dependsOnId, issueId, type }: BeadsDependency): WaitingReason | undefined {
  if (dependsOnId === source.id) return 'self'
  if (issueId !== undefined && issueId !== source.id) return 'foreign'
  return isWritable(formatRelationLink(dependsOnId, type)) ? undefined : 'too-long'
}

/** Among edges created in one millisecond the greater original id counts as newer. */
function compareNewestFirst(left: Edge, right: Edge): number {
  return right.atMs - left.atMs || compareText(right.dependency.dependsOnId, left.dependency.dependsOnId)
}

function factsOfEdge({ dependency, atMs: ownMs }: Edge, target: IssueId, isParent: boolean): Fact[] {
  if (isParent) return [{ body: { type: 'LabelAdded', label: formatScopedLabel('parent', target) }, ownMs }]
  if (dependency.type === 'blocks') return [{ body: dependencyOn(target, 'depends_on'), ownMs }]
  return [
    { body: dependencyOn(target, 'related_to'), ownMs },
    { body: formatRelationLink(dependency.dependsOnId, dependency.type), ownMs },
  ]
}

function dependencyOn(target: IssueId, dep_type: 'depends_on' | 'related_to'): EventBody {
  return { type: 'DependencyAdded', target, dep_type }
}

/** Every key that would otherwise be lost. A function of the line alone. */
function othersOf(issue: BeadsIssue): Record<string, unknown> {
  const lost = Object.entries(issue.line).filter(([key, value]) => !saysNothing(key, value) && !isKept(issue, key))
  return Object.fromEntries(lost)
}

/** Numbers that some writers include even when they are 0. */
const zeroKeys: ReadonlySet<string> = new Set(['compaction_level', 'original_size'])

/** Values that Go omits from JSON, and other writers include. */
function saysNothing(key: string, value: unknown): boolean {
  if (value === null || value === false || value === '') return true
  if (value === 0) return zeroKeys.has(key)
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** Whether other events cover the value of a key, or beads computes it from other keys. */
function isKept(issue: BeadsIssue, key: string): boolean {
  switch (key) {
    case '_type':
    case 'id':
    case 'title':
    case 'description':
    case 'close_reason':
    case 'notes':
    case 'design':
    case 'acceptance_criteria':
    case 'created_at':
    case 'updated_at':
    case 'dependency_count':
    case 'dependent_count':
    case 'comment_count':
    case 'notes_preview':
      return true
    case 'status':
      return issue.status === 'open' || issue.status === 'closed' || statusLabel(issue) !== undefined
    case 'closed_at':
      return issue.status === 'closed'
    case 'priority':
      return priorityLabel(issue) !== undefined
    case 'issue_type':
      return typeLabel(issue) !== undefined
    case 'due_at':
      return dueLabel(issue) !== undefined && midnight.test(issue.dueAt ?? '')
    case 'assignee':
      return assigneeIsMapped(issue)
    case 'external_ref':
      return externalRefIsMapped(issue)
    case 'labels':
      return issue.labels.every((label) => labelIsMapped(issue, label))
    case 'parent':
      return issue.dependencies.some(
        ({ dependsOnId, type }) => type === 'parent-child' && dependsOnId === issue.line.parent,
      )
    case 'comments':
      return issue.comments.every((comment) => commentIsKept(issue, comment))
    default:
      return false
  }
}

const commentKeys: ReadonlySet<string> = new Set(['author', 'created_at', 'id', 'issue_id', 'text'])

function commentIsKept(issue: BeadsIssue, comment: BeadsComment): boolean {
  const { issue_id = issue.id } = comment.entry
  const isKnown = Object.entries(comment.entry).every(([key, value]) => commentKeys.has(key) || saysNothing(key, value))
  return commentIsExact(comment) && isKnown && issue_id === issue.id
}
