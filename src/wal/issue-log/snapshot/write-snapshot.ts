/**
 * Writes a snapshot of the log up to a commit. Memory is bounded: chunks are written as they fill up, so at most 16 MiB
 * of them plus one commit's content (64 MiB at most) are in memory, 32 MiB of orphans, and per event and issue of the
 * log the state of `SnapshotSieve` (about 50 and 300 bytes).
 *
 * Invariants
 * - A snapshot holds the whole log up to `walHead`, or is not made: if a part of the log is missing here, the clones
 *   that have it would lose it.
 * - The ref is created last, by compare-and-swap. Objects of a failed attempt are garbage, which git collects.
 */
import {
  buildTree,
  encodeCommit,
  encodeObject,
  type GitPort,
  type Oid,
  type PendingObject,
  type RefName,
} from '../../../git/index.ts'
import {
  type ActorId,
  ConflictError,
  CorruptObjectError,
  type ErrorDetails,
  encodeChunk,
  encodeRecords,
  formatHex,
  hashChunk,
  limits,
  RefMovedError,
  type SnapshotPlace,
  SnapshotSieve,
  snapshotDigest,
} from '../../../model/index.ts'
import type { Signer } from '../../ed25519.ts'
import { GapTally, incompleteLog } from '../../log-gap.ts'
import { readCommits } from '../../read-log.ts'
import { snapshotRef } from '../../ref-names.ts'
import { commitDate } from '../batch.ts'
import { attachmentShaOf, type IssueSegment, issueLogIdentity, type LogProblem } from '../issue-codec.ts'
import { issueLog } from '../issue-log.ts'
import {
  chunkPath,
  formatSnapshotFacts,
  formatSnapshotMessage,
  formatSnapshotReport,
  formatSnapshotSignature,
  problemsListedMax,
  type SnapshotChunk,
  type SnapshotFacts,
  type SnapshotReport,
  snapshotPaths,
} from './snapshot-codec.ts'

export interface WriteSnapshotOptions {
  readonly git: GitPort
  /** The snapshot holds the log up to this commit. */
  readonly head: Oid
  readonly nowUnixMs: number
  /** Maker and signer. Null for an actor without a key. */
  readonly maker?: SnapshotMaker | null
  readonly progress?: (commitsDone: number) => void
}

export interface SnapshotMaker {
  readonly actor: ActorId
  readonly signer: Signer
}

export interface WrittenSnapshot extends SnapshotFacts {
  readonly ref: RefName
  readonly oid: Oid
  readonly report: SnapshotReport
}

/** Same as the Rust tool. */
const chunkEventsMax = 1000
/** Large events make smaller chunks: a reader loads one at a time. */
const chunkBytesMax = limits.segmentBytesMax
/** Finished chunks waiting to be written together. */
const waitingBytesMax = 16 * 1024 * 1024
const waitingChunksMax = 200
/** Orphans are one file, which is read whole. grite never writes a log with more of them. */
const orphansBytesMax = 32 * 1024 * 1024
/** Names tried, one millisecond apart, from the present on. */
const namesTriedMax = 1000

/**
 * Writes a snapshot of the whole log up to `head`.
 * @throws {IncompleteLogError} | {CorruptObjectError} when the log cannot be read completely here
 */
export async function writeSnapshot(options: WriteSnapshotOptions): Promise<WrittenSnapshot> {
  const sieve = new SnapshotSieve()
  const draft = await fillDraft(options, sieve)
  return publishSnapshot(options, sieve.isOverturned ? await fillDraft(options, sieve.again()) : draft)
}

async function fillDraft({ git, head, progress }: WriteSnapshotOptions, sieve: SnapshotSieve): Promise<Draft> {
  const draft = new Draft(git)
  let commits = 0
  let newest: Oid | undefined
  for await (const decoded of readCommits(git, issueLog, { head })) {
    for (const { entry, segment } of decoded) {
      requireWhole(segment)
      addSegment(draft, sieve, segment)
      newest = entry.oid
    }
    commits += decoded.length
    progress?.(commits)
    await draft.writeWaiting()
  }
  // Children come after their parents, so the head is the last commit.
  if (newest !== head) throw notWhole(`${head} is not one of its commits`, { commit: head })
  draft.hasRepeats ||= sieve.hasRepeats
  return draft
}

function addSegment(draft: Draft, sieve: SnapshotSieve, segment: IssueSegment): void {
  const keep = (record: Uint8Array, place: SnapshotPlace) => {
    // A second reading follows, so do not build everything twice.
    if (sieve.isOverturned) return
    if (place === 'events') draft.addEvent(record)
    else if (place === 'orphans') draft.addOrphan(record)
  }
  for (const { event, record } of segment.items) {
    keep(record, sieve.place(event))
    if (event.body.type === 'AttachmentAdded') draft.namesAttachments = true
  }
  if (segment.repeatsChunk) draft.hasRepeats = true
  for (const record of segment.opaqueRecords) keep(record, sieve.placeOpaque(record))
  for (const [path, oid] of segment.extras) if (attachmentShaOf(path) !== undefined) draft.attachments.set(path, oid)
  for (const problem of segment.problems) draft.addProblem(problem)
}

/** Damage that every clone sees is reported; parts that only this clone lacks must not go missing everywhere. */
function requireWhole({ problems }: IssueSegment): void {
  const tally = new GapTally()
  tally.take(problems)
  if (tally.count > 0) throw incompleteLog('no snapshot was made', tally)
}

function notWhole(reason: string, details: ErrorDetails): CorruptObjectError {
  return new CorruptObjectError(`cannot read the whole log here: ${reason}; no snapshot was made`, {
    details: { ...details, reason },
    hints: ['Run `grite db check` to list the unreadable parts; a fetch may bring them'],
  })
}

