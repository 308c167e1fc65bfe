/** The queue of issues that are ready to work on, shared by `ready` and `claim --next`. */
import {
  compareText,
  dueOf,
  findWaitingParents,
  type IssueId,
  isDeferred,
  isFieldValue,
  isPartOf,
  type ListOrder,
  type Place,
  parentOf,
} from '../../model/index.ts'
import { createdTsIn, type IssueRow, orderByTime, parseRowTexts, type UnparsedRow } from '../../view/index.ts'
import { openTaken, type Taken } from '../claims/taken.ts'
import { findOwnName } from '../identity/own-name.ts'
import type { Workspace } from '../workspace.ts'
import { readWork, type Work } from './work.ts'

export const readySortKeys = ['priority', 'due', 'created'] as const
export type ReadySortKey = (typeof readySortKeys)[number]

/** Conditions on issues, all of which must hold. */
export interface ReadyFilter {
  readonly labels?: readonly string[]
  /** Assignee names, any of which matches; an empty list matches issues without an assignee. */
  readonly assignees?: readonly string[]
  readonly type?: string
  readonly status?: string
  readonly milestone?: string
  readonly parent?: IssueId
}

export interface ReadyQueue {
  readonly ready: readonly ReadyIssue[]
  /** Ids of all issues in the repository, ascending. */
  readonly issueIds: () => readonly IssueId[]
  /** Number of blocked open issues in the repository. */
  readonly blockedCount: number
  /** Number of matching, unblocked open issues that are taken by others. */
  readonly takenCount: number
  /** Number of matching open issues that are set aside: by their status, until a day, or with a parent. */
  readonly setAsideCount: number
}

/** An issue of the queue. It is parsed on demand: most of a long queue is only counted, or printed as it is stored. */
export class ReadyIssue {
  readonly unparsed: UnparsedRow
  /** Dependencies that are unknown in this clone. They do not block. */
  readonly unknownBlockers: readonly IssueId[]
  /** Whether it surely has no date. */
  readonly isPlain: boolean
  #row: IssueRow | undefined

  constructor(unparsed: UnparsedRow, unknownBlockers: readonly IssueId[], row: IssueRow | undefined) {
    this.unparsed = unparsed
    this.unknownBlockers = unknownBlockers
    this.isPlain = row === undefined
    this.#row = row
  }

  get row(): IssueRow {
    this.#row ??= this.unparsed.parse()
    return this.#row
  }
}

/** An epic is finished by finishing its parts, so it is listed only when this type is requested. */
const notWork = 'epic'

/** Notes for later sessions may be issues with this label or title. They are listed only when the label is requested. */
export const memoryLabel = 'memory'
export const isMemoryIssue = ({ labels, title }: Pick<IssueRow, 'labels' | 'title'>): boolean =>
  labels.includes(memoryLabel) || /^\[memory\]/i.test(title)

/** Statuses of issues set aside for a reason that no edge expresses. They are listed only when such a status is requested. */
const asideStatuses = ['blocked', 'deferred']
const setAside: ReadonlySet<string | undefined> = new Set(asideStatuses)

/**
 * One of them is in the text of each row that is set aside or left out, or assigned, or has a date or a parent. Without any, a row
 * is ready unless it waits or is leased, and need not be parsed.
 */
const marksOfOthers = [
  ...['due":"', 'defer":"', 'parent":"', 'assignees":["'],
  ...[`type":"${notWork}"`, ...asideStatuses.map((status) => `status":"${status}"`)],
  ...[`${memoryLabel}"`, 'title":"['],
]

/** Epics and memories, unless the filter asks for them. */
export function isLeftOut(row: IssueRow, { type, labels }: ReadyFilter): boolean {
  if (type === undefined && row.fields.type === notWork) return true
  return isMemoryIssue(row) && labels?.includes(memoryLabel) !== true
}

/**
 * Unblocked open issues that nobody else works on, in working order. With an assignee filter, issues assigned to others
 * are included, since the caller asks for the queue of that assignee.
 */
