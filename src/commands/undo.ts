/** Undoes one event by writing events that restore the previous value. */

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

/** One undone change: its field, the value before the undo, the restored value. */
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
  summary: 'Undo an event',
  description: [
    'Restores the value from before the event by writing new events; the log keeps both. Without an id, undoes your own ' +
      'newest event in the log. An undo can itself be undone.',
    'Undo fails if a later event has changed the same field. An event that set both title and text is undone as a whole ' +
      'or not at all. Comments, links, attachments and new issues cannot be undone. If a command wrote several events, ' +
      'only one is undone: the last, unless an id names another.',
  ].join('\n'),
  examples: [
    { command: 'grite undo', explains: 'undo your last change' },
    { command: 'grite undo 1c9e4f7a', explains: 'undo the event with this id; `grite issue history` shows ids' },
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
  if (event.body.type === 'ContextUpdated') throw refuse(event, 'an index entry of a file cannot be undone')
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

/** @throws {NotFoundError} when the actor has written no event */
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
  return new NotFoundError('nothing to undo: you have written no event in this log', {
    hints: ['`grite undo <event>` takes the id of any event; `grite issue history <issue>` shows them'],
  })
}

/** Finds the previous value of a saved query by a scan of all events: nothing else keeps it. */
async function undoSavedQuery(
  draft: Draft,
  event: Event,
  { key, value }: EventBodyOf<'ProjectContextUpdated'>,
): Promise<Undone> {
  if (!key.startsWith(savedQueryPrefix)) throw refuse(event, `'${key}' is not a saved query`)
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
      return refuse(
        event,
        `the label that it removed was not the value of ${plan.key}, and undo would make it the value`,
      )
    case 'superseded': {
      const field = fieldNameOf(plan.subject) ?? plan.subject.kind
      return plan.isPart
        ? refuse(event, `it is a part of the change in event ${shorten(plan.by)}, which sets ${field}; undo that event`)
        : superseded(event, field, plan.by)
    }
  }
}

const finalReasons: Readonly<Record<Final['kind'], string>> = {
  creation: 'the creation of an issue cannot be undone; close the issue',
  comment: 'a comment cannot be undone; add another one to correct it',
  link: 'an added link cannot be undone',
  attachment: 'an added attachment cannot be undone',
  nothing: 'it changed nothing',
}

function refuse(event: Event, reason: string): InvalidArgsError {
  return new InvalidArgsError(`event ${shorten(event.eventId)} cannot be undone: ${makeVisible(reason)}`, {
    details: { field: 'event', value: event.eventId, kind: event.body.type },
    hints: ['`grite undo <event>` takes the id of any event; `grite issue history <issue>` shows them'],
  })
}

function superseded(event: Event, field: string, by: EventId): ConflictError {
  return new ConflictError(
    `event ${shorten(event.eventId)} cannot be undone: event ${shorten(by)} has changed ${makeVisible(field)} since`,
    {
      details: { field, event_id: event.eventId, superseded_by: by },
      hints: ['To undo both, undo the later event first'],
    },
  )
}

/** Event ids are long; people compare their first characters. */
const shorten = (id: EventId) => id.slice(0, 8)

function formatRestoration({ subject, from, to }: Restoration): UndoneChange {
  return { field: fieldNameOf(subject) ?? subject.kind, old: from, new: to }
}
