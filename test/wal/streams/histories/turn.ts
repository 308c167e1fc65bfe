/** One act of a history: what is done, and what the data say of it. */
import assert from 'node:assert/strict'
import type { Oid, RefName } from '../../../../src/git/index.ts'
import { GriteError } from '../../../../src/model/index.ts'
import type { StreamId } from '../../../../src/model/streams/index.ts'
import type { StreamStore, StreamSummary } from '../../../../src/wal/streams/index.ts'
import { id } from '../store-setup.ts'
import { keep } from './check.ts'
import { type Head, type HistoryClone, isOurs, newestOf, refOf, type View, type World, whole } from './state.ts'

export interface Step {
  readonly act: number
  readonly clone: number
  readonly process: 0 | 1
  /** Choose streams, offsets and kinds. */
  readonly stream: number
  readonly other: number
  readonly at: number
  readonly count: number
}

export interface Turn {
  readonly world: World
  readonly clone: HistoryClone
  readonly store: StreamStore
  readonly step: Step
  /** Part of the texts that it appends. */
  readonly turn: number
  /** A stream of the clone, and the generation that commands find. */
  readonly name: StreamId
  readonly view: View
}

export type Code = 'conflict' | 'not_found' | 'invalid_args'

export interface Plan<Answer> {
  readonly do: () => Promise<Answer>
  /** It must be refused for one of these. */
  readonly refused?: readonly (Code | false)[]
  /** It may be refused. */
  readonly mayRefuse?: readonly (Code | false)[]
  readonly expect: (answer: Answer) => void | Promise<void>
}

export interface Act {
  readonly name: string
  readonly weight: number
  /** Whether it needs no stream. */
  readonly isAlone?: boolean
  /** Null when it is not possible. */
  readonly plan: (turn: Turn) => (() => Promise<void>) | null
}

/** Carries a plan out. What is refused changes no data. */
export function planned<Answer>({ do: run, refused = [], mayRefuse = [], expect }: Plan<Answer>): () => Promise<void> {
  return async () => {
    const must = refused.filter((code) => code !== false)
    let answer: Answer
    try {
      answer = await run()
    } catch (error) {
      if (error instanceof GriteError && [...must, ...mayRefuse].includes(error.code as Code)) return
      throw error
    }
    assert.deepEqual(must, [], 'it had to be refused')
    await expect(answer)
  }
}

export const deed = { actor: null, reason: null }
/** Names for new streams. */
export const freshName = ({ step }: Turn) => id(`s${step.other % 6}`)
export const isDeleted = ({ head }: View) => head.state === 'deleted'
export const isTaken = (clone: HistoryClone, name: StreamId) => {
  const view = newestOf(clone, name)
  return view !== null && !isDeleted(view)
}
/** Why a writer does not open. */
export const refusals = ({ clone, view }: Turn): readonly (Code | false)[] => [
  isDeleted(view) && 'not_found',
  !isDeleted(view) && !isOurs(clone, view) && 'conflict',
]

export function oidOf({ real }: HistoryClone, ref: RefName): Oid {
  return real.refs.get(ref) ?? assert.fail(`${ref} is missing`)
}

/** Everything is sealed, and the head is one that goes on from there. */
export function moveOn({ world, clone }: Turn, view: View, changes: Partial<Head>): void {
  const ref = refOf(view.head)
  const head = { ...whole(view), before: view.head, ...changes, oid: oidOf(clone, ref) }
  clone.views.set(ref, { head: keep(world, head), tail: [] })
}

/** A new stream, of which nobody but its creator knows. */
export function begin(
  { world, clone }: Turn,
  made: StreamSummary,
  more: Pick<Head, 'first' | 'records' | 'joins'> & Partial<Head>,
): void {
  const { ref, head: oid, streamId: name, incarnation, generation, epoch } = made
  assert.ok(!clone.views.has(ref), `${ref} was made again`)
  const head: Head = {
    ...{ oid, name, incarnation, generation, epoch: epoch.number, owner: epoch.owner, state: 'live', before: null },
    ...{ produced: new Map(), ...more },
  }
  clone.views.set(ref, { head: keep(world, head), tail: [] })
}
