import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { cachedDataVersionTag, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { postponeOptimization, prepareForBulk } from '../../src/cli/engine-settings.ts'

test('postponed optimization changes V8, and leaves it as it was for compiled code', () => {
  const before = cachedDataVersionTag()
  const restore = postponeOptimization()
  assert.notEqual(cachedDataVersionTag(), before)
  restore()
  assert.equal(cachedDataVersionTag(), before)
})

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Collects garbage and lets those who wait for it run. */
async function collectAndWait(isDone: () => boolean): Promise<void> {
  collect()
  for (let turn = 0; turn < 1000 && !isDone(); turn++) await setImmediate()
}

test('bulk work bounds the heap and postpones optimization, and leaves V8 as it was for compiled code', () => {
  const usual = cachedDataVersionTag()
  const restore = prepareForBulk(50)
  const bulk = cachedDataVersionTag()
  restore()
  assert.equal(cachedDataVersionTag(), usual)
  const restoreLarger = prepareForBulk(75)
  const larger = cachedDataVersionTag()
  restoreLarger()
  assert.equal(cachedDataVersionTag(), usual)
  assert.equal(new Set([usual, bulk, larger]).size, 3)
})

test('bulk work may let the heap grow more after its first collection', async () => {
  const restore = prepareForBulk(50)
  const later = cachedDataVersionTag()
  restore()
  const restoreAgain = prepareForBulk(50, 400)
  assert.notEqual(cachedDataVersionTag(), later)
  await collectAndWait(() => cachedDataVersionTag() === later)
  assert.equal(cachedDataVersionTag(), later)
  restoreAgain()
})

test('a collection after bulk work leaves V8 as it is', async () => {
  const usual = cachedDataVersionTag()
  prepareForBulk(50, 400)()
  await collectAndWait(() => cachedDataVersionTag() !== usual)
  assert.equal(cachedDataVersionTag(), usual)
})
