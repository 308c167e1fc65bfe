/**
 * Writing to the log: what a request plans becomes one commit, alone or together with what others of the same actor have
 * planned meanwhile.
 *
 * Invariants
 * - A plan sees the state at the head that it is written on, with what the plans before it in the same commit left.
 * - A plan that fails takes only itself out of a commit. After a lost race every plan runs again, on fresh state.
 * - A write is acknowledged when the log has it. The view follows; when it cannot, the next reader makes up for it.
 */
import { type Oid, type PendingObject, shallowMark } from '../git/index.ts'
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
import { Draft } from './draft.ts'
import { OwnCard, openSigner } from './identity/own-card.ts'
import type { LockGuard } from './locks/lock-guard.ts'
import { isLookDue, maintain } from './sync/maintenance.ts'
import type { Workspace } from './workspace.ts'
import type { CommitOutcome } from './write-queue.ts'
import { describeWritten, noteWritten } from './written-events.ts'

/** Drafts changes. May run several times, each time on fresh state; it must not keep anything from an earlier run. */
export type Plan<Result> = (draft: Draft) => Promise<Result>

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

interface Planned {
  readonly events: readonly Event[]
  /** Contents of attachments by SHA-256. */
  readonly attachments: ReadonlyMap<string, Uint8Array>
  /** Null when there is nothing to write. */
  readonly batch: IssueBatch | null
  readonly result: unknown
  /** Remembers, once the batch is in the log, that the actor's card is. */
  readonly noteCard: () => Promise<void>
}

/** What was planned, as a commit that is written and not yet part of the log; null when there was nothing to change. */
export interface Staged<Result> {
  readonly appended: Appended<IssueBatch> | null
  readonly events: readonly Event[]
  readonly result: Result
  readonly noteCard: () => Promise<void>
  /** Warns of locks of others that it passed. */
  readonly tellPassed: () => Promise<void>
  /** Those of the commit, which may be pruned as long as no ref names it. */
  readonly objects: readonly PendingObject[]
}

/** A write that waits for its turn. */
export interface PendingWrite {
  readonly workspace: Workspace
  readonly plan: Plan<unknown>
  readonly guard: LockGuard
  readonly givesWay: boolean
  /** Whose commit it can be a part of; null when it stands alone. */
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
  { lock = false, givesWay = false }: WriteOptions = {},
): Promise<Written<Result>> {
  return workspace.guarded(lock, async (guard) => {
    const group = lock || givesWay || workspace.hasTurn ? null : await groupOf(workspace)
    return new Promise<Written<Result>>((resolve, reject) => {
      const pending: PendingWrite = {
        ...{ workspace, plan, guard, givesWay, group, reject },
        resolve: resolve as PendingWrite['resolve'],
      }
      if (workspace.hasTurn) commitTogether([pending]).then(({ settle }) => settle(), reject)
      else workspace.shared.writes.add(pending)
    })
  })
}

/** Who writes, so that writes of one actor can be told to be so; before there is an actor, whom they would make. */
async function groupOf(workspace: Workspace): Promise<string> {
  const id = (await workspace.findActor())?.actor.id
  if (id !== undefined) return workspace.paths.actorDir(id)
  const { actor = '', dataDir = '' } = workspace.actorChoice
  return `${actor}\0${dataDir}`
}

/** Writes what has waited together, as far as it fits into one commit. Never throws. */
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

