/** What programs import: `import { openRepository } from 'grite'`. See docs/library.md. */
import { findRepository } from '../git/index.ts'
import { fillIn, type RepositoryOptions } from './options.ts'
import { Repository } from './repository.ts'
import { Session } from './session.ts'

export type { CommandName } from '../commands/index.ts'
export type { WatchItem } from '../commands/watch/watch.ts'
export {
  AfterWriteError,
  ConfigError,
  ConflictError,
  CorruptObjectError,
  type ErrorCode,
  type ErrorDetails,
  type ErrorKind,
  GitError,
  GriteError,
  IdParseError,
  IncompleteLogError,
  InternalError,
  InvalidArgsError,
  NotFoundError,
  ObjectTooLargeError,
  RefLockedError,
  RefMovedError,
  RemoteError,
  RepositoryRefusedError,
  StorageError,
  UnusableSnapshotError,
} from '../model/errors/index.ts'
export type { Clock, Random, Warning } from '../tracker/effects.ts'
export type { RepositoryOptions } from './options.ts'
export type { Answer, BatchOperation, Input, OneAnswer, Options, Repository } from './repository.ts'
export type { CallOptions } from './session.ts'

/** Opens the repository that a directory lies in. @throws {NotFoundError} when there is none */
export async function openRepository(options: RepositoryOptions = {}): Promise<Repository> {
  const effects = fillIn(options)
  await findRepository({ cwd: effects.cwd, env: effects.env })
  return new Repository(new Session(effects))
}
