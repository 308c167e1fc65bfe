import { CorruptObjectError, limits, NotFoundError, ObjectTooLargeError } from '../model/index.ts'
import { type ComesFirst, CommitAssembler, type LookUpObject, type ObjectState } from './assemble-commit.ts'
import { EntryBatch } from './entry-batch.ts'
import { parseCommit } from './object-codec.ts'
import type { CommitEntry, GitObject, HistoryGap, ObjectFormat, ObjectType, Oid, ReadHistoryOptions } from './port.ts'
import { Reads } from './reads.ts'

/** Reads one object, like `GitPort.readObject`. */
export type ReadObject = (oid: Oid, bytesMax: number) => Promise<GitObject | null>

/** A larger commit is not ours; a merge of thousands is still read, for its parents. */
export const metadataBytesMax = 64 * 1024 * 1024

/** Larger objects of this type are not loaded. Bytes. */
export function objectBytesMax(type: ObjectType, blobBytesMax: number): number {
  if (type === 'blob') return blobBytesMax
  return type === 'tree' ? limits.commitTreeBytesMax : metadataBytesMax
}

export interface WalkLimits {
  /** Commits the caller already has. */
  readonly skip?: Pick<ReadonlySet<Oid>, 'has'>
  /** Commits where the shallow clone is cut off. */
  readonly shallow?: ReadonlySet<Oid>
  readonly reads?: Reads
}

/**
 * Walks history one object at a time: slower than git's own walk, but nothing stops it. For repositories where git's
 * walk fails, and for reading without git.
 */
export async function* walkHistory(
  format: ObjectFormat,
  read: ReadObject,
  { head, exclude = [], blobBytesMax, comesFirst }: ReadHistoryOptions,
  { skip = new Set(), shallow = new Set(), reads = new Reads() }: WalkLimits = {},
): AsyncGenerator<readonly CommitEntry[]> {
  await requireExcluded(read, exclude)
  const excluded = await collectCommits(read, exclude, new Set(), shallow)
  const commits = await collectCommits(read, [head], new Set(excluded.keys()), shallow)
  const batch = new EntryBatch()
  for (const oid of parentsFirst(head, commits)) {
    if (skip.has(oid)) continue
    await reads.afterObject()
    batch.add(await markCut(await readEntry(format, read, oid, { blobBytesMax, comesFirst }), shallow, read))
    if (batch.isFull) yield batch.take()
  }
  if (!batch.isEmpty) yield batch.take()
}

/**
 * Excluding a missing commit would exclude nothing.
 * @throws {NotFoundError} when an excluded commit is missing
 */
export async function requireExcluded(read: ReadObject, exclude: readonly Oid[]): Promise<void> {
  for (const oid of exclude) {
    if ((await readState(read, oid, metadataBytesMax)) === 'missing')
      throw new NotFoundError(`object ${oid} is missing`)
  }
}

export interface EntryOptions extends Pick<ReadHistoryOptions, 'blobBytesMax'> {
  readonly comesFirst: ComesFirst | undefined
}

/** Assembles one commit, reading the objects it needs. */
export async function readEntry(
  format: ObjectFormat,
  read: ReadObject,
  oid: Oid,
  options: EntryOptions,
): Promise<CommitEntry> {
  const commit = await readState(read, oid, options.blobBytesMax)
  const nothing = () => undefined
  return completeEntry(format, { oid, commit }, (wanted) => readState(read, wanted, options.blobBytesMax), {
    lookUp: nothing,
    comesFirst: options.comesFirst,
  })
}

/** Bytes of one commit's objects read before the next attempt: a hostile tree wants far more than the limits allow. */
const roundBytesMax = 8 * 1024 * 1024

