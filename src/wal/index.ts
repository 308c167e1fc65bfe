export { type Appended, type AppendTarget, append, appendRetryMsMax, encodeBatch, publishBatch } from './append.ts'
export { isQueueLockLeft, lockFileQueue, noQueue, type Queue } from './append-queue.ts'
export { loadBulkHashing } from './bulk-hashing.ts'
export type { EarlyFetch } from './early-fetch.ts'
export {
  generateKeyPair,
  type KeyPair,
  type SignDigest,
  type Signer,
  signerFromSeed,
  verifySignature,
} from './ed25519.ts'
export { problemsOfEntry, whyUnread } from './entry-problems.ts'
export { followedBeside } from './fetch-request.ts'
export { fetchWithRetry } from './fetch-with-retry.ts'
export { findGaps } from './find-gaps.ts'
export { Gathering, type GatherTime } from './gathering.ts'
export {
  findLostHeads,
  findSoundHead,
  type Healed,
  type HealTarget,
  healRef,
  type KnownHeads,
  leaveHead,
} from './heal.ts'
export {
  batchesOfMissing,
  batchOfEvents,
  commitDate,
  type NewBatch,
  type RequestNote,
  recordIdsOf,
  requireUsableClock,
  segmentOfBatch,
} from './issue-log/batch.ts'
export { type FoundRequest, findRequests } from './issue-log/find-request.ts'
export {
  attachmentFolder,
  attachmentShaOf,
  type IssueBatch,
  type IssueSegment,
  issueCodec,
  type LogProblem,
} from './issue-log/issue-codec.ts'
export { type IssueStream, issueLog, issueStream } from './issue-log/issue-log.ts'
export {
  deleteUnmovedRefs,
  encodeLockCommit,
  type FoundLock,
  type KnownLock,
  type KnownLocks,
  type LockMove,
  leaseRefOf,
  listLocks,
  listSeenLocks,
  lockRefOf,
  moveLock,
  newestCommits,
  parseTrackedLock,
  readLock,
  readLockCommit,
} from './issue-log/lock-refs.ts'
export { listOwnCommands, type OwnCommand } from './issue-log/own-commands.ts'
export { followedRefsMax, lockRefspecs, refspecsAlongside } from './issue-log/refspecs.ts'
export {
  type CheckSnapshotOptions,
  checkSnapshot,
  type SnapshotCheck,
  type SnapshotDifference,
  type SoundSnapshot,
} from './issue-log/snapshot/check-snapshot.ts'
export { deleteSnapshots, findTrackedSnapshots } from './issue-log/snapshot/delete-snapshots.ts'
export {
  type NamedSnapshot,
  planSnapshotRefs,
  type SnapshotRefs,
  type SnapshotRefsOnBothSides,
  type SnapshotRefsPlan,
} from './issue-log/snapshot/plan-snapshot-refs.ts'
export {
  isSignatureValid,
  listSnapshots,
  openSnapshot,
  readSnapshot,
  requireSnapshotOf,
  type Snapshot,
  type SnapshotRef,
} from './issue-log/snapshot/read-snapshot.ts'
export {
  findSnapshotFault,
  isSnapshotOf,
  readLocalSnapshotRefs,
  readSnapshotIntents,
  readTrackedSnapshotRefs,
} from './issue-log/snapshot/read-snapshot-refs.ts'
export {
  type SnapshotMaker,
  type WriteSnapshotOptions,
  type WrittenSnapshot,
  writeSnapshot,
} from './issue-log/snapshot/write-snapshot.ts'
export { startLogFetch } from './issue-log/start-log-fetch.ts'
export { type Gained, type LogSync, type LogSyncRequest, syncLog } from './issue-log/sync-log.ts'
export { type Inspection, type Joined, type JoinRequest, readSegments, stageJoin } from './join-ref.ts'
export { judgeHead } from './judge-head.ts'
export {
  describeGap,
  describeGaps,
  detailsOfGaps,
  GapTally,
  incompleteLog,
  type LogGap,
  type LogGaps,
  noGaps,
} from './log-gap.ts'
export { readLog } from './read-log.ts'
export {
  deletedPrefix,
  deletedRef,
  leasePrefix,
  lockPrefix,
  refOfDeletion,
  remoteRefOf,
  remotesPrefix,
  snapshotPrefix,
  snapshotRef,
  snapshotTimeOf,
  splitTrackingRef,
  streamRefspec,
  trackingPrefix,
  trackingRef,
  walRef,
} from './ref-names.ts'
export { rejoinAround } from './rejoin.ts'
export { noteRemoteHead } from './remote-head.ts'
export type { Segment, SegmentCodec, SegmentCommit, StreamProblem } from './segment-codec.ts'
export { findFormerHead, findParentByReflog, isCommit, readSoundHead } from './sound-head.ts'
export {
  type DivergencePolicy,
  type RefusalPolicy,
  type Stream,
  type StreamMove,
  type UnionPolicy,
  type UnionStream,
  updateOf,
} from './stream.ts'
export { syncRef, syncRoundsMax } from './sync-ref.ts'
export type {
  Completion,
  RefSync,
  RefsAlongside,
  SyncPlace,
  SyncPoint,
  SyncRequest,
  SyncTarget,
} from './sync-request.ts'
