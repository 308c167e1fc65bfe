export type * from './acts/index.ts'
export {
  advanceCursor,
  type Cursor,
  type CursorFacts,
  type CursorPlace,
  createCursor,
  deleteCursor,
  getCursor,
  listCursors,
  openCursor,
} from './cursors.ts'
export { inspectStreams, type StreamsInspection } from './inspect-streams.ts'
export type {
  AppendedRecords,
  AppendOptions,
  BranchStream,
  CreateStream,
  Divergence,
  FollowOptions,
  JournalFacts,
  ListFilter,
  LocalDurability,
  Position,
  ReadOptions,
  ReadRecord,
  RecordDraft,
  RecordStreams,
  Sealed,
  StreamDamage,
  StreamMetadata,
  StreamPlace,
  StreamStatus,
  StreamSummary,
} from './record-streams.ts'
export { type DivergedRef, findDivergedRefs } from './remote/diverged-refs.ts'
export type {
  Fetched,
  FetchedStream,
  FetchSelection,
  Imported,
} from './remote/fetch-streams.ts'
export { type Probe, type ProbePlace, probe } from './remote/probe.ts'
export { type Published, type PublishedStream, type PublishRequest, publishStreams } from './remote/publish-streams.ts'
export {
  describePosition,
  positionOf,
  type RemotePlace,
  readTrackedHead,
  type StreamPosition,
} from './remote/remote-place.ts'
export {
  type FetchedCursor,
  fetchCursors,
  type PushedCursor,
  shareCursor,
  shareKnownCursors,
} from './remote/share-cursors.ts'
export type { Rescued, RescueFacts } from './rescue-stream.ts'
export type { StreamHead } from './stream-heads.ts'
export { StreamStore } from './stream-store.ts'
export type { ActCommit } from './stream-writer.ts'
