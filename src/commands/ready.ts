import { cutPage, type IssueId, isOverdue } from '../model/index.ts'
import { readClaims, type ShownClaim } from '../tracker/claims/read-claims.ts'
import { formatJson } from '../tracker/export/json-pieces.ts'
import { assigneesNamed, listKnownActors } from '../tracker/identity/find-people.ts'
import { findOwnName } from '../tracker/identity/own-name.ts'
import {
  orderOfQueue,
  type ReadyIssue,
  type ReadySortKey,
  readReadyQueue,
  readySortKeys,
} from '../tracker/issues/ready-queue.ts'
import { resolveIssue } from '../tracker/issues/resolve-issue.ts'
import { warnIfNoLog } from '../tracker/sync/no-log.ts'
import type { Workspace } from '../tracker/workspace.ts'
import { claimIn, type IssueRow, shortIdIn, shortIdLength, type UnparsedRow, type View } from '../view/index.ts'
import { type DataOf, defineCommand, type GivenInput } from './define-command.ts'
import { headerOption } from './header-option.ts'
import { filterOptions } from './issue/filter-options.ts'
import { extendRow, listOfTexts } from './issue/row-json.ts'

type ReadyRow = IssueRow & {
  readonly short_id: string
  readonly claim: ShownClaim | null
  readonly overdue: boolean
  readonly unknown_blockers: readonly IssueId[]
}

export const ready = defineCommand({
  name: 'ready',
  readsRows: 'lists',
  summary: 'List issues that are ready to work on',
  description:
    'Lists open issues whose blockers are all closed, that nobody has claimed and nobody else is assigned to, by priority, then by age. Epics are left out unless --type epic is given: work on their parts instead. Memories (label memory, or [Memory] in the title) are left out unless --label memory is given, and issues that are set aside, with their parts and the parts of blocked issues: those with status blocked or deferred, unless --status asks for such a status, and those deferred to a later day. A blocker that is unknown in this clone does not block, but is shown.',
  examples: [
    { command: 'grite ready', explains: 'what to work on next' },
    { command: 'grite ready --limit 1 --json', explains: 'the next issue, for a script' },
    { command: 'grite ready --parent 3f2a91c --sort due', explains: 'within an epic, by date' },
  ],
  served: true,
  isKept: true,
  effect: 'reads',
  arguments: {},
  options: {
    limit: filterOptions.limit,
    after: filterOptions.after,
    label: filterOptions.label,
    assignee: filterOptions.assignee,
    type: filterOptions.type,
    status: filterOptions.status,
    milestone: filterOptions.milestone,
    parent: { type: 'text', valueName: 'issue', summary: 'Only parts of this parent issue', completes: 'issue' },
    sort: { type: 'text', choices: readySortKeys, summary: 'Order by priority (default), due or created, ascending' },
    ...headerOption,
  },
  async run(context, input) {
    const repository = await context.repository()
    const view = await repository.view()
    await warnIfNoLog(context, repository, view)
    const { assignee, type, status, milestone } = input
    const filter = {
      labels: input.label,
      ...(assignee === undefined ? {} : { assignees: await namesOf(repository, view, assignee) }),
      ...(type === undefined ? {} : { type }),
      ...(status === undefined ? {} : { status }),
      ...(milestone === undefined ? {} : { milestone }),
      ...(input.parent === undefined ? {} : { parent: await resolveIssue(view, input.parent) }),
    }
    const sort = (input.sort ?? 'priority') as ReadySortKey
    const queue = await readReadyQueue(repository, filter, sort)
    const { shown, nextCursor } = cutPage(queue.ready, orderOfQueue(sort), input)
    const claims = await readClaims(repository)
    const isLate = (issue: ReadyIssue) =>
      !issue.isPlain && issue.row.fields.due !== undefined && isOverdue(issue.row, context.clock.nowUnixMs())
    const shortIdOf = await openShortIds(view, shown, queue.issueIds)
    const claimOf = ({ issueId }: UnparsedRow) => (claims.size === 0 ? undefined : claims.get(issueId))
    const asText = (issue: ReadyIssue): string => {
      const { unparsed, unknownBlockers } = issue
      const { listed } = unparsed
      const blockers = unknownBlockers.length === 0 ? '[]' : formatJson(unknownBlockers, 'compact')
      const more = `,"overdue":${isLate(issue)},"unknown_blockers":${blockers}`
      const claim = claimOf(unparsed)
      if (listed === undefined) return extendRow(unparsed.text, shortIdOf(unparsed), claim, more)
      if (claim === undefined) return `${listed.slice(0, -1)}${more}}`
      return claimIn(listed, formatJson(claim, 'compact'), more)
    }
    const asObject = (issue: ReadyIssue): ReadyRow => ({
      ...issue.row,
      short_id: shortIdOf(issue.unparsed),
      claim: claimOf(issue.unparsed) ?? null,
      overdue: isLate(issue),
      unknown_blockers: issue.unknownBlockers,
    })
    return {
      data: {
        issues: context.isJson === true ? listOfTexts<ReadyRow>(shown.map(asText)) : shown.map(asObject),
        total: queue.ready.length,
        blocked_count: queue.blockedCount,
        taken_count: queue.takenCount,
        set_aside_count: queue.setAsideCount,
        next_cursor: nextCursor,
      },
    }
  },
})

async function openShortIds(
  view: View,
  shown: readonly ReadyIssue[],
  issueIds: () => readonly IssueId[],
): Promise<(row: UnparsedRow) => string> {
  if (shown[0]?.unparsed.listed !== undefined) return ({ listed }) => shortIdIn(listed as string)
  const ids = shown.map(({ unparsed }) => unparsed.issueId)
  const known = await view.shortIds(ids, shortIdLength, issueIds)
  return ({ issueId }) => known.get(issueId) ?? issueId
}

/** The words `me` and `none`, or a name. */
async function namesOf(repository: Workspace, view: View, typed: string): Promise<readonly string[]> {
  if (typed === 'none') return []
  const name = typed === 'me' ? ((await findOwnName(repository)) ?? typed) : typed
  return assigneesNamed(view, await listKnownActors(repository, view), name)
}

export type ReadyInput = GivenInput<typeof ready>
export type ReadyData = DataOf<typeof ready>
