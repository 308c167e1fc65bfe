/**
 * Every limit in one table (design §10). They bind writers and the loading of bytes; a reader folds whatever verifies.
 * Text limits count UTF-8 bytes.
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
  /** A `lock.json` above this is damaged and not loaded. */
  lockFileBytesMax: 64 * 1024,
  attachmentBytesMax: 16 * 1024 * 1024,
  /** `config.toml` of a clone or an actor; people write a few lines. */
  configBytesMax: 1024 * 1024,
  /** What `batch` reads before it writes anything: operations that change nothing do not count as events. */
  batchInputBytesMax: 64 * 1024 * 1024,
  batchOperationsMax: 65_536,
  /** A file to import may have any size; a stream is copied to the disk first. */
  importStreamBytesMax: 64 * 1024 ** 3,
  batchEventsMax: 4096,
  batchBytesMax: 8 * 1024 * 1024,
  segmentBytesMax: 4 * 1024 * 1024,
  /** A larger chunk is reported by object id and not loaded. */
  chunkReadBytesMax: 64 * 1024 * 1024,
  /**
   * Files that are taken of one commit, in the order of its tree. A few trees that name each other tenfold hold any number
   * of paths, so what is walked is counted, not what is stored. Of our own commits the largest has 4,096 attachments
   * beside its chunk.
   */
  commitFilesMax: 8192,
  /** Rows of its trees that are looked at, each as often as it comes: files, and the folders that lead to them. */
  commitTreeRowsMax: 65_536,
  /** Its trees, each counted once. Bytes. */
  commitTreeBytesMax: 16 * 1024 * 1024,
  /** Folders within each other; ours are four deep. Walking trees takes the stack. */
  commitDepthMax: 32,
  /** Of one path, in UTF-8; no file system takes longer ones. Paths of a commit would fill the memory before its files. */
  commitPathBytesMax: 4096,
  /** Contents of one commit that are held in memory together, chunks before other files. Ours have less than 40 MiB. */
  commitContentBytesMax: 128 * 1024 * 1024,
  /** Parents of one commit; ours have one. History behind the others is read all the same, as git walks it. */
  commitParentsMax: 64,
  /** Leases of one remote that a clone follows: more than all issues that are claimed in a day. */
  followedLeasesMax: 16_384,
  /** Locks of the Rust tool on one remote that a clone follows; that tool deletes its own. */
  followedLocksMax: 1024,
  /** Snapshots of one remote that a clone follows; five are kept as a rule. Also those that a command looks into. */
  followedSnapshotsMax: 64,
  /** A larger `meta.json` says nothing; no reader needs what it says. */
  metaBytesMax: 1024 * 1024,
  /** `snapshot.json` and `report.json` above this belong to no log that can be read: 1,000 events take 150 bytes. */
  snapshotFactsBytesMax: 16 * 1024 * 1024,
  /** Values in them; a file of 16 MiB that is nothing but brackets would take gigabytes. */
  snapshotFactsValuesMax: 1_000_000,
  /** What is said of one thing that is wrong in the log. UTF-16 units; anyone who can push chooses paths and names. */
  problemLengthMax: 400,
  /** What a batch carries along from other commits' `meta.json`, as pretty JSON: both lists fit into one of its own. */
  carriedRequestsBytesMax: 256 * 1024,
  carriedKeysBytesMax: 256 * 1024,
  carriedNestingMax: 32,
  /** Files beside the chunks that a batch carries along: with its own few, no more than a reader takes of a commit. */
  carriedFilesMax: 8192 - 64,
  /** Contents of them, above which they go into another batch. Bytes. */
  carriedFilesBytesMax: 64 * 1024 * 1024,
  /** Objects and lists within each other in foreign JSON and TOML: walking them may use the stack. */
  foreignDepthMax: 64,
  /** A line of an import or a batch: larger than any line that fits the limits of its texts. */
  lineBytesMax: 16 * 1024 * 1024,
  /** Nesting inside a chunk's array of records: record, payload, symbols, symbol. */
  cborNestingMax: 4,
  /** Above this a time cannot be computed with exactly; the event is damaged. */
  tsUnixMsMax: Number.MAX_SAFE_INTEGER,
  /** Value of an actor card. */
  actorCardBytesMax: 4096,
  actorLabelBytesMax: 256,
  /** Keys that one actor can have had: bounds the walk over its rotations. */
  actorKeysMax: 1000,
  /** Copies of one event, differing in their signatures, among which one that verifies is looked for. */
  copiesJudgedMax: 1000,
  /** A shorter prefix of an id is refused; it would become ambiguous too soon. */
  issueIdPrefixMin: 4,
  eventIdPrefixMin: 7,
  /** Text of a query; a saved one may come from anybody. */
  queryBytesMax: 4096,
  /** Groups within groups of a query: each is a call of the parser. */
  queryDepthMax: 32,
  /** Saved queries that are read; a log may hold any number. */
  savedQueriesMax: 1000,
} as const
