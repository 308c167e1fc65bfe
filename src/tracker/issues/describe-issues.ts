import type { DependencyType, IssueId, IssueStateWord } from '../../model/index.ts'
import type { DependencyEdge, IssueRow, View } from '../../view/index.ts'
import { shortIdLength } from './short-id.ts'

/** An issue as others mention it. */
export interface MentionedIssue {
  readonly issue_id: IssueId
  /** The full id of one that is not known here, since nothing shorter names it. */
  readonly short_id: string
  /** `?` for one that is not known here. */
  readonly title: string
  /** Null for one that is not known here. */
  readonly state: IssueStateWord | null
}

/** Issues by id, in the order asked for, those included that have not arrived here. */
export async function describeIssues(view: View, ids: readonly IssueId[]): Promise<MentionedIssue[]> {
  return mentionRows(view, ids, await view.findRows([...new Set(ids)]))
}

/** As `describeIssues`, from rows that were read already. */
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

/** The other ends of edges, in their order. */
export async function describeEdges(view: View, edges: readonly DependencyEdge[]): Promise<MentionedEdge[]> {
  const issues = await describeIssues(
    view,
    edges.map(({ other }) => other),
  )
  return issues.map(({ issue_id, short_id, ...rest }, index) => {
    return { issue_id, short_id, dep_type: (edges[index] as DependencyEdge).type, ...rest }
  })
}
