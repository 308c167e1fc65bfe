/** The ref of the log locked by another process. */
import assert from 'node:assert/strict'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createGriteSandbox, type GriteSandbox, type Outcome, readFailure } from '../contract/grite-process.ts'

async function outcomeOf(child: ReturnType<GriteSandbox['start']>): Promise<Outcome> {
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (part) => {
    stdout += part
  })
  child.stderr.on('data', (part) => {
    stderr += part
  })
  child.stdin.end()
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { status, stdout, stderr }
}

test('a write waits up to ten seconds for a foreign ref lock', async (t) => {
  const [stays, goes] = [createGriteSandbox(t), createGriteSandbox(t)]
  const places = [stays, goes].map((place) => ({ place, lock: join(place.path, '.git/refs/grite/wal.lock') }))
  for (const { place, lock } of places) {
    place.create('Before')
    writeFileSync(lock, '')
  }
  const heads = places.map(({ place }) => place.head())
  const startedMs = Date.now()
  const waiting = places.map(({ place }) => outcomeOf(place.start('issue', 'create', '--title=Late', '--json')))
  assert.equal(stays.data('issue', 'list').total, 1, 'reading does not wait')
  setTimeout(() => rmSync(places[1]?.lock as string), 1500)

  const late = await (waiting[1] as Promise<Outcome>)
  assert.equal(late.status, 0, late.stderr)
  assert.equal(goes.data('issue', 'list').total, 2)

  const failure = readFailure(await (waiting[0] as Promise<Outcome>))
  assert.deepEqual([failure.code, failure.status], ['conflict', 4])
  assert.ok(Date.now() - startedMs >= 9500)
  assert.match(failure.message, /refs\/grite\/wal is locked by another process \(.*wal\.lock\); waited \d+ ms/)
  assert.equal(stays.head(), heads[0])
  assert.ok(existsSync(places[0]?.lock as string), 'the foreign lock is kept')
  rmSync(places[0]?.lock as string)
  stays.create('After')
})
