/** Moves the tracking refs of a remote to the result of a fetch. */
import type { GitPort, Oid, RefName, RefUpdate } from '../port.ts'
import type { LeftOutRefs } from '../remote-port.ts'
import type { FetchPattern } from './fetch-room.ts'

/** Refs per transaction: each has an open file until it has moved. */
const updatesMax = 200

export type TrackedRefs = ReadonlyMap<RefName, Oid>

/** @param refspec - with both sides, and a star at the end of each: `+<left>*:<right>*` */
export function parseFetchPattern(refspec: string): FetchPattern {
  const [, left, right] = /^\+(refs\/[^*:]*)\*:(refs\/[^*:]*)\*$/.exec(refspec) ?? []
  if (left === undefined || right === undefined) throw new TypeError(`not a fetch refspec: ${refspec}`)
  return { left, right }
}

/** The refs of this repository that match the right sides of some patterns. A broken ref counts as absent. */
export async function readTracked(git: GitPort, patterns: readonly FetchPattern[]): Promise<TrackedRefs> {
  const folders = new Set(patterns.map(({ right }) => right.slice(0, right.lastIndexOf('/') + 1)))
  const rows = await git.listRefs([...folders], () => {})
  return new Map(
    rows.filter(({ ref }) => patterns.some(({ right }) => ref.startsWith(right))).map(({ ref, oid }) => [ref, oid]),
  )
}

export interface TrackingMove {
  readonly patterns: readonly FetchPattern[]
  /** Their values before the fetch, so that the result of another fetch is not undone. */
  readonly before: TrackedRefs
  /** Refs of the remote by their names there. */
  readonly found: TrackedRefs
  /** Refs of the remote that git did not accept; the local ones do not change. */
  readonly refused: ReadonlySet<string>
  /** See `FetchRequest`. */
  readonly refsMax?: ((left: string) => number) | undefined
  readonly isFollowed?: ((ref: string) => boolean) | undefined
}

/**
 * Moves, creates and deletes tracking refs, durably.
 *
 * @returns the refs that are not followed
 * @throws {RefMovedError} when another process moved one of them meanwhile
 */
export async function moveTracking(git: GitPort, move: TrackingMove): Promise<readonly LeftOutRefs[]> {
  const { deletions, moves, leftOut } = planTracking(move)
  // A ref may have to be deleted before another can be created below its name.
  for (const updates of [deletions, moves]) {
    for (let start = 0; start < updates.length; start += updatesMax) {
      await git.publish({ objects: [], updates: updates.slice(start, start + updatesMax) })
    }
  }
  return leftOut
}

function planTracking({ patterns, before, found, refused, refsMax, isFollowed }: TrackingMove) {
  const reflogMessage = 'grite: fetch'
  const moves: RefUpdate[] = []
  const leftOut: LeftOutRefs[] = []
  const kept = new Set<RefName>()
  for (const { left, right } of patterns) {
    const translate = (ref: string) => `${right}${ref.slice(left.length)}` as RefName
    for (const ref of refused) if (ref.startsWith(left)) kept.add(translate(ref))
    const matching = [...found].filter(([ref]) => ref.startsWith(left) && isFollowed?.(ref) !== false)
    const countMax = refsMax?.(left) ?? Number.POSITIVE_INFINITY
    if (matching.length > countMax) {
      leftOut.push({ prefix: left, foundCount: matching.length, followedCount: countMax })
      matching.sort(followedFirst((ref) => before.has(translate(ref))))
    }
    for (const [ref, next] of matching.slice(0, countMax)) {
      const tracking = translate(ref)
      kept.add(tracking)
      const expected = before.get(tracking) ?? null
      if (expected !== next) moves.push({ ref: tracking, expected, next, reflogMessage })
    }
  }
  const lost = [...before].filter(([ref]) => !kept.has(ref))
  const deletions = lost.map(([ref, expected]): RefUpdate => ({ ref, expected, next: null, reflogMessage }))
  return { deletions, moves, leftOut }
}

type Row = readonly [ref: RefName, oid: Oid]

/** Sorts numeric names by length first. */
function followedFirst(isFollowed: (ref: RefName) => boolean): (left: Row, right: Row) => number {
  return ([left], [right]) =>
    Number(isFollowed(right)) - Number(isFollowed(left)) || right.length - left.length || (left < right ? 1 : -1)
}
