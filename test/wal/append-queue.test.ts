import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentOwner, formatOwner, type Owner } from '../../src/git/index.ts'
import { isQueueLockLeft, lockFileQueue, noQueue } from '../../src/wal/index.ts'
import { countPauses, pausesOf } from '../support/count-pauses.ts'

function tempFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'grite-queue-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const gonePid = spawnSync(process.execPath, ['-e', '']).pid

/** Writes a lock of another owner. Its mtime is a day ahead, as after a wrong clock. */
function leaveLock(path: string, owner: Partial<Owner>): void {
  writeFileSync(`${path}.lock`, `${formatOwner({ ...currentOwner(), ...owner })}\n`)
  setAhead(`${path}.lock`)
}

function setAhead(path: string): void {
  const tomorrow = Date.now() / 1000 + 86_400
  utimesSync(path, tomorrow, tomorrow)
}

/** Pauses while waiting for a turn, which is released again. */
function pausesOfTurn(path: string): Promise<number> {
  return pausesOf(async () => {
    const leave = await lockFileQueue(path).enter()
    await leave()
  })
}

/** Shorter than any wait for a holder. */
const shortMs = 1500

describe('the append queue', { concurrency: 6 }, () => {
  it('the append queue admits one writer at a time', async (t) => {
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

  it('the next writer enters as soon as the holder is killed', async (t) => {
    const path = join(tempFolder(t), 'append')
    const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    t.after(() => void holder.kill('SIGKILL'))
    leaveLock(path, { pid: holder.pid as number, startTime: '0' })
    const { done: early, pausedMs } = countPauses(() => lockFileQueue(path).enter())
    assert.equal(await Promise.race([early.then(() => 'in'), sleep(300).then(() => 'waiting')]), 'waiting')
    const ended = new Promise((resolve) => holder.once('close', resolve))
    holder.kill('SIGKILL')
    await ended
    const pausedBeforeMs = pausedMs()
    const leave = await early
    assert.ok(pausedMs() - pausedBeforeMs < 1000)
    await leave()
  })

  for (const [title, owner] of [
    ['a dead process', { pid: gonePid }],
    ['an earlier boot', { bootId: 'earlier' }],
  ] as const) {
    it(`the append lock of ${title} is broken at once`, async (t) => {
      const path = join(tempFolder(t), 'append')
      leaveLock(path, owner)
      assert.ok(isQueueLockLeft(path, Date.now()))
      assert.ok((await pausesOfTurn(path)) < shortMs)
      assert.ok(!existsSync(`${path}.lock`))
    })
  }

  const unknown: Readonly<Record<string, (path: string) => void>> = {
    'a suspended holder': (path) => leaveLock(path, {}),
    'a process in another container': (path) => leaveLock(path, { pid: gonePid, pidNamespace: '1' }),
    'a version that used a folder': (path) => {
      mkdirSync(`${path}.lock`)
      setAhead(`${path}.lock`)
    },
    'a crash that left an empty file': (path) => writeFileSync(`${path}.lock`, ''),
  }
  for (const [title, leave] of Object.entries(unknown)) {
    it(`the append lock of ${title} is broken after a wait, for good`, async (t) => {
      const path = join(tempFolder(t), 'append')
      leave(path)
      const { done, pausedMs } = countPauses(() => lockFileQueue(path).enter())
      const end = await done
      assert.match(readFileSync(`${path}.lock`, 'latin1'), new RegExp(`\\.${process.pid}\\.`))
      assert.ok(pausedMs() > shortMs)
      await end()
      assert.ok((await pausesOfTurn(path)) < shortMs)
      assert.deepEqual(readdirSync(join(path, '..')), [])
    })
  }

  it('the append queue waits for a holder that refreshes its lock', async (t) => {
    const path = join(tempFolder(t), 'append')
    const leave = await lockFileQueue(path).enter()
    const next = lockFileQueue(path).enter()
    assert.equal(await Promise.race([next.then(() => 'in'), sleep(3500).then(() => 'waiting')]), 'waiting')
    await leave()
    await (await next)()
  })

  it('leaving the queue keeps a lock that another process took', async (t) => {
    const path = join(tempFolder(t), 'append')
    const leave = await lockFileQueue(path).enter()
    rmSync(`${path}.lock`)
    leaveLock(path, {})
    await leave()
    assert.ok(existsSync(`${path}.lock`))
  })

  it('an append queue in a missing folder is skipped at once', async (t) => {
    const path = join(tempFolder(t), 'no', 'such', 'folder', 'append')
    assert.ok((await pausesOfTurn(path)) < shortMs)
    await (await noQueue.enter())()
  })
})
