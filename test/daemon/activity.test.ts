import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Activity } from '../../src/daemon/activity.ts'

const neverIdle = { idleMs: 0, onIdle: () => assert.fail('idle') }

test('a daemon rests once for each time that it was left alone', async () => {
  let rests = 0
  let done: (() => void) | undefined
  const rested = new Promise<void>((resolve) => {
    done = resolve
  })
  const onRest = () => ++rests === 2 && done?.()
  const activity = new Activity({ ...neverIdle, onRest, restAfterMs: [1, 5] })
  activity.begin()
  activity.end()
  await rested
  await sleep(20)
  assert.equal(rests, 2)
})

test('a daemon does not rest while a request is unfinished', async () => {
  let rests = 0
  const activity = new Activity({ ...neverIdle, onRest: () => void rests++, restAfterMs: [1, 5] })
  activity.begin()
  activity.begin()
  activity.end()
  await sleep(20)
  assert.deepEqual([activity.count, rests], [1, 0])
  activity.end()
  activity.begin()
  await sleep(20)
  assert.equal(rests, 0)
})
