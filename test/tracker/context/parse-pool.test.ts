import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ParsePool } from '../../../src/tracker/context/parse-pool.ts'
import { createSandbox } from '../../git/temp-repository.ts'

const order = (source: string) => ({ language: 'rust' as const, source, knownHash: null })

/** A thread that answers with its order as the hash, except for the files `die` and `hang`. */
const obedient = `
const { parentPort } = require('node:worker_threads')
parentPort.on('message', ({ number, source }) => {
  if (source === 'die') process.exit(1)
  if (source !== 'hang') parentPort.postMessage({ number, contentHash: source, symbols: [], leftOut: null })
})`

function openPool(t: TestContext, program: string, { expected = 1000, answerMsMax = 60_000 } = {}): ParsePool {
  const { dir } = createSandbox(t)
  const path = join(dir, 'thread.cjs')
  writeFileSync(path, program)
  const pool = new ParsePool({ program: () => path, expected, cores: 2, answerMsMax })
  t.after(() => pool.close())
  return pool
}

test('a pool answers every order', async (t) => {
  const pool = openPool(t, obedient)
  const names = Array.from({ length: 100 }, (_, index) => `file ${index}`)
  const answers = await Promise.all(names.map((name) => pool.parse(order(name))))
  assert.deepEqual(
    answers.map(({ contentHash }) => contentHash),
    names,
  )
})

test('a file that ends its thread costs no other file', async (t) => {
  const pool = openPool(t, obedient)
  const names = ['a', 'die', 'b', 'c', 'die', 'd', 'e']
  const answers = await Promise.all(names.map((name) => pool.parse(order(name))))
  assert.deepEqual(
    answers.map(({ contentHash, leftOut }) => leftOut ?? contentHash),
    ['a', 'crashed', 'b', 'c', 'crashed', 'd', 'e'],
  )
})

test('a file that does not come back is left out', async (t) => {
  const pool = openPool(t, obedient, { answerMsMax: 3_000 })
  const answers = await Promise.all(['hang', 'a', 'b'].map((name) => pool.parse(order(name))))
  assert.deepEqual(
    answers.map(({ contentHash, leftOut }) => leftOut ?? contentHash),
    ['too-slow', 'a', 'b'],
  )
})

test('where no thread can run, every order fails with the reason', async (t) => {
  const pool = openPool(t, "throw new Error('no parser here')")
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => pool.parse(order('a'))))
  const last = results.at(-1)
  assert.ok(last?.status === 'rejected')
  assert.match(String(last.reason), /cannot run: no parser here/)
})

test('a closed pool leaves out what is waiting', async (t) => {
  const pool = openPool(t, obedient)
  const answer = pool.parse(order('hang'))
  await pool.close()
  assert.equal((await answer).leftOut, 'too-slow')
})
