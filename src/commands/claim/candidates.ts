import { compareText, type IssueId } from '../../model/index.ts'
import { openTaken } from '../issue/taken.ts'
import type { Repository } from '../repository.ts'

/** Issues that may be claimed next, in the order in which to take them. */
export async function readCandidates(repository: Repository, labels: readonly string[]): Promise<IssueId[]> {
  const view = await repository.view()
  const isTaken = await openTaken(repository, view)
  const rows = (await view.listIssues({ state: 'open', labels })).filter((row) => !isTaken(row))
  const rank = (priority: string | undefined) => priority ?? '\u{10ffff}'
  rows.sort((left, right) => compareText(rank(left.fields.priority), rank(right.fields.priority)))
  return rows.map(({ issue_id }) => issue_id)
}
