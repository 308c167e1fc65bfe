import type { IssueId } from '../../src/model/index.ts'
import type { CommandRunner } from './command-runner.ts'

/** Creates an issue as another tool may: with a title, labels and links that grite's commands reject. Returns its id. */
export async function makeForeignIssue(
  { withRepository }: Pick<CommandRunner, 'withRepository'>,
  { title, body = '', url }: { readonly title: string; readonly body?: string; readonly url?: string },
): Promise<IssueId> {
  return withRepository(async (repository) => {
    const { result } = await repository.write(async (draft) => draft.createIssue({ title, body, labels: [] }).issueId)
    if (url !== undefined) {
      await repository.write((draft) => draft.add(result, { type: 'LinkAdded', url, note: url }))
    }
    return result
  })
}
