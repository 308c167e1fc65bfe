/** Compares clones with their plain data, and follows what only the engine decides: ids of commits, and when it seals. */
import assert from 'node:assert/strict'
import { NotFoundError } from '../../../../src/model/index.ts'
import { proofDocument, type StreamId, verifyProof } from '../../../../src/model/streams/index.ts'
import type { StreamStore, StreamSummary } from '../../../../src/wal/streams/index.ts'
import { readAll } from '../store-setup.ts'
import {
  endOf,
  type Head,
  type HistoryClone,
  isMixed,
  isOurs,
  namesOf,
  newestOf,
  nextOf,
  refOf,
  type View,
  type World,
  whole,
} from './state.ts'

/** Notes a head under its id. Copies may make the same commit. */
export function keep(world: World, head: Head): Head {
  const known = world.heads.get(head.oid)
  if (known === undefined) {
    world.heads.set(head.oid, head)
    return head
  }
  assert.deepEqual(textsOfHead(known), textsOfHead(head), `two contents of ${head.oid}`)
  return known
}

const textsOfHead = ({ first, records }: Head) => [first, ...records.map(({ text }) => text)]

/** The generations of the clone are those of the data, with what was sealed meanwhile. */
export async function settle(world: World, clone: HistoryClone, store: StreamStore): Promise<void> {
  const summaries = await store.list({ includeEnded: true })
  for (const summary of summaries) {
    const view = clone.views.get(summary.ref) ?? assert.fail(`a stream from nowhere: ${summary.ref}`)
    clone.views.set(summary.ref, follow(world, view, summary))
    assertFacts(clone, clone.views.get(summary.ref) as View, summary)
  }
  assert.deepEqual(summaries.map(({ ref }) => ref).toSorted(), [...clone.views.keys()].toSorted(), 'refs')
}

function follow(world: World, view: View, { head: oid, sealedOffset }: StreamSummary): View {
  const { head, tail } = view
  if (oid === head.oid) return view
  const count = sealedOffset - nextOf(head)
  assert.ok(count > 0 && count <= tail.length, `${head.name} moved from ${head.oid} to ${oid}, offset ${sealedOffset}`)
  const sealed = { ...whole({ head, tail: tail.slice(0, count) }), oid, before: head }
  return { head: keep(world, sealed), tail: tail.slice(count) }
}

function assertFacts(clone: HistoryClone, view: View, found: StreamSummary): void {
  const { head } = view
  const { streamId, generation, incarnation, state, owner, epoch, firstOffset, nextOffset, sealedOffset } = found
  assert.deepEqual(
    { streamId, generation, incarnation, state, owner, epoch: epoch.number, firstOffset, nextOffset, sealedOffset },
    {
      ...{ streamId: head.name, generation: head.generation, incarnation: head.incarnation, state: head.state },
      ...{ owner: isOurs(clone, view) ? 'ours' : 'foreign', epoch: head.epoch },
      ...{ firstOffset: head.first, nextOffset: endOf(view), sealedOffset: nextOf(head) },
    },
  )
}

/** What a process reads of a stream is what the data say. */
export async function checkStream(clone: HistoryClone, store: StreamStore, name: StreamId): Promise<void> {
  const view = newestOf(clone, name)
  if (view === null || view.head.state === 'deleted') return await assert.rejects(store.status(name), NotFoundError)
  const status = await store.status(name)
  assertFacts(clone, view, status)
  assert.equal(status.divergence, null)
  assert.equal(status.unsealedRecords, view.tail.length)
  const { head } = view
  const expected = [...head.records, ...view.tail].map(({ text, tsUnixMs, origin }, index) => {
    const offset = head.first + index
    const isOwn = origin.streamId === name && origin.incarnation === head.incarnation && origin.offset === offset
    return { offset, text, tsUnixMs, origin: isOwn ? null : origin }
  })
  const found = (await readAll(store, name, { from: head.first })).map((read) => {
    const { payload, tsUnixMs } = read.record()
    return { offset: read.offset, text: Buffer.from(payload).toString(), tsUnixMs, origin: read.origin }
  })
  assert.deepEqual(found, expected, `read of ${name}`)
}

/** Verifies all streams of a clone, with proofs of some records. */
export async function verifyClone(clone: HistoryClone, store: StreamStore): Promise<void> {
  for (const name of namesOf(clone)) {
    for (const { problems } of isMixed(clone, name) ? [] : await store.acts.verify(name)) assert.deepEqual(problems, [])
    const view = newestOf(clone, name)
    if (view === null || view.head.state === 'deleted') continue
    const { root } = await store.status(name)
    const { first, records } = view.head
    for (const index of new Set([0, records.length >> 1, records.length - 1])) {
      const record = records[index]
      if (record === undefined) continue
      const verdict = verifyProof(JSON.stringify(proofDocument(await store.acts.prove(name, first + index))))
      assert.ok(verdict.valid && verdict.root === root, `proof of ${name}@${first + index}: ${JSON.stringify(verdict)}`)
    }
    for (const { fault } of await store.acts.verifyCheckpoints(name)) assert.equal(fault, null)
  }
}

/** The clone has everything that the remote has, except what was purged here. */
export function assertAgrees({ views }: HistoryClone, world: World): void {
  const seen = (heads: Iterable<Head>) =>
    new Map([...heads].map((head) => [refOf(head), [head.oid, head.state, ...textsOfHead(head)]]))
  const own = seen([...views.values()].map(({ head }) => head))
  const theirs = seen(world.remote.values())
  for (const [ref, head] of own) assert.deepEqual(head, theirs.get(ref), `${ref} here and at the remote`)
  for (const { tail, head } of views.values()) assert.equal(tail.length, 0, `${head.name} is sealed`)
}
