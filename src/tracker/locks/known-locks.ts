/** All locks known to this clone: its own, and those of remotes as of the last fetch. */
import type { Oid } from '../../git/index.ts'
import {
  type Lock,
  type LockState,
  type LockTerms,
  lockStateAt,
  lockTerms,
  resourcesOverlap,
} from '../../model/index.ts'
import { type FoundLock, listSeenLocks, parseTrackedLock } from '../../wal/index.ts'
import type { Workspace } from '../workspace.ts'

/** A lock and where it was found. Locks of remotes are as of the last fetch. */
export interface SeenLock {
  readonly found: FoundLock
  readonly level: 'local' | 'remote'
  /** `lease`: shared between clones of grite. `lock`: of this clone, or pushed to the remote by a clone of the Rust tool. */
  readonly kind: 'lock' | 'lease'
  /** The part of the tracking ref that identifies the remote; null for local locks. */
  readonly remotePart: string | null
}

/** A lock that could be parsed. */
export type ReadableLock = SeenLock & { readonly found: { readonly lock: Lock; readonly oid: Oid } }

/** Reads all known locks in one pass; those of this clone come first. */
export async function readKnownLocks(workspace: Pick<Workspace, 'git' | 'lockMemory'>): Promise<SeenLock[]> {
  const found = await listSeenLocks(workspace.git, {
    find: (oid) => workspace.lockMemory.find(oid),
    remember: (oid, read) => workspace.lockMemory.remember(oid, read),
  })
  if (found.length > 0) await workspace.lockMemory.save()
  return found.map(placeLock).sort((left, right) => Number(left.level === 'remote') - Number(right.level === 'remote'))
}

/** Determines the place of a lock from its ref. */
export function placeLock(found: FoundLock): SeenLock {
  const tracked = parseTrackedLock(found.ref)
  if (tracked === null) return { found, level: 'local', kind: 'lock', remotePart: null }
  return { found, level: 'remote', ...tracked }
}

export function isReadable(sight: SeenLock): sight is ReadableLock {
  return sight.found.lock !== null
}

/** The terms for the times of a lock: other machines have other clocks. */
export function termsOf({ level, kind }: SeenLock): LockTerms {
  if (level === 'local') return lockTerms.local
  return kind === 'lease' ? lockTerms.lease : lockTerms.remoteLock
}

export function stateOfLock(sight: ReadableLock, nowUnixMs: number): LockState {
  return lockStateAt(sight.found.lock, nowUnixMs, termsOf(sight))
}

/** Live locks of others that overlap a resource. */
export function locksAgainst(
  sights: readonly SeenLock[],
  { resource, owner, nowUnixMs }: { readonly resource: string; readonly owner: string; readonly nowUnixMs: number },
): ReadableLock[] {
  return liveLocksOfOthers(sights, { owner, nowUnixMs }).filter(({ found }) =>
    resourcesOverlap(found.lock.resource, resource),
  )
}

export function liveLocksOfOthers(
  sights: readonly SeenLock[],
  { owner, nowUnixMs }: { readonly owner: string; readonly nowUnixMs: number },
): ReadableLock[] {
  return sights
    .filter(isReadable)
    .filter((sight) => sight.found.lock.owner !== owner && stateOfLock(sight, nowUnixMs) === 'live')
}
