import { StorageError } from '../../model/errors/index.ts'
import { Retry } from '../retry.ts'
import { monotonicMs } from './monotonic.ts'

/** The errno name of a failed file operation, for example `ENOENT`; undefined when it is no such failure. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined
}

/** Turns a failed file operation into a `StorageError`; anything else stays what it is. */
export function asStorageFailure(error: unknown, doing: string): unknown {
  const code = errnoOf(error)
  if (code === undefined) return error
  const { path, message } = error as NodeJS.ErrnoException
  const details = { errno: code, path: path ?? null }
  // Free space and permissions are not what is wrong with a file that is gone.
  return code === 'ENOENT'
    ? new StorageError(`${doing}: ${message}`, { cause: error, details, hints: [vanishedHint] })
    : new StorageError(`${doing}: ${message}`, { cause: error, details })
}

const vanishedHint =
  'Another program removed files of the git directory meanwhile, as `git prune` and `git gc --prune=now` do; run the command again when it has ended'

/**
 * How long what `git prune` takes is written again and again before the write gives up. It takes each object at most once
 * in a run, but somebody may run it in a loop.
 */
const vanishingMsMax = 5000
/** Between two tries: many turns of a loop that prunes fit into the time, and few files are opened. */
const vanishingPauseMs = 20

/** Writes objects again that keep vanishing, for as long as that makes sense. @param pauseMs - 0 where git takes longer */
export function retryVanishing(pauseMs: number = vanishingPauseMs): Retry {
  return new Retry({ firstMs: pauseMs, forMs: vanishingMsMax, jitter: () => 0.5, nowMs: monotonicMs })
}

/** Objects that were written and are gone again. @param oids - not empty */
export function objectsVanished(oids: readonly string[]): StorageError {
  const others = oids.length === 1 ? '' : ` and ${oids.length - 1} more`
  return new StorageError(`object ${oids[0]}${others} vanished while it was being written`, {
    details: { reason: 'vanished', object_ids: oids.slice(0, 20) },
    hints: [vanishedHint],
  })
}

/** Whether objects were pruned between their writing and the ref: writing them again helps. */
export function isVanished(error: unknown): boolean {
  return error instanceof StorageError && error.details.reason === 'vanished'
}
