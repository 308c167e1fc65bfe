import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { currentOwner, formatOwner, isOwnerDead, type Owner, parseOwner } from '../../src/git/index.ts'

const mine = currentOwner()
const longAgo = () => ({ writtenAtUnixMs: 1000, isOnLocalDisk: false })

describe('owners of lock files', () => {
  it('a formatted owner parses back to an equal owner', () => {
    assert.deepEqual(parseOwner(formatOwner(mine)), mine)
    for (const text of ['', 'a', 'a.b.c.d', 'a.b.0.d', 'a.b.1.d.e', 'a.b.-1.d']) assert.equal(parseOwner(text), null)
  })

  const gone = spawnSync(process.execPath, ['-e', '']).pid
  const table: readonly (readonly [string, Partial<Owner>, boolean])[] = [
    ['this process', {}, false],
    ['an ended process', { pid: gone }, true],
    ['an ended process whose id was reused', { startTime: '1' }, true],
    ['an ended process of another pid namespace', { pid: gone, pidNamespace: '1' }, false],
    ['any process of an earlier boot', { bootId: 'earlier' }, true],
    ['a process of an earlier boot in another namespace', { bootId: 'earlier', pidNamespace: '1' }, true],
  ]
  for (const [title, words, isDead] of table) {
    it(`${title} is ${isDead ? 'dead' : 'not taken for dead'}`, () => {
      assert.equal(isOwnerDead({ ...mine, ...words }, longAgo), isDead)
    })
  }

  it('an owner of another boot is alive if its file is newer than this boot', () => {
    const file = () => ({ writtenAtUnixMs: Date.now(), isOnLocalDisk: false })
    assert.equal(isOwnerDead({ ...mine, bootId: 'another machine' }, file), false)
  })

  it('an owner of an earlier boot on a local disk is dead despite a fast clock', () => {
    const file = () => ({ writtenAtUnixMs: Date.now() + 86_400_000, isOnLocalDisk: true })
    assert.equal(isOwnerDead({ ...mine, bootId: 'earlier' }, file), true)
  })

  it('a zombie process is dead', {
    skip: process.platform === 'linux' ? false : 'not Linux',
  }, async () => {
    // The shell does not wait for its child, which stays a zombie.
    const shell = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 2'], { stdio: ['ignore', 'pipe', 'ignore'] })
    const [line] = (await once(shell.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.equal(isOwnerDead({ ...mine, pid, startTime: '0' }), true)
    shell.kill()
  })
})
