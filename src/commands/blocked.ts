import { cutPage, findCycles, type IssueId, isOverdue, type Order } from '../model/index.ts'
import { readClaims } from '../tracker/claims/read-claims.ts'
import { type MentionedIssue, mentionRows } from '../tracker/issues/describe-issues.ts'
import { compareByPriority, orderOfBlocked, passes } from '../tracker/issues/ready-queue.ts'
import { readWork, type Work } from '../tracker/issues/work.ts'
import { warnIfNoLog } from '../tracker/sync/no-log.ts'
import type { IssueRow } from '../view/index.ts'
import { type DataOf, defineCommand, type GivenInput } from './define-command.ts'
import { headerOption } from './header-option.ts'
import { filterOptions } from './issue/filter-options.ts'

export const blocked = defineCommand({
  name: 'blocked',
  summary: 'List blocked open issues and their blockers',
  description:
    'Shows each issue with its open blockers, in the order of `grite ready`. Issues in a dependency cycle are marked: none of them can start until an edge of the cycle is removed.',
  examples: [
    { command: 'grite blocked', explains: 'blocked issues and their blockers' },
    { command: 'grite blocked --label release --json', explains: 'with reasons, for a script' },
  ],
  served: true,
  isKept: true,
  effect: 'reads',
  arguments: {},
  options: {
    limit: filterOptions.limit,
    after: filterOptions.after,
    label: filterOptions.label,
    ...headerOption,
  },
  async run(context, input) {
    const repository = await context.repository()
    const view = await repository.view()
    await warnIfNoLog(context, repository, view)
    const work = await readWork(view)
    const rowOf = (id: IssueId) => work.find(id)?.parse() as IssueRow
    const waiting = [...work.heldUp]
      .map(rowOf)
      .filter((row) => passes(row, { labels: input.label }))
      .sort(compareByPriority)
    const { shown, nextCursor } = cutPage(waiting, orderOfBlocked, input)
    const knownBlockers = (id: IssueId) => work.blockersOf(id).filter(({ isKnown }) => isKnown)
    const ids = shown.flatMap(({ issue_id }) => [issue_id, ...knownBlockers(issue_id).map(({ issueId }) => issueId)])
    const named = [...new Set(ids)]
    const mentions = await mentionRows(view, named, new Map(named.map((id) => [id, rowOf(id)])))
    const byId = new Map(mentions.map((issue) => [issue.issue_id, issue]))
    const mentioned = (id: IssueId) => byId.get(id) as MentionedIssue
    const inCycle = new Set(findCycles(ordersAmong(work)).flat())
    const nowUnixMs = context.clock.nowUnixMs()
    const claims = await readClaims(repository)
    return {
      data: {
        issues: shown.map((row) => ({
          ...row,
          short_id: mentioned(row.issue_id).short_id,
          claim: claims.get(row.issue_id) ?? null,
          overdue: isOverdue(row, nowUnixMs),
          in_cycle: inCycle.has(row.issue_id),
          blockers: knownBlockers(row.issue_id).map(({ issueId, through }) => ({ ...mentioned(issueId), through })),
          unknown_blockers: work.unknownBlockersOf(row.issue_id),
        })),
        total: waiting.length,
        next_cursor: nextCursor,
      },
    }
  },
})

export type BlockedInput = GivenInput<typeof blocked>
export type BlockedData = DataOf<typeof blocked>

function ordersAmong({ heldUp, blockersOf }: Work): Order[] {
  return [...heldUp].flatMap((waits) => blockersOf(waits).map(({ issueId }) => ({ first: issueId, waits })))
}
