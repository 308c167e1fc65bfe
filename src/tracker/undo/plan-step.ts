/** What taking events back would do, and what of them stays; nothing is drafted. */
import {
  commentOverlayKey,
  commentOverlayPrefix,
  compareVersions,
  currentTitle,
  type Event,
  type EventId,
  fieldNameOf,
  type IssueId,
  memoryPrefix,
  planUndo,
  type Restoration,
  readCommentOverlay,
  readMemory,
  readSavedQuery,
  savedQueryPrefix,
  shownCommentText,
  type UndoRefusal,
} from '../../model/index.ts'
import { type ProjectEvent, shortIdLength, type View } from '../../view/index.ts'
import { isReserved } from '../context/project-keys.ts'
import { type CommentEvent, findEditedComments } from '../issues/comment-overlays.ts'
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
  const hidden = new Set(issues.flatMap(({ comments }) => comments.map(commentOverlayKey)))
  const edited = await findEditedComments(view, [...ofKeys.values()].flat())
  for (const [key, ours] of ofKeys) {
    // Hiding a comment settles what is shown of it.
    if (hidden.has(key)) continue
    const plan = await planKey(view, key, ours, neutral)
    if ('reason' in plan) refusals.push(...ours.map((event) => ({ event, ...plan })))
    else if (plan.from !== plan.to) {
      keys.push({ key, value: plan.to })
      changes.push(await describeKey(view, key, plan, edited.get(key)))
    }
  }
  return { issues, keys, changes, refusals }
}

function pushTo<Key>(lists: Map<Key, Event[]>, key: Key, event: Event): void {
  lists.set(key, [...(lists.get(key) ?? []), event])
}

/** Of grite's own keys, those that people set by commands. Of others nobody knows what their values are worth. */
const restorablePrefixes = [savedQueryPrefix, commentOverlayPrefix, memoryPrefix]

type WithoutEvent<Refusal> = Refusal extends { readonly event: Event } ? Omit<Refusal, 'event'> : never

/** The value before is looked for among all events of the store: nothing else keeps it. */
async function planKey(
  view: View,
  key: string,
  ours: readonly Event[],
  neutral: ReadonlySet<EventId>,
): Promise<{ readonly from: string; readonly to: string } | WithoutEvent<StepRefusal>> {
  if (isReserved(key) && !restorablePrefixes.some((prefix) => key.startsWith(prefix)))
    return { reason: 'kept-key', key }
  const all: ProjectEvent[] = []
  for await (const event of view.projectEvents(key)) if (event.body.key === key) all.push(event)
  all.sort(compareVersions)
  const isTaken = ({ eventId }: Event) => ours.some((event) => event.eventId === eventId)
  const isOurs = (event: Event) => neutral.has(event.eventId) || isTaken(event)
  const last = all.at(-1)
  const lastTaken = all.findLast(isTaken)
  if (last === undefined || lastTaken === undefined) return { from: '', to: '' }
  if (!isOurs(last)) return { reason: 'superseded-key', field: fieldOfKey(key), by: last.eventId }
  return { from: lastTaken.body.value, to: all[all.findIndex(isTaken) - 1]?.body.value ?? '' }
}

/** What a key is called in an answer: `query mine`, `comment 1c9e4f7a`, `context build`. */
function fieldOfKey(key: string): string {
  if (key.startsWith(savedQueryPrefix)) return `query ${key.slice(savedQueryPrefix.length)}`
  if (key.startsWith(commentOverlayPrefix)) return `comment ${key.slice(commentOverlayPrefix.length).slice(0, 8)}`
  return isReserved(key) ? key.replace('.', ' ') : `context ${key}`
}

interface KeyChange {
  readonly from: string
  readonly to: string
}

/** @param comment - the comment whose text the key says */
async function describeKey(
  view: View,
  key: string,
  { from, to }: KeyChange,
  comment: CommentEvent | undefined,
): Promise<UndoneChange> {
  if (comment === undefined) {
    const noIssue = { issue_id: null, short_id: null, title: null }
    const [old, restored] = [textOfValue(key, from), textOfValue(key, to)]
    if (old !== restored || !key.startsWith(memoryPrefix)) {
      return { ...noIssue, field: fieldOfKey(key), old, new: restored }
    }
    const [about = null, aboutRestored = null] = [readMemory(from)?.about, readMemory(to)?.about]
    return { ...noIssue, field: `${fieldOfKey(key)} about`, old: about, new: aboutRestored }
  }
  const { issueId, body } = comment
  const shortIds = await view.shortIds([issueId], shortIdLength)
  const state = await view.findIssue(issueId)
  return {
    issue_id: issueId,
    short_id: shortIds.get(issueId) ?? issueId,
    title: state === undefined ? null : currentTitle(state),
    field: 'comment',
    old: shownCommentText(body.body, readCommentOverlay(from)),
    new: shownCommentText(body.body, readCommentOverlay(to)),
  }
}

/** An edit of a comment that this clone lacks is shown by its words. */
function textOfValue(key: string, value: string): string | null {
  if (key.startsWith(savedQueryPrefix)) return readSavedQuery({ key, value })?.query ?? null
  if (key.startsWith(memoryPrefix)) return readMemory(value)?.text ?? null
  if (!key.startsWith(commentOverlayPrefix)) return value === '' ? null : value
  const overlay = readCommentOverlay(value)
  return overlay === null ? null : overlay.kind === 'hidden' ? 'hidden' : overlay.body
}
