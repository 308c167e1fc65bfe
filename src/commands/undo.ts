/** Taking commands back, and bringing them back, by events that say the opposite. */
import {
  ConflictError,
  commentOverlayKey,
  type ErrorDetails,
  type Event,
  type EventId,
  type Final,
  fieldNameOf,
  formatCommentOverlay,
  type GriteError,
  InvalidArgsError,
  type IssueId,
  makeVisible,
  NotFoundError,
  type Restoration,
  shellCommand,
} from '../model/index.ts'
import type { Draft, Reversal } from '../tracker/draft.ts'
import type { CommandContext } from '../tracker/effects.ts'
import { actorNames } from '../tracker/identity/actor-names.ts'
import { findOwnName } from '../tracker/identity/own-name.ts'
import { resolveEvent } from '../tracker/issues/resolve-event.ts'
import { restore } from '../tracker/issues/restore.ts'
import { findRedoStep, findUndoSteps, type UndoStep } from '../tracker/undo/find-steps.ts'
import { planStep, type StepPlan, type StepRefusal, type UndoneChange } from '../tracker/undo/plan-step.ts'
import type { Workspace } from '../tracker/workspace.ts'
import { type DataOf, defineCommand, type GivenInput } from './define-command.ts'

/** An event that stays, and why. */
interface Refused {
  readonly event_id: EventId
  readonly kind: string
  readonly issue_id: IssueId | null
  readonly reason: string
}

interface TakenBack {
  readonly event_ids: readonly EventId[]
  readonly ts_unix_ms: number
  readonly actor: string
  readonly actor_label: string | null
  readonly changes: readonly UndoneChange[]
  readonly refused: readonly Refused[]
}

interface ReversalData {
  readonly action: 'undone' | 'redone' | 'listed'
  /** Newest first. */
  readonly commands: readonly TakenBack[]
  readonly event_id: EventId | null
  readonly event_ids: readonly EventId[]
  readonly outcome: 'changed' | 'unchanged'
  readonly wal_head: string | null
}

const partialOption = {
  partial: { type: 'boolean', summary: 'Take back what can be taken back, and leave the rest' },
} as const

const listedMax = 10

export const undo = defineCommand({
  name: 'undo',
  summary: 'Take back your last command',
  description: [
    'Restores what the command changed to what it was before, by new events; the log keeps both. Undo again to go further ' +
      'back, or several commands at once with -n. `grite redo` brings a command back. With an id, takes back ' +
      'that event, of any actor.',
    'A value that somebody has changed since then is left alone, and new issues, links and attachments stay. Nothing is ' +
      'taken back while a part of the command cannot be; with --partial the rest is. A comment is hidden: it stays in the ' +
      'log, and in every clone that has it.',
  ].join('\n'),
  examples: [
    { command: 'grite undo', explains: 'the last command' },
    { command: 'grite undo --list', explains: 'what undo would take back, step by step' },
    { command: 'grite undo -n 3', explains: 'the last three commands' },
    { command: 'grite undo 1c9e4f7a', explains: 'one event, by its id in `grite issue history`' },
  ],
  served: true,
  effect: 'adds',
  arguments: { event: { summary: 'Event id or a unique prefix; default your last command', optional: true } },
  options: {
    steps: { type: 'count', valueName: 'n', min: 1, summary: 'How many commands; default 1', short: 'n' },
    list: { type: 'boolean', summary: 'Only show what would be taken back; default the last ten commands' },
    ...partialOption,
  },
  async run(context, { event, steps, list, partial }) {
    if (event !== undefined && steps !== undefined) {
      throw new InvalidArgsError('--steps counts commands, and an event was named', { details: { field: 'steps' } })
    }
    const repository = await context.repository()
    if (event === undefined && (await repository.findActor()) === undefined) throw nothingToUndo()
    const findSteps = async (draft: Draft) => {
      if (event !== undefined) return [{ events: [await requireEvent(draft, event)], neutral: new Set<EventId>() }]
      const found = await findUndoSteps(repository, draft, steps ?? (list ? listedMax : 1))
      if (found.length === 0) throw nothingToUndo()
      return found
    }
    return takeBack(context, repository, { action: list ? 'listed' : 'undone', partial, findSteps })
  },
})

export type UndoInput = GivenInput<typeof undo>
export type UndoData = DataOf<typeof undo>

