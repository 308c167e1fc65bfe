/** What random histories do with clones: when it is possible, what is done, and what the data say of it. */
import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RecordDraft } from '../../../../src/wal/streams/index.ts'
import { branching, creation, draft, local } from '../store-setup.ts'
import { mergeActs } from './merge-acts.ts'
import { remoteActs } from './remote-acts.ts'
import { endOf, isMixed, isOurs, type Rec, refOf, whole } from './state.ts'
import { type Act, begin, deed, freshName, isDeleted, isTaken, moveOn, planned, refusals, type Turn } from './turn.ts'

function append(turn: Turn, sequence: number | null, expectedOffset?: number): () => Promise<void> {
  const { world, clone, store, step, name, view } = turn
  const count = sequence === null ? 1 + (step.count % 3) : 1
  const texts = Array.from({ length: count }, (_, index) => `r${turn.turn}.${index}`)
  const drafts = texts.map(
    (text): RecordDraft => draft(text, sequence === null ? {} : { producer: { id: 'p', sequence } }),
  )
  const { produced, records } = whole(view)
  const last = Math.max(-1, ...produced.keys())
  const isOld = sequence !== null && sequence <= last
  return planned({
    do: () => store.append(name, drafts, { ...local, expectedOffset }),
    refused: [
      ...refusals(turn),
      !isOld && expectedOffset !== undefined && expectedOffset !== endOf(view) && 'conflict',
      sequence !== null && sequence < last && !produced.has(sequence) && 'conflict',
    ],
    // A process that has not seen newer sequences may still answer where this one stands.
    mayRefuse: [isOld && sequence < last && 'conflict'],
    expect: ({ offset, repeated, nextOffset }) => {
      assert.deepEqual([offset, repeated], isOld ? [produced.get(sequence), true] : [endOf(view), false])
      assert.equal(nextOffset, offset + count)
      if (repeated) return
      const { incarnation } = view.head
      const tsUnixMs = Math.max(clone.real.clock.at, records.at(-1)?.tsUnixMs ?? 0)
      const added = texts.map((text, index): Rec => {
        const origin = { streamId: name, incarnation, offset: offset + index }
        return { text, tsUnixMs, origin, sequence }
      })
      for (const rec of added) world.acknowledged.set(rec.text, rec)
      clone.views.set(refOf(view.head), { head: view.head, tail: [...view.tail, ...added] })
    },
  })
}

/** Policies that let this many records stay, or none that only joins segments. */
function retain(turn: Turn, maxCount: number | null): () => Promise<void> {
  const { world, clone, store, name, view } = turn
  const policy = maxCount === null ? null : { maxAgeMs: null, maxBytes: null, maxCount }
  return planned({
    do: () => store.acts.retain(name, { ...deed, policy, compact: maxCount === null, preview: false }),
    refused: [isDeleted(view) && 'not_found'],
    mayRefuse: [(isMixed(clone, name) || !isOurs(clone, view)) && 'conflict'],
    expect: ({ generation, firstOffset, stream }) => {
      const old = view.head
      if (generation === null) return assert.equal(firstOffset, old.first)
      const { records, produced } = whole(view)
      const ownFrom = Math.max(old.first, ...old.joins.map(({ kind, below }) => (kind === 'fork' ? below : 0)))
      const kept = records.slice(firstOffset - old.first)
      assert.ok(kept.length >= Math.min(maxCount ?? records.length, endOf(view) - ownFrom), 'it drops what has to stay')
      for (const { text } of records.slice(0, firstOffset - old.first)) world.dropped.add(text)
      moveOn(turn, view, { state: 'continued' })
      begin(turn, stream, {
        ...{ first: firstOffset, records: kept, produced },
        joins: old.joins.map((each) => ({
          ...each,
          isKnown: each.isKnown && each.kind === 'merge' && each.from > firstOffset,
        })),
      })
    },
  })
}

