/**
 * What one line of a beads tracker says, as events (docs/format.md#import). Every event is a function of the source
 * identity and one fact, so that clones which import the same file make the same ids. All are events of the import
 * actor on the derived issue, at `max(the fact's own time, else updated_at; created_at + 1)`.
 *
 * | key                          | event                                                         | own time     |
 * | id, created_at               | IssueCreated [id, "", []], at created_at                      |              |
 * | title                        | IssueUpdated [title, null]                                    |              |
 * | description                  | IssueUpdated [null, description], unless empty                |              |
 * | status open                  | StateChanged open                                             |              |
 * | status closed                | StateChanged closed                                           | closed_at    |
 * | status tombstone             | StateChanged closed; the line is skipped unless asked for     | closed_at, deleted_at |
 * | status, other                | StateChanged open, LabelAdded `status:<word>`                 |              |
 * | priority 0 to 4              | LabelAdded `priority:P<n>`                                    |              |
 * | issue_type                   | LabelAdded `type:<t>`                                         |              |
 * | labels                       | LabelAdded each, unless it would set a field of the above     |              |
 * | assignee                     | AssigneeAdded                                                 |              |
 * | dependencies: blocks         | DependencyAdded depends_on, on the issue that has to wait     | created_at   |
 * | … parent-child               | LabelAdded `parent:<issue id>` for the newest edge            | created_at   |
 * | … parent-child, further      | DependencyAdded related_to, LinkAdded with the word as note   | created_at   |
 * | … other words                | DependencyAdded related_to, LinkAdded with the word as note   | created_at   |
 * | comments                     | CommentAdded each, its first line names author and id         | created_at   |
 * | close_reason                 | CommentAdded                                                  | closed_at    |
 * | notes                        | CommentAdded                                                  |              |
 * | external_ref                 | LinkAdded                                                     |              |
 * | everything else              | one CommentAdded with canonical JSON                          |              |
 *
 * Direction: a beads line X with `{depends_on_id: Y, type: blocks}` is listed as ready only when Y is closed, so Y
 * comes first. `X depends_on Y` says that in both readings that grite programs have of the order (spec §6.5), and on
 * the issue whose line states it. A `blocks` edge stored on Y would make one line's fact an event of another issue.
 *
 * "Everything else" is every key whose value does not follow exactly from the events above: unknown keys, updated_at,
 * closed_at and deleted_at as written, created_at when it has an offset or digits below the millisecond, dependencies
 * (who made an edge and when, and edges that have no event), values that no event can hold (an empty text, a priority
 * of 7, a label that is too long or would set another field). The line can be put together again from the events.
 *
 * Edges without an event, listed in `skippedEdges`: the target is a tombstone that is not imported, is neither in the
 * file nor in the log, is the issue itself, or the edge names another issue as its own.
 */
