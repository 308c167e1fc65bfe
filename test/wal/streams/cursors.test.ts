import assert from 'node:assert/strict'
import { it } from 'node:test'
import { encodeObject } from '../../../src/git/index.ts'
import { ConflictError, DamagedStreamError, InvalidArgsError, NotFoundError } from '../../../src/model/index.ts'
import { cursorRefOf } from '../../../src/wal/ref-names.ts'
import {
  advanceCursor,
  type CursorPlace,
  createCursor,
  deleteCursor,
  fetchCursors,
  getCursor,
  listCursors,
  openCursor,
  type StreamDamage,
  shareCursor,
} from '../../../src/wal/streams/index.ts'
import { type Clone, createClones } from './clones-setup.ts'
import { createMemoryRepository, creation, draft, id, local } from './store-setup.ts'

const log = id('log')
const facts = { actor: null, reason: 'test', labels: [['kind', 'index']] } as const
const at = (offset: number) => ({ streamId: log, name: 'reader', offset })

it('a cursor moves forward only, and never past the end', async (t) => {
  const repository = createMemoryRepository(t)
  const store = repository.open()
  const { git, clock, damage } = repository
  const place: CursorPlace = {
    git,
    streams: store,
    nowUnixMs: clock.nowUnixMs,
    onDamage: (found) => damage.push(found),
  }
  await store.create(log, creation)
  for (const text of ['a', 'b', 'c']) await store.append(log, [draft(text)], local)
  const made = await createCursor(place, at(0), facts)
  assert.deepEqual([made.document.leaf, made.document.labels], [null, [['kind', 'index']]])
  await assert.rejects(createCursor(place, at(1), facts), ConflictError)
  assert.equal((await advanceCursor(place, log, 'reader', 2)).document.offset, 2)
  assert.equal((await advanceCursor(place, log, 'reader', 2)).document.offset, 2)
  await assert.rejects(advanceCursor(place, log, 'reader', 1), ConflictError)
  await assert.rejects(advanceCursor(place, log, 'reader', 4), InvalidArgsError)
  await store.seal(log)
  assert.equal((await openCursor(place, log, 'reader')).document.offset, 2)
  assert.deepEqual(
    (await listCursors(place, log)).map(({ document }) => document.name),
    ['reader'],
  )
  await deleteCursor(place, log, 'reader')
  await assert.rejects(getCursor(place, log, 'reader'), NotFoundError)
})

it('a damaged cursor is an error of its stream, and can be deleted', async (t) => {
  const { open, git, clock, damage } = createMemoryRepository(t)
  const store = open()
  const onDamage = (found: StreamDamage) => void damage.push(found)
  const place: CursorPlace = { git, streams: store, nowUnixMs: clock.nowUnixMs, onDamage }
  await store.create(log, creation)
  const made = await createCursor(place, at(0), facts)
  const ref = cursorRefOf(log, 'reader')
  const blob = encodeObject(git.layout.objectFormat, 'blob', new TextEncoder().encode('not a commit'))
  const replace = { ref, expected: made.commit, next: blob.oid, reflogMessage: 'damage' }
  await git.publish({ objects: [blob], updates: [replace] })
  for (const use of [getCursor, openCursor]) {
    await assert.rejects(use(place, log, 'reader'), (error: DamagedStreamError) => {
      assert.ok(error instanceof DamagedStreamError)
      assert.deepEqual(error.details, { ref, object_id: blob.oid })
      return true
    })
  }
  assert.deepEqual(await deleteCursor(place, log, 'reader'), { commit: blob.oid, document: null })
  assert.deepEqual(
    damage.map(({ ref: damagedRef, objectId }) => [damagedRef, objectId]),
    [[ref, blob.oid]],
  )
  await createCursor(place, at(0), facts)
})

it('cursors of like names are apart, and the farthest of advances at once stays', async (t) => {
  const { open, git, clock } = createMemoryRepository(t)
  const store = open()
  const place: CursorPlace = { git, streams: store, nowUnixMs: clock.nowUnixMs, onDamage: () => assert.fail() }
  await store.create(log, creation)
  const drafts = Array.from({ length: 9 }, (_, index) => draft(`${index}`))
  await store.append(log, drafts, local)
  const names = ['a/b', 'a:b', 'a_b', 'a__b', '..']
  for (const [offset, name] of names.entries()) await createCursor(place, { ...at(offset), name }, facts)
  for (const [offset, name] of names.entries())
    assert.equal((await getCursor(place, log, name)).document.offset, offset)
  const advances = await Promise.allSettled(
    [5, 9, 7, 6, 8].map((offset) => advanceCursor({ ...place, streams: open() }, log, 'a/b', offset)),
  )
  for (const result of advances)
    assert.ok(result.status === 'fulfilled' || result.reason instanceof ConflictError, String(result))
  assert.equal((await getCursor(place, log, 'a/b')).document.offset, 9)
})

