/** What a sync does about objects that are missing or damaged here, before and after it fails over them. */
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

/** A log whose head cannot be read is put back on what it had before, or stays as it is for the remote to replace. */
export async function putBackHead(repository: Workspace): Promise<void> {
  try {
    await repository.requireSoundHead()
  } catch (error) {
    if (!(error instanceof IncompleteLogError)) throw error
  }
}

/** What git or the log says where an object is missing or damaged here. */
function mayBeMended(error: GriteError): boolean {
  if (error instanceof RemoteError) {
    const { reason, stderr } = error.details
    return reason === 'corrupt' || reason === 'failed' || /pack-objects died|unable to read/.test(`${stderr}`)
  }
  if (error instanceof NotFoundError) return error.details.field === undefined
  return error instanceof IncompleteLogError || error.kind === 'internal'
}

/** Repairs what may have kept a sync from working. False when there was nothing to repair. */
export async function clearTheWay(
  context: Pick<CommandContext, 'warn'>,
  repository: Workspace,
  remote: string,
  error: unknown,
): Promise<boolean> {
  if (!(error instanceof GriteError) || !mayBeMended(error)) return false
  // What no ref of ours names may still lie in the way of what a fetch brings.
  const { oid } = error.details
  const isSetAside = error instanceof CorruptObjectError && typeof oid === 'string'
  if (isSetAside && setAsideCorruptObject(repository.layout, oid as Oid) !== null) return true
  const deleted = [...(await leaveUnreadHead(repository)), ...(await deleteUnreadRefs(repository))]
  for (const { ref, oid } of deleted) {
    const message = `${ref} named ${oid}, which cannot be read here, and was deleted, because git fetches nothing while it is there`
    context.warn({ code: 'ref-deleted', message, details: { ref, object_id: oid } })
  }
  return (await mendLog(context, repository, remote)) || deleted.length > 0
}

/**
 * Takes away the log's ref where nothing is left that it could be put back on: git fetches nothing while it is there. The
 * view holds the head, so that its events come back should it be found.
 */
async function leaveUnreadHead(repository: Workspace): Promise<readonly UnreadRef[]> {
  const { git } = repository
  const oid = await git.readRef(walRef)
  if (oid === null || (await isCommit(git, oid))) return []
  // Opening the view has looked for another head, and remembers this one.
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
 * Looks for what the log lacks, also where the view has it all, and fetches it. What stays missing, the view notes.
 *
 * @returns whether something was fetched
 */
export async function mendLog(
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

/** Whether a push failed while the pack was on its way, which has its cause here as well as there. */
export function isUnsent({ reason }: PushedRef): boolean {
  return /unpack/.test(reason)
}

/** Obstacles that one sync clears away. */
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
