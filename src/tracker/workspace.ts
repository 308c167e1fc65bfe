/**
 * A repository as commands use it: log, view and identity, opened on first use and closed together.
 *
 * Invariants
 * - The append queue is entered before the view is opened for a write, never after: a writer that held the view and
 *   waited for the queue would stop the one in front of it.
 * - A write is acknowledged when the log has it. The view follows; when it cannot, the next reader makes up for it.
 */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  findRepository,
  type GitPort,
  hydrator,
  type Oid,
  openRemotes,
  openRepository,
  type PendingObject,
  type PortOptions,
  type RemotePort,
  type RepositoryLayout,
  readGitConfig,
  readSharedPermissions,
  requirePermanentStore,
  type SharedPermissions,
  shallowMark,
} from '../git/index.ts'
import {
  type ActorId,
  AfterWriteError,
  describeForeign,
  type Event,
  encodeRecord,
  GriteError,
  InvalidArgsError,
  limits,
} from '../model/index.ts'
import {
  catchUp,
  isFileFailure,
  noteOwnMove,
  type OpenViewOptions,
  openView,
  type RebuiltView,
  rebuildView,
  rebuildViewFromSnapshot,
  replaceUnreadableView,
  type View,
} from '../view/index.ts'
import {
  type Appended,
  append,
  batchOfEvents,
  describeGaps,
  detailsOfGaps,
  encodeBatch,
  type Gained,
  GapTally,
  type IssueBatch,
  incompleteLog,
  issueCodec,
  type LogGaps,
  type LogProblem,
  lockFileQueue,
  noGaps,
  type Queue,
  readSoundHead,
  requireUsableClock,
  type SyncPoint,
  segmentOfBatch,
  walRef,
} from '../wal/index.ts'
import { Draft } from './draft.ts'
import type { Clock, Progress, Random, Warning } from './effects.ts'
import { OwnCard, openSigner } from './identity/own-card.ts'
import { factsOfReceived, judgeNewEvents, type ReceivedEvent } from './identity/received-signatures.ts'
import { type ActorChoice, type ChosenActor, createDefaultActor, findActor } from './local/actors.ts'
import { type GritePaths, gritePaths } from './local/paths.ts'
import { isTimeout, type RepoConfig, readRepoConfig, remoteTimeoutMax } from './local/repo-config.ts'
import { makeFolder } from './local/write-file-atomically.ts'
import { LockGuard } from './locks/lock-guard.ts'
import { LockMemory } from './locks/lock-memory.ts'
import type { SnapshotUse } from './snapshots/judge-for-use.ts'
import type { SnapshotStanding } from './snapshots/snapshot-trust.ts'
import { isLookDue, maintain } from './sync/maintenance.ts'
import { describeWritten, noteWritten, nothingWritten, type WrittenEvents } from './written-events.ts'

export interface RepositoryFacts {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly random: Random
  readonly warn: (warning: Warning) => void
  readonly progress: (label: string) => Progress
  readonly identity: { readonly actor: string | undefined; readonly dataDir: string | undefined }
  /** Whether git may ask somebody for a password. */
  readonly isInteractive?: boolean
  /** Told of every event that the log takes, so that a later failure can say what was written. */
  readonly written?: WrittenEvents
  /** For tests: moments of a publish, or a disk that fails. */
  readonly gitOptions?: Pick<PortOptions, 'hooks' | 'disk' | 'lockWaitMs'>
  /** For tests: moments of a sync. */
  readonly atSync?: ((point: SyncPoint) => void | Promise<void>) | undefined
}

interface Planned<Result> {
  /** Null when there is nothing to write. */
  readonly batch: IssueBatch | null
  readonly events: readonly Event[]
  readonly result: Result
  /** Remembers, once the batch is in the log, that the actor's card is. */
  readonly noteCard: () => Promise<void>
}

