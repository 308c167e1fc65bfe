/**
 * Compares a snapshot with the log that it claims to repeat. Ids prove that its events are genuine, but not that they
 * are in the log, nor that none is left out.
 *
 * Records are compared by their bytes, including signatures, as sets: order and copies do not matter, so snapshots of
 * the Rust tool pass. A record is identified by the git id of a chunk with only this record, because most chunks of a
 * log are exactly that: listing the log is then enough, and no blob is read (a tenth of the time of a rebuild).
 *
 * The list can only prove a match. On any difference, the log is read in full, so that a snapshot is refused only for
 * differences that the view would show.
 */
import { type CommitEntry, type GitPort, hashObject, listHistory, type Oid, OidSet } from '../../../git/index.ts'
import { CorruptObjectError, encodeChunk, limits, ObjectTooLargeError, sliceChunk } from '../../../model/index.ts'
import { submoduleMode } from '../../entry-problems.ts'
import { readCommits } from '../../read-log.ts'
import { attachmentShaOf, type IssueSegment, type LogProblem, metaPath } from '../issue-codec.ts'
import { issueLog } from '../issue-log.ts'
import { readAttachmentOids, readRawRecords, type Snapshot } from './read-snapshot.ts'
import { formatSnapshotReport, problemsListedMax, type SnapshotReport } from './snapshot-codec.ts'

export type SnapshotCheck =
  | ({ readonly outcome: 'sound' } & SoundSnapshot)
  | ({ readonly outcome: 'differs' } & SnapshotDifference)
  /** This repository lacks a part of the log, so there is no verdict. */
  | { readonly outcome: 'unknown'; readonly reason: string }

export interface SoundSnapshot {
  /** Whether the log holds a record more than once. */
  readonly hasRepeats: boolean
  /** Whether the snapshot's reported problems are those of the log. */
  readonly isReportTrue: boolean
}

/** Counts of records and attachment contents. */
export interface SnapshotDifference {
  /** In the log up to `walHead`, but not in the snapshot. */
  readonly missing: number
  /** In the snapshot, but not in the log. */
  readonly added: number
}

export interface CheckSnapshotOptions {
  readonly git: GitPort
  /** A snapshot of this log: its `walHead` is reachable from the head. */
  readonly snapshot: Snapshot
  /** Fetches the parts of the log that a partial clone lacks. */
  readonly hydrate?: ((head: Oid, exclude: readonly Oid[]) => Promise<void>) | undefined
  readonly progress?: (commitsDone: number) => void
  /** Whether git may write its list to a temporary file; not for read-only use. */
  readonly mayUseFile?: boolean
}

/** @throws {UnusableSnapshotError} when the snapshot is malformed */
export async function checkSnapshot(options: CheckSnapshotOptions): Promise<SnapshotCheck> {
  const { git, snapshot, hydrate, mayUseFile = false } = options
  const { walHead } = snapshot
  if ((await git.findCutCommits([walHead])).length > 0) return unknown('the clone is shallow')
  const reportsProblems = (snapshot.report?.problemCount ?? 0) > 0
  const list = reportsProblems ? undefined : startList(git, walHead, mayUseFile)
  let ledger: Ledger
  let isMatch: boolean
  try {
    ledger = await openLedger(git, snapshot)
    isMatch = list !== undefined && (await matchesList(list, options, ledger))
  } finally {
    await list?.rest.return(false)
  }
  if (isMatch) {
    return { outcome: 'sound', hasRepeats: ledger.hasRepeats, isReportTrue: true }
  }
  ledger.forgetLog()
  await hydrate?.(walHead, [])
  const lack = await readLog(options, ledger)
  if (lack !== null) return unknown(lack)
  const { missing, added, hasRepeats } = ledger
  if (missing + added > 0) return { outcome: 'differs', missing, added }
  return { outcome: 'sound', hasRepeats, isReportTrue: ledger.hasProblemsOf(snapshot.report) }
}

function unknown(reason: string): SnapshotCheck {
  return { outcome: 'unknown', reason }
}

