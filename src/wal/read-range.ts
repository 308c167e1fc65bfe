import type { GitPort, Oid } from '../git/index.ts'
import { NotFoundError } from '../model/index.ts'
import { readLog } from './read-log.ts'
import type { Segment } from './segment-codec.ts'
import type { UnionStream } from './stream.ts'

/** Ranges with more items or bytes are not kept: their readers read them in pieces. */
const rangeItemsMax = 4096
const rangeBytesMax = 8 * 1024 * 1024

/** All segments at and below a head that another commit does not reach. */
export interface SegmentRange<Sealed> {
  /** Parents before children. */
  readonly segments: readonly Sealed[]
  readonly has: (commit: Oid) => boolean
  /** Whether a commit of the range has this parent. */
  readonly isAbove: (commit: Oid) => boolean
}

/**
 * Reads a range whole: for the usual small one this answers in one pass what `merge-base` and a later read would.
 *
 * @returns null when the range is empty, large, or not completely readable
 */
export async function readRange<Batch, Item, Sealed extends Segment<Item>>(
  git: GitPort,
  stream: UnionStream<Batch, Item, Sealed>,
  { head, below }: { readonly head: Oid; readonly below: Oid },
): Promise<SegmentRange<Sealed> | null> {
  const all: Sealed[] = []
  const commits = new Set<string>()
  const parents = new Set<string>()
  let items = 0
  let bytes = 0
  try {
    for await (const segments of readLog(git, stream, { head, exclude: [below] })) {
      for (const segment of segments) {
        if (segment.problems.length > 0) return null
        all.push(segment)
        commits.add(segment.commit)
        for (const parent of segment.parents) parents.add(parent)
        items += segment.items.length
        bytes += stream.divergence.bytesOf(segment)
      }
      if (items > rangeItemsMax || bytes > rangeBytesMax) return null
    }
  } catch (error) {
    if (error instanceof NotFoundError) return null
    throw error
  }
  // git also accepts the id of a tag, and shows its commit.
  if (!commits.has(head)) return null
  return { segments: all, has: (commit) => commits.has(commit), isAbove: (commit) => parents.has(commit) }
}