/** What was planned, as a commit that is written and not yet part of the log; null when there was nothing to change. */
export type Staged<Result> = Omit<Planned<Result>, 'batch'> & {
  readonly appended: Appended<IssueBatch> | null
  /** Warns of locks of others that it passed. */
  readonly tellPassed: () => Promise<void>
  /** Those of the commit, which may be pruned as long as no ref names it. */
  readonly objects: readonly PendingObject[]
}

export interface StageOptions {
  /** Whether it takes back what loses to somebody's lock, which that very lock must not prevent. */
  readonly givesWay?: boolean
}

export interface WriteOptions extends StageOptions {
  /** Whether the issues that the write changes are locked for it meanwhile. */
  readonly lock?: boolean
}

/** What became of a write: the new head, or null when there was nothing to change. */
export interface Written<Result> {
  readonly head: Oid | null
  readonly events: readonly Event[]
  readonly result: Result
}

/** Problems of the log that are told one by one; the rest is counted. */
const problemsToldMax = 5

export class Repository {
  readonly layout: RepositoryLayout
  readonly git: GitPort
  readonly paths: GritePaths
  readonly lockMemory: LockMemory
  readonly #facts: RepositoryFacts
  #chosen: Promise<ChosenActor | undefined> | undefined
  #config: Promise<RepoConfig> | undefined
  #isJudged = false
  #view: Promise<View> | undefined
  #leaveQueue: (() => Promise<void>) | undefined
  #remotes: RemotePort | undefined
  readonly #toldLocks = new Set<string>()
  /** Of the write that is going on. */
  #guard: LockGuard | undefined
  readonly #written: WrittenEvents
  /** What the log lacked when the view was last looked at. */
  #gaps: LogGaps = noGaps
  #toldGaps = false
  #problemCount = 0

  constructor(layout: RepositoryLayout, permissions: SharedPermissions, facts: RepositoryFacts) {
    this.layout = layout
    this.#facts = facts
    this.#written = facts.written ?? nothingWritten()
    this.git = openRepository(layout, {
      ...facts.gitOptions,
      environment: facts.env,
      permissions,
      warn: ({ path, message }) => facts.warn({ code: 'leftover-file', message, details: { path } }),
    })
    this.paths = gritePaths(layout, permissions)
    this.lockMemory = new LockMemory(this.paths)
  }

  get facts(): RepositoryFacts {
    return this.#facts
  }

  get atSync(): RepositoryFacts['atSync'] {
    return this.#facts.atSync
  }

  /** The remotes, through the user's git. */
  get remotes(): RemotePort {
    const { isInteractive = false } = this.#facts
    const silenceSecondsMax = () => this.#remoteTimeout()
    this.#remotes ??= openRemotes(this.git, { isInteractive, silenceSecondsMax, permissions: this.paths.permissions })
    return this.#remotes
  }

