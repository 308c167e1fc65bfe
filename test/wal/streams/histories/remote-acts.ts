/** Acts between clones and a remote. */
import assert from 'node:assert/strict'
import type { StreamId } from '../../../../src/model/streams/index.ts'
import { type FetchedStream, readTrackedHead, type StreamSummary } from '../../../../src/wal/streams/index.ts'
import { readAll } from '../store-setup.ts'
import { keep } from './check.ts'
import { type Head, isBefore, judge, namesOf, newestOf, type Rec, refOf, type View, whole } from './state.ts'
import { type Act, deed, oidOf, planned, type Turn } from './turn.ts'

/** Refs move as the data say, and what a journal holds stays behind them. */
export function adopt(
  turn: Turn,
  heads: readonly Head[],
  streams: readonly FetchedStream[],
  expected: readonly string[],
) {
  const { clone } = turn
  const found = new Map(
    streams.map(({ streamId: name, generation, outcome }) => [refOf({ name, generation }), outcome]),
  )
  assert.deepEqual(
    heads.map((head) => `${refOf(head)} ${found.get(refOf(head))}`),
    heads.map((head, index) => `${refOf(head)} ${expected[index]}`),
  )
  assert.equal(found.size, heads.length)
  for (const [index, head] of heads.entries()) {
    if (expected[index] !== 'created' && expected[index] !== 'moved') continue
    clone.views.set(refOf(head), { head, tail: clone.views.get(refOf(head))?.tail ?? [] })
  }
}

export function fetch(turn: Turn, name: StreamId | null): () => Promise<void> {
  const { world, clone, store } = turn
  const heads = [...world.remote.values()].filter((head) => name === null || head.name === name)
  const expected = heads.map((head) => judge(clone, head))
  return planned({
    do: () => store.fetch(clone.real.place, { ids: name === null ? null : [name], isWanted: () => true }),
    expect: ({ streams }) => adopt(turn, heads, streams, expected),
  })
}

export function publish(turn: Turn, names: readonly StreamId[]): () => Promise<void> {
  const { world, clone } = turn
  const own = [...clone.views.values()].filter(({ head }) => names.includes(head.name)).map(({ head }) => head)
  const isDiverged = own.some((head) => {
    const theirs = world.remote.get(refOf(head))
    return theirs !== undefined && !isBefore(theirs, head) && !isBefore(head, theirs)
  })
  return planned({
    do: () => clone.real.publish(...names),
    refused: [isDiverged && 'conflict'],
    expect: () => {
      for (const head of own) {
        const theirs = world.remote.get(refOf(head))
        if (theirs === undefined || isBefore(theirs, head)) world.remote.set(refOf(head), head)
      }
      for (const head of own) assert.equal(world.real.remote.get(refOf(head)), world.remote.get(refOf(head))?.oid)
    },
  })
}

export const remoteActs: readonly Act[] = [
  { name: 'publish', weight: 5, plan: (turn) => publish(turn, [turn.name]) },
  { name: 'publish all', weight: 3, plan: (turn) => publish(turn, namesOf(turn.clone)) },
  { name: 'fetch', weight: 3, plan: (turn) => fetch(turn, turn.name) },
  { name: 'fetch all', isAlone: true, weight: 5, plan: (turn) => fetch(turn, null) },
  { name: 'rescue', weight: 3, plan: (turn) => rescue(turn) },
  {
    name: 'export',
    weight: 1,
    plan: (turn) => {
      const { world, clone, name } = turn
      return planned({
        do: async () => {
          world.real.bundle.clear()
          for (const [ref, { head }] of clone.views)
            if (head.name === name) world.real.bundle.set(ref, oidOf(clone, ref))
        },
        expect: () => {
          world.bundle.clear()
          for (const [ref, { head }] of clone.views) if (head.name === name) world.bundle.set(ref, head)
        },
      })
    },
  },
  {
    name: 'import',
    isAlone: true,
    weight: 1,
    plan: (turn) => {
      const { world, clone, store } = turn
      const heads = [...world.bundle.values()]
      const expected = heads.map((head) => judge(clone, head))
      return planned({
        do: () => store.importBundle({ ...clone.real.place, remote: 'bundle' }, false),
        expect: (imported) => {
          if (expected.includes('diverged')) return assert.equal(imported.outcome, 'diverged')
          assert.ok(imported.outcome === 'imported', imported.outcome)
          adopt(turn, heads, imported.streams, expected)
        },
      })
    },
  },
]

