/** A git process killed while it moves a ref for us leaves no lasting lock, and usually moves no ref. */

import assert from 'node:assert/strict'
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { findRepository, openNative, openRepository, parseRefName } from '../../src/git/index.ts'
import { looseRefPath, refTemporaryDir } from '../../src/git/ref-paths.ts'
import { RefLockedError } from '../../src/model/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { planOf, publishChain, sampleCommit } from '../git/sample-commits.ts'
import { createTempRepository, type RepositoryKind } from '../git/temp-repository.ts'
import { createDyingGit } from '../support/dying-git.ts'

describe('moving refs without git', () => {
  for (const kind of ['plain', 'bare', 'linked work tree', 'packed', 'alternates', 'sha256'] as RepositoryKind[]) {
    for (const shared of [undefined, 'group', '0660']) {
      it(`refs move without git in a ${kind} repository, core.sharedRepository ${shared}`, async (t) => {
        const repository = await createTempRepository(t, kind)
        if (shared !== undefined) repository.run('config', 'core.sharedRepository', shared)
        const layout = await findRepository({ cwd: repository.path, env: repository.environment })
        const port = openRepository(layout, { environment: { ...repository.environment, PATH: '/nowhere' } })
        const side = parseRefName('refs/grite/locks/x')
        const [head] = await publishChain(port, ['one', 'two'], side)
        repository.run('pack-refs', '--all')
        const oid = await port.readRef(side)
        await port.publish({ objects: [], updates: [{ ref: side, expected: oid, next: null, reflogMessage: 'x' }] })
        assert.ok(head)
        assert.deepEqual([await port.readRef(side), repository.run('for-each-ref', side)], [null, ''])
        repository.run('fsck', '--strict', '--no-dangling')
      })
    }
  }
})

describe('locks of a killed git', () => {
  async function setUp(t: Parameters<typeof createTempRepository>[0]) {
    const repository = await createTempRepository(t)
    const dying = createDyingGit(repository, {
      command: 'update-ref',
      below: 'GIT_DIR',
      leaves: `${walRef}.lock`,
    })
    const { layout } = repository
    const open = (lockWaitMs: number) => {
      const port = openNative(layout, { environment: dying.environment, lockWaitMs })
      t.after(() => port.close())
      return port
    }
    const [first = null] = await publishChain(open(0), ['one'])
    const commit = sampleCommit('sha1', first === null ? [] : [first], 'two')
    const lock = `${looseRefPath(layout, walRef)}.lock`
    return { ...repository, dying, open, first, commit, lock }
  }

  it('a lock of a killed git is broken by the next writer', async (t) => {
    const { dying, open, first, commit, lock, layout, run } = await setUp(t)
    dying.arm()
    await assert.rejects(open(0).publish(planOf(commit, first)), /SIGKILL/)
    assert.ok(existsSync(lock))
    await open(0).publish(planOf(commit, first))
    assert.equal(run('rev-parse', walRef), commit.oid)
    assert.deepEqual(readdirSync(refTemporaryDir(layout)), [])
  })

  it('a lock re-taken by another git is left alone', async (t) => {
    const { dying, open, first, commit, lock } = await setUp(t)
    dying.arm()
    await assert.rejects(open(0).publish(planOf(commit, first)), /SIGKILL/)
    const waiting = open(0).publish(planOf(commit, first))
    await sleep(300)
    writeFileSync(`${dirname(lock)}/other`, 'of another git')
    renameSync(`${dirname(lock)}/other`, lock)
    await assert.rejects(waiting, RefLockedError)
    assert.ok(existsSync(lock))
  })

  it('a lock without an owner is waited for', async (t) => {
    const { open, first, commit, lock } = await setUp(t)
    writeFileSync(lock, '')
    await assert.rejects(open(0).publish(planOf(commit, first)), RefLockedError)
    assert.ok(existsSync(lock))
  })
})
