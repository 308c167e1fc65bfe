/**
 * Writes to the log: the plan of a request becomes one commit, alone or together with waiting plans of the same actor.
 *
 * Invariants
 * - A plan sees the state at the head it is written on, plus the events of earlier plans in the same commit.
 * - A failed plan drops only itself from a commit. After a lost race every plan runs again, on fresh state.
 * - A write is acknowledged when the log has it. If the view cannot follow, the next reader catches it up.
 */
import { isMaintenanceOff, type Oid, type PendingObject, shallowMark } from '../git/index.ts'
import {
  type ActorId,
  AfterWriteError,
  type Event,
  encodeRecord,
  GriteError,
  InvalidArgsError,
  limits,
} from '../model/index.ts'
import { noteOwnMove, type View } from '../view/index.ts'
import {
  type Appended,
  append,
  batchOfEvents,
  encodeBatch,
  type IssueBatch,
  issueLog,
  noQueue,
  type RequestNote,
  readSoundHead,
  requireUsableClock,
  segmentOfBatch,
  updateOf,
  walRef,
} from '../wal/index.ts'
import { findWritten, openPast, randomOfKey, requireSameEvents } from './answer-again.ts'
import { Draft, type Reversal } from './draft.ts'
import { OwnCard, openSigner } from './identity/own-card.ts'
import { readKnownLocks } from './locks/known-locks.ts'
import type { LockGuard, ReadLocks } from './locks/lock-guard.ts'
import { isLookDue, maintain } from './sync/maintenance.ts'
import type { Workspace } from './workspace.ts'
import type { CommitOutcome } from './write-queue.ts'
import { describeWritten, noteWritten } from './written-events.ts'

/** Drafts changes. May run several times, each time on fresh state; it must not keep state between runs. */
export type Plan<Result> = (draft: Draft) => Promise<Result>

export interface StageOptions {
  /** Set when undoing a change that lost to somebody's lock: that lock must not block the undo. */
  readonly givesWay?: boolean
}

export interface WriteOptions extends StageOptions {
  /** Whether to lock the changed issues during the write. */
  readonly lock?: boolean
  /** For a plan that reads the commits of the log: in a shared one, those of earlier plans are not there yet. */
  readonly ownCommit?: boolean
}

/** The result of a write: the new head, or null when there was nothing to change. */
export interface Written<Result> {
  readonly head: Oid | null
  readonly events: readonly Event[]
  readonly result: Result
}

interface Planned {
  readonly events: readonly Event[]
  /** Contents of attachments by SHA-256. */
  readonly attachments: ReadonlyMap<string, Uint8Array>
  readonly reversal: Reversal | null
  /** Null when there is nothing to write. */
  readonly batch: IssueBatch | null
  /** Of a request that was carried out before: its commit. */
  readonly writtenAt?: Oid
  readonly result: unknown
  /** Notes, once the batch is in the log, that the log has the card of the actor. */
  readonly noteCard: () => Promise<void>
}

/** A written commit that is not yet part of the log; null when there was nothing to change. */
export interface Staged<Result> {
  readonly appended: Appended<IssueBatch> | null
  readonly events: readonly Event[]
  readonly result: Result
  readonly noteCard: () => Promise<void>
  /** Warns of locks of others that the write ignored. */
  readonly tellPassed: () => Promise<void>
  /** Objects of the commit, which git may prune until a ref reaches it. */
  readonly objects: readonly PendingObject[]
}

/** A write in the queue. */
export interface PendingWrite {
  readonly workspace: Workspace
  readonly plan: Plan<unknown>
  readonly guard: LockGuard
  readonly givesWay: boolean
  /** The idempotency key of this write; null when its request has none. */
  readonly key: string | null
  /** Writes of one group may share a commit; null for none. */
  readonly group: string | null
  readonly resolve: (written: Written<unknown>) => void
  readonly reject: (error: unknown) => void
}

export function mayShareCommit(first: PendingWrite, other: PendingWrite): boolean {
  return first.group !== null && first.group === other.group
}

