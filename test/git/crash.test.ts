import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { openRepository, type PublishPoint, parseRefName } from '../../src/git/index.ts'
import { looseRefPath, refTemporaryDir } from '../../src/git/ref-paths.ts'
import { walRef } from '../../src/wal/index.ts'
import { pausesOf } from '../support/count-pauses.ts'
import { planOf, publishChain, sampleCommit } from './sample-commits.ts'
import { startPublishingChild } from './start-publishing-child.ts'
import { createTempRepository } from './temp-repository.ts'

/** Every point of a publish, and whether the ref has moved by then. */
const points = {
  started: false,
  'files-staged': false,
  'files-flushed': false,
  'objects-placed': false,
  'objects-written': false,
  'ref-locked': false,
  'ref-checked': false,
  'ref-moved': true,
  'ref-flushed': true,
  published: true,
} as const satisfies Record<PublishPoint, boolean>

describe('a killed publish', { concurrency: 2 }, () => {
  for (const [point, hasMoved] of Object.entries(points) as [PublishPoint, boolean][]) {
    it(`a publish killed at '${point}' leaves a sound repository without a lasting lock`, async (t) => {
      const repository = await createTempRepository(t)
      const { layout, environment, path } = repository
      const port = openRepository(layout, { environment, lockWaitMs: 0 })
      t.after(() => port.close())
      const [first] = await publishChain(port, ['first'])
      const order = {
        cwd: path,
        environment,
        implementation: 'combined',
        name: 'killed',
        commits: 1,
        dieAt: point,
      } as const
      const end = await startPublishingChild(order)
      assert.equal(end.signal, 'SIGKILL', end.stderr)
      repository.run('fsck', '--strict', '--no-dangling')
      const head = await port.readRef(walRef)
      assert.equal(head !== first, hasMoved)

      const next = sampleCommit('sha1', head === null ? [] : [head], 'next')
      assert.equal(await pausesOf(() => port.publish(planOf(next, head))), 0, 'the next publish does not wait')
      assert.equal(repository.run('rev-parse', walRef), next.oid)
      assert.equal(existsSync(`${looseRefPath(layout, walRef)}.lock`), false)
      repository.run('fsck', '--strict', '--no-dangling')

      // The next process removes temporary files of the dead one once no lock is linked to them.
      const later = openRepository(layout, { environment })
      await publishChain(later, ['later'])
      await later.close()
      assert.deepEqual(readdirSync(refTemporaryDir(layout)), [])
    })
  }

  for (const dieAt of ['ref-locked', 'ref-checked', 'ref-moved'] as const) {
    it(`a packed ref deletion killed at '${dieAt}' leaves no lasting lock`, async (t) => {
      const repository = await createTempRepository(t)
      const { layout, environment, path } = repository
      const ref = parseRefName('refs/grite/locks/x')
      repository.run('update-ref', ref, 'HEAD')
      repository.run('pack-refs', '--all')
      const order = { cwd: path, environment, implementation: 'combined', name: 'x', commits: 0 } as const
      const end = await startPublishingChild({ ...order, deletes: ref, dieAt })
      assert.equal(end.signal, 'SIGKILL', end.stderr)
      const port = openRepository(layout, { environment, lockWaitMs: 0 })
      t.after(() => port.close())
      const oid = await port.readRef(ref)
      assert.equal(oid === null, dieAt === 'ref-moved')
      // Any write removes the dead process's locks, for which git itself would wait.
      await publishChain(port, ['next'])
      repository.run('pack-refs', '--all')
      if (oid !== null) {
        await port.publish({ objects: [], updates: [{ ref, expected: oid, next: null, reflogMessage: 'x' }] })
      }
      assert.equal(repository.run('for-each-ref', ref), '')
      await publishChain(port, ['again'], ref)
      repository.run('fsck', '--strict', '--no-dangling')
    })
  }

  it('a native publish killed at two points blocks no later publish', async (t) => {
    const repository = await createTempRepository(t)
    const { environment, path } = repository
    for (const dieAt of ['objects-written', 'ref-moved'] as const) {
      const end = await startPublishingChild({
        cwd: path,
        environment,
        implementation: 'native',
        name: dieAt,
        commits: 1,
        dieAt,
      })
      assert.equal(end.signal, 'SIGKILL', end.stderr)
    }
    assert.equal(repository.run('log', '--format=%s', walRef), 'ref-moved 0')
    repository.run('fsck', '--strict', '--no-dangling')
  })
})
