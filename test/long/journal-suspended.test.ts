import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { nodeJournalDisk, readJournals } from '../../src/wal/streams/journal/index.ts'
import { childProgram } from '../support/child-program.ts'
import type { JournalOrder } from '../wal/streams/journal/journal-child.ts'
import { placeOn, readTexts } from '../wal/streams/journal/journals.ts'

interface Child {
  readonly process: ChildProcess
  /** Acknowledged records, each with its offset. */
  readonly acknowledged: Promise<readonly string[]>
}

function start(order: JournalOrder): Child {
  const program = childProgram('test/wal/streams/journal/journal-child.ts')
  const child = spawn(process.execPath, [...program, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  return { process: child, acknowledged: once(child, 'close').then(() => text.split('\n').filter(Boolean)) }
}

function tempFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'grite-journal-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'streams')
}

/** Every acknowledged record is there once, at its offset; only whole records of the given writers besides. */
function check(folder: string, acknowledged: readonly string[], most: number): void {
  const place = placeOn(nodeJournalDisk, folder)
  const found = readTexts(place)
  for (const text of acknowledged) assert.ok(found.includes(text), `${text} is lost`)
  assert.ok(found.length <= most)
  const texts = found.map((line) => line.split(' ')[1])
  assert.equal(new Set(texts).size, texts.length)
  assert.deepEqual(
    found.map((line) => Number(line.split(' ')[0])),
    found.map((_, index) => index),
  )
  const state = readJournals(place)
  const lost = state.damage.filter((damage) => damage.lost !== null)
  state.close()
  assert.deepEqual(lost, [])
}

test('writers that are suspended again and again harm nothing', async (t) => {
  const folder = tempFolder(t)
  const count = 300
  const children = ['one', 'two'].map((name) => start({ folder, name, count, sealEvery: 20 }))
  t.after(() => {
    for (const child of children) child.process.kill('SIGKILL')
  })
  let isDone = false
  const all = Promise.all(children.map(({ acknowledged }) => acknowledged)).finally(() => {
    isDone = true
  })
  for (let turn = 0; !isDone; turn++) {
    const child = children[turn % 2] as Child
    await sleep(7)
    child.process.kill('SIGSTOP')
    await sleep(15)
    child.process.kill('SIGCONT')
  }
  const acknowledged = (await all).flat()
  assert.equal(acknowledged.length, 2 * count)
  check(folder, acknowledged, 2 * count)
  assert.ok(readdirSync(folder).length > 10)
})
