import { closeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { limits } from '../../model/index.ts'
import { assembleCommit, type ObjectState, unreadCommit } from '../assemble-commit.ts'
import { namesUnreadCommit } from '../classify-git-failure.ts'
import { EntryBatch } from '../entry-batch.ts'
import { hashObject } from '../object-codec.ts'
import { OidSet } from '../oid-set.ts'
import type { CommitEntry, ObjectFormat, ObjectType, Oid, ReadHistoryOptions } from '../port.ts'
import type { Reads } from '../reads.ts'
import { type GitRunner, noLazyFetch, type StartedGit } from '../run-git.ts'
import {
  completeEntry,
  type EntryOptions,
  markCut,
  objectBytesMax,
  type ReadObject,
  readEntry,
  readState,
  requireExcluded,
  walkHistory,
} from '../walk-history.ts'
import { type BatchSink, createBatchParser } from './batch-parser.ts'
import { endWhenSilent, estimateWalkMs } from './end-when-silent.ts'
import { createExportParser, type ExportParser } from './export-parser.ts'
import { GrowingFile, roomBytes } from './scratch-file.ts'

export interface HistorySource {
  readonly git: GitRunner
  readonly format: ObjectFormat
  readonly objectDir: string
  readonly readOne: ReadObject
  readonly reads: Reads
  /** See `openScratchFile`. */
  readonly openScratch: () => Promise<number | null>
  /** A longer export goes through a pipe. Bytes. */
  readonly scratchBytesMax: number
}

/**
 * Reads history at the speed of git, oldest first, by the first of three ways that succeeds. Each continues where the
 * previous one stopped.
 *
 * 1. `fast-export` writes commits, trees and blobs in one process and large pieces: 20 us of git's time per commit,
 *    half of what the next way takes through the sockets that Node gives to children. A whole history goes through a file
 *    without a name, which halves our own time for reading. It stops at any missing or damaged
 *    object, and is stopped at a commit that exceeds the limits: git would expand a few trees that refer to each other
 *    tenfold to any number of paths, and hold a blob of any size in memory.
 * 2. `rev-list` lists ids, `cat-file` reads them directly from it, without our process in between. Missing objects do
 *    no harm. `cat-file` stops at an object it cannot inflate; then we read the list here and start a new one behind it.
 * 3. `rev-list` stops at a commit or tree it cannot read; then the rest is walked object by object.
 *
 * @param shallow - commits where the clone is cut off
 */
export async function* readHistoryNatively(
  source: HistorySource,
  options: ReadHistoryOptions,
  shallow: ReadonlySet<Oid>,
): AsyncGenerator<readonly CommitEntry[]> {
  const { git, format, objectDir, readOne, reads } = source
  const isWhole = (options.exclude ?? []).length === 0
  const batch = new EntryBatch()
  const emitted = new OidSet(format)
  const outside = new Set<Oid>(options.exclude)
  /** The commit of the newest `addChild`, which is usually the parent of the next one. */
  let newest: Oid | undefined

  /** Like `addEntry`, for the usual case, which needs no other object. False in any other case. */
  function addChild(entry: CommitEntry): boolean {
    const { oid, parents } = entry
    const parent = parents[0]
    const isChild = parent === undefined || parent === newest || emitted.has(parent)
    if (parents.length > 1 || !isChild || shallow.has(oid)) return false
    batch.add(entry)
    emitted.add(oid)
    newest = oid
    return true
  }

  async function addEntry(entry: CommitEntry): Promise<void> {
    reads.requireGoing()
    if (shallow.has(entry.oid)) batch.add(await markCut(entry, shallow, readOne))
    else {
      for (const parent of entry.parents) {
        if (!emitted.has(parent) && !outside.has(parent)) await addUnreadableParent(parent)
      }
      batch.add(entry)
    }
    emitted.add(entry.oid)
  }
  // Parents come first, so a missing parent is excluded or unreadable (with a commit-graph git does not report it).
  async function addUnreadableParent(parent: Oid): Promise<void> {
    outside.add(parent)
    const state = await readState(readOne, parent, options.blobBytesMax)
    if (typeof state !== 'string') return
    batch.add(unreadCommit(parent, state))
    emitted.add(parent)
  }

  async function isUnreadable(oid: Oid): Promise<boolean> {
    return typeof (await readState(readOne, oid, options.blobBytesMax)) === 'string'
  }

  async function* exportedSoFar(parser: ExportParser, isAgain: boolean): AsyncGenerator<readonly CommitEntry[]> {
    for (const { entry, isUnread } of parser.take()) {
      if (isAgain && emitted.has(entry.oid)) continue
      const whole = isUnread ? await readEntry(format, readOne, entry.oid, entryOptions) : entry
      if (!addChild(whole)) await addEntry(whole)
      if (batch.isFull) yield batch.take()
    }
  }

  const entryOptions = { blobBytesMax: options.blobBytesMax, comesFirst: options.comesFirst }
  /** `whole`: git reached the end of the history. `long`: it does not fit into the scratch file. */
  async function* exportAll(
    scratch: number | null,
    isAgain = false,
  ): AsyncGenerator<readonly CommitEntry[], 'whole' | 'partial' | 'long'> {
    const exported = await startExport(source, options, scratch)
    const exportParser = createExportParser(format, options.blobBytesMax)
    const file = scratch === null ? null : new GrowingFile(scratch)
    const watched = endWhenSilent(exported, {
      ...(file === null ? {} : { isWaiting: () => file.isWaiting }),
      walkMs: isWhole ? estimateWalkMs(objectDir) : 0,
    })
    let bytes = 0
    try {
      for await (const chunk of file?.read(exported.ended) ?? (exported.child.stdout as Readable)) {
        watched.heard()
        reads.requireGoing()
        bytes += chunk.length
        if (file !== null && bytes > source.scratchBytesMax) return 'long'
        exportParser.push(chunk, file === null ? 0 : roomBytes)
        yield* exportedSoFar(exportParser, isAgain)
        if (exportParser.isUnusual()) break
      }
      exportParser.end()
      yield* exportedSoFar(exportParser, isAgain)
      const isLost = exportParser.isUnusual() || watched.wasSilent()
      if (isLost) {
        reads.mayExport = false
        return 'partial'
      }
      const { exitStatus, stderr } = await exported.ended
      // git 2.30 skips all commits above an unreadable one, even the head, and still exits with 0; 2.39 skips none.
      return exitStatus === 0 && (newest === options.head || emitted.has(options.head) || !namesUnreadCommit(stderr))
        ? 'whole'
        : 'partial'
    } finally {
      watched.stop()
      exported.child.kill()
    }
  }

  async function* exportThroughFile(): AsyncGenerator<readonly CommitEntry[], boolean> {
    const scratch = isWhole && options.mayUseFile === true ? await source.openScratch() : null
    try {
      const result = yield* exportAll(scratch)
      return result === 'long' ? (yield* exportAll(null, true)) === 'whole' : result === 'whole'
    } finally {
      if (scratch !== null) closeSync(scratch)
    }
  }

  if (reads.mayExport && (yield* exportThroughFile())) {
    if (!batch.isEmpty) yield batch.take()
    return
  }

  reads.requireGoing()
  // From git 2.45 on, `rev-list --missing=allow-any` ignores a missing excluded commit.
  await requireExcluded(readOne, options.exclude ?? [])
  const assembly = createAssembly(format, readOne, entryOptions)
  const parser = createBatchParser(format, assembly.sink)

  async function* drain(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly CommitEntry[]> {
    for await (const chunk of chunks) {
      parser.push(chunk)
      yield* assembled()
    }
  }
  async function* assembled(): AsyncGenerator<readonly CommitEntry[]> {
    for (let entry = await assembly.next(); entry !== null; entry = await assembly.next()) {
      if (emitted.has(entry.oid)) continue
      await addEntry(entry)
      if (batch.isFull) yield batch.take()
    }
  }

  const pipeline = await startPipeline(source, options)
  let listedAll: boolean
  let readAll: boolean
  try {
    yield* drain(pipeline.answers)
    listedAll = (await pipeline.list.ended).exitStatus === 0
    readAll = (await pipeline.read.ended).exitStatus === 0
  } finally {
    pipeline.stop()
  }
  reads.requireGoing()
  if (!readAll) {
    // A list that ends early ends at the same id this time.
    const ids = await listObjects(git, options)
    yield* readBehindCorrupt(source, ids, parser, assembly, drain)
  }
  assembly.endOfList()
  yield* assembled()
  // From git 2.45 on it also ignores a missing head.
  const lacksHead = !emitted.has(options.head) && (await isUnreadable(options.head))
  if (!listedAll || lacksHead) {
    for await (const entries of walkHistory(format, readOne, options, { skip: emitted, shallow, reads })) {
      if (!batch.isEmpty) yield batch.take()
      yield entries
    }
  }
  if (!batch.isEmpty) yield batch.take()
}

const exportArguments = [
  // Paths as bytes, except for quotes and control characters.
  '-c',
  'core.quotePath=false',
  'fast-export',
  '--full-tree',
  '--show-original-ids',
  '--reference-excluded-parents',
  '--reencode=no',
] as const

async function startExport(
  { git, reads }: HistorySource,
  options: ReadHistoryOptions,
  scratch: number | null,
): Promise<StartedGit> {
  const isWhole = (options.exclude ?? []).length === 0
  const exported = await git.start([...exportArguments, isWhole ? options.head : '--stdin'], {
    environment: noLazyFetch,
    stdout: scratch ?? undefined,
    // Without a pipe, the child starts sooner.
    stdin: isWhole ? 'ignore' : 'pipe',
  })
  reads.watch(exported.child)
  exported.child.stdin?.on('error', () => {})
  exported.child.stdin?.end(listInput(options))
  return exported
}

const listArguments = [
  'rev-list',
  '--reverse',
  '--topo-order',
  '--in-commit-order',
  '--objects',
  '--no-object-names',
  '--missing=allow-any',
  '--stdin',
] as const

function listInput({ head, exclude = [] }: ReadHistoryOptions): string {
  return [head, ...exclude.map((oid) => `^${oid}`), ''].join('\n')
}

interface Pipeline {
  readonly list: StartedGit
  readonly read: StartedGit
  readonly answers: Readable
  stop(): void
}

async function startPipeline({ git, reads }: HistorySource, options: ReadHistoryOptions): Promise<Pipeline> {
  const list = await git.start(listArguments, { environment: noLazyFetch })
  reads.watch(list.child)
  const ids = list.child.stdout as Readable
  const read = await git.start(['cat-file', '--batch', '--buffer'], { stdin: ids, environment: noLazyFetch })
  reads.watch(read.child)
  // Our copy of the reading end would keep rev-list from noticing that cat-file is gone.
  ids.destroy()
  list.child.stdin?.on('error', () => {})
  list.child.stdin?.end(listInput(options))
  return {
    list,
    read,
    answers: read.child.stdout as Readable,
    stop() {
      list.child.kill()
      read.child.kill()
    },
  }
}

async function listObjects(git: GitRunner, options: ReadHistoryOptions): Promise<Buffer> {
  const input = Buffer.from(listInput(options), 'latin1')
  // 128: it met an unreadable object; the ids listed before are good.
  const { stdout } = await git.run(listArguments, {
    input,
    okStatuses: [0, 128],
    environment: noLazyFetch,
    stdoutBytesMax: Number.MAX_SAFE_INTEGER,
  })
  return stdout
}

async function* readBehindCorrupt(
  { git, reads }: HistorySource,
  ids: Buffer,
  parser: ReturnType<typeof createBatchParser>,
  assembly: Assembly,
  drain: (chunks: AsyncIterable<Buffer>) => AsyncGenerator<readonly CommitEntry[]>,
): AsyncGenerator<readonly CommitEntry[]> {
  const rowBytes = ids.indexOf(0x0a) + 1
  for (let row = parser.answered(); row * rowBytes < ids.length; ) {
    reads.requireGoing()
    parser.reset()
    assembly.markCorrupt(ids.toString('latin1', row * rowBytes, (row + 1) * rowBytes - 1) as Oid)
    const answeredBefore = parser.answered()
    const read = await git.start(['cat-file', '--batch', '--buffer'], { environment: noLazyFetch })
    reads.watch(read.child)
    try {
      read.child.stdin?.on('error', () => {})
      read.child.stdin?.end(ids.subarray((row + 1) * rowBytes))
      yield* drain(read.child.stdout as Readable)
      if ((await read.ended).exitStatus === 0) return
    } finally {
      read.child.kill()
    }
    row += 1 + parser.answered() - answeredBefore
  }
}

interface Assembly {
  readonly sink: BatchSink
  /** The next finished commit; null when more answers are needed. */
  next(): Promise<CommitEntry | null>
  markCorrupt(oid: Oid): void
  /** The last commit is complete. */
  endOfList(): void
}

/** Contents kept for later commits that share objects. Two generations, so up to twice this. Bytes. */
const keptBytesMax = 2 * 1024 * 1024
/** Memory of an object beside its bytes. */
const keptObjectBytes = 200

/** Objects of one commit that are kept as they arrive; further ones are read again if needed. */
const openObjectsMax = 2 * limits.commitFilesMax
const openBytesMax = limits.commitContentBytesMax + limits.commitTreeBytesMax

function createAssembly(
  format: ObjectFormat,
  readOne: ReadObject,
  { blobBytesMax, comesFirst }: EntryOptions,
): Assembly {
  let young = new Map<Oid, ObjectState>()
  let old = new Map<Oid, ObjectState>()
  let youngBytes = 0
  /** The commit whose objects are arriving. */
  let open: { oid: Oid; commit: ObjectState } | null = null
  let openObjects = 0
  let openBytes = 0
  const finished: (CommitEntry | { oid: Oid; commit: ObjectState })[] = []

  const lookUp = (oid: Oid) => young.get(oid) ?? old.get(oid)

  function keep(oid: Oid, state: ObjectState): void {
    young.set(oid, state)
    youngBytes += keptObjectBytes + (typeof state === 'string' ? 0 : state.length)
  }

  // Only between commits, so that the objects of one commit stay together.
  function age(): void {
    openObjects = 0
    openBytes = 0
    if (youngBytes < keptBytesMax) return
    old = young
    young = new Map()
    youngBytes = 0
  }

  function finishOpen(): void {
    if (open === null) return
    const result = assembleCommit(format, open.oid, open.commit, lookUp, comesFirst)
    finished.push('wanted' in result ? open : result)
    open = null
    age()
  }

  function take(oid: Oid, type: ObjectType, state: ObjectState): void {
    if (type === 'commit') {
      finishOpen()
      open = { oid, commit: state }
      return
    }
    openObjects += 1
    openBytes += typeof state === 'string' ? 0 : state.length
    if (openObjects <= openObjectsMax && openBytes <= openBytesMax) keep(oid, state)
  }

  const contentMax = (type: ObjectType) => objectBytesMax(type, blobBytesMax)

  return {
    sink: {
      contentMax: (type) => (openBytes > openBytesMax && type !== 'commit' ? 0 : contentMax(type)),
      // fast-export verifies blobs, cat-file nothing; this way runs when something is damaged.
      found: (oid, type, content) => take(oid, type, hashObject(format, type, content) === oid ? content : 'corrupt'),
      tooLarge(oid, type, size) {
        if (size > contentMax(type)) take(oid, type, 'too-large')
      },
      // Missing, damaged, or known only to the commit-graph: read again when an object refers to it.
      missing() {},
    },
    async next() {
      const first = finished.shift()
      if (first === undefined || !('commit' in first)) return first ?? null
      const read = async (wanted: Oid) => {
        const state = await readState(readOne, wanted, blobBytesMax)
        keep(wanted, state)
        return state
      }
      return completeEntry(format, first, read, { lookUp, comesFirst })
    },
    markCorrupt: (oid) => keep(oid, 'corrupt'),
    endOfList: finishOpen,
  }
}