/** Several writes on their way into one commit. */
class Commit {
  readonly #leader: Workspace
  /** Those that have not failed. */
  readonly #writes: PendingWrite[]
  /** What goes into the commit, as of the newest attempt. */
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
    for (const write of [...this.#writes]) {
      if (this.#left.length > 0) {
        this.#left.push(write)
        continue
      }
      try {
        const planned = await planWrite(write.workspace, write.plan, state)
        if (planned.batch !== null && !this.#hasRoomFor(planned)) {
          this.#left.push(write)
          continue
        }
        if (planned.batch !== null && !write.givesWay) await write.guard.admit(planned.events)
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

  #hasRoomFor({ batch }: Planned): boolean {
    const batches = [...this.#planned.map((each) => each.batch), batch].filter((each) => each !== null)
    if (batches.length === 1) return true
    const count = batches.reduce((sum, { records }) => sum + records.length, 0)
    const bytes = batches.reduce((sum, each) => sum + bytesOf(each), 0)
    const files = batches.reduce((sum, { extras }) => sum + (extras?.size ?? 0), 0)
    return count <= limits.batchEventsMax && bytes <= limits.batchBytesMax && files <= limits.carriedFilesMax
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
      requests: changing.map(({ write, events }) => noteOf(write.workspace, events)),
      ...this.#leader.now(),
    })
  }

  /** Nothing of the commit came into the log, or its flush failed after all of it did. */
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

/** Does what is due once a write is in the log. @returns what tells its command */
async function finish({ write, events, result, batch, noteCard }: PlannedWrite, head: Oid | null): Promise<() => void> {
  const { workspace, guard, givesWay, resolve, reject } = write
  if (batch === null) return () => resolve({ head: null, events, result })
  try {
    if (!givesWay) await guard.written(events)
    await noteCard()
    // As a rule nothing is cut off, and the view is not needed.
    if (shallowMark(workspace.layout) !== '') await workspace.view()
    return () => resolve({ head, events, result })
  } catch (error) {
    const told = tellWritten(error, workspace)
    return () => reject(told)
  }
}

/** What is due after one write of many. The write has been acknowledged, so that this never fails. */
async function tidy(workspace: Workspace, head: Oid): Promise<void> {
  if (!isLookDue(head)) return
  try {
    const { collectLocalByTheWay } = await import('./locks/collect.ts')
    await collectLocalByTheWay(workspace)
    await maintain(workspace)
  } catch (error) {
    workspace.facts.warn({ code: 'tidying-failed', message: `written; tidying up failed: ${(error as Error).message}` })
  }
}

/** Says in a failure what its command had put into the log by then. */
function tellWritten(error: unknown, { written }: Workspace): unknown {
  if (error instanceof AfterWriteError) error.addDetails(describeWritten(written))
  else if (error instanceof GriteError && written.eventCount > 0) {
    error.addDetails({ ...describeWritten(written), written: 'partly' })
  }
  return error
}

/** The state that a plan sees: that of a head, and what the plans before it in the same commit have drafted. */
class StateAt {
  readonly #workspace: Workspace
  readonly #head: Oid | null
  #layer: View | undefined
  /** What the layer lacks. */
  #drafted: Planned[] = []
  #hasCard = false

  constructor(workspace: Workspace, head: Oid | null) {
    this.#workspace = workspace
    this.#head = head
  }

  /** Whether an earlier plan of the commit brings the actor's card. */
  get hasCard(): boolean {
    return this.#hasCard
  }

  /** The view, if it is open and shows no less than plans may see. */
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
    // A commit brings the card with its first events.
    this.#hasCard = true
  }

  get #placeholder() {
    const format = this.#workspace.layout.objectFormat
    return { head: '0'.repeat(format === 'sha1' ? 40 : 64) as Oid, format }
  }
}

async function planWrite(workspace: Workspace, plan: Plan<unknown>, state: StateAt): Promise<Planned> {
  const { actor } = await workspace.requireActor()
  const card = new OwnCard(workspace.paths, actor)
  const { random } = workspace.facts
  const now = workspace.now()
  requireUsableClock(now.nowUnixMs)
  const view = () => state.view()
  const draft = new Draft({
    actor: actor.id,
    label: actor.label,
    signer: await openSigner(workspace.paths, actor, view),
    findOwnCard: async (signer) => (state.hasCard ? 'published' : card.find(signer, await state.open(), view)),
    nowUnixMs: now.nowUnixMs,
    randomBytes: random.bytes,
    view,
  })
  const result = await plan(draft)
  const { events, attachments } = draft
  if (events.length === 0) return { events, attachments, batch: null, result, noteCard: async () => {} }
  if (events.length < limits.batchEventsMax) await draft.publishOwnCard()
  const { requestKey } = workspace.facts
  const toBatch = () => {
    const requests = requestKey === undefined ? [] : [noteOf(workspace, events)]
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
  return { events, attachments, batch, result, noteCard }
}

function noteOf({ facts }: Workspace, events: readonly Event[]): RequestNote {
  return { key: facts.requestKey ?? null, events: events.map(({ eventId }) => eventId) }
}

/**
 * Runs a plan and writes nothing, so that what it would refuse is refused before somebody writes a text for it.
 * @throws whatever writing it would
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
 * Writes what a plan drafts as a commit on the present head that no ref names yet, for a command that has to ask a remote
 * before it may count.
 * @throws {ConflictError} by the policy `require`, when somebody's lock forbids it
 */
export async function stage<Result>(
  workspace: Workspace,
  plan: Plan<Result>,
  { givesWay = false }: StageOptions = {},
): Promise<Staged<Result>> {
  const parent = await requireSoundHead(workspace)
  const { batch, events, noteCard, ...planned } = await planWrite(workspace, plan, new StateAt(workspace, parent))
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

/** Makes a staged commit the head of the log. @throws {RefMovedError} when something else was written meanwhile */
export async function land(
  workspace: Workspace,
  { appended, objects, events, noteCard }: Staged<unknown>,
): Promise<void> {
  if (appended === null) return
  await workspace.exclusively(async () => {
    const { head, parent } = appended
    const reflogMessage = 'grite: taken by the remote'
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
 * Appends a batch that was planned on the state of the open view, as those of an import. What something else wrote
 * meanwhile is left out, so that no event id comes twice on the chain.
 *
 * @param events - those of the batch's records, in their order
 * @returns the new head; null when the log holds all of the events
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

/** All of the events when the open view is at this head: they were planned on it. */
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

/** Notes what a write puts into the log, and says in its failure what had been written by then. */
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
 * The head of the log, to go on from. One that cannot be read is replaced by what was there before, if that can be found.
 * @throws {IncompleteLogError} when it cannot
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
 * Brings an own commit into an open view, without reading back what was just written. A failure only means that the
 * next reader does it.
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
