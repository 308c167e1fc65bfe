import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JointReads } from '../../src/daemon/joint-reads.ts'

function counted<Value>(...values: readonly (Value | Error)[]) {
  let count = 0
  const read = async () => {
    const value = values[count++]
    if (value instanceof Error) throw value
    return value
  }
  return { read, count: () => count }
}

test('requests that came together read a thing once', async () => {
  const reads = new JointReads()
  const config = counted('config')
  const actor = counted('actor')
  assert.deepEqual(await Promise.all([reads.read('config', config.read), reads.read('config', config.read)]), [
    'config',
    'config',
  ])
  assert.equal(await reads.read('actor', actor.read), 'actor')
  assert.deepEqual([config.count(), actor.count()], [1, 1])
})

test('what was forgotten, and what was not there, is read again', async () => {
  const reads = new JointReads()
  const actor = counted(undefined, 'created', 'changed')
  assert.equal(await reads.read('actor', actor.read), undefined)
  assert.equal(await reads.read('actor', actor.read), 'created')
  assert.equal(await reads.read('actor', actor.read), 'created')
  reads.forget()
  assert.equal(await reads.read('actor', actor.read), 'changed')
})

test('each request has its own failure', async () => {
  const reads = new JointReads()
  const broken = counted(new Error('first'), new Error('second'))
  const [first, second] = await Promise.allSettled([
    reads.read('config', broken.read),
    reads.read('config', broken.read),
  ])
  assert.deepEqual(
    [first, second].map((outcome) => (outcome.status === 'rejected' ? outcome.reason.message : 'none')),
    ['first', 'second'],
  )
})