/** Appends what a plan drafts, all or nothing. */
export async function write<Result>(
  workspace: Workspace,
  plan: Plan<Result>,
  { lock = false, givesWay = false, ownCommit = false }: WriteOptions = {},
): Promise<Written<Result>> {
  return workspace.guarded(lock, async (guard) => {
    const group = lock || givesWay || ownCommit || workspace.hasTurn ? null : await groupOf(workspace)
    return new Promise<Written<Result>>((resolve, reject) => {
      const pending: PendingWrite = {
        ...{ workspace, plan, guard, givesWay, group, reject, key: workspace.nextRequestKey() },
        resolve: resolve as PendingWrite['resolve'],
      }
      if (workspace.hasTurn) commitTogether([pending]).then(({ settle }) => settle(), reject)
      else workspace.shared.writes.add(pending)
    })
  })
}

/** Identifies the actor of a write; before there is an actor, the settings from which it will be created. */
async function groupOf(workspace: Workspace): Promise<string> {
  const id = (await workspace.findActor())?.actor.id
  if (id !== undefined) return workspace.paths.actorDir(id)
  const { actor = '', dataDir = '' } = workspace.actorChoice
  return `${actor}\0${dataDir}`
}

/** Commits waiting writes together, as many as fit into one commit. Never throws. */
export async function commitTogether(writes: readonly PendingWrite[]): Promise<CommitOutcome<PendingWrite>> {
  const leaves = writes.map(({ workspace }) => workspace.takeTurn())
  try {
    return await new Commit(writes).write()
  } finally {
    for (const leave of leaves) leave()
  }
}

interface PlannedWrite extends Planned {
  readonly write: PendingWrite
}

/** What the writes of one commit take of its limits. A write that is alone always fits: its plan has checked it. */
class Room {
  #writes = 0
  #records = 0
  #bytes = 0
  #files = 0

  has(batch: IssueBatch): boolean {
    if (this.#writes === 0) return true
    return (
      this.#records + batch.records.length <= limits.batchEventsMax &&
      this.#bytes + bytesOf(batch) <= limits.batchBytesMax &&
      this.#files + (batch.extras?.size ?? 0) <= limits.carriedFilesMax
    )
  }

  take(batch: IssueBatch): void {
    this.#writes += 1
    this.#records += batch.records.length
    this.#bytes += bytesOf(batch)
    this.#files += batch.extras?.size ?? 0
  }
}

/** Several writes that share one commit. */
class Commit {
  readonly #leader: Workspace
  /** Writes that have not failed. */
  readonly #writes: PendingWrite[]
  /** Content of the commit, as of the latest attempt. */
  #planned: PlannedWrite[] = []
  #left: PendingWrite[] = []
  readonly #settlements: (() => void)[] = []

  constructor(writes: readonly PendingWrite[]) {
    this.#writes = [...writes]
    this.#leader = (writes[0] as PendingWrite).workspace
  }

