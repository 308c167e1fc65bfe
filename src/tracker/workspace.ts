/**
 * The state of one request on a repository: its actor, its warnings and its view. State shared by all requests is in
 * `SharedRepository`.
 *
 * Invariants
 * - The calls on a workspace are sequential, like those of one command. Concurrent requests have a workspace each.
 * - A write enters the queue before it reads the view, never after: after waiting in the queue, the view would be stale.
 */
import {
  type GitPort,
  hydrator,
  type Oid,
  openRemotes,
  type PortOptions,
  type RemotePort,
  type RepositoryLayout,
  readGitConfig,
  requirePermanentStore,
  type SharedPermissions,
} from '../git/index.ts'
import { describeForeign, type Event, InvalidArgsError } from '../model/index.ts'
import {
  isCurrent,
  isFileFailure,
  isNotInRows,
  type OpenViewOptions,
  type RebuiltView,
  type RowsUse,
  rebuildView,
  rebuildViewFromSnapshot,
  replaceUnreadableView,
  type View,
} from '../view/index.ts'
import {
  describeGaps,
  detailsOfGaps,
  type Gained,
  type IssueBatch,
  incompleteLog,
  issueLog,
  type LogGaps,
  type LogProblem,
  noGaps,
  type Queue,
  type SyncPoint,
} from '../wal/index.ts'
import type { StreamStore } from '../wal/streams/index.ts'
import type { Clock, Progress, Random, Warning } from './effects.ts'
import { factsOfReceived, judgeNewEvents, type ReceivedEvent } from './identity/received-signatures.ts'
import { type ActorChoice, type ChosenActor, createDefaultActor, findActor } from './local/actors.ts'
import type { GritePaths } from './local/paths.ts'
import { isTimeout, type RepoConfig, readRepoConfig, remoteTimeoutMax } from './local/repo-config.ts'
import { LockGuard } from './locks/lock-guard.ts'
import type { LockMemory } from './locks/lock-memory.ts'
import { openSharedRepository, type SharedRepository } from './shared-repository.ts'
import type { SnapshotUse } from './snapshots/judge-for-use.ts'
import type { SnapshotStanding } from './snapshots/snapshot-trust.ts'
import type { ReadOptions, ViewLease, ViewReader } from './view-lease.ts'
import {
  appendBatch,
  land,
  type Plan,
  rehearse,
  requireSoundHead,
  type Staged,
  type StageOptions,
  stage,
  type WriteOptions,
  type Written,
  write,
} from './writer.ts'
import { nothingWritten, type WrittenEvents } from './written-events.ts'

export type { Plan, Staged, WriteOptions, Written } from './writer.ts'

export interface RequestFacts {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly random: Random
  readonly warn: (warning: Warning) => void
  readonly progress: (label: string) => Progress
  readonly identity: { readonly actor: string | undefined; readonly dataDir: string | undefined }
  /** Whether git may prompt for a password. */
  readonly isInteractive?: boolean
  /**
   * The idempotency key of the request, `<unix ms>-<32 hex>`; the commit's meta.json stores it beside the ids of its events. A write
   * with a key that the log already has is not repeated.
   */
  readonly requestKey?: string | undefined
  /** Whether the request may have been carried out before, as of now. */
  readonly mayBeRepeated?: () => boolean
  /** Records every event written to the log, so that a later failure can report them. */
  readonly written?: WrittenEvents
  /** Whether the request only reads, and mostly what the rows files have. */
  readonly readsRows?: RowsUse | undefined
  /** For tests: hooks into a publish, or a failing disk. */
  readonly gitOptions?: Pick<PortOptions, 'hooks' | 'disk' | 'lockWaitMs'>
  /** For tests: hooks into a sync. */
  readonly atSync?: ((point: SyncPoint) => void | Promise<void>) | undefined
}

/** Problems of the log with a warning each; the rest are counted. */
const problemsToldMax = 5

