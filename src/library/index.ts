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
  DamagedStreamError,
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
export {
  type Anchor,
  type Artifact,
  type ArtifactContent,
  type ArtifactFacts,
  artifact,
  type BranchPlan,
  backlinkArtifact,
  type ChannelFacts,
  type ChannelMessage,
  type ClassifierEvidence,
  channelMessage,
  channelRoot,
  classifierThread,
  critiqueBranch,
  describeContent,
  type EvaluatorDecision,
  type EvaluatorDecisionFacts,
  evaluatorDecision,
  evidenceArtifact,
  evidenceLabels,
  humanOverride,
  inlineContent,
  labelTexts,
  type MergePlanFacts,
  type MessageFacts,
  manualThread,
  matchesArtifact,
  mergeArtifact,
  mergeOutcomeArtifact,
  type OverrideFacts,
  parseWorkload,
  type ReplyFacts,
  retryBranch,
  type StreamPlan,
  type SummaryKind,
  summaryArtifact,
  type TaskCheckpoint,
  type TaskCheckpointFacts,
  type TextLabels,
  type ThreadBranchFacts,
  type ThreadFacts,
  type ThreadReply,
  type ToolCall,
  type ToolCallFacts,
  type TraceBranchFacts,
  type TraceFacts,
  type TraceMergeFacts,
  taskCheckpoint,
  taskRoot,
  threadBacklink,
  threadBranch,
  threadReply,
  threadSummary,
  toolCall,
  traceBranch,
  traceMerge,
  type WorkloadDraft,
  type WorkloadRecord,
  workloadDraft,
} from '../model/streams/workloads/index.ts'
export type { Clock, Random, Warning } from '../tracker/effects.ts'
export type { ConnectOptions } from './connect.ts'
export type { RepositoryOptions } from './options.ts'
export type { Answer, BatchOperation, Input, OneAnswer, Options, Repository } from './repository.ts'
export type { CallOptions } from './session.ts'
export type { Checkpoints, Cursors } from './stream-groups.ts'
export type {
  AppendSettings,
  MergeRange,
  MergeRow,
  MergeSettings,
  NewRecord,
  ReadSettings,
  Stream,
  StreamRecordItem,
  Streams,
  TailSettings,
} from './streams.ts'

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
