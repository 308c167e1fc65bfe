/** Fetches the missing parts of the log, and removes damaged refs and objects that make git refuse to fetch. */
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

/** Maximum number of objects requested one by one, if a remote does not have all of them. */
const singlesMax = 16

/**
 * Fetches missing objects of the log from a remote.
 *
 * @returns how many of them exist now
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
    const message = `fetched ${found} of ${missing.length} missing objects of the log from '${shown}'`
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
 * Completes the log from all remotes that have missing parts. Reports unreachable remotes.
 *
 * @returns whether any gap was closed
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

/** Fetches all ids together, then one by one, then everything that the log of the remote reaches, until one of these works. */
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

/** Ignores an error for objects that the remote lacks or refuses: the log still reports them as missing. */
function passOver(error: unknown): false {
  if (!isAboutRemote(error)) throw error
  return false
}

function isAboutRemote(error: unknown): boolean {
  if (error instanceof RemoteError) return !['unreachable', 'denied', 'silent'].includes(`${error.details.reason}`)
  // git may also report the requested object as missing locally.
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

/** Refs of grite that may be deleted: caches, refs that a fetch restores, and locks that nobody can read anyway. */
const disposable = [lockPrefix, leasePrefix, snapshotPrefix, remotesPrefix]

/** A ref with a missing or damaged object, such as after a power loss. */
export interface UnreadRef {
  readonly ref: RefName
  readonly oid: LogGap['objectId']
}

/** Finds refs of locks, snapshots and remotes with an unreadable object. With any of them, git can neither fetch nor pack. */
export async function findUnreadRefs(repository: Workspace): Promise<readonly UnreadRef[]> {
  const unread: UnreadRef[] = []
  for (const row of await repository.git.listRefs(disposable, () => {})) {
    if (!(await isReadable(repository, row.oid))) unread.push(row)
  }
  return unread
}

/** Deletes these refs by compare-and-swap, and sets damaged object files aside. Returns the deleted refs. */
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
