import { StorageError } from '../../model/errors/index.ts'
import { Retry } from '../retry.ts'
import { monotonicMs } from './monotonic.ts'

/** The errno name of a failed file operation, such as `ENOENT`; undefined for other errors. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined
}

/** Turns a failed file operation into a `StorageError`; returns any other error unchanged. */
export function asStorageFailure(error: unknown, doing: string): unknown {
  const code = errnoOf(error)
  if (code === undefined) return error
  const { path, message } = error as NodeJS.ErrnoException
  const details = { errno: code, path: path ?? null }
  // For a vanished file, free space and permissions are not the cause.
  return code === 'ENOENT'
    ? new StorageError(`${doing}: ${message}`, { cause: error, details, hints: [vanishedHint] })
    : new StorageError(`${doing}: ${message}`, { cause: error, details })
}

const vanishedHint =
  'Another program, such as `git prune` or `git gc --prune=now`, removed files of the git directory; run the command again after it ends'

/**
 * How long to rewrite objects that `git prune` keeps removing. One run removes each object at most once, but somebody
 * may run it in a loop.
 */
const vanishingMsMax = 5000
/** Between two tries: short enough for many rounds of a pruning loop, long enough to open few files. */
const vanishingPauseMs = 20

/** Retries writing objects that keep vanishing. @param pauseMs - 0 where git takes longer */
export function retryVanishing(pauseMs: number = vanishingPauseMs): Retry {
  return new Retry({ firstMs: pauseMs, forMs: vanishingMsMax, jitter: () => 0.5, nowMs: monotonicMs })
}

/** The error for objects that were written and have vanished. @param oids - not empty */
export function objectsVanished(oids: readonly string[]): StorageError {
  const others = oids.length === 1 ? '' : ` and ${oids.length - 1} more`
  return new StorageError(`object ${oids[0]}${others} vanished while it was being written`, {
    details: { reason: 'vanished', object_ids: oids.slice(0, 20) },
    hints: [vanishedHint],
  })
}

/** Whether objects were pruned before the ref moved: writing them again helps. */
export function isVanished(error: unknown): boolean {
  return error instanceof StorageError && error.details.reason === 'vanished'
}
