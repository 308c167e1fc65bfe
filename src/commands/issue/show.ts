import {
  currentBody,
  type Event,
  type EventId,
  type Fields,
  fieldKeys,
  formatKindWithNumbers,
  InternalError,
  type IssueId,
  isOverdue,
  type KindJson,
  originalIdOf,
  parentOf,
  type SignatureVerdict,
  signatureVerdicts,
} from '../../model/index.ts'
import { readClaims } from '../../tracker/claims/read-claims.ts'
import { actorNames } from '../../tracker/identity/actor-names.ts'
import { openKeyRing } from '../../tracker/identity/key-ring.ts'
import { progressOf, readChildren } from '../../tracker/issues/children.ts'
import { readShownComments } from '../../tracker/issues/comment-overlays.ts'
import { describeEdges, describeIssues, mentionRows } from '../../tracker/issues/describe-issues.ts'
import { resolveIssue } from '../../tracker/issues/resolve-issue.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { type IssueRow, rowOf, shortIdLength, type View } from '../../view/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { type PickedKeys, parseFields, pickFields, rowKeys } from './pick-fields.ts'

export const issueShow = defineCommand({
  name: 'issue show',
  readsRows: 'events',
  shortForms: ['show'],
  summary: 'Show an issue with its text, comments and relations',
  examples: [
    { command: 'grite issue show 3f2a91c', explains: 'for people' },
    { command: 'grite issue show 3f2a91c --json', explains: 'all data, including events' },
    { command: 'grite issue show 3f2a91c --json --no-events', explains: 'without the events, which are most of it' },
    {
      command: 'grite issue show 3f2a91c --json --fields title,body,comments',
      explains: 'only the keys that a script needs',
    },
  ],
  served: true,
  isKept: true,
  effect: 'reads',
  arguments: { issue: { summary: 'Issue id, a unique prefix of it, or an imported id', completes: 'issue' } },
  options: {
    'no-events': { type: 'boolean', summary: 'Leave out `events` from the JSON document' },
    fields: { type: 'text', valueName: 'a,b', summary: 'Print only these keys of the issue, and no events' },
  },
  async run(context, input) {
    const keys = input.fields === undefined ? undefined : parseFields(input.fields, shownKeys)
    const repository = await context.repository()
    const view = await repository.view()
    const issueId = await resolveIssue(view, input.issue)
    const state = await view.findIssue(issueId)
    if (state === undefined) throw new InternalError(`issue ${issueId} is listed but has no state`)
    const events = await view.eventsOf(issueId)
    const comments = await readShownComments(view, events)
    const edits = await view.findEvents(comments.flatMap(({ changed }) => changed?.eventId ?? []))
    const verdicts = await judgeEach(repository, view, [...events, ...edits])
    const verdictOf = ({ eventId }: Pick<Event, 'eventId'>) => verdicts.get(eventId) as SignatureVerdict
    const shortIds = await view.shortIds([issueId], shortIdLength)
    const row = rowOf(state)
    const children = await readChildren(view, issueId)
    const names = await actorNames(repository, view, [row.author, ...[...events, ...edits].map(({ actor }) => actor)])
    const nameOf = (actor: string) => names.get(actor) ?? null
    const originalId = originalIdOf(state)
    const issue = {
      ...row,
      short_id: shortIds.get(issueId) ?? issueId,
      ...(originalId === undefined ? {} : { original_id: originalId }),
      author_label: nameOf(row.author),
      claim: (await readClaims(repository)).get(issueId) ?? null,
      body: currentBody(state),
      overdue: row.fields.due !== undefined && isOverdue(row, context.clock.nowUnixMs()),
      parent_issue: await describeParent(view, row),
      children: await mentionRows(
        view,
        children.map(({ issue_id }) => issue_id),
        new Map(children.map((child) => [child.issue_id, child])),
      ),
      progress: progressOf(children),
      comments: comments.map(({ event, text, changed }) => ({
        event_id: event.eventId,
        actor: event.actor,
        actor_label: nameOf(event.actor),
        ts_unix_ms: event.tsUnixMs,
        body: text ?? '',
        parent: event.parent,
        signature: verdictOf(event),
        edited_ts: changed?.tsUnixMs ?? null,
        edited_by: changed?.actor ?? null,
        edited_by_label: changed === null ? null : nameOf(changed.actor),
        edited_signature: changed === null ? null : verdictOf(changed),
        hidden: text === null,
      })),
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
      signatures: countVerdicts(events.map(verdictOf)),
    }
    const shown = events.map((event) => ({
      ...formatShownEvent(event),
      actor_label: nameOf(event.actor),
      signature: verdictOf(event),
    }))
    return { data: cutDown({ issue, events: shown }, keys, input.noEvents) }
  },
})

type Shown<Issue, Event> =
  | { readonly issue: Issue; readonly events: readonly Event[]; readonly columns?: undefined }
  | { readonly issue: Issue; readonly events?: undefined; readonly columns?: undefined }
  | { readonly issue: PickedKeys<Issue>; readonly events?: undefined; readonly columns: readonly string[] }

function cutDown<Issue extends { readonly fields: Fields }, Event>(
  { issue, events }: { readonly issue: Issue; readonly events: readonly Event[] },
  keys: readonly ShownKey[] | undefined,
  noEvents: boolean,
): Shown<Issue, Event> {
  if (keys !== undefined) return { issue: pickFields(issue, keys), columns: keys }
  return noEvents ? { issue } : { issue, events }
}

type ShownKey = (typeof shownKeys)[number]

/** All keys of the answer's `issue`, in its order, then those of its fields. */
const shownKeys = [
  ...rowKeys,
  'original_id',
  'author_label',
  'body',
  'overdue',
  'parent_issue',
  'children',
  'progress',
  'comments',
  'links',
  'attachments',
  'dependencies',
  'dependents',
  'signatures',
  ...fieldKeys,
] as const

export type IssueShowInput = GivenInput<typeof issueShow>
export type IssueShowData = DataOf<typeof issueShow>

async function judgeEach(
  repository: Workspace,
  view: View,
  events: readonly Event[],
): Promise<Map<EventId, SignatureVerdict>> {
  const keys = await openKeyRing(repository, view)
  const verdicts = new Map<EventId, SignatureVerdict>()
  for (const event of events) verdicts.set(event.eventId, await keys.judge(event))
  return verdicts
}

/** Counts the events of each verdict. The verdicts become JSON keys, so dashes become underscores. */
function countVerdicts(verdicts: Iterable<SignatureVerdict>): Record<string, number> {
  const counts = new Map(signatureVerdicts.map((verdict) => [verdict, 0]))
  for (const verdict of verdicts) counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
  return Object.fromEntries([...counts].map(([verdict, count]) => [verdict.replace('-', '_'), count]))
}

/** The parent by its title; null when there is none, or it is not here. */
async function describeParent(view: View, { fields }: IssueRow) {
  const parent = parentOf(fields)
  if (parent === null) return null
  const [found] = await describeIssues(view, [parent])
  return found === undefined || found.state === null ? null : found
}

/** One event as `issue show` prints it: byte strings as arrays of numbers (spec §2.5). */
function formatShownEvent(event: Event): {
  event_id: string
  issue_id: IssueId
  actor: string
  ts_unix_ms: number
  parent: string | null
  kind: KindJson
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