export const redo = defineCommand({
  name: 'redo',
  summary: 'Bring back what you undid last',
  description: 'Takes your last undo back. Once you have written something else, there is nothing to redo.',
  examples: [{ command: 'grite redo', explains: 'as it was before `grite undo`' }],
  served: true,
  effect: 'adds',
  arguments: {},
  options: partialOption,
  async run(context, { partial }) {
    const repository = await context.repository()
    if ((await repository.findActor()) === undefined) throw nothingToRedo()
    const findSteps = async (draft: Draft) => {
      const step = await findRedoStep(repository, draft)
      if (step === undefined) throw nothingToRedo()
      return [step]
    }
    return takeBack(context, repository, { action: 'redone', partial, findSteps })
  },
})

export type RedoInput = GivenInput<typeof redo>
export type RedoData = DataOf<typeof redo>

interface TakeBackRequest {
  readonly action: ReversalData['action']
  readonly partial: boolean
  /** @throws {NotFoundError} when there is nothing to take back */
  readonly findSteps: (draft: Draft) => Promise<readonly UndoStep[]>
}

async function takeBack(
  context: CommandContext,
  repository: Workspace,
  { action, partial, findSteps }: TakeBackRequest,
): Promise<{ readonly data: ReversalData }> {
  const plan = async (draft: Draft) => {
    const steps = await findSteps(draft)
    const plans = await planEach(draft, steps)
    if (action === 'listed') return { steps, plans, eventIds: [] }
    const refusals = plans.flatMap((plan) => plan.refusals)
    const isNothingLeft = plans.every(({ changes }) => changes.length === 0)
    if (refusals.length > 0 && (!partial || isNothingLeft)) throw refuse(refusals, !isNothingLeft)
    const [only, ...others] = plans
    const joined =
      only !== undefined && others.length === 0 ? only : await planStep(await draft.view(), joinSteps(steps))
    const eventIds = await restoreAll(draft, joined)
    const ids = steps.flatMap(({ events }) => events.map(({ eventId }) => eventId))
    draft.reversal = reversalOf(action, ids)
    return { steps, plans, eventIds }
  }
  const { head, result } = await repository.write(plan, { ownCommit: true })
  const { steps, plans, eventIds } = result
  const actors = steps.flatMap(({ events }) => events.map(({ actor }) => actor))
  const names = await actorNames(repository, await repository.view(), actors)
  if (eventIds.length > 0) await warnOfClaims(context, repository, plans)
  return {
    data: {
      action,
      commands: steps.map(({ events }, index) => {
        const [first] = events as readonly [Event, ...Event[]]
        const { changes = [], refusals = [] } = plans[index] ?? {}
        return {
          event_ids: events.map(({ eventId }) => eventId),
          ts_unix_ms: first.tsUnixMs,
          actor: first.actor,
          actor_label: names.get(first.actor) ?? null,
          changes,
          refused: refusals.map(describeRefused),
        }
      }),
      event_id: eventIds.at(-1) ?? null,
      event_ids: eventIds,
      outcome: eventIds.length > 0 ? 'changed' : 'unchanged',
      wal_head: head,
    },
  }
}

function reversalOf(action: ReversalData['action'], ids: readonly EventId[]): Reversal {
  return action === 'redone' ? { redoes: ids } : { undoes: ids }
}

/** Each step as if those before it were taken back already. */
async function planEach(draft: Draft, steps: readonly UndoStep[]): Promise<StepPlan[]> {
  const view = await draft.view()
  const plans: StepPlan[] = []
  for (const [index, { events, neutral }] of steps.entries()) {
    const newer = steps.slice(0, index).flatMap((step) => step.events.map(({ eventId }) => eventId))
    plans.push(await planStep(view, { events, neutral: new Set([...neutral, ...newer]) }))
  }
  return plans
}

/** All steps as one, so that a value that several of them changed is restored once. */
function joinSteps(steps: readonly UndoStep[]): UndoStep {
  return {
    events: steps.flatMap(({ events }) => events),
    neutral: new Set(steps.flatMap(({ neutral }) => [...neutral])),
  }
}

async function restoreAll(draft: Draft, { issues, keys }: StepPlan): Promise<EventId[]> {
  const eventIds: EventId[] = []
  const hidden = formatCommentOverlay({ kind: 'hidden' })
  for (const { issueId, restorations, comments } of issues) {
    eventIds.push(...(await restore(draft, issueId, restorations as Restoration[])))
    for (const id of comments) eventIds.push((await draft.setProjectContext(commentOverlayKey(id), hidden)).eventId)
  }
  for (const { key, value } of keys) eventIds.push((await draft.setProjectContext(key, value)).eventId)
  return eventIds
}

