/** Taking one event back, by events that say the opposite. */

import type { Oid } from '../git/index.ts'
import {
  ConflictError,
  compareVersions,
  currentTitle,
  type Event,
  type EventBodyOf,
  type EventId,
  type Final,
  fieldNameOf,
  type GriteError,
  InvalidArgsError,
  type IssueId,
  makeVisible,
  NotFoundError,
  planUndo,
  type Restoration,
  readSavedQuery,
  savedQueryPrefix,
  type UndoPlan,
} from '../model/index.ts'
import type { Draft } from '../tracker/draft.ts'
import { actorNames } from '../tracker/identity/actor-names.ts'
import { resolveEvent } from '../tracker/issues/resolve-event.ts'
import { restore } from '../tracker/issues/restore.ts'
import { shortIdLength } from '../tracker/issues/short-id.ts'
import type { Workspace } from '../tracker/workspace.ts'
import { findNewestEvent } from '../wal/index.ts'
import { type DataOf, defineCommand, type GivenInput } from './define-command.ts'

/** What was undone: what it was about, what it had been, what it is again. */
interface UndoneChange {
  readonly field: string
  readonly old: string | null
  readonly new: string | null
}

interface Undone {
  readonly event: Event
  readonly issueId: IssueId | null
  readonly shortId: string | null
  readonly title: string | null
  readonly changes: readonly UndoneChange[]
  readonly eventIds: readonly EventId[]
}

export const undo = defineCommand({
  name: 'undo',
  summary: 'Take an event back',
  description: [
    'Gives what the event decided the value it had just before, by new events; the log keeps both. Without an id it is your ' +
      'own newest event in the log. An undo is undone in the same way.',
    'It is refused unless the event still decides: what somebody has changed since then is not touched. An event that set ' +
      'title and text comes back whole or not at all. Comments, links, attachments and new issues are not taken back. A ' +
      'command may have written several events: one of them is undone, the last one unless an id says otherwise.',
  ].join('\n'),
  examples: [
    { command: 'grite undo', explains: 'what you changed last' },
    { command: 'grite undo 1c9e4f7a', explains: 'the event that `grite issue history` shows with this id' },
  ],
  arguments: { event: { summary: 'Event id or a unique prefix; default your newest event', optional: true } },
  options: {},
  async run(context, input) {
    const repository = await context.repository()
    if (input.event === undefined && (await repository.findActor()) === undefined) throw nothingToUndo()
    const { head, result } = await repository.write((draft) => undoEvent(repository, draft, input.event))
    const { event, changes, eventIds } = result
    const names = await actorNames(repository, await repository.view(), [event.actor])
    return {
      data: {
        action: 'undone',
        issue_id: result.issueId,
        short_id: result.shortId,
        title: result.title,
        undone: {
          event_id: event.eventId,
          actor: event.actor,
          actor_label: names.get(event.actor) ?? null,
          ts_unix_ms: event.tsUnixMs,
          kind: event.body.type,
        },
        changes,
        event_id: eventIds.at(-1) ?? null,
        event_ids: eventIds,
        outcome: eventIds.length > 0 ? 'changed' : 'unchanged',
        wal_head: head,
      },
    }
  },
})

export type UndoInput = GivenInput<typeof undo>
export type UndoData = DataOf<typeof undo>

async function undoEvent(repository: Workspace, draft: Draft, typed: string | undefined): Promise<Undone> {
  const event = typed === undefined ? await requireNewest(repository, draft) : await requireEvent(draft, typed)
  if (event.body.type === 'ProjectContextUpdated') return undoSavedQuery(draft, event, event.body)
  if (event.body.type === 'ContextUpdated') throw refuse(event, 'what an index says of a file is not taken back')
  const view = await draft.view()
  const { issueId } = event
  const state = await draft.requireIssue(issueId)
  const plan = planUndo(await view.eventsOf(issueId), event.eventId)
  if (plan.outcome !== 'restore') throw explain(event, plan)
  const eventIds = await restore(draft, issueId, plan.restorations)
  const shortIds = await view.shortIds([issueId], shortIdLength)
  return {
    event,
    issueId,
    shortId: shortIds.get(issueId) ?? issueId,
    title: currentTitle(state),
    changes: plan.restorations.map(formatRestoration),
    eventIds,
  }
}

