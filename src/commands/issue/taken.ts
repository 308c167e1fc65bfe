import type { IssueRow, View } from '../../view/index.ts'
import { findOwnName } from '../local/own-name.ts'
import type { Repository } from '../repository.ts'

/**
 * Opens the question whether somebody else is at work on an issue, so that one should not begin with it: it has assignees,
 * and the one who asks is none of them.
 */
export async function openTaken(repository: Repository, _view: View): Promise<(row: IssueRow) => boolean> {
  const ownName = await findOwnName(repository)
  return ({ assignees }) => assignees.length > 0 && !assignees.some((user) => user === ownName)
}
