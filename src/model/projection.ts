/**
 * The projection of one issue: the state that its events add up to (design §4, rule R4).
 *
 * Invariants
 * - `applyEvent` is commutative over different events, so arrival order and partition do not matter. It is not
 *   idempotent for counts: the caller applies each event id once (the view's `event/` keys, the fold's set).
 * - The folding code owns a state and changes it in place: a hostile issue with a million labels costs a million steps,
 *   not a million copies.
 * - The creation is the IssueCreated with the smallest version. Its title, body and labels are kept apart from later
 *   changes, so that an older creation that arrives late replaces it completely.
 * - A field or element always keeps the greatest version that set it, present or not.
 */
import { compareText } from './compare.ts'
import { compareVersions, type Event, type Version, versionOf } from './event.ts'
import type { DependencyType, EventBodyOf, IssueStateWord } from './event-kinds.ts'
import type { EventId, IssueId, Sha256Hex } from './ids.ts'
import { isImportedFields } from './imported-fields.ts'

/** A last-writer-wins value with the version that set it. */
export interface Register<Value> {
  readonly value: Value
  readonly version: Version
}

/** Greatest versions of adding and removing one element; it is present when the add is greater. */
export interface ElementVersions {
  readonly added: Version | null
  readonly removed: Version | null
}

export interface Creation {
  readonly version: Version
  readonly title: string
  readonly body: string
  readonly labels: readonly string[]
}

export interface Link {
  readonly eventId: EventId
  readonly url: string
  readonly note: string | null
}

export interface Attachment {
  readonly eventId: EventId
  readonly name: string
  readonly sha256: Sha256Hex
  readonly mime: string
}

export interface Dependency {
  readonly target: IssueId
  readonly type: DependencyType
}

/** The whole state of one issue except the bodies of its comments. */
export interface IssueState {
  readonly issueId: IssueId
  /** Null until an IssueCreated arrives: such an issue is kept but not shown. */
  creation: Creation | null
  title: Register<string> | null
  body: Register<string> | null
  state: Register<IssueStateWord> | null
  /** By label; without the labels of the creation. */
  readonly labels: Map<string, ElementVersions>
  readonly assignees: Map<string, ElementVersions>
  /** By `dependencyKey`. */
  readonly dependencies: Map<string, ElementVersions>
  commentCount: number
  linkCount: number
  attachmentCount: number
  /** Greatest time of all events except creations. Milliseconds. */
  newestTsUnixMs: number
}

/** The state before any event. */
export function emptyIssueState(issueId: IssueId): IssueState {
  return {
    issueId,
    creation: null,
    title: null,
    body: null,
    state: null,
    labels: new Map(),
    assignees: new Map(),
    dependencies: new Map(),
    commentCount: 0,
    linkCount: 0,
    attachmentCount: 0,
    newestTsUnixMs: 0,
  }
}

/** Folds events of one issue in any order; repeated ids count once. */
export function foldIssue(issueId: IssueId, events: Iterable<Event>): IssueState {
  const state = emptyIssueState(issueId)
  const applied = new Set<EventId>()
  for (const event of events) {
    if (applied.has(event.eventId)) continue
    applied.add(event.eventId)
    applyEvent(state, event)
  }
  return state
}

/** Applies a new event in place. Events of other issues and context events are a caller's mistake. */
export function applyEvent(state: IssueState, event: Event): void {
  if (event.issueId !== state.issueId) throw new TypeError(`event of ${event.issueId} applied to ${state.issueId}`)
  if (event.body.type === 'IssueCreated') {
    applyCreation(state, event, event.body)
    return
  }
  applyChange(state, event)
  state.newestTsUnixMs = Math.max(state.newestTsUnixMs, event.tsUnixMs)
}

function applyCreation(state: IssueState, event: Event, body: EventBodyOf<'IssueCreated'>): void {
  if (state.creation !== null && compareVersions(state.creation.version, event) <= 0) return
  state.creation = { version: versionOf(event), title: body.title, body: body.body, labels: body.labels }
}

