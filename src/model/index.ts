export {
  type ActorCard,
  actorCardKey,
  beadsImportCard,
  type CardReading,
  deriveActorId,
  formatActorCard,
  isCardEvent,
  labelOnCard,
  readCard,
  rotationDigest,
  type ValidCard,
  type VerifySignature,
} from './actor-card.ts'
export { compareStatuses, statusOf } from './board.ts'
export {
  type ChunkEvent,
  chunkHeaderBytes,
  type DecodedChunk,
  decodeChunk,
  decodeChunkInSteps,
  decodeRecords,
  encodeChunk,
  encodeEventChunk,
  encodeRecords,
  findHeaderProblem,
  hashChunk,
  hashChunkInSteps,
  runSteps,
  sliceChunk,
  sliceRecords,
  stepBytes,
} from './chunk.ts'
export {
  assignedToOthers,
  type EarlierAssignment,
  findEarlierAssignment,
  hasLeftBehind,
  isAssignedByClaim,
  type NewClaim,
  newClaim,
  staleAssignees,
} from './claim.ts'
export { type CommentHistoryEntry, withCommentChanges } from './comment-history.ts'
export {
  type CommentOverlay,
  commentOfOverlayKey,
  commentOverlayKey,
  commentOverlayPrefix,
  formatCommentOverlay,
  readCommentOverlay,
  shownCommentText,
} from './comment-overlay.ts'
export { type CommentInThread, type ThreadedComment, threadComments } from './comment-threads.ts'
export { compareBytes, compareText } from './compare.ts'
export { type Language, languageOf, languages } from './context/languages.ts'
export { matchNames, type NameMatch, type NameMatching, nameMatchings } from './context/match-names.ts'
export { NameTable } from './context/name-table.ts'
export { type FileContext, laterContext, type ProjectContext } from './context/record.ts'
export { isRemovedFile, removedFile } from './context/removed.ts'
export { orderSymbols, type SymbolKind, sortForLog, summarize, symbolKinds } from './context/symbols.ts'
export { cutPage, type ListOrder, type Place } from './cursor.ts'
export { dayWords, parseDayWord, weekdays } from './day-words.ts'
export { type Blocker, findBlockers, findWaiting } from './dependencies/blockers.ts'
export { findCycles, findDependencyCycles } from './dependencies/cycles.ts'
export { DependencyGraph } from './dependencies/dependency-graph.ts'
export {
  type EdgeList,
  edgesOfList,
  type Order,
  orderOf,
  ordersOf,
  respell,
  type StoredEdge,
} from './dependencies/edges.ts'
export {
  layOutForest,
  reachableFrom,
  type TreeLink,
  type TreeRow,
  treeDepthMax,
} from './dependencies/lay-out-forest.ts'
export { type SortedIssues, sortByDependencies } from './dependencies/sort-by-dependencies.ts'
export { daysUntilDue, deferOf, dueOf, isDeferred, isOverdue } from './due.ts'
export {
  AfterWriteError,
  ConfigError,
  ConflictError,
  CorruptObjectError,
  DamagedStreamError,
  type ErrorCode,
  type ErrorDetails,
  type ErrorKind,
  errorKinds,
  GitError,
  GitNotFoundError,
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
  shellCommand,
  shellWord,
  UnusableSnapshotError,
} from './errors/index.ts'
export { compareVersions, type Event, type EventFacts, timeAfter, type Version, versionOf } from './event.ts'
export {
  type CommentFacts,
  computeEventId,
  type DamagedRecord,
  decodeRecord,
  deriveContextIssueId,
  encodeRecord,
  identifyEvent,
  projectContextIssueId,
  readCommentOn,
} from './event-codec.ts'
export { formatKindForExport, formatKindWithNumbers, type Json, type KindJson } from './event-json.ts'
export {
  type DependencyType,
  dependencyTypes,
  type EventBody,
  type EventBodyOf,
  type EventKindName,
  eventKindNames,
  eventKinds,
  type IssueStateWord,
  issueStates,
  type SourceSymbol,
  type WireType,
} from './event-kinds.ts'
export {
  type FieldKey,
  type Fields,
  fieldKeys,
  fieldRules,
  fieldsOf,
  formatScopedLabel,
  isDayField,
  isFieldKey,
  isFieldValue,
  type LabelChange,
  parentOf,
  parseScopedLabel,
  planClearField,
  planSetField,
} from './fields.ts'
export { describeForeign, shortenText } from './foreign/describe-foreign.ts'
export { type JsonProblem, type JsonReading, type JsonSource, parseForeignJson } from './foreign/parse-json.ts'
export { Mismatch, type Shape, shape, type ValueOf } from './foreign/shapes.ts'
export { type BulkHasher, blake2b128, blake2b256, hasBulkHasher, setBulkHashers } from './hash.ts'
export { formatHex, formatUuid, parseHex } from './hex.ts'
export { type Final, fieldNameOf, type HistoryEntry, historyOf, type Subject } from './history.ts'
export {
  type ActorId,
  type EventId,
  type IssueId,
  isActorId,
  parseActorId,
  parseEventId,
  parseIssueId,
  parseSha256,
  type Sha256Hex,
} from './ids.ts'
export {
  importedEdgesOf,
  importedEdgeTargetsOf,
  importedFieldsHeader,
  isImportedFields,
  isImportedText,
} from './imported-fields.ts'
export {
  type DocumentKey,
  formatIssueDocument,
  type ParsedDocument,
  parseIssueDocument,
} from './issue-document.ts'
export { formatIssueState, type PackedIssueState, unpackIssueState } from './issue-state-codec.ts'
export { limits } from './limits.ts'
export { linkSchemes, requireLinkUrl } from './link-url.ts'
export {
  type AcquirePlan,
  type Claim,
  clockAllowanceMs,
  describeWrongClock,
  formatLock,
  hasLongEnded,
  isCollectable,
  isRenewalDue,
  type Lock,
  type LockRequest,
  type LockState,
  type LockTerms,
  localTtlMsMax,
  lockMembers,
  lockShape,
  lockStateAt,
  lockTerms,
  type ParsedLock,
  parseLock,
  planAcquire,
  planRelease,
  planRenew,
  planUnclaim,
  sharedTtlMsMax,
} from './lock.ts'
export {
  isRepositoryResource,
  issueOfResource,
  issueResource,
  requireResource,
  resourcesOverlap,
} from './lock-resource.ts'
export { demoteMarkdown, escapeMarkdownLine, quoteLine } from './markdown-text.ts'
export {
  compareMemories,
  formatMemory,
  holdsWords,
  isAboutPath,
  isMemoryKey,
  type MemoryText,
  memoryContextKey,
  memoryPrefix,
  readMemory,
  slugOf,
} from './memory.ts'
export { dayOf, formatUtcDay, formatUtcMinute, parseAge, parseTimeSpan } from './moment.ts'
export { encodeNamePart } from './name-part.ts'
export { nearWords, suggestionCountMax } from './near-words.ts'
export { beadsImportActor, deriveBeadsIssueId, originalIdOf } from './original-id.ts'
export {
  type ActorKey,
  type CardSlot,
  cardInSlot,
  isBoundCard,
  type PinnedActor,
  pinActor,
  saidSlot,
  slotsOfCard,
  walkCards,
  whyCardIsIgnored,
} from './pinned-actor.ts'
export {
  type Attachment,
  applyEvent,
  createdTs,
  currentBody,
  currentClosedTs,
  currentState,
  currentTitle,
  type Dependency,
  dependencyKey,
  type ElementVersions,
  emptyIssueState,
  foldIssue,
  type IssueState,
  isPresent,
  type Link,
  labelVersions,
  presentAssignees,
  presentDependencies,
  presentLabels,
  type Register,
  updatedTs,
} from './projection.ts'
export {
  type CommentDetail,
  compileQuery,
  type QueryDetail,
  type QueryFacts,
  type QueryRow,
  type QueryTest,
  textsIn,
  wantedTexts,
} from './query/evaluate.ts'
export { formatQuery } from './query/format.ts'
export { findLostQuotes, joinQueryWords } from './query/join-words.ts'
export { narrowQuery } from './query/narrow.ts'
export { parseQuery } from './query/parse.ts'
export { parseQualifier, type QualifierKey, qualifierKeys, qualifiers } from './query/qualifiers.ts'
export {
  allOf,
  anyOf,
  conditionsOf,
  decidesState,
  joinQueries,
  mapConditions,
  not,
  type Query,
  type QueryCondition,
  type QuerySort,
  type QuerySortKey,
  type QueryTerm,
  querySortKeys,
  usualSort,
} from './query/query.ts'
export { orderOfList, sortRows } from './query/sort.ts'
export { isRequestKey, timeOfRequestKey } from './request-key.ts'
export {
  formatSavedQuery,
  isSavedQueryName,
  readSavedQuery,
  type SavedQuery,
  savedQueryKey,
  savedQueryPrefix,
} from './saved-query.ts'
export {
  chooseSignature,
  judgeSignature,
  noTrust,
  type SignatureTrust,
  type SignatureVerdict,
  type SignedFacts,
  signatureBytes,
  signatureVerdicts,
} from './signature.ts'
export { type SignedSnapshotFiles, snapshotDigest } from './snapshot-digest.ts'
export { isSnapshotDue, type SnapshotCover, type SnapshotThresholds } from './snapshot-due.ts'
export { type SnapshotPlace, SnapshotSieve } from './snapshot-sieve.ts'
export { planUndo, type Restoration, type UndoPlan, type UndoRefusal, type UndoTargets } from './undo.ts'
export { requireLabel, requireTitle, validateBody } from './validate-event.ts'
export { makeJsonVisible, makeVisible } from './visible-text.ts'
export { findWaitingParents, isPartOf } from './waiting-parts.ts'
