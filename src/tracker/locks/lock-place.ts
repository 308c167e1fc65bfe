import type { Oid, RefName } from '../../git/index.ts'
import type { Lock } from '../../model/index.ts'
import { type FoundLock, lockRefOf, moveLock } from '../../wal/index.ts'
import type { Workspace } from '../workspace.ts'
import type { SeenLock } from './known-locks.ts'

/** Where locks are stored and who sees them: this clone (`local`), or all clones through a remote. */
export interface LockPlace {
  readonly level: 'local' | 'remote'
  readonly remote: string | null
  /** The local ref under which the lock of a resource is visible. */
  readonly refOf: (resource: string) => RefName
  /** Fetches the locks of others. */
  readonly refresh: () => Promise<void>
  /**
   * Publishes a lock as the newest of its resource. When it returns, every reader sees it.
   * @throws {RefMovedError} when the current lock is no longer `present`
   */
  readonly move: (step: LockStep) => Promise<void>
}

export interface LockStep {
  readonly lock: Lock
  readonly present: FoundLock | null
  readonly sights: readonly SeenLock[]
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

/** Commits that clones of the Rust tool have pushed under the same ref name: a child of them can be pushed there. */
function seenOnRemotes(sights: readonly SeenLock[], ref: RefName): Oid[] {
  const suffix = ref.slice(ref.lastIndexOf('/'))
  return sights.flatMap(({ level, kind, found }) =>
    level === 'remote' && kind === 'lock' && found.oid !== null && found.ref.endsWith(suffix) ? [found.oid] : [],
  )
}
