export { type ErrorCode, type ErrorKind, errorKinds } from './codes.ts'
export {
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
  RefLockedError,
  RefMovedError,
  RemoteError,
  RepositoryRefusedError,
  StorageError,
  UnusableSnapshotError,
} from './errors.ts'
export { type ErrorDetails, GriteError, type GriteErrorOptions } from './grite-error.ts'
export { shellCommand, shellWord } from './shell-word.ts'
