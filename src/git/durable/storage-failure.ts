import { StorageError } from '../../model/errors/index.ts'

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
  return new StorageError(`${doing}: ${message}`, { cause: error, details: { errno: code, path: path ?? null } })
}