/** @throws {NotFoundError} when the actor has written nothing */
async function requireNewest(repository: Workspace, draft: Draft): Promise<Event> {
  const { head } = await draft.view()
  const event = head === null ? undefined : await findNewestEvent(repository.git, head as Oid, draft.actor)
  if (event === undefined) throw nothingToUndo()
  return event
}

async function requireEvent(draft: Draft, typed: string): Promise<Event> {
  const view = await draft.view()
  const [event] = await view.findEvents([await resolveEvent(view, typed)])
  if (event === undefined) throw new NotFoundError(`no event has the id '${typed}'`)
  return event
}

function nothingToUndo(): NotFoundError {
  return new NotFoundError('there is nothing of yours to undo: you have written no event here', {
    hints: ['`grite undo <event>` takes the id of any event; `grite issue history <issue>` shows them'],
  })
}

/** Of a saved query, the value before is looked for among all events: nothing else keeps it. */
async function undoSavedQuery(
  draft: Draft,
  event: Event,
  { key, value }: EventBodyOf<'ProjectContextUpdated'>,
): Promise<Undone> {
  if (!key.startsWith(savedQueryPrefix)) throw refuse(event, `'${key}' is no saved query, and its value stays`)
  const field = `query ${key.slice(savedQueryPrefix.length)}`
  const present = await (await draft.view()).findProjectContext(key)
  if (present !== undefined && present.version.eventId !== event.eventId) {
    throw superseded(event, field, present.version.eventId)
  }
  let before: Event | undefined
  for await (const each of (await draft.view()).allEvents()) {
    const isEarlier =
      each.body.type === 'ProjectContextUpdated' && each.body.key === key && compareVersions(each, event) < 0
    if (isEarlier && (before === undefined || compareVersions(before, each) < 0)) before = each
  }
  const old = before?.body.type === 'ProjectContextUpdated' ? before.body.value : ''
  const textOf = (text: string) => readSavedQuery({ key, value: text })?.query ?? null
  const eventIds = old === value ? [] : [(await draft.setProjectContext(key, old)).eventId]
  const changes = old === value ? [] : [{ field, old: textOf(value), new: textOf(old) }]
  return { event, issueId: null, shortId: null, title: null, changes, eventIds }
}

function explain(event: Event, plan: Exclude<UndoPlan, { readonly outcome: 'restore' }>): GriteError {
  switch (plan.outcome) {
    case 'final':
      return refuse(event, finalReasons[plan.subject.kind])
    case 'no-value':
      return refuse(event, `the label it took away was not the value of ${plan.key}, and would become it`)
    case 'superseded': {
      const field = fieldNameOf(plan.subject) ?? plan.subject.kind
      return plan.isPart
        ? refuse(event, `it only made way for event ${shorten(plan.by)}, which decides ${field}; undo that one`)
        : superseded(event, field, plan.by)
    }
  }
}

const finalReasons: Readonly<Record<Final['kind'], string>> = {
  creation: 'a new issue is not taken back; it can be closed',
  comment: 'a comment is not taken back; another one can answer it',
  link: 'a link is not taken back',
  attachment: 'an attachment is not taken back',
  nothing: 'it says nothing',
}

function refuse(event: Event, reason: string): InvalidArgsError {
  return new InvalidArgsError(`event ${shorten(event.eventId)} cannot be undone: ${makeVisible(reason)}`, {
    details: { field: 'event', value: event.eventId, kind: event.body.type },
    hints: ['`grite undo <event>` takes the id of any event; `grite issue history <issue>` shows them'],
  })
}

function superseded(event: Event, field: string, by: EventId): ConflictError {
  return new ConflictError(
    `event ${shorten(event.eventId)} cannot be undone: event ${shorten(by)} has decided ${makeVisible(field)} since then`,
    {
      details: { field, event_id: event.eventId, superseded_by: by },
      hints: ['Undo the later event first, if both are to go'],
    },
  )
}

/** Event ids are long; their beginning is what people compare. */
const shorten = (id: EventId) => id.slice(0, 8)

function formatRestoration({ subject, from, to }: Restoration): UndoneChange {
  return { field: fieldNameOf(subject) ?? subject.kind, old: from, new: to }
}
