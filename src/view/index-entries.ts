/** The view's data for one issue besides its state: index keys and the list row. Pure. */
import {
  createdTs,
  currentState,
  currentTitle,
  fieldsOf,
  type IssueState,
  originalIdOf,
  presentAssignees,
  presentDependencies,
  presentLabels,
  type QueryRow,
  updatedTs,
} from '../model/index.ts'
import { formatDependencyList } from './dependency-list.ts'
import {
  aliasKey,
  assigneeKey,
  dependencyForwardKey,
  dependencyReverseKey,
  issueRowKey,
  labelKey,
  stateKey,
} from './keys.ts'

/** One issue as lists show it; names and order are those of the published JSON, then grite's own. */
export type IssueRow = QueryRow

export function rowOf(state: IssueState): IssueRow {
  return {
    issue_id: state.issueId,
    title: currentTitle(state),
    state: currentState(state),
    labels: presentLabels(state),
    assignees: presentAssignees(state),
    created_ts: createdTs(state),
    updated_ts: updatedTs(state),
    comment_count: state.commentCount,
    fields: fieldsOf(state),
    author: state.creation?.version.actor ?? '',
  }
}

const nothing = Buffer.alloc(0)

/** Key and value of one entry. */
export type IndexEntry = readonly [key: Buffer, value: Buffer]

/** Keys and values of an issue's index entries. An issue without a creation has none: it is kept, but not shown. */
export function listIndexEntries(state: IssueState): IndexEntry[] {
  const entries: IndexEntry[] = []
  if (state.creation === null) return entries
  const { issueId } = state
  const row = rowOf(state)
  const add = (key: Buffer, value = nothing) => entries.push([key, value])
  add(issueRowKey(issueId), Buffer.from(JSON.stringify(row), 'utf8'))
  add(stateKey(row.state, row.updated_ts, issueId))
  for (const label of row.labels) add(labelKey(label, issueId))
  for (const user of row.assignees) add(assigneeKey(user, issueId))
  const dependencies = presentDependencies(state)
  if (dependencies.length > 0) {
    add(dependencyForwardKey(issueId), Buffer.from(formatDependencyList(issueId, dependencies), 'latin1'))
  }
  for (const { target, type } of dependencies) add(dependencyReverseKey(target, issueId, type))
  const originalId = originalIdOf(state)
  if (originalId !== undefined) add(aliasKey(originalId, issueId))
  return entries
}
