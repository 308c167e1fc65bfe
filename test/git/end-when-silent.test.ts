import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, it, mock, type TestContext } from 'node:test'
import { endWhenSilent, estimateWalkMs } from '../../src/git/native/end-when-silent.ts'
import type { StartedGit } from '../../src/git/run-git.ts'

/** A git that runs until it is killed. */
function startFake() {
  let isKilled = false
  const child = { stdout: null, kill: () => (isKilled = true) }
  return { started: { child } as unknown as StartedGit, isKilled: () => isKilled }
}

describe('the watch over git', () => {
  beforeEach((t) => {
    mock.timers.enable({ apis: ['setInterval'] })
    ;(t as TestContext).after(() => mock.timers.reset())
  })

  it('git is killed after a second without output', () => {
    const git = startFake()
    const watched = endWhenSilent(git.started, { isWaiting: () => true })
    mock.timers.tick(800)
    watched.heard()
    mock.timers.tick(600)
    assert.equal(git.isKilled(), false)
    mock.timers.tick(200)
    assert.equal(git.isKilled(), true)
    assert.equal(watched.wasSilent(), true)
  })

  it('output that was not read yet is no silence', () => {
    const git = startFake()
    endWhenSilent(git.started, { isWaiting: () => false })
    mock.timers.tick(10_000)
    assert.equal(git.isKilled(), false)
  })

  it('git may walk a long history before its first output', () => {
    const git = startFake()
    const watched = endWhenSilent(git.started, { isWaiting: () => true, walkMs: 4000 })
    mock.timers.tick(4800)
    assert.equal(git.isKilled(), false)
    watched.heard()
    mock.timers.tick(1000)
    assert.equal(git.isKilled(), true)
  })
})

describe('the time for a walk', () => {
  it('a walk gets more time the more objects are packed, within a bound', (t) => {
    const objectDir = mkdtempSync(join(tmpdir(), 'grite-walk-'))
    t.after(() => rmSync(objectDir, { recursive: true, force: true }))
    assert.equal(estimateWalkMs(objectDir), 0)
    mkdirSync(join(objectDir, 'pack'))
    writeFileSync(join(objectDir, 'pack', 'pack-1.idx'), Buffer.alloc(28 * 1000))
    writeFileSync(join(objectDir, 'pack', 'pack-1.pack'), Buffer.alloc(500_000))
    assert.equal(estimateWalkMs(objectDir), 10)
    writeFileSync(join(objectDir, 'pack', 'pack-2.idx'), Buffer.alloc(28 * 2000))
    assert.equal(estimateWalkMs(objectDir), 30)
    writeFileSync(join(objectDir, 'pack', 'pack-3.idx'), '')
    truncateSync(join(objectDir, 'pack', 'pack-3.idx'), 28 * 2_000_000)
    assert.equal(estimateWalkMs(objectDir), 10_000)
  })
})
