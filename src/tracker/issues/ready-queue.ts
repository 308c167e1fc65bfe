/** What can be worked on now: `ready` and the choice of the next issue share this. */
import { compareText, dueOf, type IssueId, isFieldValue, parentOf } from '../../model/index.ts'
import type { IssueRow } from '../../view/index.ts'
import { openTaken } from '../claims/taken.ts'
import { findOwnName } from '../identity/own-name.ts'
import type { Workspace } from '../workspace.ts'
import { readWork, unknownBlockers } from './work.ts'

export const readySortKeys = ['priority', 'due', 'created'] as const
export type ReadySortKey = (typeof readySortKeys)[number]

/** Which issues are asked for. All that is given must hold. */
export interface ReadyFilter {
  readonly labels?: readonly string[]
  /** Texts by which one is assigned, any of which will do. */
  readonly assignees?: readonly string[]
  readonly type?: string
  readonly status?: string
  readonly milestone?: string
  readonly parent?: IssueId
}

export interface ReadyQueue {
  readonly ready: readonly ReadyIssue[]
  /** Open issues of the repository that wait for others. */
  readonly blockedCount: number
  /** Open issues that were asked for, wait for nothing, and are somebody else's. */
  readonly takenCount: number
  /** Open issues that were asked for, and that their status says to leave alone for now. */
  readonly setAsideCount: number
}

export interface ReadyIssue {
  readonly row: IssueRow
  /** Issues it depends on that have not arrived here. They hold nobody up. */
  readonly unknownBlockers: readonly IssueId[]
}

/** Such an issue is finished by finishing its parts; it is offered only to those who ask for the type. */
const notWork = 'epic'

/** What a later session should know is kept as an issue of this label or title. It is offered to those who ask for the label. */
const memoryLabel = 'memory'
const isMemory = ({ labels, title }: IssueRow) => labels.includes(memoryLabel) || /^\[memory\]/i.test(title)

/** Such issues are not to be worked on now, for a reason that no edge tells. They are offered only by their status. */
const setAside: ReadonlySet<string | undefined> = new Set(['blocked', 'deferred'])

/**
 * Open issues that wait for nothing and that nobody else works on, in the order in which to take them. Who asks for the
 * issues of somebody else wants to know what that one can do, so that being assigned is no reason to leave any out.
 */
export async function readReadyQueue(
  repository: Workspace,
  filter: ReadyFilter = {},
  sort: ReadySortKey = 'priority',
): Promise<ReadyQueue> {
  const view = await repository.view()
  const { rows, blockersOf, heldUp } = await readWork(view)
  const { assignees } = filter
  const ownName = assignees === undefined ? undefined : await findOwnName(repository)
  const asksForSelf = assignees === undefined || (ownName !== undefined && assignees.includes(ownName))
  const isTaken = asksForSelf ? await openTaken(repository, view) : () => false
  const waiting = new Set(heldUp)
  const ready: ReadyIssue[] = []
  let takenCount = 0
  let setAsideCount = 0
  for (const text of rows.values()) {
    if (text.state !== 'open' || waiting.has(text.issueId)) continue
    const row = text.parse()
    if (!passes(row, filter) || (filter.type === undefined && row.fields.type === notWork)) continue
    if (isMemory(row) && filter.labels?.includes(memoryLabel) !== true) continue
    if (filter.status === undefined && setAside.has(row.fields.status)) setAsideCount += 1
    else if (isTaken(row)) takenCount += 1
    else ready.push({ row, unknownBlockers: unknownBlockers(blockersOf(row.issue_id)) })
  }
  const compare = comparisons[sort]
  ready.sort((left, right) => compare(left.row, right.row))
  return { ready, blockedCount: heldUp.length, takenCount, setAsideCount }
}

export function passes(row: IssueRow, filter: ReadyFilter): boolean {
  const { labels = [], assignees, type, status, milestone, parent } = filter
  if (!labels.every((label) => row.labels.includes(label))) return false
  if (assignees?.some((user) => row.assignees.includes(user)) === false) return false
  if (type !== undefined && row.fields.type !== type) return false
  if (status !== undefined && row.fields.status !== status) return false
  if (milestone !== undefined && row.fields.milestone !== milestone) return false
  return parent === undefined || parentOf(row.fields) === parent
}

type Compare = (left: IssueRow, right: IssueRow) => number

/** By priority, without one last; the older first. Words that are no priority of ours stand behind those that are. */
export const compareByPriority: Compare = (left, right) =>
  compareText(priorityRank(left), priorityRank(right)) || compareByAge(left, right)

const compareByAge: Compare = (left, right) =>
  left.created_ts - right.created_ts || compareText(left.issue_id, right.issue_id)

const compareByDue: Compare = (left, right) =>
  compareText(dueOf(left.fields) ?? last, dueOf(right.fields) ?? last) || compareByPriority(left, right)

const comparisons: Readonly<Record<ReadySortKey, Compare>> = {
  priority: compareByPriority,
  due: compareByDue,
  created: compareByAge,
}

/** Sorts behind every text that means something. */
const last = '\u{10ffff}'

function priorityRank({ fields: { priority } }: IssueRow): string {
  if (priority === undefined) return last
  return isFieldValue('priority', priority) ? priority : `~${priority}`
}
