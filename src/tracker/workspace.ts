/**
 * A repository as one request uses it: who asks, who is told, and what of the view the request reads. What requests share
 * lies in `SharedRepository`.
 *
 * Invariants
 * - The calls of a workspace follow each other, as those of one command do. Requests that run at the same time have a
 *   workspace each.
 * - A turn in the queue of writes is taken before the view is read for a write, never after: a reader that waited for the
 *   queue would show its plan a state of before.
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
} from '../git/index.ts'
import { describeForeign, type Event, InvalidArgsError } from '../model/index.ts'
import {
  isFileFailure,
  type OpenViewOptions,
  type RebuiltView,
  rebuildView,
  rebuildViewFromSnapshot,
  replaceUnreadableView,
  type View,
} from '../view/index.ts'
import {
  describeGaps,
  detailsOfGaps,
  type Gained,
  GapTally,
  type IssueBatch,
  incompleteLog,
  issueLog,
  type LogGaps,
  type LogProblem,
  noGaps,
  type Queue,
  type SyncPoint,
} from '../wal/index.ts'
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
import type { ViewLease, ViewReader } from './view-lease.ts'
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
  /** Whether git may ask somebody for a password. */
  readonly isInteractive?: boolean
  /** The idempotency key that came with the request; the commit's meta.json keeps it beside the ids of its events. */
  readonly requestKey?: string | undefined
  /** Told of every event that the log takes, so that a later failure can say what was written. */
  readonly written?: WrittenEvents
  /** For tests: moments of a publish, or a disk that fails. */
  readonly gitOptions?: Pick<PortOptions, 'hooks' | 'disk' | 'lockWaitMs'>
  /** For tests: moments of a sync. */
  readonly atSync?: ((point: SyncPoint) => void | Promise<void>) | undefined
}

/** Problems of the log that are told one by one; the rest is counted. */
const problemsToldMax = 5

export class Workspace {
  readonly shared: SharedRepository
  readonly facts: RequestFacts
  /** What the request has put into the log. */
  readonly written: WrittenEvents
  #chosen: Promise<ChosenActor | undefined> | undefined
  #config: Promise<RepoConfig> | undefined
  #isJudged = false
  #reader: Promise<ViewReader> | undefined
  #turns = 0
  #remotes: RemotePort | undefined
  readonly #toldLocks = new Set<string>()
  /** Of the write that is going on. */
  #guard: LockGuard | undefined
  /** What the log lacked when the view was last looked at. */
  #gaps: LogGaps = noGaps
  #toldGaps = false
  #problemCount = 0

