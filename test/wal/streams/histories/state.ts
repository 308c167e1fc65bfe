/** What streams are to their users, in plain data: lists of records, heads that follow each other, clones and a remote. */
import type { Oid, RefName } from '../../../../src/git/index.ts'
import type { CloneId, Incarnation, StreamId } from '../../../../src/model/streams/index.ts'
import type { Position, StreamStore } from '../../../../src/wal/streams/index.ts'
import { refOfStream } from '../../../../src/wal/streams/stream-refs.ts'
import type { Clone, Clones } from '../clones-setup.ts'

export interface Rec {
  readonly text: string
  readonly tsUnixMs: number
  readonly origin: Position
  /** Of the only producer. */
  readonly sequence: number | null
}

/** What the ref of a generation holds. */
export interface Head {
  readonly oid: Oid
  readonly name: StreamId
  readonly incarnation: Incarnation
  readonly generation: number
  readonly epoch: number
  readonly owner: CloneId
  readonly state: 'live' | 'deleted' | 'continued'
  /** The head that it follows, of the same generation. */
  readonly before: Head | null
  /** Offset of the first of `records`. */
  readonly first: number
  readonly records: readonly Rec[]
  /** Offset by sequence of the producer. */
  readonly produced: ReadonlyMap<number, number>
  readonly joins: readonly Join[]
}

/** From its offset `from` on, a stream contains another below an offset: a fork, or a merge. */
export interface Join {
  readonly kind: 'fork' | 'merge'
  readonly from: number
  readonly of: Head
  readonly below: number
  /** Whether every reader of the head finds it: not after a retention. */
  readonly isKnown: boolean
}

/** A generation in one clone: its sealed head, and what its journal holds after it. */
export interface View {
  readonly head: Head
  readonly tail: readonly Rec[]
}

export interface HistoryClone {
  readonly real: Clone
  /** Processes on the clone. */
  readonly stores: [StreamStore, StreamStore]
  readonly views: Map<RefName, View>
}

export interface World {
  readonly real: Clones
  readonly clones: readonly HistoryClone[]
  readonly remote: Map<RefName, Head>
  readonly bundle: Map<RefName, Head>
  /** Every head there ever was. */
  readonly heads: Map<Oid, Head>
  /** Every record that was acknowledged, by its text. */
  readonly acknowledged: Map<string, Rec>
  /** Texts that a retention dropped somewhere. */
  readonly dropped: Set<string>
}

export const refOf = ({ name, generation }: Pick<Head, 'name' | 'generation'>): RefName => refOfStream(name, generation)
export const nextOf = ({ first, records }: Pick<Head, 'first' | 'records'>): number => first + records.length
export const endOf = ({ head, tail }: View): number => nextOf(head) + tail.length
export const isOurs = ({ real }: HistoryClone, { head }: View): boolean => head.owner === real.cloneId

/** The view with its journal sealed. */
export function whole({ head, tail }: View): Head {
  const produced = new Map(head.produced)
  for (const [index, { sequence }] of tail.entries())
    if (sequence !== null) produced.set(sequence, nextOf(head) + index)
  return { ...head, records: [...head.records, ...tail], produced }
}

/** The generation that a command finds: that which goes on from the oldest one here. */
export function newestOf({ views }: HistoryClone, name: StreamId): View | null {
  const all = [...views.values()]
    .filter(({ head }) => head.name === name)
    .toSorted((left, right) => left.head.generation - right.head.generation)
  let found = all[0]?.head.generation === 0 ? all[0] : all.at(-1)
  for (const next of all)
    if (found !== undefined && found.head.state !== 'live' && next.head.generation === found.head.generation + 1)
      found = next
  return found ?? null
}

/** A copy of the clone went on from another end of a generation than this one, which has not been rescued. */
export function isMixed(clone: HistoryClone, name: StreamId): boolean {
  const newest = newestOf(clone, name)?.head.generation ?? 0
  return [...clone.views.values()].some(({ head }) => head.name === name && head.generation > newest)
}

export function namesOf({ views }: HistoryClone): readonly StreamId[] {
  return [...new Set([...views.values()].map(({ head }) => head.name))].toSorted()
}

export function isBefore(old: Head, head: Head): boolean {
  for (let at: Head | null = head; at !== null; at = at.before) if (at.oid === old.oid) return true
  return false
}

/** What a fetch makes of a head of the remote. */
export function judge(clone: HistoryClone, head: Head): 'created' | 'moved' | 'unchanged' | 'ahead' | 'diverged' {
  const view = clone.views.get(refOf(head))
  if (view === undefined) {
    const own = [...clone.views.values()].filter((each) => each.head.name === head.name)
    return own.some((each) => each.head.generation > head.generation) ? 'ahead' : 'created'
  }
  const { head: local, tail } = view
  if (local.oid === head.oid) return 'unchanged'
  if (isBefore(head, local)) return 'ahead'
  if (!isBefore(local, head)) return 'diverged'
  const isContinued = nextOf(head) === nextOf(local) && head.epoch === local.epoch && head.state === 'live'
  return tail.length === 0 || isContinued ? 'moved' : 'diverged'
}

/** Names records by where they were appended; two copies of one clone can give a name to two records. */
export const keyOf = ({ incarnation, offset }: Pick<Position, 'incarnation' | 'offset'>) => `${incarnation}@${offset}`

export interface Known {
  /** Records that a merge must take for known. */
  readonly least: ReadonlySet<string>
  /** Records that it may take for known. */
  readonly most: ReadonlySet<string>
}

/** What a stream contains below an offset, read or merged. */
export function knownOf(head: Head, below: number, isTarget: boolean): Known {
  const [least, most] = [new Set<string>(), new Set<string>()]
  const visited = new Set<string>()
  const visit = (at: Head, end: number, isSure: boolean, all: boolean): void => {
    const mark = `${at.oid} ${at.name} ${nextOf(at)} ${end} ${isSure} ${all}`
    if (visited.has(mark)) return
    visited.add(mark)
    for (let offset = 0; offset < end; offset++) {
      if (isSure) least.add(keyOf({ ...at, offset }))
      most.add(keyOf({ ...at, offset }))
    }
    for (const [index, { origin }] of at.records.entries()) if (at.first + index < end) most.add(keyOf(origin))
    for (const { kind, from, of, below: offset, isKnown } of at.joins) {
      if (kind === 'merge' && from > end) continue
      // A merge that added nothing is behind the oldest commit that reaches the offset.
      const isReached = kind === 'fork' || from < end || all
      visit(of, kind === 'fork' ? Math.min(offset, end) : offset, isSure && isKnown && isReached, false)
    }
  }
  visit(head, below, true, isTarget)
  return { least, most }
}
