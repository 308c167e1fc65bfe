import type { Oid } from '../../git/index.ts'
import { ConflictError, NotFoundError } from '../../model/index.ts'
import { trackingRef, walRef } from '../../wal/index.ts'
import { chooseHomeRemote } from '../sync/remote-name.ts'
import type { Workspace } from '../workspace.ts'

/** The commit to make a snapshot of. */
export interface SnapshotHead {
  readonly head: Oid
  readonly localHead: Oid
  /** The remote that has `head`; null where that was not asked for. */
  readonly remote: string | null
}

/**
 * Chooses what a snapshot is made of: what the home remote has of the log. Events that are here only may still be
 * re-appended on top of what others push; their commits are no log that anybody else will ever have.
 *
 * @param isLocal - take the local log though there may be a remote
 */
export async function chooseSnapshotHead(repository: Workspace, isLocal: boolean): Promise<SnapshotHead> {
  const { git } = repository
  const localHead = await git.readRef(walRef)
  if (localHead === null) throw new NotFoundError('there is no log yet to make a snapshot of')
  const local = { head: localHead, localHead, remote: null }
  if (isLocal) return local
  const remote = (await chooseHomeRemote(repository))?.name
  if (remote === undefined) {
    const names = await repository.remotes.listRemotes()
    if (names.length === 0) return local
    throw new NotFoundError(`none of the remotes ${names.join(', ')} is the one whose log is followed here`, {
      details: { field: 'sync.remote', allowed: names },
      hints: ['Set `remote` below `[sync]` in .git/grite/config.toml', localHint],
    })
  }
  const head = await git.readRef(trackingRef(remote, walRef))
  if (head === null) {
    throw new NotFoundError(`nothing of the log is known to be on the remote '${remote}'`, {
      details: { field: 'remote', value: remote },
      hints: ['Run `grite sync` first', localHint],
    })
  }
  if (!(await git.isAncestor(head, localHead))) {
    throw new ConflictError(`the log of the remote '${remote}' has gone on without what is here`, {
      details: { wal_head: localHead, remote_wal_head: head },
      hints: ['Run `grite sync` first'],
    })
  }
  return { head, localHead, remote }
}

const localHint = '`grite snapshot create --local` makes one of what is here'
