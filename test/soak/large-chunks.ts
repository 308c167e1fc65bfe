/** The largest possible chunks: a million events, and as many as a reader loads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeChunk, hashChunk, limits } from '../../src/model/index.ts'
import { issueId } from '../support/log.ts'
import { startGrite } from '../support/start-command-child.ts'
import { createClones } from '../sync/clones.ts'
import { manyRecords } from '../sync/huge-chunk.ts'
import { writeAround } from '../sync/write-around.ts'

for (const [count, isRead] of [
  [750_000, true],
  [1_000_000, false],
] as const) {
  test(`a chunk of ${count} events is ${isRead ? 'read' : 'named'} and hides no other event`, async (t) => {
    const setup = createClones(t)
    const bo = setup.clone('bo')
    const chunk = encodeChunk(manyRecords(issueId('ab'), count))
    assert.equal(chunk.length <= limits.chunkReadBytesMax, isRead)
    await writeAround(setup, chunk, hashChunk(chunk))
    const { exitStatus, stdout, stderr } = await startGrite(
      { cwd: bo.path, environment: setup.environment },
      'sync',
      '--json',
    )
    assert.equal(exitStatus, 0, stderr)
    const { data, warnings = [] } = JSON.parse(stdout)
    assert.deepEqual([data.pull_events, warnings.length], [isRead ? count + 2 : 2, isRead ? 0 : 1])
    assert.deepEqual(await bo.titles(), isRead ? ['after', 'before', 'busy'] : ['after', 'before'])
  })
}