async function openLedger(git: GitPort, snapshot: Snapshot): Promise<Ledger> {
  const ledger = new Ledger(git)
  for await (const records of readRawRecords(git, snapshot)) for (const record of records) ledger.addRecord(record)
  for (const [path, oid] of await readAttachmentOids(git, snapshot)) ledger.addContent(path, oid)
  return ledger
}

/** Files in a commit of grite's writers, with room for attachments. */
const plainFilesMax = 200
/** Multi-record chunks read in parallel; each may have 64 MiB. */
const readsMax = 4

interface StartedList {
  readonly first: ReturnType<ReturnType<typeof listHistory>['next']>
  readonly rest: ReturnType<typeof listHistory>
}

/** Git walks the whole history before its first answer. */
function startList(git: GitPort, head: Oid, mayUseFile: boolean): StartedList {
  const rest = listHistory(git, head, { mayUseFile })
  const first = rest.next()
  first.catch(() => {})
  return { first, rest }
}

/** Whether the list of the log's files proves a match. False also when the list is not conclusive. */
async function matchesList(
  { first, rest }: StartedList,
  { git, progress }: CheckSnapshotOptions,
  ledger: Ledger,
): Promise<boolean> {
  /** Chunks that are not a single record of the snapshot, with the number of commits that hold them. */
  const others = new Map<Oid, number>()
  let commits = 0
  for (let step = first; ; step = rest.next()) {
    const { value, done } = await step
    if (done === true) {
      if (!value) return false
      break
    }
    for (const { files } of value) {
      // Readers skip files above their limits, and a list shows no sizes.
      if (files.length > plainFilesMax) return false
      // A chunk under several names in one commit counts once.
      const chunks = new Set<Oid>()
      for (const { path, mode, oid } of files) {
        if (path.endsWith('.bin')) chunks.add(oid)
        else if (attachmentShaOf(path) !== undefined && mode.startsWith('100')) ledger.countContent(path, oid)
        else if (path !== metaPath) return false
      }
      for (const oid of chunks) if (!ledger.countChunk(oid)) others.set(oid, (others.get(oid) ?? 0) + 1)
    }
    commits += value.length
    progress?.(commits)
  }
  const waiting = [...others]
  while (waiting.length > 0) {
    const seen = await Promise.all(waiting.splice(0, readsMax).map((row) => countRecords(git, ledger, row)))
    if (seen.includes(false)) return false
  }
  return ledger.missing + ledger.added === 0
}

/** Counts the records of a chunk that this many commits hold. False when that needs a careful reader. */
async function countRecords(git: GitPort, ledger: Ledger, [oid, commits]: readonly [Oid, number]): Promise<boolean> {
  const records = sliceChunk((await readChunk(git, oid)) ?? new Uint8Array(0))
  if (records === null) return false
  // Two are enough to show a repeat; counting all would be slow for one chunk in thousands of commits.
  for (let commit = 0; commit < Math.min(commits, 2); commit++) for (const record of records) ledger.countRecord(record)
  return true
}

async function readChunk(git: GitPort, oid: Oid): Promise<Uint8Array | null> {
  try {
    return (await git.readObject(oid, limits.chunkReadBytesMax))?.content ?? null
  } catch (error) {
    if (error instanceof CorruptObjectError || error instanceof ObjectTooLargeError) return null
    throw error
  }
}

/** Counts everything that a reader of the log finds. Returns the part that this repository lacks, or null. */
async function readLog({ git, snapshot, progress }: CheckSnapshotOptions, ledger: Ledger): Promise<string | null> {
  let newest: Oid | undefined
  let commits = 0
  for await (const decoded of readCommits(git, issueLog, { head: snapshot.walHead })) {
    for (const { entry, segment } of decoded) {
      const lack = describeMissingPart(entry)
      if (lack !== null) return lack
      see(ledger, segment)
      newest = entry.oid
    }
    commits += decoded.length
    progress?.(commits)
  }
  return newest === snapshot.walHead ? null : `commit ${snapshot.walHead} is missing`
}