function applyChange(state: IssueState, event: Event): void {
  const { body } = event
  switch (body.type) {
    case 'IssueUpdated':
      if (body.title !== null) state.title = laterRegister(state.title, body.title, event)
      if (body.body !== null) state.body = laterRegister(state.body, body.body, event)
      return
    case 'StateChanged':
      state.state = laterRegister(state.state, body.state, event)
      return
    case 'LabelAdded':
      raiseElement(state.labels, body.label, 'added', event)
      return
    case 'LabelRemoved':
      raiseElement(state.labels, body.label, 'removed', event)
      return
    case 'AssigneeAdded':
      raiseElement(state.assignees, body.user, 'added', event)
      return
    case 'AssigneeRemoved':
      raiseElement(state.assignees, body.user, 'removed', event)
      return
    case 'DependencyAdded':
      raiseElement(state.dependencies, dependencyKey({ target: body.target, type: body.dep_type }), 'added', event)
      return
    case 'DependencyRemoved':
      raiseElement(state.dependencies, dependencyKey({ target: body.target, type: body.dep_type }), 'removed', event)
      return
    case 'CommentAdded':
      if (!isImportedFields(event)) state.commentCount += 1
      return
    case 'LinkAdded':
      state.linkCount += 1
      return
    case 'AttachmentAdded':
      state.attachmentCount += 1
      return
    case 'IssueCreated':
    case 'ContextUpdated':
    case 'ProjectContextUpdated':
      throw new TypeError(`${body.type} is not a change of an issue`)
  }
}

function laterRegister<Value>(register: Register<Value> | null, value: Value, event: Event): Register<Value> {
  if (register !== null && compareVersions(register.version, event) >= 0) return register
  return { value, version: versionOf(event) }
}

const untouched: ElementVersions = { added: null, removed: null }

function raiseElement(
  elements: Map<string, ElementVersions>,
  key: string,
  side: keyof ElementVersions,
  event: Event,
): void {
  const known = elements.get(key) ?? untouched
  const version = known[side]
  if (version !== null && compareVersions(version, event) >= 0) return
  elements.set(key, { ...known, [side]: versionOf(event) })
}

/** The key of a dependency in an issue's state. */
export function dependencyKey({ target, type }: Dependency): string {
  return `${target}/${type}`
}

function parseDependencyKey(key: string): Dependency {
  const [target, type] = key.split('/')
  return { target: target as IssueId, type: type as DependencyType }
}

/** The current value: the later of creation and change. */
export function currentTitle(state: IssueState): string {
  return currentRegister(state.creation, state.creation?.title ?? '', state.title)
}

export function currentBody(state: IssueState): string {
  return currentRegister(state.creation, state.creation?.body ?? '', state.body)
}

export function currentState(state: IssueState): IssueStateWord {
  return currentRegister<IssueStateWord>(state.creation, 'open', state.state)
}

/** Time of the change that closed the issue; null while it is open. */
export function currentClosedTs(state: IssueState): number | null {
  return currentState(state) === 'closed' ? (state.state?.version.tsUnixMs ?? null) : null
}

function currentRegister<Value>(creation: Creation | null, initial: Value, register: Register<Value> | null): Value {
  if (register === null) return initial
  if (creation !== null && compareVersions(register.version, creation.version) < 0) return initial
  return register.value
}

/** Present labels in UTF-8 byte order. */
export function presentLabels(state: IssueState): string[] {
  return mentionedLabels(state)
    .filter((label) => isPresent(labelVersions(state, label)))
    .sort(compareText)
}

/** Versions of one label; the creation adds its labels with its own version. */
export function labelVersions(state: IssueState, label: string): ElementVersions {
  const known = state.labels.get(label) ?? untouched
  if (state.creation === null || !state.creation.labels.includes(label)) return known
  const { version } = state.creation
  const added = known.added !== null && compareVersions(known.added, version) > 0 ? known.added : version
  return { added, removed: known.removed }
}

/** Every label that was ever added or removed, including the creation's, in no particular order. */
export function mentionedLabels(state: IssueState): string[] {
  const created = state.creation?.labels ?? []
  if (state.labels.size === 0 && created.length < 2) return [...created]
  return [...new Set([...created, ...state.labels.keys()])]
}

/** Present assignees in UTF-8 byte order. */
export function presentAssignees(state: IssueState): string[] {
  return presentKeys(state.assignees).sort(compareText)
}

/** Present dependencies, by the target's id, then by type in the order blocks, depends_on, related_to. */
export function presentDependencies(state: IssueState): Dependency[] {
  return presentKeys(state.dependencies).sort(compareText).map(parseDependencyKey)
}

function presentKeys(elements: ReadonlyMap<string, ElementVersions>): string[] {
  return [...elements].filter(([, versions]) => isPresent(versions)).map(([key]) => key)
}

export function isPresent({ added, removed }: ElementVersions): boolean {
  if (added === null) return false
  return removed === null || compareVersions(added, removed) > 0
}

/** Time of the creation; 0 before one has arrived. Milliseconds. */
export function createdTs(state: IssueState): number {
  return state.creation?.version.tsUnixMs ?? 0
}

/** Time of the newest event that counts. Milliseconds. */
export function updatedTs(state: IssueState): number {
  return Math.max(createdTs(state), state.newestTsUnixMs)
}
