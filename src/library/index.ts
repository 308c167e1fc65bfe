/** The public library: `import { openRepository } from 'grite'`. See docs/library.md. */
import { openSharedRepository } from '../tracker/shared-repository.ts'
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
  GitNotFoundError,
  GriteError,
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
export type { Clock, Random, Warning } from '../tracker/effects.ts'
export type { RepositoryOptions } from './options.ts'
export type { Answer, BatchOperation, Input, OneAnswer, Options, Repository } from './repository.ts'
export type { CallOptions } from './session.ts'

/** How long an idle view stays open. Short, so that commands of other processes need not wait for it. Milliseconds. */
const viewIdleMs = 100

/** Opens the repository that contains a directory. @throws {NotFoundError} when there is none */
export async function openRepository(options: RepositoryOptions = {}): Promise<Repository> {
  const effects = fillIn(options)
  const { cwd, env, warn } = effects
  const shared = await openSharedRepository(cwd, { env, warn, viewIdleMs })
  return new Repository(new Session(shared, effects))
}
