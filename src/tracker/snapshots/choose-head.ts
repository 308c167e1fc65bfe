import type { Oid } from '../../git/index.ts'
import { ConflictError, NotFoundError } from '../../model/index.ts'
import { trackingRef, walRef } from '../../wal/index.ts'
import { chooseHomeRemote } from '../sync/remote-name.ts'
import type { Workspace } from '../workspace.ts'

/** The commit that a snapshot covers. */
export interface SnapshotHead {
  readonly head: Oid
  readonly localHead: Oid
  /** The remote that has `head`; null for a local snapshot. */
  readonly remote: string | null
}

/**
 * Chooses the head that a snapshot covers: the part of the log that the home remote has. Unpushed events may still be
 * re-appended on top of the events of others, and then no other clone will ever have their present commits.
 *
 * @param isLocal - use the local log even if there is a remote
 */
export async function chooseSnapshotHead(repository: Workspace, isLocal: boolean): Promise<SnapshotHead> {
  const { git } = repository
  const localHead = await git.readRef(walRef)
  if (localHead === null) throw new NotFoundError('there is no log yet')
  const local = { head: localHead, localHead, remote: null }
  if (isLocal) return local
  const remote = (await chooseHomeRemote(repository))?.name
  if (remote === undefined) {
    const names = await repository.remotes.listRemotes()
    if (names.length === 0) return local
    throw new NotFoundError(`none of the remotes ${names.join(', ')} is the home remote of this log`, {
      details: { field: 'sync.remote', allowed: names },
      hints: ['`grite config set sync.remote <name>` names the home remote', localHint],
    })
  }
  const head = await git.readRef(trackingRef(remote, walRef))
  if (head === null) {
    throw new NotFoundError(`the remote '${remote}' is not known to have any part of the log`, {
      details: { field: 'remote', value: remote },
      hints: ['Run `grite sync` first', localHint],
    })
  }
  if (!(await git.isAncestor(head, localHead))) {
    throw new ConflictError(`the log of the remote '${remote}' has diverged from the local one`, {
      details: { wal_head: localHead, remote_wal_head: head },
      hints: ['Run `grite sync` first'],
    })
  }
  return { head, localHead, remote }
}

const localHint = 'Run `grite snapshot create --local` to use the local log'