export class Workspace {
  readonly shared: SharedRepository
  readonly facts: RequestFacts
  /** Events that the request has written to the log. */
  readonly written: WrittenEvents
  #chosen: Promise<ChosenActor | undefined> | undefined
  #config: Promise<RepoConfig> | undefined
  #isJudged = false
  #rowsUse: RowsUse | undefined
  #reader: Promise<ViewReader> | undefined
  /** See `glance`. */
  #glanced: Promise<ViewReader> | undefined
  #turns = 0
  #remotes: RemotePort | undefined
  readonly #toldLocks = new Set<string>()
  /** The guard of the write in progress. */
  #guard: LockGuard | undefined
  /** Gaps in the log as of the last read of the view. */
  #gaps: LogGaps = noGaps
  #toldGaps = false
  #problemCount = 0
  #writeCount = 0

  constructor(shared: SharedRepository, facts: RequestFacts) {
    this.shared = shared
    this.facts = facts
    this.written = facts.written ?? nothingWritten()
    this.#rowsUse = facts.readsRows
  }

  get layout(): RepositoryLayout {
    return this.shared.layout
  }

  get git(): GitPort {
    return this.shared.git
  }

  get paths(): GritePaths {
    return this.shared.paths
  }

  /** The record streams of the repository. */
  streams(): Promise<StreamStore> {
    return this.shared.streams(this.facts)
  }

  get lockMemory(): LockMemory {
    return this.shared.lockMemory
  }

  get atSync(): RequestFacts['atSync'] {
    return this.facts.atSync
  }

  /** The date for a commit of this request, in the time zone of the caller. */
  now(): { readonly nowUnixMs: number; readonly offsetMinutes: number } {
    const { clock } = this.facts
    const nowUnixMs = clock.nowUnixMs()
    return { nowUnixMs, offsetMinutes: clock.offsetMinutesAt?.(nowUnixMs) ?? 0 }
  }

  /** The remotes, accessed through the user's git. */
  get remotes(): RemotePort {
    const { isInteractive = false } = this.facts
    const silenceSecondsMax = () => this.#remoteTimeout()
    this.#remotes ??= openRemotes(this.git, { isInteractive, silenceSecondsMax, permissions: this.paths.permissions })
    return this.#remotes
  }