/** Damage that every clone sees also applies to the snapshot; parts that only this clone lacks do not. */
function describeMissingPart({ oid, files, gaps }: CommitEntry): string | null {
  const [gap] = gaps
  if (gap !== undefined) return `${gap.kind} ${gap.oid} is ${gap.reason} here`
  const file = files.find(
    ({ mode, problem }) => mode !== submoduleMode && (problem === 'missing' || problem === 'corrupt'),
  )
  return file === undefined ? null : `object ${file.oid} in commit ${oid.slice(0, 12)} is ${file.problem} here`
}

function see(ledger: Ledger, { items, opaqueRecords, extras, problems, repeatsChunk }: IssueSegment): void {
  if (repeatsChunk) ledger.hasRepeats = true
  for (const { record } of items) ledger.countRecord(record)
  for (const record of opaqueRecords) ledger.countRecord(record)
  for (const [path, oid] of extras) if (attachmentShaOf(path) !== undefined) ledger.countContent(path, oid)
  for (const problem of problems) ledger.addProblem(problem)
}

/** The content of the snapshot, with counts in the log. */
class Ledger {
  readonly #git: GitPort
  /** The records of the snapshot, each by the id of a chunk with only this record. */
  readonly #records: OidSet
  /** By the number of a record: 1 when the log holds it. */
  #counts = new Uint8Array(0)
  #foundCount = 0
  /** Contents of attachments in the snapshot, and whether the log holds them. */
  readonly #contents = new Map<string, boolean>()
  /** Records and contents in the log that the snapshot lacks. */
  readonly #missing = new Set<string>()
  #problems: LogProblem[] = []
  #problemCount = 0
  #addedCount = 0
  hasRepeats = false

  constructor(git: GitPort) {
    this.#git = git
    this.#records = new OidSet(git.layout.objectFormat)
  }

  addRecord(record: Uint8Array): void {
    this.#records.add(this.#chunkOf(record))
    this.#addedCount += 1
  }

  addContent(path: string, oid: Oid): void {
    this.#contents.set(`${path} ${oid}`, false)
  }

  /** False when the snapshot lacks the one record of this chunk, or the chunk has several. */
  countChunk(oid: Oid): boolean {
    const number = this.#records.numberOf(oid)
    if (number < 0) return false
    // All records of the snapshot were added before.
    if (this.#counts.length === 0) this.#counts = new Uint8Array(this.#addedCount)
    if (this.#counts[number] === 0) this.#foundCount += 1
    else this.hasRepeats = true
    this.#counts[number] = 1
    return true
  }

  countRecord(record: Uint8Array): void {
    const oid = this.#chunkOf(record)
    if (!this.countChunk(oid)) this.#missing.add(oid)
  }

  countContent(path: string, oid: Oid): void {
    const name = `${path} ${oid}`
    if (this.#contents.has(name)) this.#contents.set(name, true)
    else this.#missing.add(name)
  }

  addProblem(problem: LogProblem): void {
    this.#problemCount += 1
    if (this.#problems.length < problemsListedMax) this.#problems.push(problem)
  }

  hasProblemsOf(report: SnapshotReport | null): boolean {
    if (report === null) return true
    const found = { ...report, problemCount: this.#problemCount, problems: this.#problems }
    return formatSnapshotReport(found) === formatSnapshotReport(report)
  }

  get missing(): number {
    return this.#missing.size
  }

  get added(): number {
    const contents = [...this.#contents.values()].filter((isFound) => !isFound).length
    return this.#records.size - this.#foundCount + contents
  }

  forgetLog(): void {
    this.#counts.fill(0)
    this.#foundCount = 0
    for (const name of this.#contents.keys()) this.#contents.set(name, false)
    this.#missing.clear()
    this.#problems = []
    this.#problemCount = 0
    this.hasRepeats = false
  }

  #chunkOf(record: Uint8Array): Oid {
    return hashObject(this.#git.layout.objectFormat, 'blob', encodeChunk([record]))
  }
}
