/**
 * A batch under construction: validates and dates events against the state at one head of the log plus the events drafted
 * so far. After a lost race, the plan of the command runs again on a new draft from fresh state.
 */
import {
  type ActorCard,
  type ActorId,
  actorCardKey,
  applyEvent,
  ConflictError,
  compareVersions,
  DependencyGraph,
  dependencyKey,
  deriveContextIssueId,
  type Event,
  type EventBody,
  type EventBodyOf,
  type EventFacts,
  type EventId,
  emptyIssueState,
  formatActorCard,
  formatHex,
  InvalidArgsError,
  type IssueId,
  type IssueState,
  identifyEvent,
  isPresent,
  labelOnCard,
  limits,
  NotFoundError,
  presentLabels,
  projectContextIssueId,
  timeAfter,
  updatedTs,
  validateBody,
} from '../model/index.ts'
import type { View } from '../view/index.ts'
import type { Signer } from '../wal/index.ts'

/** `never`: the actor is new and has no card at all. */
export type OwnCardState = 'published' | 'outdated' | 'never'

export interface DraftSources {
  readonly actor: ActorId
  /** The label on the actor's card. */
  readonly label: string | null
  /** Undefined for an actor without a key. */
  readonly signer: Signer | undefined
  /** Looks up the state of the card with this label and key in the log; the signer is undefined for an actor without a key. */
  readonly findOwnCard: (signer: Signer | undefined) => Promise<OwnCardState>
  readonly nowUnixMs: number
  readonly randomBytes: (count: number) => Uint8Array
  /** The view at the head that this draft builds on. Opened on first use, since not every plan needs it. */
  readonly view: () => Promise<View>
}

interface SetContextOptions {
  readonly signer: Signer | undefined
  /** The event is dated later than this. Milliseconds. */
  readonly after?: number
  /** Whether nobody can have set this key before, so that opening the view can be skipped. */
  readonly isFirst?: boolean
}

/** What an undo or a redo takes back, for the note of its request in meta.json. */
export type Reversal = { readonly undoes: readonly EventId[] } | { readonly redoes: readonly EventId[] }

export class Draft {
  readonly events: Event[] = []
  readonly #eventIds = new Set<EventId>()
  /** Contents of attachments by SHA-256. */
  readonly attachments = new Map<string, Uint8Array>()
  /** Set by a plan that is an undo or a redo. */
  reversal: Reversal | null = null
  readonly #sources: DraftSources
  readonly #states = new Map<IssueId, IssueState>()
  #dependencies: DependencyGraph | undefined
  /** Newest time of each project context key that this draft has set. */
  readonly #contextTs = new Map<string, number>()
  #isOwnCardSettled = false
  #ownCard: Event | undefined

  constructor(sources: DraftSources) {
    this.#sources = sources
  }

  get actor(): ActorId {
    return this.#sources.actor
  }

  get signer(): Signer | undefined {
    return this.#sources.signer
  }

  get nowUnixMs(): number {
    return this.#sources.nowUnixMs
  }

  view(): Promise<View> {
    return this.#sources.view()
  }

  /** Whether this draft contains an event. Identical events, dated at the end of time, are drafted only once. */
  hasEvent(eventId: EventId): boolean {
    return this.#eventIds.has(eventId)
  }

  /** True for the full id of an issue that this draft creates. */
  creates(issueId: string): boolean {
    return this.events.some((event) => event.body.type === 'IssueCreated' && event.issueId === issueId)
  }

  /** State of an issue, including drafted events. @throws {NotFoundError} when the issue does not exist */
  async requireIssue(issueId: IssueId): Promise<IssueState> {
    const state = await this.#load(issueId)
    if (state === undefined || state.creation === null) {
      throw new NotFoundError(`no issue ${issueId}`, {
        details: { field: 'issue_id', value: issueId },
        hints: ['Run `grite issue list` to see the issues'],
      })
    }
    return state
  }

  /** Like `requireIssue`, but returns undefined when the issue does not exist. */
  async findIssue(issueId: IssueId): Promise<IssueState | undefined> {
    const state = await this.#load(issueId)
    return state?.creation === null ? undefined : state
  }