  /** @throws {InvalidArgsError} when the environment says no number of seconds */
  async #remoteTimeout(): Promise<number> {
    const { GRITE_REMOTE_TIMEOUT: said = '' } = this.#facts.env
    if (said === '') return (await this.config()).remote.timeout
    const seconds = /^\d+$/.test(said) ? Number(said) : Number.NaN
    if (isTimeout(seconds)) return seconds
    const allowed = `a whole number of seconds up to ${remoteTimeoutMax}, 0 for none`
    throw new InvalidArgsError(`GRITE_REMOTE_TIMEOUT must be ${allowed}, got ${describeForeign(said)}`, {
      details: { field: 'GRITE_REMOTE_TIMEOUT', allowed },
    })
  }

  // --- identity ---------------------------------------------------------------------------------------------------

  get actorChoice(): ActorChoice {
    const { identity, env } = this.#facts
    return { dataDir: identity.dataDir ?? env.GRITE_HOME, actor: identity.actor ?? env.GRITE_ACTOR }
  }

  /** Who writes; undefined when no actor exists yet. Creates nothing. */
  findActor(): Promise<ChosenActor | undefined> {
    this.#chosen ??= findActor(this.paths, this.actorChoice)
    return this.#chosen
  }

  /** Who writes; the first write of a repository makes an actor. */
  async requireActor(): Promise<ChosenActor> {
    const known = await this.findActor()
    if (known !== undefined) return known
    // Else the refusal of the write would leave an actor behind.
    requirePermanentStore(this.layout, this.#facts.env)
    const created = createDefaultActor(this.paths, await this.newActorFacts(null, false))
    this.#chosen = created
    return created
  }

  /** Forgets who writes and the view that goes with it, after actors changed. */
  async forgetActor(): Promise<void> {
    this.#chosen = undefined
    this.#config = undefined
    await this.#closeView()
  }

  /** The settings of this clone, read once. */
  config(): Promise<RepoConfig> {
    this.#config ??= readRepoConfig(this.paths.config)
    return this.#config
  }

  /** What a new actor is made from; without a label it is called what git calls the user. */
  async newActorFacts(label: string | null, generateKey: boolean) {
    const { random, clock } = this.#facts
    return {
      label: label ?? (await readGitConfig(this.layout, this.#facts.env, 'user.name')),
      generateKey,
      randomBytes: random.bytes,
      nowUnixMs: clock.nowUnixMs(),
    }
  }

  // --- reading ----------------------------------------------------------------------------------------------------

  /** The view, caught up with the log when it was opened. */
  view(): Promise<View> {
    this.#view ??= this.#openJudged()
    return this.#view
  }

  /** What a sync has judged, or what was written here, is not judged again when the view meets it. */
  takeAsJudged(): void {
    this.#isJudged = true
  }

  /**
   * Opens the view, and tells once what is wrong with signatures that plain git has brought in, where that is wanted.
   *
   * @param doubtsHead - whether the log's head is looked at even where the view is at it
   */
  async #openJudged(doubtsHead = false): Promise<View> {
    const received: ReceivedEvent[] = []
    const isWanted = !this.#isJudged && (await this.config()).verifySignatures !== 'off'
    const onNewEvents = (events: readonly Event[]) => {
      for (const event of events) received.push(factsOfReceived(event))
    }
    const view = await this.#withOptions((options) =>
      openView({ ...options, doubtsHead, ...(isWanted ? { onNewEvents } : {}) }),
    )
    const warning = await judgeNewEvents(this, view, received)
    if (warning !== undefined) this.#facts.warn(warning)
    return view
  }

  /** Lets go of the view, for who has read and is about to wait in the queue. The next one to ask opens it again. */
  async letGoOfView(): Promise<void> {
    await this.#closeView()
  }

  /** Makes the view anew from the log. */
  async rebuild(): Promise<View> {
    await this.#closeView()
    this.#view = this.#withOptions(rebuildView)
    return this.#view
  }

  /** Replaces the view after a read of it has failed. @throws the failure, when it is none of the view's files */
  async replaceUnreadableView(failure: unknown): Promise<void> {
    if (!isFileFailure(failure)) throw failure
    // It may fail at its files once more.
    await this.#closeView().catch(() => {})
    this.#view = this.#withOptions((options) => replaceUnreadableView(options, failure))
    await this.#view
  }

  /**
   * Brings the open view to the log as it is now, after a sync.
   *
   * @param gained - what a join read anyway; used when the view stands where it begins
   */
  async refresh(gained: Gained | null): Promise<View> {
    if (this.#view === undefined) return this.view()
    const view = await this.#view
    if (gained !== null && view.head === gained.from && view.head !== gained.to) {
      const tally = new GapTally()
      for (const { problems } of gained.segments) {
        for (const problem of problems) this.#reportProblem(problem)
        tally.take(problems)
      }
      await view.noteGaps(tally)
      await view.apply(gained.segments, gained.to, 'join')
      await view.flush()
    }
    const outcome = await this.#withOptions((options) => catchUp({ ...options, view }))
    if (outcome !== 'rebuild-needed' && outcome !== 'read-only') return view
    await this.#closeView()
    return this.view()
  }

  /** As `rebuild`, from the newest usable snapshot on. */
  async rebuildFromSnapshot(options: SnapshotUse = {}): Promise<RebuiltView<SnapshotStanding>> {
    await this.#closeView()
    const { judgeForUse } = await import('./snapshots/judge-for-use.ts')
    const judge = judgeForUse(this, options)
    const rebuilt = this.#withOptions((viewOptions) => rebuildViewFromSnapshot(viewOptions, judge))
    this.#view = rebuilt.then(({ view }) => view)
    // Whoever asks for the view gets this failure; nobody may have.
    this.#view.catch(() => {})
    return rebuilt
  }

  async #withOptions<Result>(work: (options: OpenViewOptions) => Promise<Result>): Promise<Result> {
    const progress = this.#facts.progress('Reading the log')
    try {
      return await work({
        git: this.git,
        directory: this.paths.viewLevels((await this.findActor())?.actor.id),
        permissions: this.paths.permissions,
        clock: this.#facts.clock,
        report: (problem) => this.#reportProblem(problem),
        warn: (code, message, details) => this.#facts.warn({ code, message, ...(details && { details }) }),
        progress: (done) => progress.report(done, null),
        hydrate: hydrator(this),
        // Where signatures decide, what a fetch has left was perhaps refused; a sync judges it.
        trustsRemotes: (await this.config()).verifySignatures !== 'reject',
      })
    } finally {
      progress.end()
    }
  }

  /**
   * Warns, once, that answers are made from a part of the log. As a rule when the repository is closed: a sync may have
   * fetched by then what was missing at its beginning.
   */
  tellGaps(): void {
    if (this.#toldGaps || this.#gaps.count === 0) return
    this.#toldGaps = true
    this.#facts.warn({
      code: 'log-incomplete',
      message: `the log ${describeGaps(this.#gaps)}; issues and changes may be missing here, and \`grite sync\` fetches them from a remote that has them`,
      details: detailsOfGaps(this.#gaps),
    })
  }

  /**
   * For a command that a part of the log would lead astray.
   *
   * @param consequence - what the command has therefore not done
   * @throws {IncompleteLogError}
   */
  async requireWholeLog(consequence: string): Promise<void> {
    const { gaps } = await this.view()
    if (gaps.count > 0) throw incompleteLog(consequence, gaps)
  }

  #reportProblem(problem: LogProblem): void {
    // Told with every answer, not only when it is met.
    if (problem.gap !== undefined) return
    this.#problemCount += 1
    if (this.#problemCount > problemsToldMax) {
      if (this.#problemCount === problemsToldMax + 1) {
        this.#facts.warn({
          code: 'log-problem',
          message: 'more of the log is damaged; `grite db check` lists it',
        })
      }
      return
    }
    this.#facts.warn({ code: 'log-problem', message: describeProblem(problem), details: { ...problem } })
  }

  // --- writing ----------------------------------------------------------------------------------------------------

  /**
   * Appends what a plan drafts, as one commit, all or nothing. The plan may run several times, each time on fresh
   * state; it must not keep anything from an earlier run.
   */
  async write<Result>(
    plan: (draft: Draft) => Promise<Result>,
    { lock = false, givesWay = false }: WriteOptions = {},
  ): Promise<Written<Result>> {
    return this.#guarded(lock, async (guard) => {
      let planned: Planned<Result> | undefined
      const makeBatch = async (head: Oid | null) => {
        planned = await this.#plan(head, plan)
        if (planned.batch !== null && !givesWay) await guard.admit(planned.events)
        return planned.batch
      }
      const appended = await this.#noting(
        () => planned?.events ?? [],
        () => append(this.#target(), makeBatch),
      )
      const { events, result } = planned as Planned<Result>
      if (appended !== null) {
        await this.#follow(appended, events)
        if (!givesWay) await guard.written(events)
        await planned?.noteCard()
        // As a rule nothing is cut off, and the view is not needed.
        if (shallowMark(this.layout) !== '') await this.view()
        if (isLookDue(appended.head)) await this.#tidy()
      }
      return { head: appended?.head ?? null, events, result }
    })
  }

  /** What is due after one write of many. */
  async #tidy(): Promise<void> {
    const { collectLocalByTheWay } = await import('./locks/collect.ts')
    await collectLocalByTheWay(this)
    await maintain(this)
  }

  /** Notes what a write puts into the log, and says in its failure what had been written by then. */
  async #noting(
    eventsOfWrite: () => readonly Event[],
    write: () => Promise<Appended<IssueBatch> | null>,
  ): Promise<Appended<IssueBatch> | null> {
    try {
      const appended = await write()
      if (appended !== null) noteWritten(this.#written, eventsOfWrite())
      return appended
    } catch (error) {
      if (error instanceof AfterWriteError) {
        noteWritten(this.#written, eventsOfWrite())
        error.addDetails(describeWritten(this.#written))
      } else if (error instanceof GriteError && this.#written.eventCount > 0) {
        error.addDetails({ ...describeWritten(this.#written), written: 'partly' })
      }
      throw error
    }
  }

  async #plan<Result>(head: Oid | null, plan: (draft: Draft) => Promise<Result>): Promise<Planned<Result>> {
    await this.#dropStaleView(head)
    const { actor } = await this.requireActor()
    const card = new OwnCard(this.paths, actor)
    const { clock, random } = this.#facts
    const nowUnixMs = clock.nowUnixMs()
    requireUsableClock(nowUnixMs)
    const view = () => this.view()
    const draft = new Draft({
      actor: actor.id,
      label: actor.label,
      signer: await openSigner(this.paths, actor, view),
      findOwnCard: async (signer) => card.find(signer, await this.#view, view),
      nowUnixMs,
      randomBytes: random.bytes,
      view,
    })
    const result = await plan(draft)
    const { events, attachments } = draft
    if (events.length === 0) return { batch: null, events, result, noteCard: async () => {} }
    if (events.length < limits.batchEventsMax) await draft.publishOwnCard()
    const toBatch = () => batchOfEvents({ actor: actor.id, events, attachments, nowUnixMs })
    let batch = toBatch()
    if (draft.ownCard !== undefined && bytesOf(batch) > limits.batchBytesMax) {
      draft.withdrawOwnCard()
      batch = toBatch()
    }
    requireBatchFits(batch)
    const noteCard = async () => {
      if (draft.ownCard !== undefined) await card.note(draft.signer)
    }
    return { batch, events, result, noteCard }
  }

  /**
   * Runs a plan and writes nothing, so that what it would refuse is refused before somebody writes a text for it.
   * @throws whatever writing it would
   */
  async rehearse(plan: (draft: Draft) => Promise<unknown>): Promise<void> {
    const actor = (await this.findActor())?.actor.id ?? ('0'.repeat(32) as ActorId)
    const draft = new Draft({
      actor,
      label: null,
      signer: undefined,
      findOwnCard: async () => 'published',
      nowUnixMs: this.#facts.clock.nowUnixMs(),
      randomBytes: this.#facts.random.bytes,
      view: () => this.view(),
    })
    await plan(draft)
    await new LockGuard(this, false, this.#toldLocks).admit(draft.events)
  }

  /**
   * Writes what a plan drafts as a commit on the present head that no ref names yet, for who has to ask a remote before
   * it may count.
   * @throws {ConflictError} by the policy `require`, when somebody's lock forbids it
   */
  async stage<Result>(
    plan: (draft: Draft) => Promise<Result>,
    { givesWay = false }: StageOptions = {},
  ): Promise<Staged<Result>> {
    const parent = await this.requireSoundHead()
    const { batch, ...planned } = await this.#plan(parent, plan)
    const guard = new LockGuard(this, false, this.#toldLocks)
    const tellPassed = () => guard.tellPassed()
    if (batch === null) return { ...planned, appended: null, objects: [], tellPassed }
    if (!givesWay) await guard.admit(planned.events)
    const { objects, commit: head } = encodeBatch(this.layout.objectFormat, issueCodec, batch, parent)
    await this.git.publish({ objects, updates: [] })
    return { ...planned, appended: { head, parent, batch }, objects, tellPassed }
  }

  /**
   * The head of the log, to go on from. One that cannot be read is replaced by what was there before, if that can be found.
   * @throws {IncompleteLogError} when it cannot
   */
  requireSoundHead(): Promise<Oid | null> {
    return readSoundHead({ git: this.git, ref: walRef, recover: () => this.recoverHead() })
  }

  /** Looks at the log's head anew, and puts the log back where it can be read. */
  async recoverHead(): Promise<View> {
    await this.#closeView()
    this.#view = this.#openJudged(true)
    return this.#view
  }

  /** Makes a staged commit the head of the log. @throws {RefMovedError} when something else was written meanwhile */
  async land({ appended, objects, events, noteCard }: Staged<unknown>): Promise<void> {
    if (appended === null) return
    await this.exclusively(async () => {
      const { head, parent } = appended
      const update = { ref: walRef, expected: parent, next: head, reflogMessage: 'grite: taken by the remote' }
      await this.#noting(
        () => events,
        async () => {
          await this.git.publish({ objects: [], staged: objects, updates: [update] })
          return appended
        },
      )
      await this.#follow(appended, events)
      await noteCard()
    })
  }

  /**
   * Appends a batch that was planned on the state of the open view, as those of an import. What something else wrote
   * meanwhile is left out, so that no event id comes twice on the chain.
   *
   * @param events - those of the batch's records, in their order
   * @returns the new head; null when the log holds all of the events
   */
  async appendBatch(batch: IssueBatch, events: readonly Event[]): Promise<Oid | null> {
    return this.#guarded(false, async (guard) => {
      let fresh = events
      const makeBatch = async (head: Oid | null) => {
        fresh = await this.#eventsNotAt(head, events)
        await guard.admit(fresh)
        if (fresh.length === events.length) return batch
        return fresh.length === 0 ? null : { ...batch, records: fresh.map(encodeRecord) }
      }
      const appended = await this.#noting(
        () => fresh,
        () => append(this.#target(), makeBatch),
      )
      if (appended !== null) {
        await this.#follow(appended, fresh)
        await guard.tellPassed()
      }
      return appended?.head ?? null
    })
  }

  /** All of the events when the open view is at this head: they were planned on it. */
  async #eventsNotAt(head: Oid | null, events: readonly Event[]): Promise<readonly Event[]> {
    if (this.#view !== undefined && (await this.#view).head === head) return events
    await this.#dropStaleView(head)
    const known = await (await this.view()).findKnownEventIds(events.map(({ eventId }) => eventId))
    return events.filter(({ eventId }) => !known.has(eventId))
  }

  /**
   * Heeds locks of others on the whole repository, for who is about to change refs without writing to the log: a push,
   * and the making and deleting of snapshots.
   * @throws {ConflictError} by the policy `require`
   */
  async heedRepositoryLocks(): Promise<void> {
    const guard = new LockGuard(this, false, this.#toldLocks)
    await guard.admit([])
    await guard.tellPassed()
  }

  /** Runs one write with the queue held, and lets it heed and hold locks. */
  async #guarded<Result>(takesLocks: boolean, work: (guard: LockGuard) => Promise<Result>): Promise<Result> {
    const guard = new LockGuard(this, takesLocks, this.#toldLocks)
    this.#guard = guard
    try {
      return await this.exclusively(() => work(guard))
    } finally {
      this.#guard = undefined
      await guard.leave()
    }
  }

  /** Runs several writes with the queue held throughout. Entering again inside is free. */
  async exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const leave = await this.queue.enter()
    try {
      return await work()
    } finally {
      await leave()
    }
  }

  /** Where local writers wait for their turn. Entering again inside is free. */
  get queue(): Queue {
    return {
      enter: async () => {
        if (this.#leaveQueue !== undefined) return async () => {}
        const { appendQueue, permissions } = this.paths
        // Where it cannot be made, the queue is passed by.
        const home = dirname(appendQueue)
        if (!existsSync(home)) await makeFolder(home, permissions).catch(() => {})
        const leave = await lockFileQueue(appendQueue, permissions).enter()
        this.#leaveQueue = leave
        return async () => {
          this.#leaveQueue = undefined
          await leave()
        }
      },
    }
  }

  #target() {
    const { clock, random } = this.#facts
    const alreadyIn: Queue = { enter: async () => async () => {} }
    const jitter = () => (random.bytes(1)[0] as number) / 256
    const recover = () => this.recoverHead()
    return { git: this.git, ref: walRef, codec: issueCodec, queue: alreadyIn, clock, jitter, recover }
  }

  /** A plan must not see a view older than the head it goes on. */
  async #dropStaleView(head: Oid | null): Promise<void> {
    if (this.#view !== undefined && (await this.#view).head !== head) await this.#closeView()
  }

  /**
   * Brings an own commit into an open view, without reading back what was just written. A failure only means that the
   * next reader does it.
   */
  async #follow({ head, parent, batch }: Appended<IssueBatch>, events: readonly Event[]): Promise<void> {
    const view = await this.#view
    if (view === undefined) return
    try {
      if (view.head !== parent) throw new RangeError('the view is not at the parent')
      await view.apply([segmentOfBatch(batch, events, { head, parent, format: this.layout.objectFormat })], head)
      await view.flush()
      await noteOwnMove(this.git, view, { previous: parent, next: head })
    } catch {
      await this.#closeView()
    }
  }

  async #closeView(): Promise<void> {
    const opening = this.#view
    this.#view = undefined
    const view = await opening?.catch(() => undefined)
    if (view === undefined) return
    this.#gaps = view.gaps
    await view.close()
  }

  /** Also after an interrupt: what the write in progress had locked is free again. */
  /** Ends what is being read from the log, before a process that was interrupted closes the repository. */
  stopReading(): void {
    this.git.stopReading()
  }

  async close(): Promise<void> {
    this.#remotes?.close()
    await this.#guard?.leave()
    await this.#closeView()
    this.tellGaps()
    await this.git.close()
  }
}

/** Opens the repository that a directory lies in. @throws {NotFoundError} naming the directory when there is none */
export async function openCommandRepository(facts: RepositoryFacts): Promise<Repository> {
  const layout = await findRepository({ cwd: facts.cwd, env: facts.env })
  return new Repository(layout, await readSharedPermissions(layout, facts.env), facts)
}

export function describeProblem({ commit, objectId, eventId, reason }: LogProblem): string {
  const place = eventId === null ? `object ${objectId ?? commit}` : `event ${eventId}`
  return `${place} in commit ${commit.slice(0, 12)}: ${reason}`
}

function bytesOf({ records }: IssueBatch): number {
  return records.reduce((sum, record) => sum + record.length, 0)
}

function requireBatchFits(batch: IssueBatch): void {
  const { records } = batch
  const field = 'operations'
  if (records.length > limits.batchEventsMax) {
    throw new InvalidArgsError(`one commit holds at most ${limits.batchEventsMax} events, got ${records.length}`, {
      details: { field, events: records.length, events_max: limits.batchEventsMax },
    })
  }
  const bytes = bytesOf(batch)
  if (bytes > limits.batchBytesMax) {
    throw new InvalidArgsError(`the events of one commit have at most ${limits.batchBytesMax} bytes, got ${bytes}`, {
      details: { field, bytes, bytes_max: limits.batchBytesMax },
    })
  }
}
