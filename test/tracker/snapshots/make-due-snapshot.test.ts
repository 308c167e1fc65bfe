import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { walRef } from '../../../src/wal/index.ts'
import { createSnapshotRepository } from '../../support/snapshot-repository.ts'

const dayMs = 86_400_000

describe('due snapshots', { concurrency: 2 }, () => {
  it('a snapshot is due after max_events and replaces old ones', async (t) => {
    const { append, due, names, pass, configure, create } = createSnapshotRepository(t)
    configure('[snapshot]\nmax_events = 5\n')
    const few = await append(4)
    assert.equal(await due(few), null)
    for (let turn = 0; turn < 6; turn++) {
      await create()
      pass(1)
    }
    assert.equal(await due(await append(4)), null)
    const head = await append(1)
    const result = await due(head)
    assert.equal(result?.made.walHead, head)
    // Only the first of the three creations counts: all are of one issue.
    assert.equal(result?.made.eventCount, 7)
    assert.equal(result?.deletedCount, 2)
    assert.deepEqual(await names(), [6, 5, 4, 3, 2])
    assert.equal(await due(head), null)
  })

  it('a snapshot is due by age if there are enough new events', async (t) => {
    const { append, due, pass, create } = createSnapshotRepository(t)
    await append(1)
    await create()
    pass(7 * dayMs + 1)
    assert.equal(await due(await append(999)), null)
    const head = await append(2)
    assert.equal((await due(head))?.made.walHead, head)
    assert.equal(await due(head), null)
  })

  it('a snapshot from the future does not make every sync create one', async (t) => {
    const { append, due, pass, create, configure, names } = createSnapshotRepository(t)
    configure('[snapshot]\nmax_events = 3\n')
    pass(400 * dayMs)
    await append(2)
    await create()
    pass(-400 * dayMs)
    const head = await append(5)
    assert.notEqual(await due(head), null)
    assert.equal(await due(head), null)
    assert.equal((await names()).length, 2)
  })

  it('no snapshot is due when auto is false', async (t) => {
    const { append, due, configure } = createSnapshotRepository(t)
    const head = await append(9)
    configure('[snapshot]\nmax_events = 3\nauto = false\n')
    assert.equal(await due(head), null)
    configure('[snapshot]\nmax_events = 3\n')
    assert.notEqual(await due(head), null)
  })

  it('a due snapshot that cannot be written is a warning', async (t) => {
    const { append, due, configure, git, path, takeWarnings, withRepository } = createSnapshotRepository(t)
    configure('[snapshot]\nmax_events = 3\n')
    await append(4)
    await withRepository(async (repository) => void (await repository.view()))
    assert.equal(await due(git(path, 'rev-parse', `${walRef}^{tree}`)), null)
    assert.deepEqual(takeWarnings(), ['snapshot-failed'])
  })
})
