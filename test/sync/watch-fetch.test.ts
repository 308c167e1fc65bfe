import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WatchedEvent } from '../../src/tracker/follow/describe-events.ts'
import { createClones } from './clones.ts'

test('watch --fetch reports what another clone pushes', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  await ann.create('one')
  await ann.sync()
  const watching = bo.run('watch', { fetch: '1s', count: 2, interval: '50ms' })
  await ann.create('two')
  await ann.sync()
  assert.deepEqual(((await watching) as { ended: string }).ended, 'count')
  assert.deepEqual(
    bo.emitted.map((event) => (event as WatchedEvent).title),
    ['one', 'two'],
  )
  assert.deepEqual(bo.takeWarnings(), [])
})

test('watch --fetch warns once about a remote that fails', async (t) => {
  const setup = createClones(t)
  const bo = setup.clone('bo')
  await bo.create('one')
  bo.git('remote', 'set-url', 'origin', '/nowhere')
  const { ended } = (await bo.run('watch', { fetch: '1s', timeout: '1500ms', interval: '50ms' })) as { ended: string }
  assert.equal(ended, 'timeout')
  assert.deepEqual(bo.takeWarnings(), ['fetch-failed'])
})

test('watch refuses a remote without --fetch, and one that does not exist', async (t) => {
  const setup = createClones(t)
  const bo = setup.clone('bo')
  await assert.rejects(bo.run('watch', { remote: 'origin' }), { code: 'invalid_args' })
  await assert.rejects(bo.run('watch', { fetch: '10ms' }), { code: 'invalid_args' })
})