/** An undone claim leaves its lock, which ends by itself. */
async function warnOfClaims(context: CommandContext, repository: Workspace, plans: readonly StepPlan[]): Promise<void> {
  const ids = new Set(
    plans.flatMap(({ changes }) => changes.flatMap(({ field, issue_id }) => (field === 'assignee' ? [issue_id] : []))),
  )
  if (ids.size === 0) return
  const { readClaims } = await import('../tracker/claims/read-claims.ts')
  const own = await findOwnName(repository)
  for (const [issueId, { holder }] of await readClaims(repository)) {
    if (!ids.has(issueId) || holder !== own) continue
    const command = shellCommand('grite', 'issue', 'unclaim', issueId.slice(0, 8))
    context.warn({
      code: 'claim-held',
      message: `you still hold the claim on ${issueId.slice(0, 8)}; \`${command}\` releases it`,
      details: { issue_id: issueId },
    })
  }
}

async function requireEvent(draft: Draft, typed: string): Promise<Event> {
  const view = await draft.view()
  const [event] = await view.findEvents([await resolveEvent(view, typed)])
  if (event === undefined) throw new NotFoundError(`no event has the id '${typed}'`)
  return event
}

const historyHint = '`grite undo <event>` takes the id of any event; `grite issue history <issue>` shows them'

function nothingToUndo(): NotFoundError {
  return new NotFoundError('there is nothing of yours to undo', { hints: [historyHint] })
}

function nothingToRedo(): NotFoundError {
  return new NotFoundError('there is nothing to redo: your last command was no undo', {
    hints: ['`grite undo --list` shows what can be undone'],
  })
}

/** @param isRest - whether something else could be taken back */
function refuse(refusals: readonly StepRefusal[], isRest: boolean): GriteError {
  const [first, ...others] = refusals as readonly [StepRefusal, ...StepRefusal[]]
  const more = others.length === 0 ? '' : `, and ${others.length} more`
  const message = `event ${shorten(first.event.eventId)} cannot be undone: ${makeVisible(reasonOf(first))}${more}`
  const details: ErrorDetails = { event_id: first.event.eventId, refused: refusals.map(describeRefused) }
  const hints = [...(isRest ? ['`--partial` takes back the rest'] : []), historyHint]
  if (first.reason !== 'superseded' && first.reason !== 'superseded-key') {
    return new InvalidArgsError(message, { details: { field: 'event', value: first.event.eventId, ...details }, hints })
  }
  return new ConflictError(message, {
    details: { ...details, field: fieldOf(first), superseded_by: first.by },
    hints: ['Undo the later event first, if both are to go', ...hints],
  })
}

function fieldOf(refusal: Extract<StepRefusal, { readonly reason: 'superseded' | 'superseded-key' }>): string {
  if (refusal.reason === 'superseded-key') return refusal.field
  return fieldNameOf(refusal.subject) ?? refusal.subject.kind
}

function describeRefused(refusal: StepRefusal): Refused {
  const { eventId, body, issueId } = refusal.event
  const isOfProject = body.type === 'ProjectContextUpdated' || body.type === 'ContextUpdated'
  return {
    event_id: eventId,
    kind: body.type,
    issue_id: isOfProject ? null : issueId,
    reason: makeVisible(reasonOf(refusal)),
  }
}

function reasonOf(refusal: StepRefusal): string {
  switch (refusal.reason) {
    case 'superseded':
    case 'superseded-key':
      return `event ${shorten(refusal.by)} has changed ${fieldOf(refusal)} since then`
    case 'part': {
      const field = fieldNameOf(refusal.subject) ?? refusal.subject.kind
      return `it only made room for event ${shorten(refusal.by)}, which set ${field}; undo that one`
    }
    case 'final':
      return finalReasons[refusal.subject.kind]
    case 'no-value':
      return `the label that it removed was not the value of ${refusal.key}, and would become it`
    case 'kept-key':
      return `only facts about the project, saved queries, comments and memories can be restored, and '${refusal.key}' is none`
    case 'index':
      return 'an index of a file is not undone'
  }
}

const finalReasons: Readonly<Record<Final['kind'], string>> = {
  creation: 'a new issue stays; close it instead',
  comment: 'a comment stays',
  link: 'a link stays',
  attachment: 'an attachment stays',
  nothing: 'it changed nothing',
}

/** Event ids are long; their beginning is what people compare. */
const shorten = (id: EventId) => id.slice(0, 8)
