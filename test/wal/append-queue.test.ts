import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { lockFileQueue, noQueue } from '../../src/wal/index.ts'

function tempFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'grite-queue-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

describe('the queue of appenders', { concurrency: 3 }, () => {
  it('lets one in at a time', async (t) => {
    const path = join(tempFolder(t), 'append')
    let inside = 0
    let most = 0
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const leave = await lockFileQueue(path).enter()
        inside += 1
        most = Math.max(most, inside)
        await sleep(5)
        inside -= 1
        await leave()
      }),
    )
    assert.equal(most, 1)
    assert.deepEqual(readdirSync(join(path, '..')), [])
  })

  it('lets the next one in soon after its holder was killed', async (t) => {
    const path = join(tempFolder(t), 'append')
    const script = `require('proper-lockfile').lock(${JSON.stringify(path)}, { realpath: false, stale: 2000 }).then(() => { console.log('in'); setInterval(() => {}, 1000) })`
    const holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => void holder.kill('SIGKILL'))
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    const early = lockFileQueue(path).enter()
    const first = await Promise.race([early.then(() => 'in'), sleep(300).then(() => 'waiting')])
    assert.equal(first, 'waiting')
    const ended = new Promise((resolve) => holder.once('close', resolve))
    holder.kill('SIGKILL')
    await ended
    const startedAt = performance.now()
    const leave = await early
    assert.ok(performance.now() - startedAt < 3500)
    await leave()
  })

  it('is passed by at once where it cannot be entered', async (t) => {
    const startedAt = performance.now()
    const leave = await lockFileQueue(join(tempFolder(t), 'no', 'such', 'folder', 'append')).enter()
    await leave()
    assert.ok(performance.now() - startedAt < 500)
    await (await noQueue.enter())()
  })
})
