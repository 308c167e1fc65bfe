import { currentTitle, type DependencyType, dependencyTypes, type IssueId, type StoredEdge } from '../../model/index.ts'
import type { Draft } from '../../tracker/draft.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import {
  addDependency,
  type DependencyChange,
  removeDependency,
  requireDependencyType,
} from '../../tracker/issues/change-dependencies.ts'
import { resolveIssue, resolveIssueOrId } from '../../tracker/issues/resolve-issue.ts'
import { shortIdLength } from '../../tracker/issues/short-id.ts'
import type { View } from '../../view/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { lockOption } from '../lock/lock-option.ts'
import { changeIssue } from './change-command.ts'

const issue = { summary: 'Issue id, a unique prefix of it, or an imported id', completes: 'issue' } as const
const edgeOptions = {
  target: { type: 'text', valueName: 'issue', summary: 'The other issue', required: true, completes: 'issue' },
  type: {
    type: 'text',
    valueName: 'word',
    choices: dependencyTypes,
    summary: 'What the issue does to the target: depends_on (default), blocks, related_to',
  },
  ...lockOption,
} as const

export const issueDepAdd = defineCommand({
  name: 'issue dep add',
  summary: 'State that an issue depends on another, blocks it or is related to it',
  description:
    '`A blocks B` and `B depends_on A` say the same: A comes first. An edge that says what another says already is not added, one that would close a cycle is refused.',
  examples: [
    { command: 'grite issue dep add 3f2a91c --target 77bc01d', explains: '3f2a91c waits until 77bc01d is closed' },
    { command: 'grite issue dep add 3f2a91c --target 77bc01d --type blocks', explains: '77bc01d waits for 3f2a91c' },
  ],
  arguments: { issue },
  options: edgeOptions,
  run: (context, input) =>
    changeEdge(context, input, { action: 'added', change: addDependency, resolveTarget: resolveIssue }),
})

export type IssueDepAddInput = GivenInput<typeof issueDepAdd>
export type IssueDepAddData = DataOf<typeof issueDepAdd>

export const issueDepRemove = defineCommand({
  name: 'issue dep remove',
  summary: 'Take back that an issue depends on another, blocks it or is related to it',
  description: 'An edge that says the same in the other spelling counts too.',
  examples: [{ command: 'grite issue dep remove 3f2a91c --target 77bc01d', explains: '3f2a91c waits no longer' }],
  arguments: { issue },
  options: edgeOptions,
  run: (context, input) =>
    changeEdge(context, input, { action: 'removed', change: removeDependency, resolveTarget: resolveIssueOrId }),
})

export type IssueDepRemoveInput = GivenInput<typeof issueDepRemove>
export type IssueDepRemoveData = DataOf<typeof issueDepRemove>

interface EdgeInput {
  readonly issue: string
  readonly target: string
  readonly type: string | undefined
  readonly lock: boolean
}

interface EdgeOperation {
  readonly action: 'added' | 'removed'
  readonly change: (draft: Draft, edge: StoredEdge) => Promise<DependencyChange>
  readonly resolveTarget: (view: View, typed: string) => Promise<IssueId>
}

/** An edge as JSON shows it. */
interface EdgeData {
  readonly issue_id: IssueId
  readonly dep_type: DependencyType
  readonly target: IssueId
}

async function changeEdge(context: CommandContext, input: EdgeInput, operation: EdgeOperation) {
  const type = requireDependencyType(input.type ?? 'depends_on')
  const told: { facts?: EdgeFacts; left?: StoredEdge | null } = {}
  const { data } = await changeIssue(
    context,
    input.issue,
    async (draft, source) => {
      const target = await operation.resolveTarget(await draft.view(), input.target)
      const { eventIds, storedAs, left } = await operation.change(draft, { source, target, type })
      told.facts = { ...(await describeTarget(draft, target)), stored_as: formatEdge(storedAs) }
      told.left = left
      return eventIds
    },
    { action: operation.action, dep_type: type },
    { lock: input.lock },
  )
  if (told.left) {
    const { source, type, target } = told.left
    const message = `${source} ${type} ${target} says the same and still stands; remove it too if it shall go`
    context.warn({ code: 'edge-left', message })
  }
  // The plan has told its facts.
  return { data: { ...data, ...(told.facts as EdgeFacts) } }
}

interface TargetFacts {
  readonly target: IssueId
  readonly target_short_id: string
  /** Null when no such issue is known here. */
  readonly target_title: string | null
}

interface EdgeFacts extends TargetFacts {
  readonly stored_as: EdgeData | null
}

async function describeTarget(draft: Draft, target: IssueId): Promise<TargetFacts> {
  const state = await draft.findIssue(target)
  if (state === undefined) return { target, target_short_id: target, target_title: null }
  const shortIds = await (await draft.view()).shortIds([target], shortIdLength)
  return { target, target_short_id: shortIds.get(target) ?? target, target_title: currentTitle(state) }
}

function formatEdge(edge: StoredEdge | null): EdgeData | null {
  return edge === null ? null : { issue_id: edge.source, dep_type: edge.type, target: edge.target }
}