import {
  beadsImportActor,
  compareText,
  compareVersions,
  dependencyKey,
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
import { formatRfc3339 } from './rfc3339.ts'

/** What the issue is that an edge points to. */
export type EdgeTarget =
  | { readonly outcome: 'imported'; readonly issueId: IssueId }
  | { readonly outcome: 'tombstone'; readonly issueId: IssueId }
  | { readonly outcome: 'unknown' }

export type SkippedEdgeReason = 'tombstone' | 'unknown' | 'self' | 'foreign'

export interface SkippedEdge {
  readonly dependsOnId: string
  readonly type: string
  readonly reason: SkippedEdgeReason
}

/** One line as events, with what a plan has to know beside them. */
export interface ImportedIssue {
  readonly originalId: string
  readonly issueId: IssueId
  /** The time of facts that have none of their own; tells which of two files is the older. */
  readonly importedTsUnixMs: number
  /** In version order, the creation first. Two facts may be one event. */
  readonly facts: readonly Event[]
  readonly skippedEdges: readonly SkippedEdge[]
  /** What the line states though no fact does, because tombstones are skipped: not to be removed. */
  readonly keptLabels: readonly string[]
  readonly keptDependencies: readonly string[]
}

/**
 * Maps one line. The result depends on the line, and on its targets only as far as an edge names them.
 *
 * @param findTarget - finds an issue by its original id
 */
export function mapBeadsIssue(
  issue: BeadsIssue,
  findTarget: (originalId: string) => EdgeTarget,
): ImportedIssue | { readonly malformed: string } {
  const edges = sortEdges(issue, findTarget)
  const facts = [
    ...factsOfTexts(issue),
    ...factsOfLabels(issue),
    ...factsOfEdges(edges),
    ...factsOfComments(issue),
    { body: formatOthersComment(othersOf(issue)) },
  ]
  const problem = findProblem(facts)
  if (problem !== undefined) return { malformed: problem }
  const issueId = deriveBeadsIssueId(issue.id, issue.createdAtMs)
  const identify = (tsUnixMs: number, body: EventBody): Event =>
    identifyEvent({ issueId, actor: beadsImportActor, tsUnixMs, parent: null, body })
  return {
    originalId: issue.id,
    issueId,
    importedTsUnixMs: timeOf(issue, undefined),
    facts: [
      identify(issue.createdAtMs, { type: 'IssueCreated', title: issue.id, body: '', labels: [] }),
      ...facts.map(({ body, ownMs }) => identify(timeOf(issue, ownMs), body)).sort(compareVersions),
    ],
    skippedEdges: edges.skipped,
    keptLabels: edges.keptLabels,
    keptDependencies: edges.keptDependencies,
  }
}

/** What will be said, with its own time if it has one. */
interface Fact {
  readonly body: EventBody
  readonly ownMs?: number | undefined
}

function timeOf(issue: BeadsIssue, ownMs: number | undefined): number {
  return Math.max(ownMs ?? issue.updatedAtMs, issue.createdAtMs + 1)
}

/** What a writer may not say, in the words of the limit that it breaks. */
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
  const fields = [priorityLabel(issue), typeLabel(issue), statusLabel(issue)].filter((label) => label !== undefined)
  return [...fields, ...issue.labels.filter(labelIsMapped)].map((label) => ({ body: { type: 'LabelAdded', label } }))
}

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

/** A label that looks like a field which other keys decide would fight with them at the same time. */
function labelIsMapped(label: string): boolean {
  const key = parseScopedLabel(label)?.key
  if (key === 'priority' || key === 'type' || key === 'status' || key === 'parent') return false
  return isWritable({ type: 'LabelAdded', label })
}

function factsOfComments(issue: BeadsIssue): Fact[] {
  const { closeReason, notes } = issue
  return [
    ...issue.comments.map((comment) => ({ body: formatComment(comment), ownMs: comment.createdAtMs })),
    ...(closeReason ? [{ body: formatSlotComment('close_reason', closeReason), ownMs: issue.closedAtMs }] : []),
    ...(notes ? [{ body: formatSlotComment('notes', notes) }] : []),
  ]
}

interface Edge {
  readonly dependency: BeadsDependency
  readonly target: IssueId
  readonly atMs: number
}

interface SortedEdges {
  readonly parent: Edge | undefined
  readonly blockers: readonly Edge[]
  readonly relations: readonly Edge[]
  readonly skipped: readonly SkippedEdge[]
  readonly keptLabels: readonly string[]
  readonly keptDependencies: readonly string[]
}

function sortEdges(issue: BeadsIssue, findTarget: (originalId: string) => EdgeTarget): SortedEdges {
  const edges: Edge[] = []
  const skipped: SkippedEdge[] = []
  const tombstones: IssueId[] = []
  for (const dependency of issue.dependencies) {
    const target = judgeTarget(issue, dependency, findTarget)
    if (typeof target === 'string') {
      skipped.push({ dependsOnId: dependency.dependsOnId, type: dependency.type, reason: target })
    } else if (target.outcome === 'tombstone') {
      skipped.push({ dependsOnId: dependency.dependsOnId, type: dependency.type, reason: 'tombstone' })
      tombstones.push(target.issueId)
    } else {
      edges.push({ dependency, target: target.issueId, atMs: dependency.createdAtMs ?? issue.updatedAtMs })
    }
  }
  const parents = edges.filter(({ dependency }) => dependency.type === 'parent-child').sort(compareNewestFirst)
  return {
    parent: parents[0],
    blockers: edges.filter(({ dependency }) => dependency.type === 'blocks'),
    relations: edges.filter((edge) => edge.dependency.type !== 'blocks' && edge !== parents[0]),
    skipped,
    keptLabels: tombstones.map((issueId) => formatScopedLabel('parent', issueId)),
    keptDependencies: tombstones.flatMap((target) => [
      dependencyKey({ target, type: 'depends_on' }),
      dependencyKey({ target, type: 'related_to' }),
    ]),
  }
}

