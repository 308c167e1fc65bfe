/**
 * What the checks look at, each thing brought in when the first check asks for it: the log folded beside the view, and a
 * copy of the view. Nothing here changes the repository.
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
import type { CommandContext } from '../effects.ts'
import { type RepoConfig, readRepoConfig } from '../local/repo-config.ts'
import { ProblemTally } from '../problem-tally.ts'
import { findUnreadRefs, type UnreadRef } from '../sync/complete-log.ts'
import type { Workspace } from '../workspace.ts'
import { idsListedMax } from './check.ts'

/** A larger view is not copied: rebuilding it costs less than looking at it. */
const viewBytesMax = 1024 * 1024 * 1024
/** An event further ahead of the clock than this was dated by a wrong one (design §4). */
const futureMs = 24 * 3_600_000
const problemsKeptMax = 100

/** The log as it is, read whole. */
export interface LogFacts {
  readonly head: Oid | null
  /** Of these events and no others. */
  readonly view: View
  readonly eventCount: number
  /** Copies of events beyond the first of each. */
  readonly repeatCount: number
  readonly problems: readonly LogProblem[]
  readonly problemCount: number
  readonly damagedCount: number
  /** Not among the problems. */
  readonly gaps: LogGaps
  readonly futureEvents: readonly Event[]
  readonly futureCount: number
}

/** Where the log's ref leads. */
export type LogHead =
  | { readonly head: Oid | null; readonly problem: null }
  /**
   * `named`: what the ref names, which is no commit that can be read; null where the ref itself is broken. `isUnread`: it
   * may be one elsewhere.
   */
  | { readonly head: null; readonly problem: string; readonly named: Oid | null; readonly isUnread: boolean }

/** The view in use, brought to the log's head where that is possible without changing the log. */
export type StoredView =
  | Exclude<CopiedView, { readonly kind: 'view' }>
  | { readonly kind: 'view'; readonly view: View; readonly outcome: CatchUpOutcome; readonly headBefore: string | null }

export class DoctorScene {
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

  /** Null when the ref does not lead to a log; the check of the ref says why. */
  log(): Promise<LogFacts | null> {
    this.#log ??= this.#readLog()
    return this.#log
  }

  storedView(): Promise<StoredView> {
    this.#stored ??= this.#copyView()
    return this.#stored
  }

  /** What is wrong with the events in the stored view; null when each verifies, or there is none to look at. */
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
        if (computeEventId(event) !== event.eventId) return `event ${event.eventId} has other content than its id says`
        counted += 1
      }
      const { eventCount } = stored.view
      return counted === eventCount ? null : `it counts ${eventCount} events and holds ${counted}`
    } catch (error) {
      return (error as Error).message
    }
  }

  /** Null when the settings cannot be read; the check of them says why. */
  async config(): Promise<RepoConfig | null> {
    return readRepoConfig(this.repository.paths.config).catch((error: unknown) => {
      if (error instanceof GriteError) return null
      throw error
    })
  }

  /** Whether the view, or the ref's reflog, knows of events that the log does not have any more. */
  async hasLost(): Promise<boolean> {
    const stored = await this.storedView()
    if (stored.kind === 'view') return stored.outcome === 'read-only'
    this.#foldOutcome ??= this.log().then((log) => log && catchUpCopy(this.repository.git, issueLog, log.view))
    return (await this.#foldOutcome) === 'read-only'
  }

  /** How many events the stored view has of a log that is damaged, or not to be read at all, and that are not in it. */
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
      const what = object === null ? 'an object that is not here' : `a ${object.type}`
      return { head: null, problem: `${walRef} names ${what}: ${named}`, named, isUnread: object === null }
    } catch (error) {
      if (!(error instanceof GriteError)) throw error
      const problem = named === null ? error.message : `${walRef} names an object that cannot be read: ${named}`
      return { head: null, problem, named, isUnread: named !== null }
    }
  }

  /** Whether a ref that names nothing readable can be put back on what the log was. */
  async canRecover(): Promise<boolean> {
    const { problem, ...found } = await this.logHead()
    if (problem === null || !('named' in found) || !found.isUnread) return false
    this.#former ??= findFormerHead(this.repository.git, walRef)
    if ((await this.#former) !== undefined) return true
    const stored = await this.storedView()
    return stored.kind === 'view' && stored.outcome === 'read-only'
  }

  /** Whether the ref itself holds neither an id nor the name of another ref. */
  async isRefDamaged(): Promise<boolean> {
    const { problem, ...found } = await this.logHead()
    return problem !== null && 'named' in found && found.named === null
  }

  /** Refs beside the log's that name objects which cannot be read. */
  unreadRefs(): Promise<readonly UnreadRef[]> {
    this.#unreadRefs ??= findUnreadRefs(this.repository)
    return this.#unreadRefs
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

  /** Makes the folder that most checks need, so that one error says when it cannot be made. @throws {StorageError} */
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
 * @param named - TMPDIR; an empty or relative path, which would be one in the work tree, is ignored
 * @throws {StorageError}
 */
function makeTemporaryFolder(named: string | undefined): string {
  const place = [named, tmpdir()].find((path) => path !== undefined && isAbsolute(path)) ?? '/tmp'
  try {
    return mkdtempSync(join(place, 'grite-doctor-'))
  } catch (error) {
    throw new StorageError(`no temporary folder can be made in ${place}: ${(error as Error).message}`, {
      details: { path: place },
      hints: ['Set TMPDIR to a folder in which you can write'],
      cause: error,
    })
  }
}

/** What is noted of the log while it is read; bounded, whatever the log holds. */
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

  /** @returns events read so far */
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