/** Assembles a commit, reading only unread objects. */
export async function completeEntry(
  format: ObjectFormat,
  { oid, commit }: { readonly oid: Oid; readonly commit: ObjectState },
  read: (oid: Oid) => Promise<ObjectState>,
  { lookUp, comesFirst }: { readonly lookUp: LookUpObject; readonly comesFirst: ComesFirst | undefined },
): Promise<CommitEntry> {
  const own = new Map<Oid, ObjectState>()
  const assembler = new CommitAssembler(format, oid, commit, (wanted) => own.get(wanted) ?? lookUp(wanted), comesFirst)
  for (;;) {
    const result = assembler.assemble()
    if (!('wanted' in result)) return result
    let bytes = 0
    for (const wanted of result.wanted) {
      const state = await read(wanted)
      own.set(wanted, state)
      bytes += typeof state === 'string' ? 0 : state.length
      if (bytes >= roundBytesMax) break
    }
  }
}

/**
 * Marks an entry whose history is cut off below it, and adds the parents that git hides. Other entries stay unchanged.
 */
export async function markCut(entry: CommitEntry, shallow: ReadonlySet<Oid>, read: ReadObject): Promise<CommitEntry> {
  if (!shallow.has(entry.oid)) return entry
  const parents = entry.parents.length > 0 ? entry.parents : await readParents(read, entry.oid)
  const [parent] = parents
  if (parent === undefined) return entry
  const gap: HistoryGap = { reason: 'shallow', kind: 'commit', oid: parent }
  return { ...entry, parents, gaps: [...entry.gaps, gap] }
}

/** Reads an object into a state: a problem is a state too. The limit is for blobs. */
export async function readState(read: ReadObject, oid: Oid, blobBytesMax: number): Promise<ObjectState> {
  try {
    const object = await read(oid, Math.max(blobBytesMax, metadataBytesMax))
    if (object === null) return 'missing'
    const bytesMax = objectBytesMax(object.type, blobBytesMax)
    return object.content.byteLength > bytesMax ? 'too-large' : asBuffer(object.content)
  } catch (error) {
    if (error instanceof CorruptObjectError) return 'corrupt'
    if (error instanceof ObjectTooLargeError) return 'too-large'
    throw error
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

type ParentsByCommit = ReadonlyMap<Oid, readonly Oid[]>

/** Commits reachable from some heads, with their parents; an unreadable or cut-off commit has none. */
export async function collectCommits(
  read: ReadObject,
  from: readonly Oid[],
  stop: ReadonlySet<Oid>,
  shallow: ReadonlySet<Oid>,
): Promise<ParentsByCommit> {
  const found = new Map<Oid, readonly Oid[]>()
  const pending = [...from]
  for (let oid = pending.pop(); oid !== undefined; oid = pending.pop()) {
    if (found.has(oid) || stop.has(oid)) continue
    const parents = shallow.has(oid) ? [] : await readParents(read, oid)
    found.set(oid, parents)
    for (const parent of parents) pending.push(parent)
  }
  return found
}

/** The parents listed in a commit, present or not; none when it is unreadable. */
export async function readParents(read: ReadObject, oid: Oid): Promise<readonly Oid[]> {
  const commit = await readState(read, oid, metadataBytesMax)
  if (typeof commit === 'string') return []
  try {
    return parseCommit(commit).parents
  } catch (error) {
    if (error instanceof CorruptObjectError) return []
    throw error
  }
}

// Depth first with an explicit stack: a chain of 100,000 commits exceeds the call stack.
function* parentsFirst(head: Oid, commits: ParentsByCommit): Generator<Oid> {
  const seen = new Set<Oid>()
  const stack: { oid: Oid; next: number }[] = commits.has(head) ? [{ oid: head, next: 0 }] : []
  seen.add(head)
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const parent = commits.get(top.oid)?.[top.next++]
    if (parent === undefined) {
      stack.pop()
      yield top.oid
    } else if (!seen.has(parent) && commits.has(parent)) {
      seen.add(parent)
      stack.push({ oid: parent, next: 0 })
    }
  }
}
