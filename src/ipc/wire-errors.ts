/** Errors on the wire, so that a program over the socket catches the same classes as one in the process of the work. */
import {
  AfterWriteError,
  ConfigError,
  ConflictError,
  CorruptObjectError,
  DamagedStreamError,
  type ErrorDetails,
  GitError,
  GitNotFoundError,
  GriteError,
  type GriteErrorOptions,
  IdParseError,
  IncompleteLogError,
  InternalError,
  InvalidArgsError,
  IpcError,
  NotFoundError,
  ObjectTooLargeError,
  RefLockedError,
  RefMovedError,
  RemoteError,
  RepositoryRefusedError,
  StorageError,
  UnusableSnapshotError,
} from '../model/errors/index.ts'

/** An error in its JSON form. */
export interface WireError {
  /** Of the class; `InternalError` for what is no error of grite. */
  readonly name: string
  readonly code: string
  readonly message: string
  readonly details: ErrorDetails
  readonly hints: readonly string[]
}

type Make = new (message: string, options: GriteErrorOptions) => GriteError

/** Classes that are made from a message. Names are written out: a minified program has others. */
const plainClasses: Readonly<Record<string, Make>> = {
  AfterWriteError,
  ConfigError,
  ConflictError,
  CorruptObjectError,
  DamagedStreamError,
  GitError,
  GitNotFoundError,
  IdParseError,
  IncompleteLogError,
  InternalError,
  InvalidArgsError,
  IpcError,
  NotFoundError,
  ObjectTooLargeError,
  RemoteError,
  RepositoryRefusedError,
  StorageError,
  UnusableSnapshotError,
}

export function errorToWire(thrown: unknown): WireError {
  if (!(thrown instanceof GriteError)) {
    const message = thrown instanceof Error ? thrown.message : 'unknown reason'
    return { name: 'InternalError', code: 'internal_error', message, details: {}, hints: [] }
  }
  const { code, message, details, hints } = thrown
  return { name: nameOf(thrown), code, message, details, hints }
}

function nameOf(error: GriteError): string {
  if (error instanceof RefMovedError) return 'RefMovedError'
  if (error instanceof RefLockedError) return 'RefLockedError'
  const exact = Object.entries(plainClasses).find(([, Class]) => error.constructor === Class)
  return exact?.[0] ?? 'InternalError'
}

export function errorFromWire({ name, message, details, hints }: WireError): GriteError {
  if (name === 'RefMovedError') {
    return adding(new RefMovedError(textOf(details.ref), idOf(details.expected), idOf(details.found)), details)
  }
  if (name === 'RefLockedError') {
    const waitedMs = typeof details.waited_ms === 'number' ? details.waited_ms : 0
    return adding(new RefLockedError(textOf(details.ref), textOf(details.lock_path), waitedMs), details)
  }
  const Class = Object.hasOwn(plainClasses, name) ? (plainClasses[name] as Make) : InternalError
  return new Class(message, { details, hints })
}

function adding(error: GriteError, details: ErrorDetails): GriteError {
  error.addDetails(details)
  return error
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const idOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)