const simple: readonly Act[] = [
  { name: 'append', weight: 12, plan: (turn) => append(turn, null) },
  { name: 'append at', weight: 2, plan: (turn) => append(turn, null, turn.step.at) },
  { name: 'append at the end', weight: 2, plan: (turn) => append(turn, null, endOf(turn.view)) },
  { name: 'append by a producer', weight: 4, plan: (turn) => append(turn, turn.step.at % 7) },
  {
    name: 'seal',
    weight: 5,
    plan: (turn) =>
      planned({
        do: () => turn.store.seal(turn.name),
        refused: refusals(turn),
        expect: ({ sealedOffset }) => assert.equal(sealedOffset, endOf(turn.view)),
      }),
  },
  {
    name: 'create',
    isAlone: true,
    weight: 2,
    plan: (turn) => {
      const name = freshName(turn)
      return planned({
        do: () => turn.store.create(name, creation),
        refused: [isTaken(turn.clone, name) && 'conflict'],
        expect: (made) => begin(turn, made, { first: 0, records: [], joins: [] }),
      })
    },
  },
  {
    name: 'branch',
    weight: 5,
    plan: (turn) => {
      const { clone, store, step, name, view } = turn
      const made = freshName(turn)
      const at = step.count === 0 ? undefined : step.at % (endOf(view) + 2)
      const { records, ...parent } = whole(view)
      const fork = at ?? endOf(view)
      return planned({
        do: () => store.branch(made, name, { ...branching, at }),
        refused: [
          isTaken(clone, made) && 'conflict',
          isDeleted(view) && 'not_found',
          (fork > endOf(view) || fork < parent.first) && 'invalid_args',
        ],
        expect: (summary) => {
          assert.equal(summary.nextOffset, fork)
          const inherited = records.slice(0, fork - parent.first)
          const of = { ...parent, records: inherited }
          const joins = [{ kind: 'fork', from: fork, of, below: fork, isKnown: true }] as const
          begin(turn, summary, { first: parent.first, records: inherited, joins })
        },
      })
    },
  },
  {
    name: 'checkpoint',
    weight: 1,
    plan: (turn) =>
      planned({
        do: () => turn.store.acts.createCheckpoint(turn.name, { ...deed, kind: 'test', signer: null }),
        refused: refusals(turn),
        expect: () => moveOn(turn, turn.view, {}),
      }),
  },
  {
    name: 'take over',
    weight: 2,
    plan: (turn) => {
      const { clone, store, name, view } = turn
      return planned({
        do: () => store.acts.takeOver(name, deed),
        refused: [isDeleted(view) && 'not_found'],
        expect: () => {
          if (!isOurs(clone, view)) moveOn(turn, view, { owner: clone.real.cloneId, epoch: view.head.epoch + 1 })
        },
      })
    },
  },
  {
    name: 'delete',
    weight: 1,
    plan: (turn) =>
      planned({
        do: () => turn.store.acts.delete(turn.name, deed),
        refused: refusals(turn),
        expect: () => moveOn(turn, turn.view, { state: 'deleted' }),
      }),
  },
  {
    name: 'purge',
    weight: 2,
    plan: (turn) => {
      const { clone, store, step, name } = turn
      const ended = [...clone.views].filter(([, { head }]) => head.name === name && head.state !== 'live')
      return planned({
        do: () => store.acts.purge(name, { despiteDependants: step.count > 0, preview: false }),
        refused: [ended.length === 0 && 'conflict'],
        mayRefuse: ['conflict'],
        expect: ({ removed }) => {
          assert.deepEqual(removed.toSorted(), ended.map(([ref]) => ref).toSorted())
          for (const ref of removed) clone.views.delete(ref)
        },
      })
    },
  },
  { name: 'retain', weight: 3, plan: (turn) => retain(turn, 1 + (turn.step.count % 3)) },
  { name: 'compact', weight: 2, plan: (turn) => retain(turn, null) },
]

const around: readonly Act[] = [
  {
    name: 'restart',
    isAlone: true,
    weight: 3,
    plan: ({ clone, step }) =>
      planned({
        do: async () => {
          // A crashed process is one that is not used again.
          if (step.count > 0) await clone.stores[step.process].close()
          clone.stores[step.process] = clone.real.open(clone.real.cloneId)
        },
        expect: () => {},
      }),
  },
  {
    name: 'step of the clock',
    isAlone: true,
    weight: 3,
    plan: ({ clone, step }) =>
      planned({
        do: async () => {
          clone.real.clock.at += [1, 40, -25, 1000, 3_600_000, -60_000][step.at % 6] as number
        },
        expect: () => {},
      }),
  },
  {
    name: 'loss of the journals',
    weight: 1,
    plan: ({ clone }) =>
      planned({
        do: async () => {
          for (const store of clone.stores) await store.close()
          for (const file of readdirSync(clone.real.folder))
            if (file.endsWith('.journal')) rmSync(join(clone.real.folder, file))
          for (const process of [0, 1] as const) clone.stores[process] = clone.real.open(clone.real.cloneId)
        },
        expect: () => {
          for (const [ref, { head }] of clone.views) clone.views.set(ref, { head, tail: [] })
        },
      }),
  },
]

export const acts: readonly Act[] = [...simple, ...mergeActs, ...remoteActs, ...around]
