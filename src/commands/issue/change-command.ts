/** Shared by all commands that change issues: resolve ids, draft, append once, describe the result. */

import { currentTitle, type EventId, type IssueId } from '../../model/index.ts'
import type { Draft } from '../../tracker/draft.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import type { ChangeData, IssueChange, OneChange } from '../../tracker/issues/issue-change.ts'
import { resolveIssues } from '../../tracker/issues/resolve-issue.ts'
import type { WriteOptions } from '../../tracker/workspace.ts'
import { shortIdLength } from '../../view/index.ts'

/**
 * Applies one change to all given issues in one atomic commit.
 *
 * @param change - drafts the change of one issue and returns the ids of its events
 * @param extra - keys to add to the data
 * @param options - `lock` holds the locks of the issues during the write
 */
export async function changeIssues<Extra extends object>(
  context: CommandContext,
  typed: readonly string[],
  change: (draft: Draft, issueId: IssueId) => Promise<readonly EventId[]>,
  extra: Extra,
  options: WriteOptions = {},
): Promise<{ readonly data: ChangeData<Extra> }> {
  const repository = await context.repository()
  const { head, result } = await repository.write(async (draft) => {
    const view = await draft.view()
    const issueIds = await resolveIssues(view, typed)
    const shortIds = await view.shortIds(issueIds, shortIdLength)
    const changes: IssueChange[] = []
    for (const issueId of issueIds) {
      const eventIds = (await change(draft, issueId)).filter((eventId) => draft.hasEvent(eventId))
      changes.push({
        issue_id: issueId,
        short_id: shortIds.get(issueId) ?? issueId,
        title: currentTitle(await draft.requireIssue(issueId)),
        event_id: eventIds.at(-1) ?? null,
        event_ids: eventIds,
        outcome: eventIds.length > 0 ? 'changed' : 'unchanged',
      })
    }
    return changes
  }, options)
  const [only, ...others] = result
  if (only !== undefined && others.length === 0) return { data: { ...only, ...extra, wal_head: head } }
  return { data: { ...extra, results: result, wal_head: head } }
}

/** Like `changeIssues`, for a command that takes one issue. */
export async function changeIssue<Extra extends object>(
  context: CommandContext,
  typed: string,
  change: (draft: Draft, issueId: IssueId) => Promise<readonly EventId[]>,
  extra: Extra,
  options: WriteOptions = {},
): Promise<{ readonly data: OneChange<Extra> }> {
  const { data } = await changeIssues(context, [typed], change, extra, options)
  if ('results' in data) throw new RangeError(`one issue was given, but ${data.results.length} were changed`)
  return { data }
}