/** The content of a snapshot, as far as the log has been read. */
class Draft {
  readonly #git: GitPort
  readonly chunks: SnapshotChunk[] = []
  readonly files = new Map<string, Oid>()
  readonly attachments = new Map<string, Oid>()
  readonly orphans: Uint8Array[] = []
  readonly problems: LogProblem[] = []
  problemCount = 0
  /** Whether an event names an attachment, so that the report must confirm that no content is missing. */
  namesAttachments = false
  hasRepeats = false
  #open: Uint8Array[] = []
  #openBytes = 0
  #waiting: PendingObject[] = []
  #waitingBytes = 0
  #orphanBytes = 0

  constructor(git: GitPort) {
    this.#git = git
  }

  addEvent(record: Uint8Array): void {
    if (this.#open.length === chunkEventsMax || this.#openBytes + record.length > chunkBytesMax) this.#seal()
    this.#open.push(record)
    this.#openBytes += record.length
  }

  addOrphan(record: Uint8Array): void {
    this.#orphanBytes += record.length
    if (this.#orphanBytes > orphansBytesMax) {
      const reason = 'too many events of the log have no issue'
      throw new CorruptObjectError(`${reason}; no snapshot was made`, { details: { reason } })
    }
    // Copied, because a view would keep a whole chunk in memory.
    this.orphans.push(new Uint8Array(record))
  }

  addProblem(problem: LogProblem): void {
    this.problemCount += 1
    if (this.problems.length < problemsListedMax) this.problems.push(problem)
  }

  #seal(): void {
    if (this.#open.length === 0) return
    const content = encodeChunk(this.#open)
    const path = chunkPath(this.chunks.length)
    const blob = encodeObject(this.#git.layout.objectFormat, 'blob', content)
    this.chunks.push({ path, chunkHash: hashChunk(content), eventCount: this.#open.length })
    this.files.set(path, blob.oid)
    this.#waiting.push(blob)
    this.#waitingBytes += content.length
    this.#open = []
    this.#openBytes = 0
  }

  /** Writes finished chunks once there are enough of them. No ref names them yet. */
  async writeWaiting(): Promise<void> {
    if (this.#waiting.length < waitingChunksMax && this.#waitingBytes < waitingBytesMax) return
    await this.#git.publish({ objects: this.#waiting, updates: [] })
    this.#waiting = []
    this.#waitingBytes = 0
  }

  get hasExtensions(): boolean {
    const { attachments, orphans, problemCount, namesAttachments, hasRepeats } = this
    return namesAttachments || hasRepeats || attachments.size + orphans.length + problemCount > 0
  }

  /** Ends the last chunk. Returns the unwritten objects. */
  finish(): readonly PendingObject[] {
    this.#seal()
    return this.#waiting
  }
}

async function publishSnapshot(
  { git, head, nowUnixMs, maker = null }: WriteSnapshotOptions,
  draft: Draft,
): Promise<WrittenSnapshot> {
  const format = git.layout.objectFormat
  const blobs = draft.finish()
  const eventCount = draft.chunks.reduce((sum, chunk) => sum + chunk.eventCount, 0)
  const report: SnapshotReport = {
    orphanCount: draft.orphans.length,
    attachmentCount: draft.attachments.size,
    hasRepeats: draft.hasRepeats,
    problemCount: draft.problemCount,
    problems: draft.problems,
  }
  const { orphans: orphansName, report: reportName, signature: signatureName, extensions } = snapshotPaths
  const files = new Map<string, Uint8Array | Oid>([...draft.files, ...draft.attachments])
  const orphans = draft.orphans.length > 0 ? encodeRecords(draft.orphans) : null
  // Without extensions it equals a snapshot of the Rust tool.
  const reported = draft.hasExtensions ? Buffer.from(formatSnapshotReport(report), 'utf8') : null
  if (orphans !== null) files.set(`${extensions}/${orphansName}`, orphans)
  if (reported !== null) files.set(`${extensions}/${reportName}`, reported)
  const attachments = [...draft.attachments.keys()].map((path) => attachmentShaOf(path) as string)
  const sign = ({ actor, signer }: SnapshotMaker, factsFile: Uint8Array): Uint8Array => {
    const digest = snapshotDigest(actor, { facts: factsFile, report: reported, orphans, attachments })
    const signature = { actor, publicKey: signer.publicKey, sig: signer.sign(formatHex(digest)) }
    return Buffer.from(formatSnapshotSignature(signature), 'utf8')
  }

  for (let createdTs = nowUnixMs; createdTs < nowUnixMs + namesTriedMax; createdTs++) {
    const facts: SnapshotFacts = { createdTs, walHead: head, eventCount, chunks: draft.chunks }
    const factsFile = Buffer.from(formatSnapshotFacts(facts), 'utf8')
    files.set(snapshotPaths.facts, factsFile)
    if (maker !== null) files.set(`${extensions}/${signatureName}`, sign(maker, factsFile))
    const tree = buildTree(format, files)
    const message = formatSnapshotMessage(eventCount, createdTs)
    const author = { ...issueLogIdentity, ...commitDate(createdTs) }
    const commit = encodeCommit(format, { tree: tree.root, parents: [], author, message })
    const ref = snapshotRef(createdTs)
    try {
      await git.publish({
        objects: [...blobs, ...tree.objects, commit],
        updates: [{ ref, expected: null, next: commit.oid, reflogMessage: `grite: ${message}` }],
      })
      return { ...facts, ref, oid: commit.oid, report }
    } catch (error) {
      // Another snapshot was made in this millisecond.
      if (!(error instanceof RefMovedError)) throw error
    }
  }
  throw new ConflictError(`all snapshot names from ${snapshotRef(nowUnixMs)} on are taken`)
}
