/** Refs of streams are packed beside writers. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StreamReadData } from '../../../src/commands/stream/read.ts'
import { countLooseRefs, type Oid, packRefs, type RefName, startPackingRefs } from '../../../src/git/index.ts'
import { streamRefPrefix } from '../../../src/model/streams/index.ts'
import { portWithUpkeep } from '../../../src/tracker/streams/upkeep.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'
import { createManyStreams } from '../../support/many-streams.ts'

const payloadsOf = (data: unknown) => (data as StreamReadData).records.map(({ payload }) => payload)

test('writers go on while their refs are packed', async (t) => {
  const { run, withRepository, path } = createCommandSandbox(t)
  await run('stream create', { stream: 'a' })
  const written: string[] = []
  await withRepository(async (repository) => {
    const { git } = repository
    const streams = await repository.streams()
    const [{ streamId } = assert.fail()] = await streams.list()
    const stop = new AbortController()
    const packing = (async () => {
      for (; !stop.signal.aborted; await sleep(1)) await packRefs(git)
    })()
    for (let number = 0; number < 12; number++) {
      const text = `${number}`
      await streams.append(streamId, [{ payload: Buffer.from(text) }], { durability: 'local' })
      await streams.seal(streamId)
      written.push(text)
    }
    stop.abort()
    await packing
    await packRefs(git)
    assert.equal(countLooseRefs(git, streamRefPrefix), 0)
  })
  assert.ok(existsSync(join(path, '.git/packed-refs')))
  assert.deepEqual(payloadsOf(await run('stream read', { stream: 'a' })), written)
  await run('stream append', { stream: 'a', payload: 'last' })
  await run('stream seal', { stream: 'a' })
  await run('stream branch', { stream: 'b', parent: 'a' })
  assert.deepEqual(payloadsOf(await run('stream read', { stream: 'b' })), [...written, 'last'])
})

test('many loose refs of streams are packed in the background', async (t) => {
  const { withRepository } = createCommandSandbox(t)
  await withRepository(async (repository) => {
    await createManyStreams(repository, 513)
    const { git } = repository
    const portIn = (GRITE_NO_MAINTENANCE: string) => ({
      ...{ ...git, environment: { ...git.environment, GRITE_NO_MAINTENANCE } },
    })
    await startPackingRefs(portIn('1'), streamRefPrefix)
    assert.equal(countLooseRefs(git, streamRefPrefix), 513)
    await startPackingRefs(portIn(''), streamRefPrefix)
    for (let waited = 0; countLooseRefs(git, streamRefPrefix) > 0; waited++) {
      assert.ok(waited < 2000, 'packed within 20 s')
      await sleep(10)
    }
    assert.equal((await git.listRefs(streamRefPrefix, () => {})).length, 513)
  })
})

test('a sample of the commits of streams starts maintenance', async (t) => {
  const { withRepository } = createCommandSandbox(t)
  await withRepository(async ({ shared }) => {
    let started = 0
    const port = portWithUpkeep({
      ...{ git: { ...shared.git, publish: async () => {} }, paths: shared.paths },
      finishBeforeClose: () => void started++,
    })
    assert.equal(port.supports, shared.git.supports)
    const ref = `${streamRefPrefix}x.0` as RefName
    const publish = (end: string) =>
      port.publish({
        objects: [],
        updates: [{ ref, expected: null, next: `${'a'.repeat(36)}${end}` as Oid, reflogMessage: '' }],
      })
    await publish('0001')
    assert.equal(started, 0)
    await publish('0080')
    assert.equal(started, 1)
  })
})
