/**
 * Damaged answers of a daemon, first to the frame reader of the launcher, then to whole processes. SOAK_SEED=7 takes other
 * answers, SOAK_ROUNDS=100 so many thousand of them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { converse } from '../conformance/daemon-client-setup.ts'
import { whyNoCompiler } from '../native/compile-launcher.ts'
import { damage, fuzzReader, recordedAnswers } from '../native/fuzz-reader.ts'
import { launcherClient } from '../native/launcher-client.ts'
import { randomOf } from '../support/mutate.ts'

const { SOAK_SEED = '1', SOAK_ROUNDS = '1000' } = process.env
const options = { skip: whyNoCompiler, timeout: 24 * 60 * 60_000 }

test('the reader survives damaged answers, however they are split', options, (t) => {
  for (let round = 0; round < +SOAK_ROUNDS; round++) {
    const seed = +SOAK_SEED * 1_000_000 + round
    try {
      fuzzReader(randomOf(seed), 1000)
    } catch (error) {
      t.diagnostic(`seed ${seed}`)
      throw error
    }
  }
})

test('the launcher ends well after any damaged answer', options, async () => {
  const random = randomOf(+SOAK_SEED)
  for (let round = 0; round < +SOAK_ROUNDS; round++) {
    const answer = damage(random, recordedAnswers)
    const cleanUps: (() => void | Promise<void>)[] = []
    const place = { after: (callback: () => void | Promise<void>) => void cleanUps.push(callback) }
    const { status, stderr, local } = await converse(place, launcherClient, async (connection) => {
      await connection.receiveRun()
      await connection.sendBytes(answer)
      connection.end()
      for (let frame = await connection.receive(); frame !== null; ) frame = await connection.receive()
    })
    for (const cleanUp of cleanUps) await cleanUp()
    const ending = `status ${status}, ${stderr.slice(0, 4000)}; round ${round}; the answer: ${answer.toString('hex')}`
    assert.ok(status !== null && !stderr.includes('Sanitizer'), ending)
    assert.ok(local === null || status === 17, ending)
  }
})