  constructor(shared: SharedRepository, facts: RequestFacts) {
    this.shared = shared
    this.facts = facts
    this.written = facts.written ?? nothingWritten()
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

  get lockMemory(): LockMemory {
    return this.shared.lockMemory
  }

  get atSync(): RequestFacts['atSync'] {
    return this.facts.atSync
  }

  /** The moment that a commit of this request is dated with, where the request comes from. */
  now(): { readonly nowUnixMs: number; readonly offsetMinutes: number } {
    const { clock } = this.facts
    const nowUnixMs = clock.nowUnixMs()
    return { nowUnixMs, offsetMinutes: clock.offsetMinutesAt?.(nowUnixMs) ?? 0 }
  }

  /** The remotes, through the user's git. */
  get remotes(): RemotePort {
    const { isInteractive = false } = this.facts
    const silenceSecondsMax = () => this.#remoteTimeout()
    this.#remotes ??= openRemotes(this.git, { isInteractive, silenceSecondsMax, permissions: this.paths.permissions })
    return this.#remotes
  }

  /** @throws {InvalidArgsError} when the environment says no number of seconds */
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

  /** Who writes; undefined when no actor exists yet. Creates nothing. */
  async findActor(): Promise<ChosenActor | undefined> {
    const choosing = this.#chosen ?? findActor(this.paths, this.actorChoice)
    this.#chosen = choosing
    const chosen = await choosing
    // Somebody may make one while this request waits for its turn.
    if (chosen === undefined && this.#chosen === choosing) this.#chosen = undefined
    return chosen
  }

  /** Who writes; the first write of a repository makes an actor. */
  async requireActor(): Promise<ChosenActor> {
    const known = await this.findActor()
    if (known !== undefined) return known
    // Else the refusal of the write would leave an actor behind.
    requirePermanentStore(this.layout, this.facts.env)
    const created = createDefaultActor(this.paths, await this.newActorFacts(null, false))
    this.#chosen = created
    return created
  }

  /** Forgets who writes and the view that goes with it, after actors changed. */
  async forgetActor(): Promise<void> {
    this.#chosen = undefined
    this.#config = undefined
    await this.letGoOfView()
  }

  /** The settings of this clone, read once. */
  config(): Promise<RepoConfig> {
    this.#config ??= readRepoConfig(this.paths.config)
    return this.#config
  }

  /** What a new actor is made from; without a label it is called what git calls the user. */
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

  /** The log as it was when this request first asked, or after `dropStaleView`, `refresh` or a write of its own. */
  async view(): Promise<View> {
    this.#reader ??= this.#readJudged()
    return (await this.#reader).view
  }

  /** The view that this request reads; undefined when it reads none. */
  async openedView(): Promise<View | undefined> {
    return (await this.#reader)?.view
  }

  /** What a sync has judged, or what was written here, is not judged again when the view meets it. */
  takeAsJudged(): void {
    this.#isJudged = true
  }

  /**
   * Reads the view, and tells once what is wrong with signatures that plain git has brought in, where that is wanted.
   *
   * @param doubtsHead - whether the log's head is looked at even where the view is at it
   */
  async #readJudged(doubtsHead = false): Promise<ViewReader> {
    const received: ReceivedEvent[] = []
    const isWanted = !this.#isJudged && (await this.config()).verifySignatures !== 'off'
    const onNewEvents = (events: readonly Event[]) => {
      for (const event of events) received.push(factsOfReceived(event))
    }
    const reader = await this.#withOptions((options, lease) =>
      lease.read({ ...options, doubtsHead, ...(isWanted ? { onNewEvents } : {}) }),
    )
    const warning = await judgeNewEvents(this, reader.view, received)
    if (warning !== undefined) this.facts.warn(warning)
    return reader
  }

  /** A plan must not see a view older than the head it goes on. */
  async dropStaleView(head: Oid | null): Promise<void> {
    if (this.#reader !== undefined && (await this.#reader).view.head !== head) await this.#leaveView()
  }

  /** Lets go of the view, for a command that has read and is about to wait. The next one to ask reads it as it is then. */
  async letGoOfView(): Promise<void> {
    await this.#leaveView()
    // Nobody else of this process is going to read it soon.
    if (this.shared.viewIdleMs === null) await this.shared.letGoOfViews()
  }

  /** Rebuilds the view from the log. */
  async rebuild(): Promise<View> {
    await this.#leaveView()
    this.#reader = this.#withOptions((options, lease) =>
      lease.replace(async (present) => ({ view: await rebuildView(options, present) })),
    )
    return this.view()
  }

  /** Replaces the view after a read of it has failed. @throws the failure, when it is none of the view's files */
  async replaceUnreadableView(failure: unknown): Promise<void> {
    if (!isFileFailure(failure)) throw failure
    // It may fail at its files once more.
    await this.#leaveView().catch(() => {})
    this.#reader = this.#withOptions((options, lease) =>
      lease.replace(async (present) => ({ view: await replaceUnreadableView(options, failure, present) })),
    )
    await this.#reader
  }

  /**
   * The view at the log as it is now, after a sync.
   *
   * @param gained - what a join read anyway; used when the view stands where it begins
   */
  async refresh(gained: Gained | null): Promise<View> {
    await this.#leaveView()
    if (gained !== null && gained.from !== gained.to) {
      await this.followWith(gained.from, async (view) => {
        const tally = new GapTally()
        for (const { problems } of gained.segments) {
          for (const problem of problems) this.#reportProblem(problem)
          tally.take(problems)
        }
        await view.noteGaps(tally)
        await view.apply(gained.segments, gained.to, 'join')
      })
    }
    return this.view()
  }

  /** Applies what the log has gained to the shared view, if it is open and stands at `parent`. */
  async followWith(parent: Oid | null, apply: (view: View) => Promise<void>): Promise<void> {
    await (await this.#lease()).follow(parent, apply)
    await this.#leaveView()
  }

  /** Changes what the view notes beside the log. */
  async changeView<Result>(work: (view: View) => Promise<Result>): Promise<Result> {
    await this.#leaveView()
    const noting = async (view: View): Promise<Result> => {
      const result = await work(view)
      this.#gaps = view.gaps
      return result
    }
    return this.#withOptions((options, lease) => lease.change(options, noting))
  }

  /** As `rebuild`, from the newest usable snapshot on. */
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

  /** Looks at the log's head again, and puts the log back where it can be read. */
  async recoverHead(): Promise<View> {
    await this.#leaveView()
    this.#reader = this.#readJudged(true)
    return this.view()
  }

  async #leaveView(): Promise<void> {
    const reading = this.#reader
    this.#reader = undefined
    const reader = await reading?.catch(() => undefined)
    if (reader === undefined) return
    this.#gaps = reader.view.gaps
    await reader.release()
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
          // Where signatures decide, what a fetch has left was perhaps refused; a sync judges it.
          trustsRemotes: (await this.config()).verifySignatures !== 'reject',
        },
        await this.#lease(),
      )
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
    this.facts.warn({
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

  /** Appends what a plan drafts, all or nothing. */
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
   * Respects locks of others on the whole repository, for a command that is about to change refs without writing to the log:
   * a push, and the making and deleting of snapshots.
   * @throws {ConflictError} by the policy `require`
   */
  async respectRepositoryLocks(): Promise<void> {
    const guard = this.guard(false)
    await guard.admit([])
    await guard.tellPassed()
  }

  /** @param takesLocks - whether the issues of the write are locked for it */
  guard(takesLocks: boolean): LockGuard {
    return new LockGuard(this, takesLocks, this.#toldLocks)
  }

  /** Runs one write, and lets it respect and hold locks. */
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

  /** Whether nobody else writes until this request says so. */
  get hasTurn(): boolean {
    return this.#turns > 0
  }

  /** Notes that this request has the turn; the result ends it. */
  takeTurn(): () => void {
    this.#turns += 1
    return () => {
      this.#turns -= 1
    }
  }

  /** Runs several writes with nobody else writing throughout. Entering again inside is free. */
  async exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const leave = await this.queue.enter()
    try {
      return await work()
    } finally {
      await leave()
    }
  }

  /** Where writers wait for their turn. Entering again inside is free. */
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

  /** Ends what is being read from the log, before a process that was interrupted closes the repository. */
  stopReading(): void {
    this.git.stopReading()
  }

  /** Also after an interrupt: what the write in progress had locked is free again. The shared part stays open. */
  async close(): Promise<void> {
    this.#remotes?.close()
    await this.#guard?.leave()
    await this.#leaveView()
    this.tellGaps()
  }
}

/** A workspace that has a repository to itself, and closes it with itself: for a process that lives for one command. */
class SoleWorkspace extends Workspace {
  override async close(): Promise<void> {
    await super.close()
    await this.shared.close()
  }
}

/** Opens the repository that a directory lies in. @throws {NotFoundError} naming the directory when there is none */
export async function openWorkspace(facts: RequestFacts): Promise<Workspace> {
  const { env, warn, gitOptions } = facts
  const options = { env, warn, viewIdleMs: null, ...(gitOptions === undefined ? {} : { gitOptions }) }
  return new SoleWorkspace(await openSharedRepository(facts.cwd, options), facts)
}

export function describeProblem({ commit, objectId, eventId, reason }: LogProblem): string {
  const place = eventId === null ? `object ${objectId ?? commit}` : `event ${eventId}`
  return `${place} in commit ${commit.slice(0, 12)}: ${reason}`
}
