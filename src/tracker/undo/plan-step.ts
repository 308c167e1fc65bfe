/** What taking events back would do, and what of them stays; nothing is drafted. */
import {
  commentOverlayPrefix,
  compareVersions,
  currentTitle,
  type Event,
  type EventBodyOf,
  type EventId,
  fieldNameOf,
  type IssueId,
  planUndo,
  type Restoration,
  readCommentOverlay,
  readSavedQuery,
  savedQueryPrefix,
  type UndoRefusal,
} from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import { shortIdLength } from '../issues/short-id.ts'
import type { UndoStep } from './find-steps.ts'

/** What something was before the undo, and is after it. */
export interface UndoneChange {
  readonly issue_id: IssueId | null
  readonly short_id: string | null
  readonly title: string | null
  readonly field: string
  readonly old: string | null
  readonly new: string | null
}

export type StepRefusal =
  | UndoRefusal
  | { readonly event: Event; readonly reason: 'superseded-key'; readonly field: string; readonly by: EventId }
  | { readonly event: Event; readonly reason: 'kept-key'; readonly key: string }
  | { readonly event: Event; readonly reason: 'index' }

export interface StepPlan {
  readonly issues: readonly {
    readonly issueId: IssueId
    readonly restorations: readonly Restoration[]
    readonly comments: readonly EventId[]
  }[]
  /** Values of the project's context store. */
  readonly keys: readonly { readonly key: string; readonly value: string }[]
  readonly changes: readonly UndoneChange[]
  readonly refusals: readonly StepRefusal[]
}

/** @param neutral - as `UndoTargets` */
export async function planStep(view: View, { events, neutral }: UndoStep): Promise<StepPlan> {
  const taken = new Set(events.map(({ eventId }) => eventId))
  const ofIssues = new Map<IssueId, Event[]>()
  const ofKeys = new Map<string, Event[]>()
  const refusals: StepRefusal[] = []
  for (const event of events) {
    const { body, issueId } = event
    if (body.type === 'ContextUpdated') refusals.push({ event, reason: 'index' })
    else if (body.type === 'ProjectContextUpdated') pushTo(ofKeys, body.key, event)
    else pushTo(ofIssues, issueId, event)
  }
  const shortIds = await view.shortIds([...ofIssues.keys()], shortIdLength)
  const issues: StepPlan['issues'][number][] = []
  const keys: StepPlan['keys'][number][] = []
  const changes: UndoneChange[] = []
  for (const issueId of ofIssues.keys()) {
    const state = await view.findIssue(issueId)
    const plan = planUndo(await view.eventsOf(issueId), { taken, neutral })
    refusals.push(...plan.refusals)
    issues.push({ issueId, restorations: plan.restorations, comments: plan.comments })
    const title = state === undefined ? null : currentTitle(state)
    const about = { issue_id: issueId, short_id: shortIds.get(issueId) ?? issueId, title }
    for (const { subject, from, to } of plan.restorations) {
      changes.push({ ...about, field: fieldNameOf(subject) ?? subject.kind, old: from, new: to })
    }
    for (const comment of plan.comments) {
      const body = ofIssues.get(issueId)?.find(({ eventId }) => eventId === comment)?.body
      changes.push({ ...about, field: 'comment', old: body?.type === 'CommentAdded' ? body.body : '', new: null })
    }
  }
  for (const [key, ours] of ofKeys) {
    const plan = await planKey(view, key, ours, neutral)
    if ('reason' in plan) refusals.push(...ours.map((event) => ({ event, ...plan })))
    else if (plan.from !== plan.to) {
      keys.push({ key, value: plan.to })
      changes.push({ issue_id: null, short_id: null, title: null, ...describeKey(key, plan) })
    }
  }
  return { issues, keys, changes, refusals }
}

function pushTo<Key>(lists: Map<Key, Event[]>, key: Key, event: Event): void {
  lists.set(key, [...(lists.get(key) ?? []), event])
}

/** Keys of the project that people set by commands of ours. Of others nobody knows what their values are worth. */
const restorablePrefixes = [savedQueryPrefix, commentOverlayPrefix, 'memory.']

type WithoutEvent<Refusal> = Refusal extends { readonly event: Event } ? Omit<Refusal, 'event'> : never

/** The value before is looked for among all events of the store: nothing else keeps it. */
async function planKey(
  view: View,
  key: string,
  ours: readonly Event[],
  neutral: ReadonlySet<EventId>,
): Promise<{ readonly from: string; readonly to: string } | WithoutEvent<StepRefusal>> {
  if (!restorablePrefixes.some((prefix) => key.startsWith(prefix))) return { reason: 'kept-key', key }
  const all = await eventsOfKey(view, key)
  const isOurs = ({ eventId }: Event) => neutral.has(eventId) || ours.some((event) => event.eventId === eventId)
  const first = all.findIndex(({ eventId }) => ours.some((event) => event.eventId === eventId))
  const last = all.at(-1)
  if (last === undefined || first < 0) return { from: '', to: '' }
  if (!isOurs(last)) return { reason: 'superseded-key', field: fieldOfKey(key), by: last.eventId }
  return { from: last.body.value, to: all[first - 1]?.body.value ?? '' }
}

/** In version order. */
async function eventsOfKey(view: View, key: string): Promise<KeyEvent[]> {
  const found: KeyEvent[] = []
  for await (const event of view.allEvents()) if (isOfKey(key)(event)) found.push(event)
  return found.sort(compareVersions)
}

type KeyEvent = Event & { readonly body: EventBodyOf<'ProjectContextUpdated'> }

const isOfKey =
  (key: string) =>
  (event: Event): event is KeyEvent =>
    event.body.type === 'ProjectContextUpdated' && event.body.key === key

/** What a key is called in an answer: `query mine`, `comment 1c9e4f7a`. */
function fieldOfKey(key: string): string {
  if (key.startsWith(savedQueryPrefix)) return `query ${key.slice(savedQueryPrefix.length)}`
  if (key.startsWith(commentOverlayPrefix)) return `comment ${key.slice(commentOverlayPrefix.length).slice(0, 8)}`
  return key.replace('.', ' ')
}

function describeKey(key: string, { from, to }: { readonly from: string; readonly to: string }) {
  return { field: fieldOfKey(key), old: textOfValue(key, from), new: textOfValue(key, to) }
}

function textOfValue(key: string, value: string): string | null {
  if (key.startsWith(savedQueryPrefix)) return readSavedQuery({ key, value })?.query ?? null
  if (!key.startsWith(commentOverlayPrefix)) return value === '' ? null : value
  const overlay = readCommentOverlay(value)
  return overlay === null ? null : overlay.kind === 'hidden' ? 'hidden' : overlay.body
}