function judgeTarget(
  issue: BeadsIssue,
  dependency: BeadsDependency,
  findTarget: (originalId: string) => EdgeTarget,
): Exclude<EdgeTarget, { outcome: 'unknown' }> | SkippedEdgeReason {
  if (dependency.dependsOnId === issue.id) return 'self'
  if (dependency.issueId !== undefined && dependency.issueId !== issue.id) return 'foreign'
  if (!isWritable(formatRelationLink(dependency.dependsOnId, dependency.type))) return 'unknown'
  const target = findTarget(dependency.dependsOnId)
  return target.outcome === 'unknown' ? 'unknown' : target
}

/** Of edges made in one millisecond the greater original id counts as the newer. */
function compareNewestFirst(left: Edge, right: Edge): number {
  return right.atMs - left.atMs || compareText(right.dependency.dependsOnId, left.dependency.dependsOnId)
}

function factsOfEdges({ parent, blockers, relations }: SortedEdges): Fact[] {
  return [
    ...(parent === undefined
      ? []
      : [
          {
            body: { type: 'LabelAdded', label: formatScopedLabel('parent', parent.target) },
            ownMs: parent.atMs,
          } as const,
        ]),
    ...blockers.map(({ target, atMs }) => ({ body: dependencyOn(target, 'depends_on'), ownMs: atMs })),
    ...relations.flatMap(({ dependency, target, atMs }) => [
      { body: dependencyOn(target, 'related_to'), ownMs: atMs },
      { body: formatRelationLink(dependency.dependsOnId, dependency.type), ownMs: atMs },
    ]),
  ]
}

function dependencyOn(target: IssueId, dep_type: 'depends_on' | 'related_to'): EventBody {
  return { type: 'DependencyAdded', target, dep_type }
}

/** Every key whose value does not follow exactly from the other events. A function of the line alone. */
function othersOf(issue: BeadsIssue): Record<string, unknown> {
  return Object.fromEntries(Object.entries(issue.line).filter(([key]) => !followsFromEvents(issue, key)))
}

function followsFromEvents(issue: BeadsIssue, key: string): boolean {
  switch (key) {
    case 'id':
    case 'title':
      return true
    case 'description':
      return Boolean(issue.description)
    case 'close_reason':
      return Boolean(issue.closeReason)
    case 'notes':
      return Boolean(issue.notes)
    case 'status':
      return issue.status === 'open' || issue.status === 'closed' || statusLabel(issue) !== undefined
    case 'priority':
      return priorityLabel(issue) !== undefined
    case 'issue_type':
      return typeLabel(issue) !== undefined
    case 'assignee':
      return assigneeIsMapped(issue)
    case 'external_ref':
      return externalRefIsMapped(issue)
    case 'created_at':
      return issue.line.created_at === formatRfc3339(issue.createdAtMs)
    case 'labels':
      return issue.labels.length > 0 && issue.labels.every(labelIsMapped) && isAscending(issue.labels, compareText)
    case 'comments':
      return (
        issue.comments.length > 0 &&
        issue.comments.every((comment) => commentFollows(issue, comment)) &&
        isAscending(issue.comments, compareComments)
      )
    default:
      return false
  }
}

const commentKeys = 'author,created_at,id,issue_id,text'

function commentFollows(issue: BeadsIssue, comment: BeadsComment): boolean {
  const { entry, createdAtMs } = comment
  return (
    commentIsExact(comment) &&
    Object.keys(entry).sort().join() === commentKeys &&
    entry.issue_id === issue.id &&
    createdAtMs !== undefined &&
    createdAtMs > issue.createdAtMs &&
    entry.created_at === formatRfc3339(createdAtMs)
  )
}

function compareComments(left: BeadsComment, right: BeadsComment): number {
  return (left.createdAtMs ?? 0) - (right.createdAtMs ?? 0) || (left.id ?? 0) - (right.id ?? 0)
}

function isAscending<Item>(items: readonly Item[], compare: (left: Item, right: Item) => number): boolean {
  return items.every((item, index) => index === 0 || compare(items[index - 1] as Item, item) < 0)
}