export async function readReadyQueue(
  repository: Workspace,
  filter: ReadyFilter = {},
  sort: ReadySortKey = 'priority',
): Promise<ReadyQueue> {
  const view = await repository.view()
  const work = await readWork(view)
  const { find, blockersOf, unsure, heldUp: waiting } = work
  const { assignees } = filter
  const ownName = assignees === undefined ? undefined : await findOwnName(repository)
  const asksForSelf =
    assignees === undefined || assignees.length === 0 || (ownName !== undefined && assignees.includes(ownName))
  const { isTaken, leased } = asksForSelf ? await openTaken(repository, view) : noneTaken
  const { clock } = repository.facts
  const isAside = ({ fields }: IssueRow) =>
    setAside.has(fields.status) || (fields.defer !== undefined && isDeferred(fields, clock.nowUnixMs()))
  const open = work.openRows()
  const unblocked = waiting.size === 0 ? open : open.filter(({ issueId }) => !waiting.has(issueId))
  const isPlain = asksForSome(filter) ? never : openPlain(work)
  const parsed = parseOthers(unblocked, isPlain)
  let parsedById: ReadonlyMap<IssueId, IssueRow> | undefined
  /** Needed only where an issue has a parent. */
  const findParsed = (id: IssueId): IssueRow | undefined => {
    parsedById ??= new Map([...parsed.values()].map((row) => [row.issue_id, row]))
    return parsedById.get(id) ?? find(id)?.parse()
  }
  const parentOfIssue = (id: IssueId): IssueId | null => {
    const row = findParsed(id)
    return row === undefined ? null : parentOf(row.fields)
  }
  const isBlockedFromOutside = (id: IssueId): boolean =>
    waiting.has(id) && blockersOf(id).some(({ issueId, isKnown }) => isKnown && !isPartOf(issueId, id, parentOfIssue))
  const hasWaitingParent = findWaitingParents({
    parentOf: parentOfIssue,
    isWaiting(id) {
      if (find(id)?.state !== 'open') return false
      return isBlockedFromOutside(id) || isAside(findParsed(id) as IssueRow)
    },
  })
  const unknownOf = (row: UnparsedRow) => (unsure.size === 0 ? [] : work.unknownBlockersOf(row.issueId))
  const asksForAside = setAside.has(filter.status)
  const ready: ReadyIssue[] = []
  let takenCount = 0
  let setAsideCount = 0
  for (const unparsed of unblocked) {
    const row = parsed.get(unparsed)
    if (row === undefined) {
      if (leased.size > 0 && leased.has(unparsed.issueId)) takenCount += 1
      else ready.push(new ReadyIssue(unparsed, unknownOf(unparsed), undefined))
      continue
    }
    if (!passes(row, filter) || isLeftOut(row, filter)) continue
    const hasParent = parentOf(row.fields) !== null
    if (!asksForAside && (isAside(row) || (hasParent && hasWaitingParent(row.issue_id)))) setAsideCount += 1
    else if (isTaken(row)) takenCount += 1
    else ready.push(new ReadyIssue(unparsed, unknownOf(unparsed), row))
  }
  return {
    ready: sortQueue(work.list === undefined ? byAge(ready) : ready, sort),
    issueIds: () => work.rows.map(({ issueId }) => issueId).sort(),
    blockedCount: waiting.size,
    takenCount,
    setAsideCount,
  }
}

function asksForSome({ labels = [], ...others }: ReadyFilter): boolean {
  return labels.length > 0 || Object.keys(others).length > 0
}

const never = () => false
const noneTaken: Taken = { isTaken: never, leased: new Set() }

/** Tells which rows need not be parsed. */
function openPlain({ list }: Work): (row: UnparsedRow) => boolean {
  // A search of the whole text leaves few marks to search each row for.
  const marks = list === undefined ? marksOfOthers : marksOfOthers.filter((mark) => list.includes(mark))
  if (marks.length === 0) return () => true
  return (row) => {
    const text = row.listed ?? row.text
    return !marks.some((mark) => text.includes(mark))
  }
}

function parseOthers(
  rows: readonly UnparsedRow[],
  isPlain: (row: UnparsedRow) => boolean,
): ReadonlyMap<UnparsedRow, IssueRow> {
  const parsed = new Map<UnparsedRow, IssueRow>()
  for (const part of cutInParts(rows.filter((row) => !isPlain(row)))) {
    for (const [index, row] of parseRowTexts(part).entries()) parsed.set(part[index] as UnparsedRow, row)
  }
  return parsed
}

/** Rows parsed together: a bound on the text that they have in common. */
const partCount = 4096

function* cutInParts<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += partCount) yield items.slice(start, start + partCount)
}

export function passes(row: IssueRow, filter: ReadyFilter): boolean {
  const { labels = [], assignees, type, status, milestone, parent } = filter
  if (!labels.every((label) => row.labels.includes(label))) return false
  if (assignees !== undefined && !isAssignedTo(row, assignees)) return false
  if (type !== undefined && row.fields.type !== type) return false
  if (status !== undefined && row.fields.status !== status) return false
  if (milestone !== undefined && row.fields.milestone !== milestone) return false
  return parent === undefined || parentOf(row.fields) === parent
}

