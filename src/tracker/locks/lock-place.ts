import type { Oid, RefName } from '../../git/index.ts'
import type { Lock } from '../../model/index.ts'
import { type FoundLock, lockRefOf, moveLock } from '../../wal/index.ts'
import type { Workspace } from '../workspace.ts'
import type { LockInSight } from './known-locks.ts'

/** Where locks are kept, and who sees them: this clone (`local`), or all clones through a remote. */
export interface LockPlace {
  readonly level: 'local' | 'remote'
  readonly remote: string | null
  /** The ref under which the lock of a resource is in sight. */
  readonly refOf: (resource: string) => RefName
  /** Brings in sight what others did there. */
  readonly refresh: () => Promise<void>
  /**
   * Makes a lock the newest one of its resource. When it returns, every reader sees it.
   * @throws {RefMovedError} when the present one is not `present` any more
   */
  readonly move: (step: LockStep) => Promise<void>
}

export interface LockStep {
  readonly lock: Lock
  readonly present: FoundLock | null
  readonly sights: readonly LockInSight[]
  readonly nowUnixMs: number
}

export function localPlace({ git }: Workspace): LockPlace {
  return {
    level: 'local',
    remote: null,
    refOf: lockRefOf,
    async refresh() {},
    async move({ lock, present, sights, nowUnixMs }) {
      const ref = lockRefOf(lock.resource)
      await moveLock(git, {
        ref,
        expected: present?.oid ?? null,
        alsoAfter: seenOnRemotes(sights, ref),
        lock,
        nowUnixMs,
      })
    },
  }
}

/** What clones of the Rust tool have put on remotes under the same name: a child of it could be pushed there. */
function seenOnRemotes(sights: readonly LockInSight[], ref: RefName): Oid[] {
  const suffix = ref.slice(ref.lastIndexOf('/'))
  return sights.flatMap(({ level, kind, found }) =>
    level === 'remote' && kind === 'lock' && found.oid !== null && found.ref.endsWith(suffix) ? [found.oid] : [],
  )
}
