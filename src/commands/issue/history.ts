import {
  type CommentHistoryEntry,
  compareText,
  currentTitle,
  cutPage,
  fieldNameOf,
  historyOf,
  InternalError,
  type ListOrder,
  withCommentChanges,
} from '../../model/index.ts'
import { actorNames } from '../../tracker/identity/actor-names.ts'
import { isComment, readCommentEdits } from '../../tracker/issues/comment-overlays.ts'
import { resolveIssue } from '../../tracker/issues/resolve-issue.ts'
import { shortIdLength } from '../../view/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { headerOption } from '../header-option.ts'

export const issueHistory = defineCommand({
  name: 'issue history',
  shortForms: ['log'],
  summary: 'Show all changes of an issue',
  description:
    'Shows each event of the issue with its actor, time, and the old and new value, oldest first. If a later event changed ' +
    'the same field, its id is shown. Pass the id of an event to `grite undo` to undo it.',
  examples: [
    { command: 'grite issue history 3f2a91c', explains: 'all changes' },
    { command: 'grite issue history 3f2a91c --reverse --limit 10', explains: 'the last ten changes, newest first' },
    { command: 'grite issue history 3f2a91c --json', explains: 'full texts and ids, for a script' },
  ],
  served: true,
  isKept: true,
  effect: 'reads',
  arguments: { issue: { summary: 'Issue id, a unique prefix of it, or an imported id', completes: 'issue' } },
  options: {
    reverse: { type: 'boolean', summary: 'Newest first' },
    limit: { type: 'count', valueName: 'n', summary: 'Only the newest n changes', short: 'n' },
    after: {
      type: 'text',
      valueName: 'cursor',
      summary: 'Only changes before the page that returned this `next_cursor`',
    },
    ...headerOption,
  },
  async run(context, input) {
    const repository = await context.repository()
    const view = await repository.view()
    const issueId = await resolveIssue(view, input.issue)
    const state = await view.findIssue(issueId)
    if (state === undefined) throw new InternalError(`issue ${issueId} is listed but has no state`)
    const events = await view.eventsOf(issueId)
    const comments = events.filter(isComment).map(({ eventId }) => eventId)
    const edits = await readCommentEdits(view, comments)
    const names = await actorNames(
      repository,
      view,
      [...events, ...edits].map(({ actor }) => actor),
    )
    const all = withCommentChanges(historyOf(events), edits).reverse()
    const changes = all.filter(({ partOf }) => partOf === null)
    const { shown, nextCursor } = cutPage(changes, orderOfHistory(all), input)
    const entries = withParts(shown, all).map((entry) => formatEntry(entry, names))
    if (!input.reverse) entries.reverse()
    const shortIds = await view.shortIds([issueId], shortIdLength)
    return {
      data: {
        issue_id: issueId,
        short_id: shortIds.get(issueId) ?? issueId,
        title: currentTitle(state),
        entries,
        total: all.length,
        next_cursor: nextCursor,
      },
    }
  },
})

export type IssueHistoryInput = GivenInput<typeof issueHistory>
export type IssueHistoryData = DataOf<typeof issueHistory>

/** Newest first. An event has an entry for each of its changes, numbered from its last one. */
function orderOfHistory(entries: readonly CommentHistoryEntry[]): ListOrder<CommentHistoryEntry> {
  const numbers = new Map<CommentHistoryEntry, number>()
  for (const [index, entry] of entries.entries()) {
    const before = entries[index - 1]
    numbers.set(entry, before?.event === entry.event ? (numbers.get(before) ?? 0) + 1 : 0)
  }
  return {
    name: 'history',
    placeOf: (entry) => [entry.event.tsUnixMs, entry.event.actor, entry.event.eventId, numbers.get(entry) ?? 0],
    compare: ([ts, actor, event, number], [otherTs, otherActor, otherEvent, otherNumber]) =>
      Number(otherTs) - Number(ts) ||
      compareText(`${otherActor}`, `${actor}`) ||
      compareText(`${otherEvent}`, `${event}`) ||
      Number(number) - Number(otherNumber),
  }
}

/** A page counts changes; the parts of a change are on its page. */
function withParts(
  shown: readonly CommentHistoryEntry[],
  all: readonly CommentHistoryEntry[],
): readonly CommentHistoryEntry[] {
  const changes = new Map(all.toReversed().map((entry) => [entry.event.eventId, entry]))
  const onPage = new Set(shown)
  return all.filter((entry) => onPage.has((entry.partOf === null ? entry : changes.get(entry.partOf)) ?? entry))
}

function formatEntry(entry: CommentHistoryEntry, names: ReadonlyMap<string, string>) {
  const { event, subject, old, effective, supersededBy, partOf } = entry
  return {
    event_id: event.eventId,
    actor: event.actor,
    actor_label: names.get(event.actor) ?? null,
    ts_unix_ms: event.tsUnixMs,
    kind: event.body.type,
    field: fieldNameOf(subject),
    comment_id: entry.comment,
    old,
    new: entry.new,
    effective,
    superseded_by: supersededBy,
    part_of: partOf,
  }
}
