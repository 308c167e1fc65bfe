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
import { shortIdLength, type View } from '../../view/index.ts'
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
    summary: 'Relation of the issue to the target: depends_on (default), blocks or related_to',
  },
  ...lockOption,
} as const

export const issueDepAdd = defineCommand({
  name: 'issue dep add',
  summary: 'Add a dependency between two issues',
  description:
    '`A blocks B` and `B depends_on A` are equivalent: A comes first. An edge that exists in either form is not added again. An edge that would close a cycle is refused.',
  examples: [
    { command: 'grite issue dep add 3f2a91c --target 77bc01d', explains: '3f2a91c waits until 77bc01d is closed' },
    { command: 'grite issue dep add 3f2a91c --target 77bc01d --type blocks', explains: '77bc01d waits for 3f2a91c' },
  ],
  served: true,
  effect: 'sets',
  arguments: { issue },
  options: edgeOptions,
  run: (context, input) =>
    changeEdge(context, input, { action: 'added', change: addDependency, resolveTarget: resolveIssue }),
})

export type IssueDepAddInput = GivenInput<typeof issueDepAdd>
export type IssueDepAddData = DataOf<typeof issueDepAdd>

export const issueDepRemove = defineCommand({
  name: 'issue dep remove',
  summary: 'Remove a dependency between two issues',
  description: 'Also removes an equivalent edge: `B blocks A` for `A depends_on B`.',
  examples: [
    { command: 'grite issue dep remove 3f2a91c --target 77bc01d', explains: '3f2a91c no longer waits for 77bc01d' },
  ],
  served: true,
  effect: 'sets',
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

/** An edge in its JSON form. */
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
    const message = `${source} ${type} ${target} is equivalent and remains; remove it too if you no longer want it`
    context.warn({ code: 'edge-left', message })
  }
  // The plan has run and set the facts.
  return { data: { ...data, ...(told.facts as EdgeFacts) } }
}

interface TargetFacts {
  readonly target: IssueId
  readonly target_short_id: string
  /** Null when the issue is unknown in this clone. */
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
