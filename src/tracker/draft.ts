/**
 * A batch in the making: validates and dates events against the state at one head of the log, events drafted before
 * included. After a lost race a new draft is made from fresh state and the command's plan runs again.
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
  type Event,
  type EventBody,
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

/** `never`: the actor is new, and has no card of any sort. */
export type OwnCardState = 'published' | 'outdated' | 'never'

export interface DraftSources {
  readonly actor: ActorId
  /** What the actor is called on its card. */
  readonly label: string | null
  /** Undefined for an actor without a key. */
  readonly signer: Signer | undefined
  /** What the log holds of a card that says this label and this key; undefined for an actor that does not sign. */
  readonly findOwnCard: (signer: Signer | undefined) => Promise<OwnCardState>
  readonly nowUnixMs: number
  readonly randomBytes: (count: number) => Uint8Array
  /** The view at the head that this draft goes on top of. Opened on first use: not every plan needs it. */
  readonly view: () => Promise<View>
}

interface SetContextOptions {
  readonly signer: Signer | undefined
  /** Later than this. Milliseconds. */
  readonly after?: number
  /** Whether nobody can have set this key before, so that the view need not be opened. */
  readonly isFirst?: boolean
}

export class Draft {
  readonly events: Event[] = []
  readonly #eventIds = new Set<EventId>()
  /** Contents of attachments by SHA-256. */
  readonly attachments = new Map<string, Uint8Array>()
  readonly #sources: DraftSources
  readonly #states = new Map<IssueId, IssueState>()
  #dependencies: DependencyGraph | undefined
  /** Newest time of each key of the project's context store that this draft has set. */
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

  /** Whether an event is in this draft; of two that are one and the same, dated at the end of time, only the first is. */
  hasEvent(eventId: EventId): boolean {
    return this.#eventIds.has(eventId)
  }

  /** True for the full id of an issue that this draft creates. */
  creates(issueId: string): boolean {
    return this.events.some((event) => event.body.type === 'IssueCreated' && event.issueId === issueId)
  }

  /** State of an issue, with what was drafted already. @throws {NotFoundError} when there is no such issue */
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

  /** As `requireIssue`, undefined when there is no such issue. */
  async findIssue(issueId: IssueId): Promise<IssueState | undefined> {
    const state = await this.#load(issueId)
    return state?.creation === null ? undefined : state
  }

  /** Who waits for whom in the whole repository, with what was drafted already. Read once for a draft. */
  async dependencyGraph(): Promise<DependencyGraph> {
    if (this.#dependencies === undefined) {
      const graph = new DependencyGraph(await (await this.view()).allDependencies())
      for (const { issueId, body } of this.events) this.#follow(graph, issueId, body)
      this.#dependencies = graph
    }
    return this.#dependencies
  }

  /** Brings a drafted change of an edge into a graph. Its state says what stands: the event may lose to a later one. */
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
   * Drafts an event on an issue that exists, dated after everything known there. One that the log holds already, which
   * can only be at the end of time, is given back and not drafted.
   * @throws {ConflictError} when it would come before the creation of the issue
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
   * Drafts a value of the project's context store, dated after everything known of its key. Whether the key says so
   * already is for the caller to ask: of some keys only an event of one's own counts.
   */
  setProjectContext(key: string, value: string): Promise<Event> {
    return this.#setContext(key, value, { signer: this.#sources.signer })
  }

  /**
   * Drafts the card that says what the actor is called, and with which key others verify what it signs, unless the log has
   * it. A write does so by itself at its end; a plan does it before, when what it adds must come later.
   */
  async publishOwnCard(): Promise<void> {
    const { signer, label, findOwnCard } = this.#sources
    if (this.#isOwnCardSettled) return
    this.#isOwnCardSettled = true
    // Without a key and a name a card would say nothing.
    if (signer === undefined && labelOnCard(label) === null) return
    const state = await findOwnCard(signer)
    if (state === 'published') return
    const card = { label, publicKey: signer?.publicKey ?? null, rotation: null }
    this.#ownCard = await this.#setContext(actorCardKey(this.actor), formatActorCard(card), {
      signer,
      isFirst: state === 'never',
    })
  }

  /** The card that `publishOwnCard` has drafted. */
  get ownCard(): Event | undefined {
    return this.#ownCard
  }

  /** Takes back the card that `publishOwnCard` has drafted: a later write publishes it. */
  withdrawOwnCard(): void {
    const index = this.#ownCard === undefined ? -1 : this.events.indexOf(this.#ownCard)
    if (index >= 0) this.events.splice(index, 1)
    this.#ownCard = undefined
  }

  /**
   * Drafts a card of the actor.
   *
   * @param signer - who signs it, which during a rotation is not who signs everything else
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

  /** Time of the present value of a key of the project's context store; 0 when it has none. */
  async #knownContextTs(key: string): Promise<number> {
    return (await (await this.view()).findProjectContext(key))?.version.tsUnixMs ?? 0
  }

  /** Identifies and signs what is about to be drafted. */
  #identify(facts: Omit<EventFacts, 'actor'>, signer: Signer | undefined): Event {
    const event = identifyEvent({ ...facts, actor: this.actor })
    return signer === undefined ? event : { ...event, sig: signer.sign(event.eventId) }
  }

  /** An event that is newer than all there is cannot be one of them. */
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

/** An event that sorts before the creation would make the whole log unreadable to the Rust tool. */
function requireAfterCreation({ issueId, creation }: IssueState, event: Event): void {
  if (creation === null || compareVersions(creation.version, event) < 0) return
  throw new ConflictError(`issue ${issueId} is dated at the end of time: what you write could not come after it`, {
    details: { issue_id: issueId, reason: 'end-of-time', created_ts: creation.version.tsUnixMs },
    hints: ['Another actor may be able to, or make a new issue in its place'],
  })
}

function requireLabelCount(issueId: IssueId, count: number): void {
  if (count <= limits.labelsPerIssueMax) return
  throw new InvalidArgsError(
    `issue ${issueId} would have ${count} labels; at most ${limits.labelsPerIssueMax} are allowed`,
    { details: { field: 'label', labels: count, labels_max: limits.labelsPerIssueMax } },
  )
}
