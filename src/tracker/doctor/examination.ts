/**
 * The inputs of the checks, each loaded on first use: a fold of the log in a separate view, and a copy of the stored view.
 * Nothing here changes the repository.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { Oid } from '../../git/index.ts'
import { computeEventId, type Event, GriteError, limits, StorageError } from '../../model/index.ts'
import {
  type CatchUpOutcome,
  type CopiedView,
  catchUpCopy,
  foldBeside,
  openCopyOfView,
  type View,
} from '../../view/index.ts'
import {
  findFormerHead,
  GapTally,
  type IssueSegment,
  issueLog,
  type LogGaps,
  type LogProblem,
  walRef,
} from '../../wal/index.ts'
import type { StreamsInspection } from '../../wal/streams/index.ts'
import type { CommandContext } from '../effects.ts'
import { type RepoConfig, readRepoConfig } from '../local/repo-config.ts'
import { ProblemTally } from '../problem-tally.ts'
import { inspectStreamsOf } from '../streams/inspect.ts'
import { findUnreadRefs, type UnreadRef } from '../sync/complete-log.ts'
import type { Workspace } from '../workspace.ts'
import { idsListedMax } from './check.ts'

/** A larger view is not copied: rebuilding it is cheaper than checking it. */
const viewBytesMax = 1024 * 1024 * 1024
/** An event further ahead of the clock than this was dated by a wrong clock (design §4). */
const futureMs = 24 * 3_600_000
const problemsKeptMax = 100

/** The complete log. */
export interface LogFacts {
  readonly head: Oid | null
  /** A view with exactly these events. */
  readonly view: View
  readonly eventCount: number
  /** Copies of events beyond the first one of each. */
  readonly repeatCount: number
  readonly problems: readonly LogProblem[]
  readonly problemCount: number
  readonly damagedCount: number
  /** Not included in the problems. */
  readonly gaps: LogGaps
  readonly futureEvents: readonly Event[]
  readonly futureCount: number
}

/** The target of the log's ref. */
export type LogHead =
  | { readonly head: Oid | null; readonly problem: null }
  /**
   * `named`: the target of the ref, which is not a readable commit; null if the ref itself is broken. `isUnread`: the
   * target may be a commit in another clone.
   */
  | { readonly head: null; readonly problem: string; readonly named: Oid | null; readonly isUnread: boolean }

/** A copy of the stored view, caught up to the head of the log where that is possible without changing the log. */
export type StoredView =
  | Exclude<CopiedView, { readonly kind: 'view' }>
  | { readonly kind: 'view'; readonly view: View; readonly outcome: CatchUpOutcome; readonly headBefore: string | null }

export class Examination {
  readonly context: CommandContext
  readonly repository: Workspace
  #temporary: string | undefined
  #head: Promise<LogHead> | undefined
  #log: Promise<LogFacts | null> | undefined
  #stored: Promise<StoredView> | undefined
  #foldOutcome: Promise<CatchUpOutcome | null> | undefined
  #viewProblem: Promise<string | null> | undefined
  #former: Promise<Oid | undefined> | undefined
  #unreadRefs: Promise<readonly UnreadRef[]> | undefined
  #streams: Promise<StreamsInspection> | undefined
  readonly #forget = () => this.#removeTemporary()

  constructor(context: CommandContext, repository: Workspace) {
    this.context = context
    this.repository = repository
    context.interrupted.addEventListener('abort', this.#forget)
  }

  get nowUnixMs(): number {
    return this.context.clock.nowUnixMs()
  }

  logHead(): Promise<LogHead> {
    this.#head ??= this.#readHead()
    return this.#head
  }

  /** Null when the ref does not lead to a log; the check of the ref reports why. */
  log(): Promise<LogFacts | null> {
    this.#log ??= this.#readLog()
    return this.#log
  }

  storedView(): Promise<StoredView> {
    this.#stored ??= this.#copyView()
    return this.#stored
  }

  /** The problem with the events in the stored view; null when all verify, or there is no view to check. */
  viewProblem(): Promise<string | null> {
    this.#viewProblem ??= this.#verifyView()
    return this.#viewProblem
  }

  async #verifyView(): Promise<string | null> {
    const stored = await this.storedView()
    if (stored.kind !== 'view') return null
    try {
      let counted = 0
      for await (const event of stored.view.allEvents()) {
        if (computeEventId(event) !== event.eventId) return `event ${event.eventId} does not match its id`
        counted += 1
      }
      const { eventCount } = stored.view
      return counted === eventCount ? null : `its event count is ${eventCount}, but it holds ${counted}`
    } catch (error) {
      return (error as Error).message
    }
  }

