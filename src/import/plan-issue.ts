/**
 * Plans the events that bring the log to the content of one line (docs/format.md#import).
 *
 * - Events already in the log are not written again, nor events that would not change the present state.
 * - A fact older than the present state loses and is not written.
 * - A line older than the newest import of its issue writes nothing: facts missing from that import were gone by then.
 *   The titles that the import actor wrote show which import was the newest: a newer line writes its title again, even
 *   if the issue's title is the same.
 * - Only elements that the import actor added are removed; its own events are judged against all of its facts.
 */
import {
  beadsImportActor,
  compareVersions,
  dependencyKey,
  type Event,
  type EventBody,
  type EventId,
  fieldsOf,
  foldIssue,
  type IssueId,
  type IssueState,
  identifyEvent,
  importedEdgesOf,
  isPresent,
  labelVersions,
  originalIdOf,
  parseScopedLabel,
  presentDependencies,
  timeAfter,
  type Version,
} from '../model/index.ts'
import { type EdgeSource, type EdgeTarget, type ImportedIssue, mapBeadsEdges } from './beads-facts.ts'
import { readBeadsDependencies } from './beads-line.ts'
import { isEmptyOthers, type Slot, slotOf } from './beads-text.ts'

/** Counts by outcome of a line's facts. Every fact is counted once; `removed` counts events beside the facts. */
export interface FactCounts {
  /** Events to append for a fact. */
  readonly appended: number
  /** Facts whose event is in the log, or that the present state already reflects. */
  readonly unchanged: number
  /** Facts that share an event with an earlier fact of this import. */
  readonly duplicate: number
  /** Facts that lose by version to the present state, or belong to a file older than the newest import. */
  readonly superseded: number
  /** Events to append that remove elements of an earlier import. */
  readonly removed: number
}

export interface IssuePlan {
  readonly outcome: 'created' | 'updated' | 'unchanged'
  /** False for a line older than the newest import of its issue. */
  readonly isCurrent: boolean
  /** Append these together and in this order. */
  readonly events: readonly Event[]
  readonly counts: FactCounts
}

/**
 * Plans one line against the logged events of its issue, in any order. Pure and idempotent: planned again after its own
 * events, the same line yields none.
 */
export function planIssue(imported: ImportedIssue, logged: readonly Event[]): IssuePlan {
  const present = presentOf(imported.issueId, logged)
  const isOlder = present.importedTsUnixMs > imported.importedTsUnixMs
  const loggedIds = new Set(logged.map(({ eventId }) => eventId))
  const seen = new Set<EventId>()
  const counts = { appended: 0, unchanged: 0, duplicate: 0, superseded: 0, removed: 0 }
  const added: Event[] = []
  for (const fact of imported.facts) {
    if (isEmptyOthers(fact.body) && !present.slots.has('others')) continue
    const verdict = judgeFact(fact, { present, isOlder, loggedIds, seen })
    seen.add(fact.eventId)
    counts[verdict] += 1
    if (verdict === 'appended') added.push(fact)
  }
  const removals = isOlder ? [] : planRemovals(imported, present.state).filter(({ eventId }) => !loggedIds.has(eventId))
  counts.removed = removals.length
  const events = [...removals, ...added].sort(compareVersions)
  const isNew = present.state.creation === null
  const outcome = isNew ? 'created' : events.length > 0 ? 'updated' : 'unchanged'
  return { outcome, isCurrent: !isOlder, events, counts }
}

/**
 * Counts the facts of a line superseded by another line of the file about the same issue: facts in both are duplicates,
 * the rest is superseded.
 */
export function countYieldingLine(imported: ImportedIssue, winner: ImportedIssue): FactCounts {
  const stated = new Set(winner.facts.map(({ eventId }) => eventId))
  const facts = imported.facts.filter(({ body }) => !isEmptyOthers(body))
  const duplicate = facts.filter(({ eventId }) => stated.has(eventId)).length
  return { appended: 0, unchanged: 0, duplicate, superseded: facts.length - duplicate, removed: 0 }
}

/** Edges of an issue that an earlier import kept as text. */
export interface WaitingPlan {
  /** Events to append for edges whose other end has arrived. */
  readonly events: readonly Event[]
  /** Original id of the issue itself. */
  readonly originalId: string
}

/**
 * Plans the edges kept by the newest import of an issue, against its logged events. Edges that a user has removed since
 * are not added again.
 *
 * @returns undefined for an issue that was not imported, or has no such edges
 */
