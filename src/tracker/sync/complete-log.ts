/** Brings in what this clone lacks of the log, and clears away what keeps git from fetching it. */
import { type RefName, setAsideCorruptObject, showRemote } from '../../git/index.ts'
import {
  CorruptObjectError,
  GriteError,
  limits,
  NotFoundError,
  RefLockedError,
  RefMovedError,
  RemoteError,
} from '../../model/index.ts'
import {
  type LogGap,
  type LogGaps,
  leasePrefix,
  lockPrefix,
  remotesPrefix,
  snapshotPrefix,
  walRef,
} from '../../wal/index.ts'
import type { CommandContext } from '../effects.ts'
import type { Workspace } from '../workspace.ts'

/** Objects that are asked for one by one when a remote does not have all of them. */
const singlesMax = 16

/**
 * Fetches objects that the log lacks here, where the remote has them.
 *
 * @returns how many there are now
 */
export async function fetchMissing(
  context: Pick<CommandContext, 'warn'>,
  repository: Workspace,
  { remote, gaps }: { readonly remote: string; readonly gaps: LogGaps },
): Promise<number> {
  const missing = gaps.gaps.filter(({ reason }) => reason !== 'shallow')
  if (missing.length === 0) return 0
  for (const { objectId } of missing) setAsideCorruptObject(repository.layout, objectId)
  await refetch(repository, remote, missing)
  const found = missing.length - (await keepUnread(repository, missing)).length
  if (found > 0) {
    const shown = showRemote(remote)
    const message = `${found} of ${missing.length} missing objects of the log were fetched from '${shown}'`
    context.warn({ code: 'log-completed', message, details: { remote: shown, object_count: found } })
  }
  return found
}

async function keepUnread(repository: Workspace, gaps: readonly LogGap[]): Promise<LogGap[]> {
  const unread: LogGap[] = []
  for (const gap of gaps) if (!(await isReadable(repository, gap.objectId))) unread.push(gap)
  return unread
}

/**
 * Completes the log from whichever remotes have what is missing. One that cannot be reached is reported.
 *
 * @returns whether something was missing and is not any more
 */
export async function completeFromRemotes(
  context: Pick<CommandContext, 'warn'>,
  repository: Workspace,
  gaps: LogGaps,
): Promise<boolean> {
  let left = gaps.gaps
  for (const remote of await repository.remotes.listRemotes()) {
    if (left.length === 0) break
    try {
      const isCut = left.some(({ reason }) => reason === 'shallow')
      if (isCut) await repository.remotes.completeRef(remote, walRef)
      await fetchMissing(context, repository, { remote, gaps: { gaps: left, count: left.length } })
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error
      context.warn({ code: 'log-not-completed', message: error.message, details: error.details })
    }
    left = await keepLacking(repository, left)
  }
  return left.length < gaps.gaps.length
}

async function keepLacking(repository: Workspace, gaps: readonly LogGap[]): Promise<readonly LogGap[]> {
  const isShallow = ({ reason }: LogGap) => reason === 'shallow'
  const head = await repository.git.readRef(walRef)
  const cuts = head === null ? [] : await repository.git.findCutCommits([head])
  return [
    ...gaps.filter((gap) => isShallow(gap) && cuts.some(({ oid }) => oid === gap.commit)),
    ...(await keepUnread(
      repository,
      gaps.filter((gap) => !isShallow(gap)),
    )),
  ]
}

/** By id in one go, by id one by one, or all that the remote's log reaches: whatever it gives out. */
async function refetch({ remotes }: Workspace, remote: string, missing: readonly LogGap[]): Promise<void> {
  const oids = missing.map(({ objectId }) => objectId)
  try {
    await remotes.refetchObjects(remote, oids)
    return
  } catch (error) {
    if (!isAboutRemote(error)) throw error
  }
  let hasFound = false
  if (oids.length > 1) {
    for (const oid of oids.slice(0, singlesMax)) {
      const isFound = await remotes.refetchObjects(remote, [oid]).then(() => true, passOver)
      hasFound ||= isFound
    }
  }
  if (!hasFound) await remotes.refetchRef(remote, walRef).catch(passOver)
}

/** What a remote does not have, or does not give out, stays missing, which the log says by itself. */
function passOver(error: unknown): false {
  if (!isAboutRemote(error)) throw error
  return false
}

function isAboutRemote(error: unknown): boolean {
  if (error instanceof RemoteError) return !['unreachable', 'denied', 'silent'].includes(`${error.details.reason}`)
  // Of the object that is asked for git may say that it is not here.
  if (error instanceof NotFoundError) return error.details.field === undefined
  return error instanceof GriteError && error.kind === 'internal'
}

async function isReadable({ git }: Workspace, oid: LogGap['objectId']): Promise<boolean> {
  try {
    return (await git.readObject(oid, limits.chunkReadBytesMax)) !== null
  } catch (error) {
    if (error instanceof CorruptObjectError) return false
    throw error
  }
}

/** Refs of grite that may go: caches, what a fetch brings again, and locks, which nobody can read either. */
const disposable = [lockPrefix, leasePrefix, snapshotPrefix, remotesPrefix]

/** A ref whose object is missing or damaged, as after a power loss. */
export interface UnreadRef {
  readonly ref: RefName
  readonly oid: LogGap['objectId']
}

/** Refs of locks, snapshots and remotes that name an object which cannot be read. With one of them git neither fetches nor packs. */
export async function findUnreadRefs(repository: Workspace): Promise<readonly UnreadRef[]> {
  const unread: UnreadRef[] = []
  for (const row of await repository.git.listRefs(disposable, () => {})) {
    if (!(await isReadable(repository, row.oid))) unread.push(row)
  }
  return unread
}

/** Deletes them, each by compare-and-swap, and clears damaged files out of git's way. Returns those that are gone. */
export async function deleteUnreadRefs(repository: Workspace): Promise<readonly UnreadRef[]> {
  const deleted: UnreadRef[] = []
  for (const row of await findUnreadRefs(repository)) {
    const update = { ref: row.ref, expected: row.oid, next: null, reflogMessage: '' }
    try {
      await repository.git.publish({ objects: [], updates: [update] })
      setAsideCorruptObject(repository.layout, row.oid)
      deleted.push(row)
    } catch (error) {
      if (!(error instanceof RefMovedError || error instanceof RefLockedError)) throw error
    }
  }
  return deleted
}
