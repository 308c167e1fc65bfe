/** Repairs missing or damaged local objects, before a sync and after a sync has failed because of them. */
import { type Oid, type PushedRef, setAsideCorruptObject } from '../../git/index.ts'
import {
  CorruptObjectError,
  GriteError,
  IncompleteLogError,
  NotFoundError,
  RefMovedError,
  RemoteError,
} from '../../model/index.ts'
import { findGaps, isCommit, issueLog, walRef } from '../../wal/index.ts'
import type { CommandContext } from '../effects.ts'
import type { Workspace } from '../workspace.ts'
import { deleteUnreadRefs, fetchMissing, type UnreadRef } from './complete-log.ts'

/** Restores an earlier head of a log whose head is unreadable, or leaves it for the remote to replace. */
export async function restoreHead(repository: Workspace): Promise<void> {
  try {
    await repository.requireSoundHead()
  } catch (error) {
    if (!(error instanceof IncompleteLogError)) throw error
  }
}

/** Whether an error of git or the log may come from a missing or damaged local object. */
function mayBeRepaired(error: GriteError): boolean {
  if (error instanceof RemoteError) {
    const { reason, stderr } = error.details
    return reason === 'corrupt' || reason === 'failed' || /pack-objects died|unable to read/.test(`${stderr}`)
  }
  if (error instanceof NotFoundError) return error.details.field === undefined
  return error instanceof IncompleteLogError || error.kind === 'internal'
}

/** Repairs local objects and refs that may have made a sync fail. False when there was nothing to repair. */
export async function repairForSync(
  context: Pick<CommandContext, 'warn'>,
  repository: Workspace,
  remote: string,
  error: unknown,
): Promise<boolean> {
  if (!(error instanceof GriteError) || !mayBeRepaired(error)) return false
  // A damaged object that no ref of ours reaches can still block a fetch.
  const { oid } = error.details
  const isSetAside = error instanceof CorruptObjectError && typeof oid === 'string'
  if (isSetAside && setAsideCorruptObject(repository.layout, oid as Oid) !== null) return true
  const deleted = [...(await leaveUnreadHead(repository)), ...(await deleteUnreadRefs(repository))]
  for (const { ref, oid } of deleted) {
    const message = `deleted ${ref}: its target ${oid} is unreadable, and git cannot fetch while the ref exists`
    context.warn({ code: 'ref-deleted', message, details: { ref, object_id: oid } })
  }
  return (await fillGaps(context, repository, remote)) || deleted.length > 0
}

/**
 * Deletes the ref of the log if no earlier head can be restored, because git cannot fetch while it exists. The view keeps
 * the head, so that its events return if the commit is found again.
 */
async function leaveUnreadHead(repository: Workspace): Promise<readonly UnreadRef[]> {
  const { git } = repository
  const oid = await git.readRef(walRef)
  if (oid === null || (await isCommit(git, oid))) return []
  // Opening the view has tried to find another head, and remembers this one.
  await repository.recoverHead()
  const update = { ref: walRef, expected: oid, next: null, reflogMessage: '' }
  try {
    await git.publish({ objects: [], updates: [update] })
    setAsideCorruptObject(repository.layout, oid)
    return [{ ref: walRef, oid }]
  } catch (error) {
    if (!(error instanceof RefMovedError)) throw error
    return []
  }
}

/**
 * Finds the gaps in the log, even if the view is complete, and fetches the missing objects. The view notes the remaining
 * gaps.
 *
 * @returns whether anything was fetched
 */
export async function fillGaps(
  context: Pick<CommandContext, 'warn'>,
  repository: Workspace,
  remote: string,
): Promise<boolean> {
  const head = await repository.git.readRef(walRef)
  if ((await repository.view()).gaps.count === 0 && head !== null) {
    const found = await findGaps(repository.git, issueLog, head)
    await repository.changeView((view) => view.noteGaps(found))
  }
  const { gaps } = await repository.view()
  return (await fetchMissing(context, repository, { remote, gaps })) > 0
}

/**
 * Whether a push may have failed because the local history lacks an object: during the transfer of the pack, or before it,
 * where git cannot follow the history and then says that it is no fast-forward. Both may have another cause.
 */
export function mayLackObjects({ reason }: PushedRef): boolean {
  return /unpack|non-fast-forward/.test(reason)
}

/** Maximum number of repairs per sync. */
const obstaclesMax = 16

export async function untilClear<Result>(
  work: () => Promise<Result>,
  clear: (error: unknown) => Promise<boolean>,
): Promise<Result> {
  for (let count = 0; ; count++) {
    try {
      return await work()
    } catch (error) {
      if (count >= obstaclesMax || !(await clear(error))) throw error
    }
  }
}