  /** Null when the settings cannot be read; their check reports why. */
  async config(): Promise<RepoConfig | null> {
    return readRepoConfig(this.repository.paths.config).catch((error: unknown) => {
      if (error instanceof GriteError) return null
      throw error
    })
  }

  /** Whether the view or the reflog of the ref has events that the log has lost. */
  async hasLost(): Promise<boolean> {
    const stored = await this.storedView()
    if (stored.kind === 'view') return stored.outcome === 'read-only'
    this.#foldOutcome ??= this.log().then((log) => log && catchUpCopy(this.repository.git, issueLog, log.view))
    return (await this.#foldOutcome) === 'read-only'
  }

  /** Number of events in the stored view that are not in the log, which is damaged or unreadable. */
  async eventsOnlyInView(): Promise<number> {
    const [log, stored] = [await this.log(), await this.storedView()]
    const isWhole = log !== null && log.damagedCount + log.gaps.count === 0
    if (stored.kind !== 'view' || isWhole || (await this.viewProblem()) !== null) return 0
    let only = 0
    for await (const { eventId } of stored.view.allEvents()) {
      if (log === null || (await log.view.findKnownEventIds([eventId])).size === 0) only += 1
    }
    return only
  }

  async #readHead(): Promise<LogHead> {
    const { git } = this.repository
    let named: Oid | null = null
    try {
      named = await git.readRef(walRef)
      if (named === null) return { head: null, problem: null }
      const object = await git.readObject(named, limits.chunkReadBytesMax)
      if (object?.type === 'commit') return { head: named, problem: null }
      const what = object === null ? 'an object that is missing here' : `a ${object.type}`
      return { head: null, problem: `${walRef} points to ${what}: ${named}`, named, isUnread: object === null }
    } catch (error) {
      if (!(error instanceof GriteError)) throw error
      const problem = named === null ? error.message : `${walRef} points to an unreadable object: ${named}`
      return { head: null, problem, named, isUnread: named !== null }
    }
  }

