import { CorruptObjectError } from '../model/errors/index.ts'
import type { ObjectState } from './assemble-commit.ts'
import { parseCommit } from './object-codec.ts'
import type { BareCommit, ListCommitsOptions, Oid } from './port.ts'
import type { Reads } from './reads.ts'
import {
  collectCommits,
  metadataBytesMax,
  type ReadObject,
  readParents,
  readState,
  requireExcluded,
} from './walk-history.ts'

/** Commits in the first batch: few, because the commits sought are mostly near the head. */
const batchFirst = 16
const batchMax = 256

export interface ListLimits {
  /** Commits where the shallow clone is cut off. */
  readonly shallow: ReadonlySet<Oid>
  readonly reads: Reads
  /** Commits the caller already has. */
  readonly skip?: ReadonlySet<Oid>
}

/** Like `GitPort.listCommits`, one object at a time. */
export async function* listCommitsInProcess(
  read: ReadObject,
  { head, exclude = [] }: ListCommitsOptions,
  { shallow, reads, skip = new Set() }: ListLimits,
): AsyncGenerator<readonly BareCommit[]> {
  await requireExcluded(read, exclude)
  const stop = await findStops(read, head, exclude, shallow)
  const seen = new Set<Oid>()
  const waiting: BareCommit[] = []
  const meet = async (oid: Oid) => {
    if (seen.has(oid) || stop.has(oid)) return
    seen.add(oid)
    waiting.push(await readBareCommit(read, oid, shallow))
  }
  let batch: BareCommit[] = []
  let size = batchFirst
  await meet(head)
  for (let commit = takeNewest(waiting); commit !== undefined; commit = takeNewest(waiting)) {
    await reads.afterObject()
    if (!skip.has(commit.oid)) batch.push(commit)
    if (batch.length >= size) {
      yield batch
      batch = []
      size = Math.min(2 * size, batchMax)
    }
    if (!shallow.has(commit.oid)) for (const parent of commit.parents) await meet(parent)
  }
  if (batch.length > 0) yield batch
}

/** New commits searched for a plain chain before all excluded history is collected. */
const chainCommitsMax = 4096

/** Commits where the walk stops: the excluded one on a plain chain, else all commits below the excluded ones. */
async function findStops(
  read: ReadObject,
  head: Oid,
  exclude: readonly Oid[],
  shallow: ReadonlySet<Oid>,
): Promise<ReadonlySet<Oid>> {
  const [only, ...others] = exclude
  if (only === undefined) return new Set()
  let oid: Oid | undefined = others.length === 0 ? head : undefined
  for (let count = 0; oid !== undefined && count < chainCommitsMax; count++) {
    if (oid === only) return new Set(exclude)
    const parents: readonly Oid[] = await readParents(read, oid)
    oid = parents.length === 1 ? parents[0] : undefined
  }
  return new Set((await collectCommits(read, exclude, new Set(), shallow)).keys())
}

/** Of equal times the one found first. */
function takeNewest(waiting: BareCommit[]): BareCommit | undefined {
  let newest = 0
  for (const [index, { committedAtUnixSeconds }] of waiting.entries()) {
    if (committedAtUnixSeconds > (waiting[newest] as BareCommit).committedAtUnixSeconds) newest = index
  }
  return waiting.splice(newest, 1)[0]
}

async function readBareCommit(read: ReadObject, oid: Oid, shallow: ReadonlySet<Oid>): Promise<BareCommit> {
  return bareCommitOf(oid, await readState(read, oid, metadataBytesMax), shallow)
}

/** Builds a commit from the state of its object. */
export function bareCommitOf(oid: Oid, state: ObjectState, shallow: ReadonlySet<Oid>): BareCommit {
  const nothing = { oid, tree: null, parents: [], committedAtUnixSeconds: 0, message: '', gap: null }
  if (typeof state === 'string') {
    const problem = `commit ${oid} is ${state}`
    return { ...nothing, problem, gap: state === 'too-large' ? null : { reason: state, kind: 'commit', oid } }
  }
  try {
    const { tree, parents, committedAtUnixSeconds, message } = parseCommit(state)
    const [parent] = parents
    const isCut = shallow.has(oid) && parent !== undefined
    const gap = isCut ? ({ reason: 'shallow', kind: 'commit', oid: parent } as const) : null
    return { oid, tree, parents, committedAtUnixSeconds, message, problem: null, gap }
  } catch (error) {
    if (!(error instanceof CorruptObjectError)) throw error
    return { ...nothing, problem: `commit ${oid} is damaged` }
  }
}
