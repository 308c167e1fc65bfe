import type { EventId, IssueId } from '../../model/index.ts'
import { requireLabel } from '../../model/index.ts'
import type { Draft } from '../../tracker/draft.ts'
import { addAssignee, addLabel, removeAssignee, removeLabel } from '../../tracker/issues/changes.ts'
import { requireOneValueEach, splitLabels } from '../../tracker/issues/field-values.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { lockOption } from '../lock/lock-option.ts'
import { changeIssues } from './change-command.ts'

const issues = {
  issue: { summary: 'Issue id, a unique prefix of it, or an imported id', repeatable: true, completes: 'issue' },
} as const
const labelOption = {
  label: {
    type: 'text',
    valueName: 'label',
    summary: 'Label',
    repeatable: true,
    required: true,
    short: 'l',
    completes: 'label',
  },
} as const
const userOption = {
  user: {
    type: 'text',
    valueName: 'user',
    summary: 'User',
    repeatable: true,
    required: true,
    short: 'u',
    completes: 'assignee',
  },
} as const

export const issueLabelAdd = defineCommand({
  name: 'issue label add',
  summary: 'Add labels to issues',
  description: 'A label with a known key, such as priority:P1, sets that field and replaces its old value.',
  examples: [{ command: 'grite issue label add 3f2a91c --label bug --label ui', explains: 'two labels in one commit' }],
  served: true,
  effect: 'sets',
  arguments: issues,
  options: { ...labelOption, ...lockOption },
  run: (context, { issue, label, lock }) => {
    label.forEach(requireLabel)
    requireOneValueEach(splitLabels(label).fields)
    return changeIssues(context, issue, eachOf(label, addLabel), { action: 'label-added', labels: label }, { lock })
  },
})

export type IssueLabelAddInput = GivenInput<typeof issueLabelAdd>
export type IssueLabelAddData = DataOf<typeof issueLabelAdd>

export const issueLabelRemove = defineCommand({
  name: 'issue label remove',
  summary: 'Remove labels from issues',
  examples: [{ command: 'grite issue label remove 3f2a91c --label wontfix', explains: 'remove one label' }],
  served: true,
  effect: 'sets',
  arguments: issues,
  options: { ...labelOption, ...lockOption },
  run: (context, { issue, label, lock }) =>
    changeIssues(context, issue, eachOf(label, removeLabel), { action: 'label-removed', labels: label }, { lock }),
})

export type IssueLabelRemoveInput = GivenInput<typeof issueLabelRemove>
export type IssueLabelRemoveData = DataOf<typeof issueLabelRemove>

export const issueAssigneeAdd = defineCommand({
  name: 'issue assignee add',
  summary: 'Assign people or agents to issues',
  examples: [{ command: 'grite issue assignee add 3f2a91c --user ann', explains: 'assign ann' }],
  served: true,
  effect: 'sets',
  arguments: issues,
  options: { ...userOption, ...lockOption },
  run: (context, { issue, user, lock }) =>
    changeIssues(context, issue, eachOf(user, addAssignee), { action: 'assignee-added', users: user }, { lock }),
})

export type IssueAssigneeAddInput = GivenInput<typeof issueAssigneeAdd>
export type IssueAssigneeAddData = DataOf<typeof issueAssigneeAdd>

export const issueAssigneeRemove = defineCommand({
  name: 'issue assignee remove',
  summary: 'Unassign people or agents from issues',
  examples: [{ command: 'grite issue assignee remove 3f2a91c --user ann', explains: 'unassign ann' }],
  served: true,
  effect: 'sets',
  arguments: issues,
  options: { ...userOption, ...lockOption },
  run: (context, { issue, user, lock }) =>
    changeIssues(context, issue, eachOf(user, removeAssignee), { action: 'assignee-removed', users: user }, { lock }),
})

export type IssueAssigneeRemoveInput = GivenInput<typeof issueAssigneeRemove>
export type IssueAssigneeRemoveData = DataOf<typeof issueAssigneeRemove>

function eachOf(
  words: readonly string[],
  change: (draft: Draft, issueId: IssueId, word: string) => Promise<EventId[]>,
): (draft: Draft, issueId: IssueId) => Promise<EventId[]> {
  return async (draft, issueId) => {
    const eventIds: EventId[] = []
    for (const word of words) eventIds.push(...(await change(draft, issueId, word)))
    return eventIds
  }
}
