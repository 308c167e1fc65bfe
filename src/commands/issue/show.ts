import {
  currentBody,
  type Event,
  formatKindWithNumbers,
  InternalError,
  type IssueId,
  isOverdue,
  type Json,
  originalIdOf,
  parentOf,
} from '../../model/index.ts'
import { type IssueRow, rowOf, type View } from '../../view/index.ts'
import { defineCommand } from '../define-command.ts'
import { listActors } from '../local/actors.ts'
import { shortIdLength } from './change-command.ts'
import { progressOf, readChildren } from './children.ts'
import { describeEdges, describeIssues, mentionRows } from './describe-issues.ts'
import { resolveIssue } from './resolve-issue.ts'

export const issueShow = defineCommand({
  name: 'issue show',
  summary: 'Show an issue with its text, comments and relations',
  examples: [
    { command: 'grite issue show 3f2a91c', explains: 'for reading' },
    { command: 'grite issue show 3f2a91c --json', explains: 'everything, its events included' },
  ],
  arguments: { issue: { summary: 'Issue id, a unique prefix of it, or an imported id', completes: 'issue' } },
  options: {},
  async run(context, input) {
    const repository = await context.repository()
    const view = await repository.view()
    const issueId = await resolveIssue(view, input.issue)
    const state = await view.findIssue(issueId)
    if (state === undefined) throw new InternalError(`issue ${issueId} is listed but has no state`)
    const events = await view.eventsOf(issueId)
    const labels = new Map((await listActors(repository.paths)).map(({ id, label }) => [id, label]))
    const actorLabel = (event: Event) => labels.get(event.actor) ?? null
    const shortIds = await view.shortIds([issueId], shortIdLength)
    const row = rowOf(state)
    const children = await readChildren(view, issueId)
    const originalId = originalIdOf(state)
    const issue = {
      ...row,
      short_id: shortIds.get(issueId) ?? issueId,
      ...(originalId === undefined ? {} : { original_id: originalId }),
      author_label: labels.get(row.author as Event['actor']) ?? null,
      body: currentBody(state),
      overdue: isOverdue(row, context.clock.nowUnixMs()),
      parent_issue: await describeParent(view, row),
      children: await mentionRows(
        view,
        children.map(({ issue_id }) => issue_id),
        new Map(children.map((child) => [child.issue_id, child])),
      ),
      progress: progressOf(children),
      comments: events.flatMap((event) =>
        event.body.type === 'CommentAdded'
          ? [
              {
                event_id: event.eventId,
                actor: event.actor,
                actor_label: actorLabel(event),
                ts_unix_ms: event.tsUnixMs,
                body: event.body.body,
                parent: event.parent,
              },
            ]
          : [],
      ),
      links: events.flatMap(({ body, eventId }) =>
        body.type === 'LinkAdded' ? [{ event_id: eventId, url: body.url, note: body.note }] : [],
      ),
      attachments: events.flatMap(({ body, eventId }) =>
        body.type === 'AttachmentAdded'
          ? [{ event_id: eventId, name: body.name, sha256: body.sha256, mime: body.mime }]
          : [],
      ),
      dependencies: await describeEdges(view, await view.dependenciesOf(issueId)),
      dependents: await describeEdges(view, await view.dependentsOf(issueId)),
    }
    return { data: { issue, events: events.map(formatShownEvent) } }
  },
})

/** The parent by its title; null when there is none, or it is not here. */
async function describeParent(view: View, { fields }: IssueRow) {
  const parent = parentOf(fields)
  if (parent === null) return null
  const [found] = await describeIssues(view, [parent])
  return found === undefined || found.state === null ? null : found
}

/** One event as `issue show` prints it: byte strings as arrays of numbers (spec §2.5). */
export function formatShownEvent(event: Event): {
  event_id: string
  issue_id: IssueId
  actor: string
  ts_unix_ms: number
  parent: string | null
  kind: Json
} {
  return {
    event_id: event.eventId,
    issue_id: event.issueId,
    actor: event.actor,
    ts_unix_ms: event.tsUnixMs,
    parent: event.parent,
    kind: formatKindWithNumbers(event.body),
  }
}