const isAssignedTo = (row: IssueRow, users: readonly string[]): boolean =>
  users.length === 0 ? row.assignees.length === 0 : users.some((user) => row.assignees.includes(user))

/** The parts of an issue by which a queue is sorted. */
type Ranked = Pick<IssueRow, 'issue_id' | 'created_ts' | 'fields'>

type Compare = (left: Ranked, right: Ranked) => number

/** By priority, then by age, oldest first. Unknown priorities come after known ones, issues without a priority last. */
export const compareByPriority: Compare = (left, right) =>
  compareText(priorityRank(left), priorityRank(right)) || compareByAge(left, right)

function compareByAge(left: Ranked, right: Ranked): number {
  if (left.created_ts !== right.created_ts) return left.created_ts - right.created_ts
  if (left.issue_id === right.issue_id) return 0
  return left.issue_id < right.issue_id ? -1 : 1
}

function comparisonOf(sort: ReadySortKey): Compare {
  if (sort === 'created') return compareByAge
  if (sort === 'priority') return compareByPriority
  return (left, right) =>
    compareText(dueOf(left.fields) ?? last, dueOf(right.fields) ?? last) || compareByPriority(left, right)
}

/** By age, of issues by id. */
function byAge(issues: readonly ReadyIssue[]): readonly ReadyIssue[] {
  return orderByTime(issues.map(({ unparsed }) => createdTsIn(unparsed.text))).map(
    (index) => issues[index] as ReadyIssue,
  )
}

/** Sorts issues by age like `comparisonOf`, in groups: there are few priorities and days. */
function sortQueue(issues: readonly ReadyIssue[], sort: ReadySortKey): readonly ReadyIssue[] {
  if (sort === 'created') return issues
  const byPriority = sortGroups(issues, rankOf)
  if (sort === 'priority') return byPriority
  return sortGroups(byPriority, (issue) => (issue.isPlain ? last : (dueOf(issue.row.fields) ?? last)))
}

function sortGroups(issues: readonly ReadyIssue[], rankOf: (issue: ReadyIssue) => string): readonly ReadyIssue[] {
  const groups = new Map<string, ReadyIssue[]>()
  for (const issue of issues) {
    const rank = rankOf(issue)
    const group = groups.get(rank)
    if (group === undefined) groups.set(rank, [issue])
    else group.push(issue)
  }
  return [...groups].sort(([left], [right]) => compareText(left, right)).flatMap(([, group]) => group)
}

/** Parses only issues with an unknown priority. */
function rankOf(issue: ReadyIssue): string {
  const text = issue.unparsed.listed ?? issue.unparsed.text
  const start = text.indexOf(priorityKey)
  if (start < 0) return last
  const end = start + priorityKey.length + 'P0"'.length
  return knownRanks.get(text.slice(start + priorityKey.length, end)) ?? priorityRank(issue.row)
}

const priorityKey = '"priority":"'
const knownRanks = new Map(['P0', 'P1', 'P2', 'P3', 'P4'].map((priority) => [`${priority}"`, priority]))

/** Sorts after every valid value. */
const last = '\u{10ffff}'

function priorityRank({ fields: { priority } }: Ranked): string {
  if (priority === undefined) return last
  return isFieldValue('priority', priority) ? priority : `~${priority}`
}

/** The order of `readReadyQueue`, for cutting its result into pages. */
export function orderOfQueue(sort: ReadySortKey): ListOrder<ReadyIssue> {
  const { placeOf, compare } = orderOf(sort, comparisonOf(sort))
  return { name: `ready by ${sort}`, placeOf: ({ row }) => placeOf(row), compare }
}

/** The order of `compareByPriority`, for cutting the list of blocked issues into pages. */
export const orderOfBlocked: ListOrder<Ranked> = orderOf('blocked', compareByPriority)

function orderOf(name: string, compare: Compare): ListOrder<Ranked> {
  return {
    name,
    placeOf: ({ issue_id, created_ts, fields }) => [fields.priority ?? null, dueOf(fields), created_ts, issue_id],
    compare: (left, right) => compare(rankedAt(left), rankedAt(right)),
  }
}

function rankedAt([priority, due, created, id]: Place): Ranked {
  return {
    issue_id: `${id}` as IssueId,
    created_ts: Number(created),
    fields: {
      ...(typeof priority === 'string' ? { priority } : {}),
      ...(typeof due === 'string' ? { due } : {}),
    },
  }
}