  /** Whether a ref with an unreadable target can be restored to an earlier head of the log. */
  async canRecover(): Promise<boolean> {
    const { problem, ...found } = await this.logHead()
    if (problem === null || !('named' in found) || !found.isUnread) return false
    this.#former ??= findFormerHead(this.repository.git, walRef)
    if ((await this.#former) !== undefined) return true
    const stored = await this.storedView()
    return stored.kind === 'view' && stored.outcome === 'read-only'
  }

  /** Whether the content of the ref is neither an object id nor the name of another ref. */
  async isRefDamaged(): Promise<boolean> {
    const { problem, ...found } = await this.logHead()
    return problem !== null && 'named' in found && found.named === null
  }

  /** Refs other than the log's that point to unreadable objects. */
  unreadRefs(): Promise<readonly UnreadRef[]> {
    this.#unreadRefs ??= findUnreadRefs(this.repository)
    return this.#unreadRefs
  }

  streams(): Promise<StreamsInspection> {
    this.#streams ??= inspectStreamsOf(this.repository.shared)
    return this.#streams
  }

  async #readLog(): Promise<LogFacts | null> {
    const { head, problem } = await this.logHead()
    if (problem !== null) return null
    const tally = new LogTally(this.nowUnixMs + futureMs)
    const progress = this.context.progress('Reading the log')
    try {
      const view = await foldBeside(this.repository.git, issueLog, {
        head,
        into: join(this.#folder(), 'fold'),
        inspect: (segments) => progress.report(tally.take(segments), null),
      })
      return { head, view, ...tally.facts(), repeatCount: tally.eventCount - view.eventCount }
    } finally {
      progress.end()
    }
  }

  async #copyView(): Promise<StoredView> {
    const { repository } = this
    const actor = await repository.findActor().catch(() => undefined)
    const copied = await openCopyOfView({
      level: repository.paths.viewLevels(actor?.actor.id),
      into: join(this.#folder(), 'copy'),
      bytesMax: viewBytesMax,
    })
    if (copied.kind !== 'view') return copied
    const { view } = copied
    const headBefore = view.head
    const found = await this.logHead()
    if (found.problem !== null && found.named === null) return { kind: 'view', view, outcome: 'current', headBefore }
    try {
      return { kind: 'view', view, outcome: await catchUpCopy(repository.git, issueLog, view), headBefore }
    } catch (error) {
      await view.close().catch(() => {})
      return { kind: 'unreadable', reason: (error as Error).message }
    }
  }

  /** Creates the folder that most checks need, so that a failure is reported only once. @throws {StorageError} */
  requireTemporaryFolder(): void {
    this.#folder()
  }

  #folder(): string {
    this.#temporary ??= makeTemporaryFolder(this.context.env.TMPDIR)
    return this.#temporary
  }

  #removeTemporary(): void {
    if (this.#temporary !== undefined) rmSync(this.#temporary, { recursive: true, force: true, maxRetries: 3 })
    this.#temporary = undefined
  }

  async close(): Promise<void> {
    this.context.interrupted.removeEventListener('abort', this.#forget)
    const [log, stored] = await Promise.all([this.#log?.catch(() => null), this.#stored?.catch(() => undefined)])
    await log?.view.close().catch(() => {})
    if (stored?.kind === 'view') await stored.view.close().catch(() => {})
    this.#removeTemporary()
  }
}

/**
 * @param named - TMPDIR; an empty path, or a relative one that would be in the work tree, is ignored
 * @throws {StorageError}
 */
function makeTemporaryFolder(named: string | undefined): string {
  const place = [named, tmpdir()].find((path) => path !== undefined && isAbsolute(path)) ?? '/tmp'
  try {
    return mkdtempSync(join(place, 'grite-doctor-'))
  } catch (error) {
    throw new StorageError(`cannot create a temporary folder in ${place}: ${(error as Error).message}`, {
      details: { path: place },
      hints: ['Set TMPDIR to a writable folder'],
      cause: error,
    })
  }
}

/** Facts collected during a read of the log; bounded in size for any log. */
class LogTally {
  eventCount = 0
  readonly #futureUnixMs: number
  readonly #tally = new ProblemTally(problemsKeptMax)
  readonly #gaps = new GapTally()
  readonly #futureEvents: Event[] = []
  #futureCount = 0

  constructor(futureUnixMs: number) {
    this.#futureUnixMs = futureUnixMs
  }

  /** @returns the number of events read so far */
  take(segments: readonly IssueSegment[]): number {
    for (const { items, problems } of segments) {
      this.#gaps.take(problems)
      this.#tally.take(problems.filter(({ gap }) => gap === undefined))
      for (const { event } of items) {
        this.eventCount += 1
        if (event.tsUnixMs <= this.#futureUnixMs) continue
        this.#futureCount += 1
        if (this.#futureEvents.length < idsListedMax) this.#futureEvents.push(event)
      }
    }
    return this.eventCount
  }

  facts() {
    const { problems, problemCount, damagedCount } = this.#tally
    return {
      eventCount: this.eventCount,
      ...{ problems, problemCount, damagedCount, gaps: this.#gaps },
      futureEvents: this.#futureEvents,
      futureCount: this.#futureCount,
    }
  }
}