  /** The dependency graph of the whole repository, including drafted events. Read once per draft. */
  async dependencyGraph(): Promise<DependencyGraph> {
    if (this.#dependencies === undefined) {
      const graph = new DependencyGraph(await (await this.view()).allDependencies())
      for (const { issueId, body } of this.events) this.#follow(graph, issueId, body)
      this.#dependencies = graph
    }
    return this.#dependencies
  }

  /** Applies a drafted change of an edge to a graph. Uses the resulting state, since the event may lose to a later one. */
  #follow(graph: DependencyGraph, source: IssueId, body: EventBody): void {
    if (body.type !== 'DependencyAdded' && body.type !== 'DependencyRemoved') return
    const edge = { target: body.target, type: body.dep_type }
    const versions = this.#states.get(source)?.dependencies.get(dependencyKey(edge))
    graph.set({ source, ...edge }, versions !== undefined && isPresent(versions))
  }

  /** Drafts the creation of an issue under a new random id. */
  createIssue(body: { readonly title: string; readonly body: string; readonly labels: readonly string[] }): Event {
    const issueId = formatHex(this.#sources.randomBytes(16)) as IssueId
    requireLabelCount(issueId, body.labels.length)
    const creation = { type: 'IssueCreated', ...body } as const
    validateBody(creation)
    this.#states.set(issueId, emptyIssueState(issueId))
    const facts = { issueId, tsUnixMs: this.nowUnixMs, parent: null, body: creation }
    return this.#take(this.#identify(facts, this.signer))
  }

  /**
   * Drafts an event on an existing issue, dated after all its known events. If the log already holds the identical event,
   * which happens only at the end of time, returns that event and drafts nothing.
   * @throws {ConflictError} when it would sort before the creation of the issue
   */
  async add(issueId: IssueId, body: EventBody, parent: EventId | null = null): Promise<Event> {
    const state = await this.requireIssue(issueId)
    if (body.type === 'LabelAdded') requireLabelCount(issueId, presentLabels(state).length + 1)
    validateBody(body)
    const tsUnixMs = timeAfter(updatedTs(state), this.nowUnixMs)
    const event = this.#identify({ issueId, tsUnixMs, parent, body }, this.signer)
    requireAfterCreation(state, event)
    return (await this.#isThere(event)) ? event : this.#take(event)
  }

  /**
   * Drafts a value of a project context key, dated after all known events of that key. The caller checks whether the key
   * already has the value: for some keys only an event of the actor itself counts.
   *
   * @param after - the event is dated later than this. Milliseconds.
   */
  setProjectContext(key: string, value: string, after = 0): Promise<Event> {
    return this.#setContext(key, value, { signer: this.#sources.signer, after })
  }

  /** Drafts the facts of a source file, dated after all known events of its path. At most once per path and draft. */
  async setFileContext(body: EventBodyOf<'ContextUpdated'>): Promise<Event> {
    validateBody(body)
    const known = (await (await this.view()).findFileContext(body.path))?.version.tsUnixMs ?? 0
    const facts = { issueId: deriveContextIssueId(body.path), tsUnixMs: timeAfter(known, this.nowUnixMs), parent: null }
    const event = this.#identify({ ...facts, body }, this.signer)
    return (await this.#isThere(event)) ? event : this.#take(event)
  }

  /**
   * Drafts the card with the label and the public key of the actor, unless the log has it. A write calls this at its end;
   * a plan calls it earlier when its events must come after the card.
   */
  async publishOwnCard(): Promise<void> {
    const { signer, label, findOwnCard } = this.#sources
    if (this.#isOwnCardSettled) return
    this.#isOwnCardSettled = true
    // Without a key and a label the card would be empty.
    if (signer === undefined && labelOnCard(label) === null) return
    const state = await findOwnCard(signer)
    if (state === 'published') return
    const card = { label, publicKey: signer?.publicKey ?? null, rotation: null }
    this.#ownCard = await this.#setContext(actorCardKey(this.actor), formatActorCard(card), {
      signer,
      isFirst: state === 'never',
    })
  }

  /** The card drafted by `publishOwnCard`. */
  get ownCard(): Event | undefined {
    return this.#ownCard
  }

  /** Removes the card drafted by `publishOwnCard`; a later write publishes it. */
  withdrawOwnCard(): void {
    const index = this.#ownCard === undefined ? -1 : this.events.indexOf(this.#ownCard)
    if (index >= 0) this.events.splice(index, 1)
    this.#ownCard = undefined
  }

  /**
   * Drafts a card of the actor.
   *
   * @param signer - the key that signs the card; during a rotation it differs from the key of other events
   * @param after - the card is dated later than this. Milliseconds.
   */
  addCard(
    card: ActorCard,
    { signer, after = 0 }: { readonly signer: Signer; readonly after?: number },
  ): Promise<Event> {
    this.#isOwnCardSettled = true
    return this.#setContext(actorCardKey(this.actor), formatActorCard(card), { signer, after })
  }

  async #setContext(
    key: string,
    value: string,
    { signer, after = 0, isFirst = false }: SetContextOptions,
  ): Promise<Event> {
    const body = { type: 'ProjectContextUpdated', key, value } as const
    validateBody(body)
    const known = this.#contextTs.get(key) ?? (isFirst ? 0 : await this.#knownContextTs(key))
    const tsUnixMs = timeAfter(Math.max(known, after), this.nowUnixMs)
    const event = this.#identify({ issueId: projectContextIssueId, tsUnixMs, parent: null, body }, signer)
    if (await this.#isThere(event)) return event
    this.#contextTs.set(key, tsUnixMs)
    return this.#take(event)
  }

  /** Time of the present value of a project context key; 0 when it has none. */
  async #knownContextTs(key: string): Promise<number> {
    return (await (await this.view()).findProjectContext(key))?.version.tsUnixMs ?? 0
  }

  /** Computes the id of an event and signs it. */
  #identify(facts: Omit<EventFacts, 'actor'>, signer: Signer | undefined): Event {
    const event = identifyEvent({ ...facts, actor: this.actor })
    return signer === undefined ? event : { ...event, sig: signer.sign(event.eventId) }
  }

  /** Skips the lookup for an event newer than the newest in the view. */
  async #isThere({ eventId, tsUnixMs }: Event): Promise<boolean> {
    if (tsUnixMs < limits.tsUnixMsMax) return false
    return this.hasEvent(eventId) || (await (await this.view()).findKnownEventIds([eventId])).size > 0
  }

  #take(event: Event): Event {
    const { issueId, body } = event
    this.events.push(event)
    this.#eventIds.add(event.eventId)
    const state = this.#states.get(issueId)
    if (state !== undefined) applyEvent(state, event)
    if (this.#dependencies !== undefined) this.#follow(this.#dependencies, issueId, body)
    return event
  }

  async #load(issueId: IssueId): Promise<IssueState | undefined> {
    const known = this.#states.get(issueId)
    if (known !== undefined) return known
    const state = await (await this.view()).findIssue(issueId)
    if (state !== undefined) this.#states.set(issueId, state)
    return state
  }
}

/** An event that sorts before the creation would make the whole log unreadable for the Rust tool. */
function requireAfterCreation({ issueId, creation }: IssueState, event: Event): void {
  if (creation === null || compareVersions(creation.version, event) < 0) return
  throw new ConflictError(`issue ${issueId} is dated at the end of time, so no event of yours can be dated after it`, {
    details: { issue_id: issueId, reason: 'end-of-time', created_ts: creation.version.tsUnixMs },
    hints: ['Try as another actor, or create a new issue instead'],
  })
}

function requireLabelCount(issueId: IssueId, count: number): void {
  if (count <= limits.labelsPerIssueMax) return
  throw new InvalidArgsError(
    `issue ${issueId} would have ${count} labels; at most ${limits.labelsPerIssueMax} are allowed`,
    { details: { field: 'label', labels: count, labels_max: limits.labelsPerIssueMax } },
  )
}
