export { type Appended, type AppendTarget, append, appendRetryMsMax, encodeBatch, publishBatch } from './append.ts'
export { isQueueLockLeft, lockFileQueue, noQueue, type Queue } from './append-queue.ts'
export {
  generateKeyPair,
  type KeyPair,
  type SignDigest,
  type Signer,
  signerFromSeed,
  verifySignature,
} from './ed25519.ts'
export { findGaps } from './find-gaps.ts'
export {
  batchesOfMissing,
  batchOfEvents,
  commitDate,
  type NewBatch,
  recordIdsOf,
  requireUsableClock,
  segmentOfBatch,
} from './issue-log/batch.ts'
export {
  attachmentFolder,
  attachmentShaOf,
  type IssueBatch,
  type IssueSegment,
  issueCodec,
} from './issue-log/issue-codec.ts'
export { type Inspection, type Joined, type JoinRequest, readSegments, stageJoin } from './issue-log/join.ts'
export {
  deleteUnmovedRefs,
  encodeLockCommit,
  type FoundLock,
  type KnownLock,
  type KnownLocks,
  type LockMove,
  leaseRefOf,
  listLocks,
  listLocksInSight,
  lockRefOf,
  moveLock,
  newestCommits,
  parseTrackedLock,
  readLock,
  readLockCommit,
} from './issue-log/lock-refs.ts'
export { findNewestEvent } from './issue-log/newest-event.ts'
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
export {
  type Completion,
  type Gained,
  type LogSync,
  noteRemoteHead,
  type SyncPoint,
  type SyncRequest,
  type SyncTarget,
  syncLog,
  syncRoundsMax,
  unmovedRoundsMax,
} from './issue-log/sync-log.ts'
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
  encodeRefPart,
  leasePrefix,
  lockPrefix,
  refOfDeletion,
  remoteRefOf,
  remotesPrefix,
  snapshotPrefix,
  snapshotRef,
  snapshotTimeOf,
  splitTrackingRef,
  trackingPrefix,
  trackingRef,
  walRef,
} from './ref-names.ts'
export { fetchRefspecs, followedRefsMax, lockRefspecs } from './refspecs.ts'
export { rejoinAround } from './rejoin.ts'
export type { LogProblem, Segment, SegmentCodec, SegmentCommit } from './segment-codec.ts'
export { findFormerHead, findParentByReflog, findTrackedHead, isCommit, readSoundHead } from './sound-head.ts'
