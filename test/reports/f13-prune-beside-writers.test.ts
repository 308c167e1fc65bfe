/** Writes beside `git gc --prune=now`: lost objects are written again before a write is acknowledged. */

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { type Disk, nodeDisk } from '../../src/git/durable/disk.ts'
import { openNative, openRepository, type PublishPoint, parseRefName } from '../../src/git/index.ts'
import { looseObjectPath, looseRefPath } from '../../src/git/ref-paths.ts'
import { AfterWriteError, StorageError } from '../../src/model/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { planOf, publishChain, type SampleCommit, sampleCommit } from '../git/sample-commits.ts'
import { createTempRepository, type TempRepository } from '../git/temp-repository.ts'

/** Prunes like `git prune --expire=now`: temp files, unreachable objects and empty folders. */
function prune(
  { layout }: TempRepository,
  { oid, objects }: SampleCommit,
  keeps: 'nothing' | 'the commit' = 'nothing',
) {
  for (const object of objects) {
    if (keeps === 'the commit' && object.oid === oid) continue
    const folder = dirname(looseObjectPath(layout, object.oid))
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      if (name.startsWith('tmp_obj_')) rmSync(join(folder, name))
    }
    rmSync(looseObjectPath(layout, object.oid), { force: true })
    if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder)
  }
}

describe('pruning during a publish', () => {
  const points = {
    combined: ['files-staged', 'files-flushed', 'objects-placed', 'objects-written', 'ref-locked', 'ref-moved'],
    native: ['objects-written', 'ref-moved'],
  } as const satisfies Record<string, readonly PublishPoint[]>
  for (const [name, open] of [
    ['combined', openRepository],
    ['native', openNative],
  ] as const) {
    for (const point of points[name]) {
      it(`a publish restores objects pruned at ${point}, ${name} port`, async (t) => {
        const repository = await createTempRepository(t)
        const { layout, environment } = repository
        const [first = null] = await publishChain(openRepository(layout, { environment }), ['one'])
        const commit = sampleCommit('sha1', first === null ? [] : [first], 'two')
        let isPruned = false
        const port = open(layout, {
          environment,
          hooks: {
            at(reached) {
              if (reached !== point || isPruned) return
              isPruned = true
              prune(repository, commit)
            },
          },
        })
        await port.publish(planOf(commit, first))
        assert.ok(isPruned)
        assert.equal(repository.run('rev-parse', walRef), commit.oid)
        repository.run('fsck', '--strict', '--no-dangling')
        await port.close()
      })
    }
  }

  it('a publish restores pruned objects of an earlier publish', async (t) => {
    const repository = await createTempRepository(t)
    const { layout, environment } = repository
    for (const open of [openRepository, openNative]) {
      const port = open(layout, { environment })
      const head = await port.readRef(walRef)
      const commit = sampleCommit('sha1', head === null ? [] : [head], open.name)
      await port.publish({ objects: commit.objects, updates: [] })
      prune(repository, commit, 'the commit')
      await port.publish({ ...planOf(commit, head), objects: [], staged: commit.objects })
      repository.run('fsck', '--strict', '--no-dangling')
      await port.close()
    }
  })

  it('no ref moves to a lost object that cannot be rewritten', async (t) => {
    const repository = await createTempRepository(t)
    const { layout, environment } = repository
    const port = openRepository(layout, { environment })
    const commit = sampleCommit('sha1', [], 'one')
    await port.publish({ objects: commit.objects, updates: [] })
    prune(repository, commit)
    await assert.rejects(port.publish({ ...planOf(commit, null), objects: [] }), (error) => {
      assert.ok(error instanceof StorageError, String(error))
      assert.match(error.message, /vanished while it was being written/)
      assert.match(error.hints.join(), /git gc --prune=now/)
      return true
    })
    assert.equal(await port.readRef(walRef), null)
    await port.close()
  })

  it('objects that keep vanishing are reported as the reason', async (t) => {
    const repository = await createTempRepository(t)
    const { layout, environment } = repository
    const commit = sampleCommit('sha1', [], 'one')
    const vanishing: Disk = {
      ...nodeDisk,
      rename(from, to) {
        if (to.includes('/objects/')) rmSync(from)
        nodeDisk.rename(from, to)
      },
    }
    const port = openRepository(layout, { environment, disk: vanishing })
    await assert.rejects(port.publish(planOf(commit, null)), (error) => {
      assert.ok(error instanceof StorageError && !/free disk space/.test(error.hints.join()), String(error))
      assert.equal(error.details.reason, 'vanished')
      return true
    })
    assert.equal(await port.readRef(walRef), null)
  })

  it('a publish fails when objects vanish after the ref moved', async (t) => {
    const repository = await createTempRepository(t)
    const { layout, environment } = repository
    const commit = sampleCommit('sha1', [], 'one')
    let hasMoved = false
    const vanishing: Disk = {
      ...nodeDisk,
      rename(from, to) {
        if (hasMoved && to.includes('/objects/')) rmSync(from)
        nodeDisk.rename(from, to)
      },
    }
    const hooks = {
      at(point: PublishPoint) {
        if (point !== 'ref-moved') return
        hasMoved = true
        prune(repository, commit)
      },
    }
    const port = openRepository(layout, { environment, disk: vanishing, hooks })
    await assert.rejects(
      port.publish(planOf(commit, null)),
      (error) => error instanceof AfterWriteError && /vanished/.test(error.message),
    )
  })
})

describe('folders that git removes', () => {
  it('a writer recreates folders that git removes', async (t) => {
    const repository = await createTempRepository(t)
    const { layout, environment } = repository
    const ref = parseRefName('refs/grite/locks/one')
    let removed = 0
    const disk: Disk = {
      ...nodeDisk,
      link(from, to) {
        // `git pack-refs` removes the folders that it empties.
        if (removed++ === 0) rmdirSync(dirname(to))
        nodeDisk.link(from, to)
      },
    }
    const port = openRepository(layout, { environment, disk })
    await port.publish(planOf(sampleCommit('sha1', [], 'one'), null, ref))
    assert.ok(existsSync(looseRefPath(layout, ref)))
  })

  it('a writer recreates a removed folder of temp files', async (t) => {
    const repository = await createTempRepository(t)
    const { layout, environment } = repository
    let removed = 0
    const disk: Disk = {
      ...nodeDisk,
      link(from, to) {
        if (removed++ === 0) rmSync(dirname(from), { recursive: true })
        nodeDisk.link(from, to)
      },
      createFile(path, parts, mode) {
        if (removed === 1) mkdirSync(dirname(path), { recursive: true })
        return nodeDisk.createFile(path, parts, mode)
      },
    }
    const port = openRepository(layout, { environment, disk })
    const [head] = await publishChain(port, ['one'])
    assert.equal(repository.run('rev-parse', walRef), head)
  })
})
