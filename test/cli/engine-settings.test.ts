import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cachedDataVersionTag } from 'node:v8'
import { postponeOptimization, prepareForBulk } from '../../src/cli/engine-settings.ts'

test('postponed optimization changes V8, and leaves it as it was for compiled code', () => {
  const before = cachedDataVersionTag()
  const restore = postponeOptimization()
  assert.notEqual(cachedDataVersionTag(), before)
  restore()
  assert.equal(cachedDataVersionTag(), before)
})

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
