import { type Oid, type PushedRef, showRemote } from '../../git/index.ts'
import { type Lock, makeVisible, RefMovedError, RemoteError } from '../../model/index.ts'
import {
  encodeLockCommit,
  type FoundLock,
  fetchWithRetry,
  followedRefsMax,
  leaseRefOf,
  lockRefspecs,
  newestCommits,
  noteRemoteHead,
  trackingRef,
  walRef,
} from '../../wal/index.ts'
import type { Workspace } from '../workspace.ts'
import type { LockPlace } from './lock-place.ts'

/**
 * Leases on a remote. The clone whose push is accepted has the lease: each push is a fast-forward from the newest known
 * commit, so the remote accepts only the first of two pushes from the same commit.
 */
export function sharedPlace(repository: Workspace, remote: string): LockPlace {
  return {
    level: 'remote',
    remote,
    refOf: (resource) => trackingRef(remote, leaseRefOf(resource)),
    refresh: () => fetchLocks(repository, remote),
    async move({ lock, present, nowUnixMs }) {
      const next = await writeLease(repository, { lock, present, nowUnixMs })
      const { sync } = await repository.config()
      const updates = [{ ref: leaseRefOf(lock.resource), next }]
      const results = await repository.remotes.push({ remote, updates, atomic: false, runHooks: sync.runHooks })
      for (const result of results) requirePushed(remote, present, result)
      await noteLease(repository, { remote, resource: lock.resource, present, next })
    },
  }
}

export interface LeaseStep {
  readonly lock: Lock
  readonly present: FoundLock | null
  readonly nowUnixMs: number
}

/** Writes the commit of a lease for a push. */
export async function writeLease({ git }: Workspace, { lock, present, nowUnixMs }: LeaseStep): Promise<Oid> {
  const parents = await newestCommits(git, present?.oid == null ? [] : [present.oid])
  const { oid, objects } = encodeLockCommit(git.layout.objectFormat, { lock, parents, nowUnixMs })
  await git.publish({ objects, updates: [] })
  return oid
}

/** Updates the tracking ref of a lease after a push. */
export async function noteLease(
  { git }: Workspace,
  { remote, resource, present, next }: { remote: string; resource: string; present: FoundLock | null; next: Oid },
): Promise<void> {
  await noteRemoteHead(git, trackingRef(remote, leaseRefOf(resource)), present?.oid ?? null, next)
}

/** @throws {RefMovedError} after a lost race; @throws {RemoteError} when the remote refuses leases */
function requirePushed(remote: string, present: FoundLock | null, result: PushedRef): void {
  if (result.outcome === 'stale') throw new RefMovedError(result.ref, present?.oid ?? null, null)
  if (result.outcome === 'rejected') throw pushRefused(remote, result)
}

const refusedByRule = [
  'A hook or a rule of the host refused the push; some hosts accept only branches and tags',
  'Use `--local` for locks and claims in this clone only',
]

export function pushRefused(remote: string, { ref, reason }: PushedRef, hints = refusedByRule): RemoteError {
  const shown = showRemote(remote)
  const what = ref === walRef ? 'the log' : 'the lease'
  return new RemoteError(`'${shown}' refused ${what}, ${ref}: ${makeVisible(reason)}`, {
    details: { remote: shown, reason: 'rejected', remote_message: reason, ref },
    hints,
  })
}

/** Fetches the leases of a remote, and the locks that clones of the Rust tool have pushed there. */
export async function fetchLocks({ remotes, facts: { clock, random } }: Workspace, remote: string): Promise<void> {
  const jitter = () => (random.bytes(1)[0] as number) / 256
  await fetchWithRetry(remotes, { remote, refspecs: lockRefspecs(remote), refsMax: followedRefsMax }, { clock, jitter })
}