export function planWaitingEdges(
  issueId: IssueId,
  logged: readonly Event[],
  findTarget: (originalId: string) => EdgeTarget,
): WaitingPlan | undefined {
  const present = presentOf(issueId, logged)
  const source = edgesOf(present)
  if (source === undefined) return undefined
  const loggedIds = new Set(logged.map(({ eventId }) => eventId))
  const seen = new Set<EventId>()
  const events = mapBeadsEdges(source, findTarget).facts.filter((fact) => {
    const verdict = judgeFact(fact, { present, isOlder: false, loggedIds, seen })
    seen.add(fact.eventId)
    return verdict === 'appended'
  })
  return { events, originalId: source.id }
}

/** Original ids that the kept edges of an issue refer to. */
export function waitingTargetsOf(issueId: IssueId, logged: readonly Event[]): string[] {
  return edgesOf(presentOf(issueId, logged))?.dependencies.map(({ dependsOnId }) => dependsOnId) ?? []
}

function edgesOf({ state, slots }: Present): EdgeSource | undefined {
  const [id, kept] = [originalIdOf(state), slots.get('others')]
  if (id === undefined || kept === undefined || state.creation === null) return undefined
  const dependencies = readBeadsDependencies(importedEdgesOf(kept))
  if (dependencies.length === 0) return undefined
  return { id, createdAtMs: state.creation.version.tsUnixMs, updatedAtMs: kept.tsUnixMs, dependencies }
}

/** Greatest versions of adding and removing an element. */
type ElementVersions = ReturnType<typeof labelVersions>
type Elements = IssueState['labels']
type Register<Value> = { readonly value: Value; readonly version: Version }

interface Present {
  readonly state: IssueState
  readonly slots: ReadonlyMap<Slot, Event>
  readonly links: ReadonlySet<string>
  /** The time of the newest file that the issue was imported from; 0 without one. */
  readonly importedTsUnixMs: number
}

function presentOf(issueId: IssueId, logged: readonly Event[]): Present {
  const imported = logged.filter(isImported)
  return {
    state: foldIssue(issueId, logged),
    slots: newestOfSlots(imported),
    links: new Set(imported.map(({ body }) => keyOfLink(body))),
    importedTsUnixMs: imported
      .filter(({ body }) => body.type === 'IssueUpdated' && body.title !== null)
      .reduce((newest, { tsUnixMs }) => Math.max(newest, tsUnixMs), 0),
  }
}

function isImported(event: Event): boolean {
  return event.actor === beadsImportActor
}

function newestOfSlots(events: readonly Event[]): Map<Slot, Event> {
  const newest = new Map<Slot, Event>()
  for (const event of events) {
    const slot = slotOf(event.body)
    if (slot === undefined) continue
    const other = newest.get(slot)
    if (other === undefined || compareVersions(other, event) < 0) newest.set(slot, event)
  }
  return newest
}

interface Judgement {
  readonly present: Present
  readonly isOlder: boolean
  readonly loggedIds: ReadonlySet<EventId>
  /** Facts of this line judged so far. */
  readonly seen: ReadonlySet<EventId>
}

type Verdict = Exclude<keyof FactCounts, 'removed'>

function judgeFact(fact: Event, { present, isOlder, loggedIds, seen }: Judgement): Verdict {
  if (seen.has(fact.eventId)) return 'duplicate'
  if (loggedIds.has(fact.eventId)) return 'unchanged'
  if (isOlder) return 'superseded'
  return judgeContent(fact, present)
}

function judgeContent(fact: Event, { state, slots, links, importedTsUnixMs }: Present): Verdict {
  const { body } = fact
  switch (body.type) {
    case 'IssueCreated':
      return state.creation === null ? 'appended' : 'superseded'
    case 'IssueUpdated':
      if (body.title === null) return judgeRegister(fact, body.body, state.body)
      return fact.tsUnixMs > importedTsUnixMs ? 'appended' : judgeRegister(fact, body.title, state.title)
    case 'StateChanged':
      return judgeRegister(fact, body.state, state.state)
    case 'LabelAdded':
      return judgeLabel(fact, body.label, state)
    case 'AssigneeAdded':
      return judgeElement(fact, state.assignees.get(body.user))
    case 'DependencyAdded':
      return judgeElement(fact, state.dependencies.get(dependencyKey({ target: body.target, type: body.dep_type })))
    case 'LinkAdded':
      return links.has(keyOfLink(body)) && slotOf(body) === undefined ? 'unchanged' : judgeSlot(fact, slots)
    case 'CommentAdded':
      return judgeSlot(fact, slots)
    default:
      throw new TypeError(`${body.type} is not a fact of an import`)
  }
}

/**
 * Sets a register that was never set, even if the creation has the same value: this completes an interrupted import.
 */
function judgeRegister<Value>(fact: Version, value: Value | null, register: Register<Value> | null): Verdict {
  if (register === null) return 'appended'
  if (register.value === value) return 'unchanged'
  return compareVersions(register.version, fact) > 0 ? 'superseded' : 'appended'
}