it('a new stream of the same id has none of the cursors of the deleted one', async (t) => {
  const { open, git, clock } = createMemoryRepository(t)
  const store = open()
  const place: CursorPlace = { git, streams: store, nowUnixMs: clock.nowUnixMs, onDamage: () => assert.fail() }
  await store.create(log, creation)
  await store.append(log, [draft('a'), draft('b')], local)
  await createCursor(place, at(2), facts)
  await store.acts.delete(log, { actor: null, reason: null })
  await store.create(log, creation)
  await store.append(log, [draft('x'), draft('y'), draft('z')], local)
  await assert.rejects(openCursor(place, log, 'reader'), ConflictError)
})

it('refuses a cursor whose consumed record was replaced by a rescue', async (t) => {
  const { clones } = createClones(t, 2)
  const [first, second] = clones
  if (first === undefined || second === undefined) return assert.fail()
  await first.store.create(log, creation)
  await first.store.seal(log)
  await first.publish(log)
  await second.fetch()
  const twin = second.open(first.cloneId)
  await twin.append(log, [draft('theirs')], local)
  await twin.seal(log)
  await second.publish(log)
  await first.store.append(log, [draft('ours')], local)
  const { git, clock } = first
  const place: CursorPlace = { git, streams: first.store, nowUnixMs: clock.nowUnixMs, onDamage: () => assert.fail() }
  await createCursor(place, at(1), facts)
  await first.fetch()
  await first.rescue(log)
  await assert.rejects(openCursor(place, log, 'reader'), (error) => {
    assert.ok(error instanceof ConflictError)
    assert.deepEqual([error.details.reason, error.details.offset], ['replaced', 1])
    return true
  })
})

it('clones share a cursor, and the farther position wins', async (t) => {
  const { clones } = createClones(t, 3)
  const [first, second, third] = clones as [Clone, Clone, Clone]
  const placeOf = ({ git, store, clock, damage }: Clone): CursorPlace => ({
    ...{ git, streams: store, nowUnixMs: clock.nowUnixMs },
    onDamage: (found) => damage.push(found),
  })
  const share = async (clone: Clone) => (await shareCursor(placeOf(clone), clone.place, log, 'reader')).document.offset
  const fetch = async (clone: Clone) =>
    (await fetchCursors(placeOf(clone), clone.place, [log])).map(({ cursor, outcome }) => [
      outcome,
      cursor.document.offset,
    ])
  const advance = async (clone: Clone, offset: number) => await advanceCursor(placeOf(clone), log, 'reader', offset)
  await first.store.create(log, creation)
  for (const text of ['a', 'b', 'c', 'd']) await first.store.append(log, [draft(text)], local)
  await first.store.seal(log)
  await first.publish(log)
  await createCursor(placeOf(first), at(1), facts)
  assert.equal(await share(first), 1)
  assert.deepEqual(await fetch(second), [], 'not before the records are there')
  await second.fetch()
  await third.fetch()
  assert.deepEqual([await fetch(third), await fetch(third)], [[['created', 1]], []])
  await deleteCursor(placeOf(third), log, 'reader')
  assert.deepEqual(await fetch(third), [], 'a deleted one stays deleted')

  // Both move on from the same tip.
  await second.git.publish({
    objects: [],
    updates: [{ ...(await tipOf(first)), expected: null, reflogMessage: 'test' }],
  })
  await advance(first, 3)
  await advance(second, 2)
  assert.equal(await share(second), 2)
  assert.equal(await share(first), 3, 'goes on from the position of the other')
  assert.deepEqual([await fetch(second), await fetch(first)], [[['moved', 3]], []])
  await advance(first, 4)
  await share(first)
  assert.deepEqual([await share(second), await fetch(third)], [4, [['created', 4]]], 'never backward')
})

async function tipOf({ git }: Clone) {
  const ref = cursorRefOf(log, 'reader')
  return { ref, next: await git.readRef(ref) }
}