export function rescue(turn: Turn): () => Promise<void> {
  const { world, clone, name } = turn
  return async () => {
    await fetch(turn, name)()
    const store = clone.stores[turn.step.process]
    const before = [...clone.views.values()].filter(({ head }) => head.name === name)
    const generations = [...clone.views.values(), ...[...world.remote.values()].map((head) => ({ head }))]
      .filter(({ head }) => head.name === name)
      .map(({ head }) => head.generation)
    await planned({
      do: async () => {
        for (const generation of [...new Set(generations)].toSorted((left, right) => left - right)) {
          const onto = await readTrackedHead(clone.real.place, refOf({ name, generation }))
          await store.rescue({ streamId: name, generation }, onto, deed)
        }
      },
      mayRefuse: [before.length === 0 && 'not_found'],
      expect: () => follow(turn, before),
    })()
  }
}

/** Reads what the rescue has made. */
async function follow(turn: Turn, before: readonly View[]): Promise<void> {
  const { world, clone, store, name } = turn
  const old = before.filter(({ head }) => head.state === 'live').map(whole)
  const summaries = await store.list({ includeEnded: true })
  const found = new Map(summaries.map((summary) => [summary.ref, summary]))
  for (const { head } of before) if (!found.has(refOf(head))) clone.views.delete(refOf(head))
  for (const summary of summaries) {
    const view = clone.views.get(summary.ref)
    if (view?.head.oid !== summary.head) {
      const known = world.heads.get(summary.head)
      const head = known?.name === summary.streamId ? known : await readBranch(turn, summary)
      clone.views.set(summary.ref, { head, tail: [] })
    } else if (view.head.name === name && summary.nextOffset === summary.sealedOffset) {
      clone.views.set(summary.ref, { head: view.head, tail: [] })
    }
  }
  const holders = [...clone.views.values()]
    .filter(({ head }) => head.name === name || head.name.includes('rescue/'))
    .map(whole)
  const kept = newestOf(clone, name)
  for (const { first, records } of old)
    for (const [index, { text }] of records.entries()) {
      const offset = first + index
      const isDropped = world.dropped.has(text) && offset < (kept?.head.first ?? 0)
      const isHeld = holders.some((head) => head.records[offset - head.first]?.text === text)
      assert.ok(isHeld || isDropped, `the rescue of ${name} lost ${text} at ${offset}`)
    }
}

async function readBranch({ world, clone, store }: Turn, summary: StreamSummary): Promise<Head> {
  const { streamId: name, head: oid, incarnation, generation, epoch, parents, firstOffset: first } = summary
  assert.match(name, /rescue\/[0-9a-f]{16}$/)
  const produced = new Map<number, number>()
  const records = (await readAll(store, name, { from: first })).map((read): Rec => {
    const { payload, tsUnixMs, producer } = read.record()
    const text = Buffer.from(payload).toString()
    const origin = read.origin ?? { streamId: name, incarnation, offset: read.offset }
    const rec = { text, tsUnixMs, origin, sequence: producer?.sequence ?? null }
    const acknowledged = world.acknowledged.get(text)
    assert.deepEqual([tsUnixMs, rec.sequence], [acknowledged?.tsUnixMs, acknowledged?.sequence])
    if (read.origin === null && producer !== null) produced.set(producer.sequence, read.offset)
    return rec
  })
  const [parent] = parents
  const of = parent && [...clone.views.values()].find(({ head }) => head.incarnation === parent.incarnation)
  const joins =
    of === undefined || parent === undefined
      ? []
      : [{ kind: 'fork' as const, from: parent.offset, of: of.head, below: parent.offset, isKnown: false }]
  const owned = { epoch: epoch.number, owner: epoch.owner, state: 'live' as const, before: null }
  return keep(world, { oid, name, incarnation, generation, ...owned, first, records, produced, joins })
}