  /** @throws {InvalidArgsError} when the environment variable is not a number of seconds */
  async #remoteTimeout(): Promise<number> {
    const { GRITE_REMOTE_TIMEOUT: said = '' } = this.facts.env
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
    const { identity, env } = this.facts
    return { dataDir: identity.dataDir ?? env.GRITE_HOME, actor: identity.actor ?? env.GRITE_ACTOR }
  }

  /** The current actor; undefined when none exists yet. Creates nothing. */
  async findActor(): Promise<ChosenActor | undefined> {
    const choosing = this.#chosen ?? this.readActor()
    this.#chosen = choosing
    const chosen = await choosing
    // Do not cache: another process may create one while this request waits for its turn.
    if (chosen === undefined && this.#chosen === choosing) {
      this.#chosen = undefined
      this.#config = undefined
    }
    return chosen
  }

  protected readActor(): Promise<ChosenActor | undefined> {
    return findActor(this.paths, this.actorChoice, () => this.config())
  }

  /** The current actor; the first write in a repository creates one. */
  async requireActor(): Promise<ChosenActor> {
    const known = await this.findActor()
    if (known !== undefined) return known
    // Validate first, so that a refused write does not leave an actor behind.
    requirePermanentStore(this.layout, this.facts.env)
    const created = createDefaultActor(this.paths, await this.newActorFacts(null, false))
    this.#chosen = created
    return created
  }

  /** Drops the cached actor and its view, after actors changed. */
  async forgetActor(): Promise<void> {
    this.#chosen = undefined
    this.#config = undefined
    await this.closeView()
  }

  /** The settings of this clone, read once. */
  config(): Promise<RepoConfig> {
    this.#config ??= this.readConfig()
    return this.#config
  }

  protected readConfig(): Promise<RepoConfig> {
    return readRepoConfig(this.paths.config)
  }

  /** Settings for a new actor; its default label is the user name of git. */
  async newActorFacts(label: string | null, generateKey: boolean) {
    const { random, clock } = this.facts
    return {
      label: label ?? (await readGitConfig(this.layout, this.facts.env, 'user.name')),
      generateKey,
      randomBytes: random.bytes,
      nowUnixMs: clock.nowUnixMs(),
    }
  }

  // --- reading ----------------------------------------------------------------------------------------------------

  /** The view as of the first call of this request, or since its last `dropStaleView`, `refresh` or write. */
  async view(): Promise<View> {
    this.#reader ??= this.#readJudged()
    return (await this.#reader).view
  }

  /**
   * A view at the present head for facts about it as a whole: counts, gaps and metadata. Reading issues through it may
   * fail. Costs little when nothing has changed, because LevelDB stays closed then.
   */
  async glance(): Promise<View> {
    const known = (await (this.#reader ?? this.#glanced))?.view
    if (known !== undefined && (await isCurrent({ git: this.git, stream: issueLog, view: known }))) return known
    await this.#leaveView()
    this.#glanced = this.#readJudged({ rowsUse: 'lists' })
    return (await this.#glanced).view
  }

  /** The open view of this request, or undefined. */
  async openedView(): Promise<View | undefined> {
    return (await this.#reader)?.view
  }

  /** Skips the signature check of events that a sync has checked or this process has written. */
  takeAsJudged(): void {
    this.#isJudged = true
  }

  /**
   * Reads the view. If configured, warns once of bad signatures on events fetched by plain git.
   *
   * @param how - whether to verify the head of the log even if the view is at it, and what is known of the log
   */
  async #readJudged(how: Pick<ReadOptions, 'doubtsHead' | 'gained' | 'rowsUse'> = {}): Promise<ViewReader> {
    const received: ReceivedEvent[] = []
    const isWanted = !this.#isJudged && (await this.config()).verifySignatures !== 'off'
    const onNewEvents = (events: readonly Event[]) => {
      for (const event of events) received.push(factsOfReceived(event))
    }
    const reader = await this.#withOptions((options, lease) =>
      lease.read({ ...options, rowsUse: this.#rowsUse, ...how, ...(isWanted ? { onNewEvents } : {}) }),
    )
    const warning = received.length === 0 ? undefined : await judgeNewEvents(this, reader.view, received)
    if (warning !== undefined) this.facts.warn(warning)
    return reader
  }

  /** A plan must not see a view older than the head it builds on. */
  async dropStaleView(head: Oid | null): Promise<void> {
    if (this.#reader !== undefined && (await this.#reader).view.head !== head) await this.#leaveView()
  }

  /** Closes the view so that we don't hold its lock while waiting. The next read opens it at the head of that time. */
  async closeView(): Promise<void> {
    await this.#leaveView()
    // No other request of this process needs it soon.
    if (this.shared.viewIdleMs === null) await this.shared.closeIdleViews()
  }

  /** Rebuilds the view from the log. */
  async rebuild(): Promise<View> {
    await this.#leaveView()
    this.#reader = this.#withOptions((options, lease) =>
      lease.replace(async (present) => ({ view: await rebuildView(options, present) })),
    )
    return this.view()
  }

  /** Replaces the view after a failed read. @throws the failure itself when the files of the view did not cause it */
  async replaceUnreadableView(failure: unknown): Promise<void> {
    if (isNotInRows(failure)) {
      this.#rowsUse = undefined
      await this.#leaveView()
      return
    }
    if (!isFileFailure(failure)) throw failure
    // The request starts over.
    if (this.written.eventCount === 0) this.#writeCount = 0
    // Closing may fail on the same files again.
    await this.#leaveView().catch(() => {})
    this.#reader = this.#withOptions((options, lease) =>
      lease.replace(async (present) => ({ view: await replaceUnreadableView(options, failure, present) })),
    )
    await this.#reader
  }

  /**
   * The view at the current head, after a sync.
   *
   * @param gained - events that the sync has read; used when the view is at the head they start from
   */
  async refresh(gained: Gained | null): Promise<View> {
    await this.#leaveView()
    this.#reader = this.#readJudged(gained === null ? {} : { gained })
    return this.view()
  }

  /** Applies new events to the shared view, if it is open and at `parent`. */
  async followWith(parent: Oid | null, apply: (view: View) => Promise<void>): Promise<void> {
    await (await this.#lease()).follow(parent, apply)
    await this.#leaveView()
  }

  /** Changes the notes that the view keeps beside the log. */
  async changeView<Result>(work: (view: View) => Promise<Result>): Promise<Result> {
    await this.#leaveView()
    const noting = async (view: View): Promise<Result> => {
      const result = await work(view)
      this.#gaps = view.gaps
      return result
    }
    return this.#withOptions((options, lease) => lease.change(options, noting))
  }

  /** Like `rebuild`, starting from the newest usable snapshot. */
  async rebuildFromSnapshot(options: SnapshotUse = {}): Promise<RebuiltView<SnapshotStanding>> {
    await this.#leaveView()
    const { judgeForUse } = await import('./snapshots/judge-for-use.ts')
    const judge = judgeForUse(this, options)
    const rebuilt = await this.#withOptions((viewOptions, lease) =>
      lease.replace((present) => rebuildViewFromSnapshot(viewOptions, judge, present)),
    )
    this.#reader = Promise.resolve(rebuilt)
    return rebuilt
  }

  /** Verifies the head of the log, and restores an earlier one if it is unreadable. */
  async recoverHead(): Promise<View> {
    await this.#leaveView()
    this.#reader = this.#readJudged({ doubtsHead: true })
    return this.view()
  }

  async #leaveView(): Promise<void> {
    const readings = [this.#glanced, this.#reader]
    this.#glanced = undefined
    this.#reader = undefined
    for (const reading of readings) {
      const reader = await reading?.catch(() => undefined)
      if (reader === undefined) continue
      this.#gaps = reader.view.gaps
      await reader.release()
    }
  }

  /** Where the view is on disk, with the files of what was copied from it. */
  async viewPlace(): Promise<{ readonly folder: string; readonly permissions: SharedPermissions }> {
    return { folder: this.paths.viewLevels((await this.findActor())?.actor.id), permissions: this.paths.permissions }
  }

  async #lease(): Promise<ViewLease> {
    return this.shared.lease(this.paths.viewLevels((await this.findActor())?.actor.id))
  }

  async #withOptions<Result>(work: (options: OpenViewOptions, lease: ViewLease) => Promise<Result>): Promise<Result> {
    const progress = this.facts.progress('Reading the log')
    try {
      return await work(
        {
          git: this.git,
          stream: issueLog,
          directory: this.paths.viewLevels((await this.findActor())?.actor.id),
          permissions: this.paths.permissions,
          clock: this.facts.clock,
          report: (problem) => this.#reportProblem(problem),
          warn: (code, message, details) => this.facts.warn({ code, message, ...(details && { details }) }),
          progress: (done) => progress.report(done, null),
          hydrate: hydrator(this),
          onLocked: () => this.#askToYield(),
          // Under `reject`, a fetched head may have been refused because of its signatures; leave it to a sync.
          trustsRemotes: (await this.config()).verifySignatures !== 'reject',
          // A process that serves many requests would write the files after most of them.
          keepsRows: this.shared.viewIdleMs === null,
        },
        await this.#lease(),
      )
    } finally {
      progress.end()
    }
  }

  /** Asks the daemon, which may have the view open, to leave it to this process. */
  async #askToYield(): Promise<void> {
    const { askDaemonToYield } = await import('./ask-daemon-to-yield.ts')
    await askDaemonToYield(this.paths, this.paths.viewLevels((await this.findActor())?.actor.id))
  }

  /**
   * Warns once that results come from an incomplete log. Usually called on close, because a sync may have fetched the
   * missing parts by then.
   */
  tellGaps(): void {
    if (this.#toldGaps || this.#gaps.count === 0) return
    this.#toldGaps = true
    this.facts.warn({
      code: 'log-incomplete',
      message: `the log ${describeGaps(this.#gaps)}; issues and changes may be missing; run \`grite sync\` to fetch them from a remote that has them`,
      details: detailsOfGaps(this.#gaps),
    })
  }

  /**
   * For commands whose result would be wrong with an incomplete log.
   *
   * @param consequence - what the command did not do because of it
   * @throws {IncompleteLogError}
   */
  async requireWholeLog(consequence: string): Promise<void> {
    const { gaps } = await this.view()
    if (gaps.count > 0) throw incompleteLog(consequence, gaps)
  }

  #reportProblem(problem: LogProblem): void {
    // Reported with every result, not only on the first encounter.
    if (problem.gap !== undefined) return
    this.#problemCount += 1
    if (this.#problemCount > problemsToldMax) {
      if (this.#problemCount === problemsToldMax + 1) {
        this.facts.warn({
          code: 'log-problem',
          message: 'more of the log is damaged; `grite db check` lists it',
        })
      }
      return
    }
    this.facts.warn({ code: 'log-problem', message: describeProblem(problem), details: { ...problem } })
  }

  // --- writing ----------------------------------------------------------------------------------------------------

  /** Appends the events that a plan drafts, atomically. */
  write<Result>(plan: Plan<Result>, options: WriteOptions = {}): Promise<Written<Result>> {
    return write(this, plan, options)
  }

  /** As in `writer.ts`. */
  rehearse(plan: Plan<unknown>): Promise<void> {
    return rehearse(this, plan)
  }

  /** As in `writer.ts`. */
  stage<Result>(plan: Plan<Result>, options: StageOptions = {}): Promise<Staged<Result>> {
    return stage(this, plan, options)
  }

  /** As in `writer.ts`. */
  land(staged: Staged<unknown>): Promise<void> {
    return land(this, staged)
  }

  /** As in `writer.ts`. */
  appendBatch(batch: IssueBatch, events: readonly Event[]): Promise<Oid | null> {
    return appendBatch(this, batch, events)
  }

  /** As in `writer.ts`. */
  requireSoundHead(): Promise<Oid | null> {
    return requireSoundHead(this)
  }

  /**
   * Checks repository-wide locks before changing refs without appending: before a push, and before creating or deleting
   * snapshots.
   * @throws {ConflictError} under the policy `require`
   */
  async checkRepositoryLocks(): Promise<void> {
    const guard = this.guard(false)
    await guard.admit([])
    await guard.tellPassed()
  }

  /** @param takesLocks - whether to lock the issues during the write */
  guard(takesLocks: boolean): LockGuard {
    return new LockGuard(this, takesLocks, this.#toldLocks)
  }

  /** Runs one write under a lock guard. */
  async guarded<Result>(takesLocks: boolean, work: (guard: LockGuard) => Promise<Result>): Promise<Result> {
    const guard = this.guard(takesLocks)
    this.#guard = guard
    try {
      return await work(guard)
    } finally {
      this.#guard = undefined
      await guard.leave()
    }
  }

  /** Whether this request holds the turn in the queue. */
  get hasTurn(): boolean {
    return this.#turns > 0
  }

  /** Marks that this request holds the turn; the returned function ends it. */
  takeTurn(): () => void {
    this.#turns += 1
    return () => {
      this.#turns -= 1
    }
  }

  /** Runs several writes in one turn, without other writers in between. Reentrant. */
  async exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const leave = await this.queue.enter()
    try {
      return await work()
    } finally {
      await leave()
    }
  }

  /** The key of the next write; a request that writes several times has one for each. Null without a key. */
  nextRequestKey(): string | null {
    const { requestKey } = this.facts
    if (requestKey === undefined) return null
    this.#writeCount += 1
    return this.#writeCount === 1 ? requestKey : `${requestKey}-${this.#writeCount}`
  }

  /** The queue of writers. Reentrant. */
  get queue(): Queue {
    return {
      enter: async () => {
        if (this.hasTurn) return async () => {}
        const passOn = await this.shared.writes.enter()
        const leave = this.takeTurn()
        return async () => {
          leave()
          await passOn()
        }
      },
    }
  }

  /** Stops reads of the log, before an interrupted process closes the repository. */
  stopReading(): void {
    this.git.stopReading()
  }

  /** Also used after an interrupt: releases the locks of the write in progress. The shared part stays open. */
  async close(): Promise<void> {
    this.#remotes?.close()
    await this.#guard?.leave()
    await this.#leaveView()
    this.tellGaps()
  }
}

/** A workspace that owns its repository and closes it, for a process that runs one command. */
class SoleWorkspace extends Workspace {
  override async close(): Promise<void> {
    await super.close()
    await this.shared.close()
  }
}

/** Opens the repository that contains a directory. @throws {NotFoundError} naming the directory when there is none */
export async function openWorkspace(facts: RequestFacts): Promise<Workspace> {
  const { env, warn, gitOptions } = facts
  const options = { env, warn, viewIdleMs: null, ...(gitOptions === undefined ? {} : { gitOptions }) }
  return new SoleWorkspace(await openSharedRepository(facts.cwd, options), facts)
}

export function describeProblem({ commit, objectId, eventId, reason }: LogProblem): string {
  const place = eventId === null ? `object ${objectId ?? commit}` : `event ${eventId}`
  return `${place} in commit ${commit.slice(0, 12)}: ${reason}`
}
