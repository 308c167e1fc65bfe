export {
  type Act,
  type CarryAct,
  type CheckpointAct,
  isMergePolicy,
  type MergeAct,
  type MergeBase,
  type MergePolicy,
  mayHaveContent,
  nameOfAct,
} from './acts.ts'
export { type AdoptedRange, type AdoptedRow, countOfRow, encodeRow, rangesOfRow } from './adopted-rows.ts'
export { CborReader } from './cbor-reader.ts'
export { type CheckpointFacts, checkpointDigest } from './checkpoint-digest.ts'
export {
  type CursorDocument,
  formatCursor,
  isCursorName,
  parseCursor,
} from './cursor-document.ts'
export { StreamFormatError } from './format-error.ts'
export {
  type ClosedFrame,
  type CloseReason,
  type Crc32c,
  decodeJournalPayload,
  FrameEncoder,
  frameBytesMax,
  frameHeadBytes,
  type JournalPayload,
  type OpenFrame,
  type RecordsFrame,
  type ScannedPart,
  scanFrames,
  takeRecords,
} from './journal-frame.ts'
export type { Labels } from './labels.ts'
export {
  ancestorsOf,
  baseOffsets,
  containedPositions,
  descendantsOf,
  graphAsDot,
  graphAsMermaid,
  graphAsText,
  type LineageGraph,
  type LineageJoin,
  type LineageNode,
  mergeBases,
  type Position,
} from './lineage.ts'
export {
  type Lineage,
  type LineageKind,
  type LineageMetadata,
  type LineageParent,
  lineageDigest,
  type RetentionPolicy,
} from './lineage-facts.ts'
export {
  decodeManifest,
  encodeManifest,
  type Manifest,
  nextOffsetOf,
  ownEntriesOf,
  type ProducerState,
  rootOfManifest,
  type StreamContent,
} from './manifest.ts'
export {
  compareInterleaved,
  interleave,
  interleavedRow,
  type MergePlan,
  type MergeRequest,
  type MergeSource,
  type OffsetRange,
  planMerge,
  type TimedRange,
} from './merge-plan.ts'
export {
  appendSubtrees,
  checkPath,
  KnownNodes,
  LeafList,
  leafOfRecord,
  leafOfRow,
  nodeOf,
  PeakList,
  pathOf,
  rootOf,
  sameBytes,
  sha256,
  subtreesOf,
} from './merkle.ts'
export { commitMessage, type MessageFacts, parseTrailers, shownStreamId, type Trailers } from './message.ts'
export { type ProofFacts, type ProofStep, type ProofVerdict, proofDocument, verifyProof } from './proof.ts'
export {
  checkRecord,
  decodeRecord,
  encodeRecord,
  producerOf,
  recordEnd,
  recordTime,
  requestProducerPrefix,
  type StreamRecord,
  sizeOf,
} from './record.ts'
export { encodeSegment, SegmentRecords, type SegmentRow } from './segment.ts'
export {
  bytesOfHex,
  type CloneId,
  cursorRefPrefix,
  encodeStreamId,
  type Incarnation,
  isCloneId,
  isIncarnation,
  isStreamId,
  parseStreamId,
  parseStreamRef,
  percentDecodeId,
  percentEncodeId,
  type StreamId,
  streamRefOf,
  streamRefPrefix,
} from './stream-id.ts'
export { streamLimits } from './stream-limits.ts'