function judgeElement(fact: Version, versions: ElementVersions | undefined): Verdict {
  if (versions === undefined) return 'appended'
  if (isPresent(versions)) return 'unchanged'
  return versions.removed !== null && compareVersions(versions.removed, fact) > 0 ? 'superseded' : 'appended'
}

/** A field's label must win as the field's value, not only be present. */
function judgeLabel(fact: Version, label: string, state: IssueState): Verdict {
  const scoped = parseScopedLabel(label)
  if (scoped === undefined) return judgeElement(fact, labelVersions(state, label))
  if (fieldsOf(state)[scoped.key] === scoped.value) return 'unchanged'
  const { removed } = labelVersions(state, label)
  const winners = labelsOf(state)
    .filter((other) => parseScopedLabel(other)?.key === scoped.key)
    .map((other) => labelVersions(state, other).added)
  const loses = [...winners, removed].some((version) => version !== null && compareVersions(version, fact) > 0)
  return loses ? 'superseded' : 'appended'
}

function labelsOf(state: IssueState): string[] {
  return [...new Set([...(state.creation?.labels ?? []), ...state.labels.keys()])]
}

/** Comments and links are only ever added; the newest of a slot counts. */
function judgeSlot(fact: Event, slots: ReadonlyMap<Slot, Event>): Verdict {
  const slot = slotOf(fact.body)
  const newest = slot === undefined ? undefined : slots.get(slot)
  if (newest === undefined) return 'appended'
  if (textOf(newest.body) === textOf(fact.body)) return 'unchanged'
  return newest.tsUnixMs > fact.tsUnixMs ? 'superseded' : 'appended'
}

function textOf(body: EventBody): string {
  if (body.type === 'CommentAdded') return body.body
  return body.type === 'LinkAdded' ? body.url : ''
}

function keyOfLink(body: EventBody): string {
  return body.type === 'LinkAdded' ? JSON.stringify([body.url, body.note]) : ''
}

/** One event for each present element that the import actor added and the line no longer has. */
function planRemovals(imported: ImportedIssue, state: IssueState): Event[] {
  const stated = statedElements(imported)
  const remove = (body: EventBody, addedTs: number): Event =>
    identifyEvent({
      issueId: imported.issueId,
      actor: beadsImportActor,
      tsUnixMs: timeAfter(addedTs, imported.importedTsUnixMs),
      parent: null,
      body,
    })
  const dependencies = presentDependencies(state).filter((one) => !stated.dependencies.has(dependencyKey(one)))
  return [
    ...lostKeys(state.labels, stated.labels).map(([label, ts]) => remove({ type: 'LabelRemoved', label }, ts)),
    ...lostKeys(state.assignees, stated.assignees).map(([user, ts]) => remove({ type: 'AssigneeRemoved', user }, ts)),
    ...dependencies.flatMap(({ target, type }) => {
      const added = state.dependencies.get(dependencyKey({ target, type }))?.added
      if (added?.actor !== beadsImportActor) return []
      return [remove({ type: 'DependencyRemoved', target, dep_type: type }, added.tsUnixMs)]
    }),
    ...(bodyIsLost(imported, state)
      ? [remove({ type: 'IssueUpdated', title: null, body: '' }, state.body?.version.tsUnixMs ?? 0)]
      : []),
  ]
}

/** Present keys of the import actor that the line lacks, with the time of their add. */
function lostKeys(elements: Elements, stated: ReadonlySet<string>): (readonly [string, number])[] {
  return [...elements].flatMap(([key, versions]) => {
    const { added } = versions
    if (added?.actor !== beadsImportActor || stated.has(key) || !isPresent(versions)) return []
    return [[key, added.tsUnixMs] as const]
  })
}

/** A description that the line no longer has is removed only if an import wrote it. */
function bodyIsLost({ facts }: ImportedIssue, { body }: IssueState): boolean {
  if (body === null || body.value === '' || body.version.actor !== beadsImportActor) return false
  return !facts.some((fact) => fact.body.type === 'IssueUpdated' && fact.body.body !== null)
}

function statedElements({ facts }: ImportedIssue) {
  const labels = new Set<string>()
  const assignees = new Set<string>()
  const dependencies = new Set<string>()
  for (const { body } of facts) {
    if (body.type === 'LabelAdded') labels.add(body.label)
    if (body.type === 'AssigneeAdded') assignees.add(body.user)
    if (body.type === 'DependencyAdded') dependencies.add(dependencyKey({ target: body.target, type: body.dep_type }))
  }
  return { labels, assignees, dependencies }
}
