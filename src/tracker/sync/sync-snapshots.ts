import { type GitPort, type Oid, type PushUpdate, type RefUpdate, showRemote } from '../../git/index.ts'
import { makeVisible, RefLockedError, RefMovedError, RemoteError } from '../../model/index.ts'
import {
  deletedRef,
  deleteSnapshots,
  isSnapshotOf,
  type NamedSnapshot,
  noteRemoteHead,
  planSnapshotRefs,
  readLocalSnapshotRefs,
  readSnapshotIntents,
  readTrackedSnapshotRefs,
  type SnapshotRefs,
  snapshotTimeOf,
  trackingRef,
} from '../../wal/index.ts'
import type { CommandContext, Warning } from '../effects.ts'
import { SnapshotAdmission } from '../snapshots/snapshot-admission.ts'
import type { Workspace } from '../workspace.ts'

export interface SnapshotSyncRequest {
  readonly remote: string
  /** Snapshot refs of the remote before the fetch. */
  readonly trackedBefore: SnapshotRefs
  /** Head of the remote's log; snapshots of another log are not pushed there. */
  readonly remoteHead: Oid | null
  readonly lostItsLog: boolean
  readonly push: boolean
  readonly runHooks: boolean
}

/** Counts of refs; each is updated separately, after the log. */
export interface SnapshotSync {
  readonly adopted: number
  readonly dropped: number
  readonly pushed: number
  readonly deleted: number
  /** Refs that the remote refused. */
  readonly refused: number
}

const nothingDone: SnapshotSync = { adopted: 0, dropped: 0, pushed: 0, deleted: 0, refused: 0 }

/** Maximum number of snapshots that one sync adopts, and of snapshots of other logs that it keeps, newest first. */
const adoptedMax = 50
/** Maximum number of snapshots that one sync reads. Anyone who can push can create thousands. */
const looksMax = 1000

/** Synchronizes the snapshots with a remote, after the logs. */
export async function syncSnapshots(
  context: Pick<CommandContext, 'warn' | 'progress'>,
  repository: Workspace,
  { remote, trackedBefore, remoteHead, lostItsLog, push, runHooks }: SnapshotSyncRequest,
): Promise<SnapshotSync> {
  const { git, remotes } = repository
  const shown = showRemote(remote)
  const local = await readLocalSnapshotRefs(git)
  const trackedNow = await readTrackedSnapshotRefs(git, remote)
  const intents = await readSnapshotIntents(git, remote)
  if (local.size + trackedNow.size + intents.size === 0) return nothingDone
  const plan = planSnapshotRefs({ local, trackedBefore, trackedNow, intents, lostItsLog })

  for (const { ref } of plan.clashing) {
    const message = `${ref} is a different snapshot on '${shown}' than here; both are kept`
    context.warn({ code: 'snapshot-clash', message, details: { ref, remote: shown } })
  }
  const isNew = ({ ref, oid }: NamedSnapshot) => trackedBefore.get(ref) !== oid
  const admission = new SnapshotAdmission(repository, context)
  const { adopted, faulty } = await adopt(git, admission, plan.adopt)
  const news = faulty.filter(isNew)
  if (news.length > 0) context.warn(notTakenIn(shown, news))
  await settle(deleteSnapshots(git, plan.dropLocally))
  for (const { ref, oid } of plan.forgetIntents) await moveRef(git, deletedRef(remote, ref), oid, null)
  const done = { ...nothingDone, adopted, dropped: plan.dropLocally.length }
  if (!push || remoteHead === null) return done

  const wanted: NamedSnapshot[] = []
  for (const one of newestFirst(plan.push).slice(0, looksMax)) {
    // Refused and unchecked snapshots must not spread.
    const mayGo = (await admission.judge(one)) === 'trusted' && (await isSnapshotOf(git, one, remoteHead))
    if (mayGo) wanted.push(one)
  }
  const updates: PushUpdate[] = [
    ...wanted.map(({ ref, oid }) => ({ ref, next: oid })),
    ...plan.deleteRemotely.map(({ ref, oid }) => ({ ref, next: null, expected: oid })),
  ]
  let refused = 0
  const counts = { pushed: 0, deleted: 0 }
  const results = await remotes.push({ remote, updates, atomic: false, runHooks }).catch((error: unknown) => {
    // The log is already synchronized; snapshots can wait for the next sync.
    if (!(error instanceof RemoteError)) throw error
    const message = `could not push snapshots to '${shown}': ${error.message}; the next sync retries`
    context.warn({ code: 'ref-refused', message, details: error.details })
    return []
  })
  for (const { ref, outcome, reason } of results) {
    if (outcome === 'stale') continue
    if (outcome === 'rejected') {
      refused += 1
      const message = `'${shown}' refused ${ref}: ${makeVisible(reason)}`
      context.warn({ code: 'ref-refused', message, details: { ref, remote: shown, remote_message: reason } })
      continue
    }
    const next = updates.find((update) => update.ref === ref)?.next ?? null
    await noteRemoteHead(git, trackingRef(remote, ref), trackedNow.get(ref) ?? null, next)
    const intent = intents.get(ref)
    if (next === null && intent !== undefined) await moveRef(git, deletedRef(remote, ref), intent, null)
    counts[next === null ? 'deleted' : 'pushed'] += 1
  }
  return { ...done, ...counts, refused }
}

interface FaultySnapshot extends NamedSnapshot {
  readonly fault: string
}

async function adopt(
  git: GitPort,
  admission: SnapshotAdmission,
  found: readonly NamedSnapshot[],
): Promise<{ readonly adopted: number; readonly faulty: readonly FaultySnapshot[] }> {
  let adopted = 0
  let elsewhere = 0
  const faulty: FaultySnapshot[] = []
  for (const one of newestFirst(found).slice(0, looksMax)) {
    if (adopted === adoptedMax || elsewhere === adoptedMax) break
    const judged = await admission.judge(one)
    if (typeof judged === 'object') faulty.push({ ...one, ...judged })
    // It is adopted once its log is here.
    else if (judged === 'elsewhere') elsewhere += 1
    else {
      await moveRef(git, one.ref, null, one.oid)
      adopted += 1
    }
  }
  return { adopted, faulty }
}

function newestFirst(snapshots: readonly NamedSnapshot[]): readonly NamedSnapshot[] {
  return [...snapshots].sort((left, right) => snapshotTimeOf(right.ref) - snapshotTimeOf(left.ref))
}

const faultsNamedMax = 100

/** A single warning for all of them: anyone who can push can create hundreds. */
function notTakenIn(remote: string, faulty: readonly FaultySnapshot[]): Warning {
  const [first] = faulty as readonly [FaultySnapshot]
  const others = faulty.length === 1 ? '' : ` (and ${faulty.length - 1} others)`
  return {
    code: 'snapshot-refused',
    message: `rejected snapshot ${first.ref} of '${remote}', commit ${first.oid}${others}: ${first.fault}`,
    details: { remote, refs: faulty.slice(0, faultsNamedMax).map(({ ref, oid, fault }) => ({ ref, oid, fault })) },
  }
}

function moveRef(git: GitPort, ref: RefUpdate['ref'], expected: Oid | null, next: Oid | null): Promise<void> {
  return settle(git.publish({ objects: [], updates: [{ ref, expected, next, reflogMessage: 'grite: sync' }] }))
}

/** Ignores a moved ref: another sync did the same, or the next sync sees the change. */
async function settle(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof RefMovedError || error instanceof RefLockedError)) throw error
  }
}
