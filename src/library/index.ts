/** The public library: `import { openRepository } from 'grite'`. See docs/library.md. */
import { openSharedRepository, type SharedRepository } from '../tracker/shared-repository.ts'
import { Workspace } from '../tracker/workspace.ts'
import { type ConnectOptions, connectSession } from './connect.ts'
import { type Effects, fillIn, type RepositoryOptions } from './options.ts'
import { Repository } from './repository.ts'
import { Session, type Workspaces } from './session.ts'

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
export type { ConnectOptions } from './connect.ts'
export type { RepositoryOptions } from './options.ts'
export type { Answer, BatchOperation, Input, OneAnswer, Options, Repository } from './repository.ts'
export type { CallOptions } from './session.ts'

/** How long an idle view stays open. Short, so that commands of other processes need not wait for it. Milliseconds. */
const viewIdleMs = 100

/** Opens the repository that contains a directory. @throws {NotFoundError} when there is none */
export async function openRepository(options: RepositoryOptions = {}): Promise<Repository> {
  return new Repository(await openSession(fillIn(options)))
}

/**
 * Connects to the daemon of the repository that contains a directory, and starts one where none runs. The result does what that of
 * `openRepository` does; what the daemon cannot do, such as a sync, it does in this process.
 *
 * @throws {NotFoundError} when there is no repository
 * @throws {IpcError} when no daemon runs and none could be started
 */
export function connect(options: ConnectOptions = {}): Promise<Repository> {
  return connectSession(options, openSession)
}

async function openSession(effects: Effects): Promise<Session> {
  const { cwd, env, warn } = effects
  const shared = await openSharedRepository(cwd, { env, warn, viewIdleMs })
  return new Session(workspacesOf(shared), effects)
}

function workspacesOf(shared: SharedRepository): Workspaces {
  return { open: (facts) => new Workspace(shared, facts), close: () => shared.close() }
}
