import assert from 'node:assert/strict'
import { existsSync, linkSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { currentOwner, formatOwner, type Owner, openRepository } from '../../src/git/index.ts'
import { looseRefPath, refTemporaryDir } from '../../src/git/ref-paths.ts'
import { RefLockedError } from '../../src/model/errors/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { publishChain } from './sample-commits.ts'
import { createTempRepository, type TempRepository } from './temp-repository.ts'

const deadPid = 2 ** 22 + 1

/** Leaves a lock as a killed grite process does. */
function leaveLock({ layout }: TempRepository, owner: Partial<Owner>): { temporary: string; lock: string } {
  const temporary = join(refTemporaryDir(layout), `${formatOwner({ ...currentOwner(), ...owner })}-0123456789ab`)
  const lock = `${looseRefPath(layout, walRef)}.lock`
  mkdirSync(dirname(temporary), { recursive: true })
  mkdirSync(dirname(lock), { recursive: true })
  writeFileSync(temporary, `${'1'.repeat(40)}\n`)
  linkSync(temporary, lock)
  return { temporary, lock }
}

describe('ref locks', () => {
  it('the lock of a dead writer is removed without waiting', async (t) => {
    const repository = await createTempRepository(t)
    const { temporary, lock } = leaveLock(repository, { pid: deadPid })
    const port = openRepository(repository.layout, { environment: repository.environment, lockWaitMs: 0 })
    await publishChain(port, ['one'])
    assert.deepEqual([existsSync(temporary), existsSync(lock)], [false, false])
  })

  it('only one of many waiters acquires the lock of a dead writer', async (t) => {
    const repository = await createTempRepository(t)
    leaveLock(repository, { pid: deadPid })
    const ports = Array.from({ length: 8 }, () =>
      openRepository(repository.layout, { environment: repository.environment }),
    )
    const results = await Promise.allSettled(ports.map((port, index) => publishChain(port, [`${index}`])))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.equal(repository.run('rev-list', '--count', walRef), '1')
  })

  for (const [title, owner] of [
    ['a living writer', {}],
    ['a writer in another container', { pid: deadPid, pidNamespace: '1' }],
  ] as const) {
    it(`waits for the lock of ${title}`, async (t) => {
      const repository = await createTempRepository(t)
      const { temporary, lock } = leaveLock(repository, owner)
      const port = openRepository(repository.layout, { environment: repository.environment, lockWaitMs: 60 })
      await assert.rejects(
        publishChain(port, ['one']),
        (error) => error instanceof RefLockedError && Number(error.details.waited_ms) >= 60,
      )
      assert.deepEqual([existsSync(temporary), existsSync(lock)], [true, true])
    })
  }

  it('waits for a lock of unknown origin, however old', async (t) => {
    const repository = await createTempRepository(t)
    const { temporary, lock } = leaveLock(repository, { pid: deadPid })
    writeFileSync(`${lock}.other`, '')
    const other = `${looseRefPath(repository.layout, walRef)}.lock`
    // Not the lock file of the dead writer: equal name, other inode.
    const { rmSync } = await import('node:fs')
    rmSync(other)
    writeFileSync(other, '')
    utimesSync(other, 1000, 1000)
    const port = openRepository(repository.layout, { environment: repository.environment, lockWaitMs: 30 })
    await assert.rejects(publishChain(port, ['one']), RefLockedError)
    assert.deepEqual([existsSync(temporary), existsSync(other)], [true, true])
  })
})
