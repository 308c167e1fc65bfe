/**
 * All limits in one table (design §10). They bind writers and the loading of bytes; a reader folds every event that
 * verifies. Text limits count UTF-8 bytes.
 */
export const limits = {
  titleBytesMax: 1024,
  bodyBytesMax: 1024 * 1024,
  labelBytesMax: 256,
  assigneeBytesMax: 256,
  urlBytesMax: 4096,
  noteBytesMax: 4096,
  attachmentNameBytesMax: 1024,
  mimeBytesMax: 256,
  labelsPerIssueMax: 1000,
  lockResourceBytesMax: 1024,
  /** A larger `lock.json` is damaged and not loaded. */
  lockFileBytesMax: 64 * 1024,
  attachmentBytesMax: 16 * 1024 * 1024,
  /** `config.toml` of a clone or an actor; people write a few lines. */
  configBytesMax: 1024 * 1024,
  /** Input that `batch` reads before it writes anything: operations that change nothing do not count as events. */
  batchInputBytesMax: 64 * 1024 * 1024,
  batchOperationsMax: 65_536,
  /** An import from a file has no size limit; a stream is copied to disk first. */
  importStreamBytesMax: 64 * 1024 ** 3,
  batchEventsMax: 4096,
  batchBytesMax: 8 * 1024 * 1024,
  segmentBytesMax: 4 * 1024 * 1024,
  /** A larger chunk is reported by object id and not loaded. */
  chunkReadBytesMax: 64 * 1024 * 1024,
  /**
   * Files read from one commit, in tree order. A few trees that refer to each other tenfold hold any number of paths,
   * so the limit counts visited files, not stored ones. The largest of our own commits has 4,096 attachments and its
   * chunk.
   */
  commitFilesMax: 8192,
  /** Tree rows visited per commit, repeated ones counted each time: files, and the folders that lead to them. */
  commitTreeRowsMax: 65_536,
  /** Trees of one commit, each counted once. Bytes. */
  commitTreeBytesMax: 16 * 1024 * 1024,
  /** Nesting of folders; ours are four deep. The tree walk is recursive. */
  commitDepthMax: 32,
  /**
   * Bytes of one path, in UTF-8; no file system allows longer ones. Paths could fill the memory before file contents
   * do.
   */
  commitPathBytesMax: 4096,
  /** Contents of one commit held in memory together, chunks first. Ours have less than 40 MiB. */
  commitContentBytesMax: 128 * 1024 * 1024,
  /** Parents of one commit; ours have one. History behind further parents is still read, as git walks it. */
  commitParentsMax: 64,
  /** Leases that a clone follows per remote: more than all issues claimed in a day. */
  followedLeasesMax: 16_384,
  /** Locks of the Rust tool that a clone follows per remote; that tool deletes its own. */
  followedLocksMax: 1024,
  /** Snapshots that a clone follows per remote, and that a command reads; five are kept as a rule. */
  followedSnapshotsMax: 64,
  /** A larger `meta.json` is ignored; no reader needs it. */
  metaBytesMax: 1024 * 1024,
  /** A larger `snapshot.json` or `report.json` belongs to no readable log: 1,000 events take 150 bytes. */
  snapshotFactsBytesMax: 16 * 1024 * 1024,
  /** Values in them; 16 MiB of brackets would take gigabytes of memory. */
  snapshotFactsValuesMax: 1_000_000,
  /** Text of one reported log problem. UTF-16 units; anyone who can push chooses paths and names. */
  problemLengthMax: 400,
  /** Requests that a batch copies from other commits' `meta.json`, as pretty JSON: both lists fit into one file. */
  carriedRequestsBytesMax: 256 * 1024,
  carriedKeysBytesMax: 256 * 1024,
  carriedNestingMax: 32,
  /** Files beside the chunks that a batch copies: with its own few, no more than a reader takes from a commit. */
  carriedFilesMax: 8192 - 64,
  /** Contents of these files; the rest goes into another batch. Bytes. */
  carriedFilesBytesMax: 64 * 1024 * 1024,
  /** Nesting of foreign JSON and TOML: walking them may be recursive. */
  foreignDepthMax: 64,
  /** A line of an import or a batch: larger than any line within the text limits. */
  lineBytesMax: 16 * 1024 * 1024,
  /** Nesting inside a chunk's array of records: record, payload, symbols, symbol. */
  cborNestingMax: 4,
  /** Times above this are inexact; the event is damaged. */
  tsUnixMsMax: Number.MAX_SAFE_INTEGER,
  /** Value of an actor card. */
  actorCardBytesMax: 4096,
  actorLabelBytesMax: 256,
  /** Keys that one actor may have had: bounds the walk over its rotations. */
  actorKeysMax: 1000,
  /** Copies of one event, with different signatures, that are checked for a valid one. */
  copiesJudgedMax: 1000,
  /** Shorter id prefixes are refused; they would soon become ambiguous. */
  issueIdPrefixMin: 4,
  eventIdPrefixMin: 7,
  /** Text of a query; anyone may have saved it. */
  queryBytesMax: 4096,
  /** Nested groups of a query: each is a recursive call of the parser. */
  queryDepthMax: 32,
  /** Saved queries that are read; a log may hold any number. */
  savedQueriesMax: 1000,
  /** Text of a memory; longer texts belong into an issue or a file. */
  memoryBytesMax: 16 * 1024,
  /** What a memory is about: a path. */
  memoryAboutBytesMax: 4096,
  /** Key and value of a fact about the project. */
  contextKeyBytesMax: 256,
  contextValueBytesMax: 64 * 1024,
  /** Memories that are read; a log may hold any number. */
  memoriesMax: 1000,
} as const