  async write(): Promise<CommitOutcome<PendingWrite>> {
    await this.#append()
    const settle = () => {
      for (const one of this.#settlements) one()
    }
    return { left: this.#left, settle }
  }

  async #append(): Promise<void> {
    let appended: Appended<IssueBatch> | null
    try {
      appended = await append(targetOf(this.#leader), (head) => this.#plan(head))
    } catch (error) {
      return this.#fail(error)
    }
    if (appended !== null) {
      for (const { write, events } of this.#planned) noteWritten(write.workspace.written, events)
      const events = this.#planned.flatMap((each) => each.events)
      await follow(this.#leader, appended, events)
    }
    for (const each of this.#planned) this.#settlements.push(await finish(each, appended?.head ?? null))
    if (appended !== null) await tidy(this.#leader, appended.head)
  }

  /** @returns null when there is nothing to write */
  async #plan(head: Oid | null): Promise<IssueBatch | null> {
    this.#planned = []
    this.#left = []
    const state = new StateAt(this.#leader, head)
    const room = new Room()
    const written = await findWritten(this.#leader, head, this.#writes)
    let locks: ReturnType<ReadLocks> | undefined
    const readLocks = () => {
      locks ??= readKnownLocks(this.#leader)
      return locks
    }
    for (const write of [...this.#writes]) {
      if (this.#left.length > 0) {
        this.#left.push(write)
        continue
      }
      try {
        const planned = await this.#planOne(write, state, head, written)
        if (planned.batch !== null && !room.has(planned.batch)) {
          this.#left.push(write)
          continue
        }
        if (planned.batch !== null && !write.givesWay) await write.guard.admit(planned.events, readLocks)
        if (planned.batch !== null) room.take(planned.batch)
        this.#planned.push({ ...planned, write })
        state.add(planned)
      } catch (error) {
        if (this.#writes.length === 1) throw error
        this.#writes.splice(this.#writes.indexOf(write), 1)
        this.#reject(write, error)
      }
    }
    return this.#batch()
  }

  /** Looks for the request in the log first: it may have been carried out, or by now by somebody else. */
  async #planOne(
    write: PendingWrite,
    state: StateAt,
    head: Oid | null,
    written: Awaited<ReturnType<typeof findWritten>>,
  ): Promise<Planned> {
    const { workspace, plan, key } = write
    // It may be in doubt only since the others were looked up.
    const known = key === null || written.has(key) ? written : await findWritten(workspace, head, [write])
    const found = key === null ? undefined : known.get(key)
    if (found === undefined || key === null) return planWrite(workspace, plan, state, key)
    const past = await openPast(workspace, found)
    try {
      const { draft, result } = await runPlan(workspace, plan, stateOf(past.view), key, past.nowUnixMs)
      requireSameEvents(key, draft.events, found.events)
      const { events, attachments, reversal } = draft
      return { events, attachments, reversal, batch: null, writtenAt: found.commit, result, noteCard: async () => {} }
    } finally {
      await past.close()
    }
  }

  #batch(): IssueBatch | null {
    const changing = this.#planned.filter(({ batch }) => batch !== null)
    const [only, ...others] = changing
    if (only === undefined || others.length === 0) return only?.batch ?? null
    const { actor } = only.batch as IssueBatch
    return batchOfEvents({
      actor,
      events: changing.flatMap(({ events }) => events),
      attachments: new Map(changing.flatMap(({ attachments }) => [...attachments])),
      requests: changing.map(({ write, ...planned }) => noteOf(write.key, planned)),
      ...this.#leader.now(),
    })
  }

  /** Rejects all writes: either nothing of the commit is in the log, or all of it is and the flush failed. */
  #fail(error: unknown): void {
    const planned = new Map(this.#planned.map((each) => [each.write, each.events]))
    const concerned = this.#writes.filter((write) => !this.#left.includes(write))
    for (const [index, write] of concerned.entries()) {
      if (error instanceof AfterWriteError) noteWritten(write.workspace.written, planned.get(write) ?? [])
      const own = index > 0 && error instanceof GriteError ? error.copy() : error
      this.#reject(write, own)
    }
  }

  #reject(write: PendingWrite, error: unknown): void {
    const told = tellWritten(error, write.workspace)
    this.#settlements.push(() => write.reject(told))
  }
}

/** Runs the steps after a write is in the log. @returns a function that settles the write */
async function finish(planned: PlannedWrite, head: Oid | null): Promise<() => void> {
  const { write, events, result, batch, writtenAt = null, noteCard } = planned
  const { workspace, guard, givesWay, resolve, reject } = write
  if (batch === null) return () => resolve({ head: writtenAt, events, result })
  try {
    if (!givesWay) await guard.written(events)
    await noteCard()
    // Gaps need the view; skip that when the repository is not shallow.
    if (shallowMark(workspace.layout) !== '') await workspace.view()
    return () => resolve({ head, events, result })
  } catch (error) {
    const told = tellWritten(error, workspace)
    return () => reject(told)
  }
}

/** Runs maintenance after a sample of the writes. Never fails, because the write is already acknowledged. */
async function tidy(workspace: Workspace, head: Oid): Promise<void> {
  if (isMaintenanceOff(workspace.facts.env) || !isLookDue(head)) return
  try {
    const { autoCollectLocal } = await import('./locks/collect.ts')
    await autoCollectLocal(workspace)
    await maintain(workspace)
  } catch (error) {
    workspace.facts.warn({
      code: 'tidying-failed',
      message: `written, but maintenance failed: ${(error as Error).message}`,
    })
  }
}

/** Adds to an error the events that its command had already written. */
function tellWritten(error: unknown, { written }: Workspace): unknown {
  if (error instanceof AfterWriteError) error.addDetails(describeWritten(written))
  else if (error instanceof GriteError && written.eventCount > 0) {
    error.addDetails({ ...describeWritten(written), written: 'partly' })
  }
  return error
}

/** What a plan reads. */
interface PlanState {
  /** Whether the log has the card of the actor for certain. */
  readonly hasCard: boolean
  /** The view, if it is open and up to date with this state. */
  readonly open: () => Promise<View | undefined>
  readonly view: () => Promise<View>
}

/** The state that a plan sees: a head, plus the drafted events of earlier plans in the same commit. */
class StateAt implements PlanState {
  readonly #workspace: Workspace
  readonly #head: Oid | null
  #layer: View | undefined
  /** Drafted events that the layer does not have yet. */
  #drafted: Planned[] = []
  #hasCard = false

  constructor(workspace: Workspace, head: Oid | null) {
    this.#workspace = workspace
    this.#head = head
  }

  /** Whether an earlier plan of the commit has the card of the actor. */
  get hasCard(): boolean {
    return this.#hasCard
  }

  /** The view, if it is open and up to date with the state that plans see. */
  async open(): Promise<View | undefined> {
    await this.#workspace.dropStaleView(this.#head)
    return this.#drafted.length > 0 || this.#layer !== undefined ? undefined : this.#workspace.openedView()
  }

  async view(): Promise<View> {
    await this.#workspace.dropStaleView(this.#head)
    if (this.#drafted.length === 0) return this.#layer ?? this.#workspace.view()
    this.#layer ??= (await this.#workspace.view()).layered()
    const segments = this.#drafted.flatMap(({ batch, events }) =>
      batch === null ? [] : [segmentOfBatch(batch, events, { ...this.#placeholder, parent: this.#head })],
    )
    this.#drafted = []
    await this.#layer.apply(segments, this.#placeholder.head)
    await this.#layer.flush()
    return this.#layer
  }

  add(planned: Planned): void {
    if (planned.batch === null) return
    this.#drafted.push(planned)
    // The first events of a commit come with the card.
    this.#hasCard = true
  }

  get #placeholder() {
    const format = this.#workspace.layout.objectFormat
    return { head: '0'.repeat(format === 'sha1' ? 40 : 64) as Oid, format }
  }
}

/** A state of the past, for a request that is repeated. */
function stateOf(view: View): PlanState {
  return { hasCard: true, open: async () => view, view: async () => view }
}

/** Runs a plan once on a new draft. */
async function runPlan(
  workspace: Workspace,
  plan: Plan<unknown>,
  state: PlanState,
  key: string | null,
  nowUnixMs: number,
) {
  const { actor } = await workspace.requireActor()
  const card = new OwnCard(workspace.paths, actor)
  requireUsableClock(nowUnixMs)
  const view = () => state.view()
  const draft = new Draft({
    actor: actor.id,
    label: actor.label,
    signer: await openSigner(workspace.paths, actor, view),
    findOwnCard: async (signer) => (state.hasCard ? 'published' : card.find(signer, await state.open(), view)),
    nowUnixMs,
    randomBytes: key === null ? workspace.facts.random.bytes : randomOfKey(key),
    view,
  })
  return { draft, card, actor, result: await plan(draft) }
}

async function planWrite(
  workspace: Workspace,
  plan: Plan<unknown>,
  state: PlanState,
  key: string | null,
): Promise<Planned> {
  const now = workspace.now()
  const { draft, card, actor, result } = await runPlan(workspace, plan, state, key, now.nowUnixMs)
  const { events, attachments, reversal } = draft
  if (events.length === 0) return { events, attachments, reversal, batch: null, result, noteCard: async () => {} }
  if (events.length < limits.batchEventsMax) await draft.publishOwnCard()
  const toBatch = () => {
    const isNoted = key !== null || draft.reversal !== null
    const requests = isNoted ? [noteOf(key, draft)] : []
    return batchOfEvents({ actor: actor.id, events, attachments, requests, ...now })
  }
  let batch = toBatch()
  if (draft.ownCard !== undefined && bytesOf(batch) > limits.batchBytesMax) {
    draft.withdrawOwnCard()
    batch = toBatch()
  }
  requireBatchFits(batch)
  const noteCard = async () => {
    if (draft.ownCard !== undefined) await card.note(draft.signer)
  }
  return { events, attachments, reversal, batch, result, noteCard }
}

function noteOf(key: string | null, { events, reversal }: Pick<Planned, 'events' | 'reversal'>): RequestNote {
  return { key, events: events.map(({ eventId }) => eventId), ...reversal }
}

/**
 * Runs a plan without writing, so that errors are reported before the user writes a text in the editor.
 * @throws the errors that the write would throw
 */
export async function rehearse(workspace: Workspace, plan: Plan<unknown>): Promise<void> {
  const actor = (await workspace.findActor())?.actor.id ?? ('0'.repeat(32) as ActorId)
  const draft = new Draft({
    actor,
    label: null,
    signer: undefined,
    findOwnCard: async () => 'published',
    nowUnixMs: workspace.now().nowUnixMs,
    randomBytes: workspace.facts.random.bytes,
    view: () => workspace.view(),
  })
  await plan(draft)
  await workspace.guard(false).admit(draft.events)
}

/**
 * Writes the events of a plan as a commit on the current head without moving a ref, for a command that must first push it
 * to a remote.
 * @throws {ConflictError} under the policy `require`, when somebody else's lock forbids it
 */
export async function stage<Result>(
  workspace: Workspace,
  plan: Plan<Result>,
  { givesWay = false }: StageOptions = {},
): Promise<Staged<Result>> {
  const parent = await requireSoundHead(workspace)
  const { batch, events, noteCard, ...planned } = await planWrite(
    workspace,
    plan,
    new StateAt(workspace, parent),
    workspace.nextRequestKey(),
  )
  const result = planned.result as Result
  const guard = workspace.guard(false)
  const tellPassed = () => guard.tellPassed()
  const staged = { events, result, noteCard, tellPassed }
  if (batch === null) return { ...staged, appended: null, objects: [] }
  if (!givesWay) await guard.admit(events)
  const parents = parent === null ? [] : [parent]
  const { objects, commit: head } = encodeBatch(workspace.layout.objectFormat, issueLog, batch, parents)
  await workspace.git.publish({ objects, updates: [] })
  return { ...staged, appended: { head, parent, batch }, objects }
}

/** Makes a staged commit the head of the log. @throws {RefMovedError} when the head has moved in the meantime */
export async function land(
  workspace: Workspace,
  { appended, objects, events, noteCard }: Staged<unknown>,
): Promise<void> {
  if (appended === null) return
  await workspace.exclusively(async () => {
    const { head, parent } = appended
    const reflogMessage = 'grite: accepted by the remote'
    const update = updateOf(issueLog, { expected: parent, next: head, reflogMessage })
    await noting(
      workspace,
      () => events,
      () => workspace.git.publish({ objects: [], staged: objects, updates: [update] }),
    )
    await follow(workspace, appended, events)
    await noteCard()
  })
}

/**
 * Appends a batch that was planned on the open view, such as one of an import. Skips events that were written by somebody
 * else in the meantime, so that no event id occurs twice on the chain.
 *
 * @param events - the events of the batch's records, in order
 * @returns the new head; null when the log already holds all of the events
 */
export async function appendBatch(
  workspace: Workspace,
  batch: IssueBatch,
  events: readonly Event[],
): Promise<Oid | null> {
  return workspace.guarded(false, (guard) =>
    workspace.exclusively(async () => {
      let fresh = events
      const makeBatch = async (head: Oid | null) => {
        fresh = await eventsNotAt(workspace, head, events)
        await guard.admit(fresh)
        if (fresh.length === events.length) return batch
        return fresh.length === 0 ? null : { ...batch, records: fresh.map(encodeRecord) }
      }
      const appended = await noting(
        workspace,
        () => fresh,
        () => append(targetOf(workspace), makeBatch),
      )
      if (appended !== null) {
        await follow(workspace, appended, fresh)
        await guard.tellPassed()
      }
      return appended?.head ?? null
    }),
  )
}

/** Filters out events that the log already has. Keeps all when the open view is at this head, since they were planned on it. */
async function eventsNotAt(
  workspace: Workspace,
  head: Oid | null,
  events: readonly Event[],
): Promise<readonly Event[]> {
  if ((await workspace.openedView())?.head === head) return events
  await workspace.dropStaleView(head)
  const known = await (await workspace.view()).findKnownEventIds(events.map(({ eventId }) => eventId))
  return events.filter(({ eventId }) => !known.has(eventId))
}

/** Records the events of a write, and adds the events written so far to its error. */
async function noting<Result>(
  workspace: Workspace,
  eventsOfWrite: () => readonly Event[],
  writeThem: () => Promise<Result>,
): Promise<Result> {
  try {
    const appended = await writeThem()
    if (appended !== null) noteWritten(workspace.written, eventsOfWrite())
    return appended
  } catch (error) {
    if (error instanceof AfterWriteError) noteWritten(workspace.written, eventsOfWrite())
    throw tellWritten(error, workspace)
  }
}

/**
 * Returns a readable head of the log to append to. Replaces an unreadable head by an earlier one.
 * @throws {IncompleteLogError} when no earlier head can be found
 */
export function requireSoundHead(workspace: Workspace): Promise<Oid | null> {
  return readSoundHead({ git: workspace.git, ref: walRef, recover: () => workspace.recoverHead() })
}

function targetOf(workspace: Workspace) {
  const { clock, random } = workspace.facts
  const jitter = () => (random.bytes(1)[0] as number) / 256
  const recover = () => workspace.recoverHead()
  return { git: workspace.git, stream: issueLog, queue: noQueue, clock, jitter, recover }
}

/**
 * Applies our own commit to an open view without reading it back. A failure only means that the next reader does it.
 */
async function follow(
  workspace: Workspace,
  { head, parent, batch }: Appended<IssueBatch>,
  events: readonly Event[],
): Promise<void> {
  const { git, layout } = workspace
  await workspace.followWith(parent, async (view) => {
    await view.apply([segmentOfBatch(batch, events, { head, parent, format: layout.objectFormat })], head)
    await view.flush()
    await noteOwnMove({ git, stream: issueLog, view }, { previous: parent, next: head })
  })
}

function bytesOf({ records }: IssueBatch): number {
  return records.reduce((sum, record) => sum + record.length, 0)
}

function requireBatchFits(batch: IssueBatch): void {
  const { records } = batch
  const field = 'operations'
  if (records.length > limits.batchEventsMax) {
    throw new InvalidArgsError(`one commit can have at most ${limits.batchEventsMax} events, got ${records.length}`, {
      details: { field, events: records.length, events_max: limits.batchEventsMax },
    })
  }
  const bytes = bytesOf(batch)
  if (bytes > limits.batchBytesMax) {
    throw new InvalidArgsError(
      `the events of one commit can have at most ${limits.batchBytesMax} bytes, got ${bytes}`,
      {
        details: { field, bytes, bytes_max: limits.batchBytesMax },
      },
    )
  }
}
