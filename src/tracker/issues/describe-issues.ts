import type { DependencyType, IssueId, IssueStateWord } from '../../model/index.ts'
import { type DependencyEdge, type IssueRow, shortIdLength, type View } from '../../view/index.ts'

/** A reference to an issue from another one. */
export interface MentionedIssue {
  readonly issue_id: IssueId
  /** The full id if the issue is unknown in this clone, since no shorter id can resolve to it. */
  readonly short_id: string
  /** `?` if the issue is unknown in this clone. */
  readonly title: string
  /** Null if the issue is unknown in this clone. */
  readonly state: IssueStateWord | null
}

/** Describes issues by id, in the given order, including issues that are unknown in this clone. */
export async function describeIssues(view: View, ids: readonly IssueId[]): Promise<MentionedIssue[]> {
  return mentionRows(view, ids, await view.findRows([...new Set(ids)]))
}

/** Like `describeIssues`, from rows that are already loaded. */
export async function mentionRows(
  view: View,
  ids: readonly IssueId[],
  rows: ReadonlyMap<IssueId, IssueRow>,
): Promise<MentionedIssue[]> {
  const known = [...new Set(ids)].filter((id) => rows.has(id))
  const shortIds = await view.shortIds(known, shortIdLength)
  return ids.map((id) => ({
    issue_id: id,
    short_id: shortIds.get(id) ?? id,
    title: rows.get(id)?.title ?? '?',
    state: rows.get(id)?.state ?? null,
  }))
}

export interface MentionedEdge extends MentionedIssue {
  readonly dep_type: DependencyType
}

/** Describes the targets of edges, in their order. */
export async function describeEdges(view: View, edges: readonly DependencyEdge[]): Promise<MentionedEdge[]> {
  const issues = await describeIssues(
    view,
    edges.map(({ other }) => other),
  )
  return issues.map(({ issue_id, short_id, ...rest }, index) => {
    return { issue_id, short_id, dep_type: (edges[index] as DependencyEdge).type, ...rest }
  })
}
