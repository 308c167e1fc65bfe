/** Chunks that grite never writes: too large to read, or with very many events. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Oid } from '../../src/git/index.ts'
import { encodeChunk, hashChunk } from '../../src/model/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { issueId, writeCommit } from '../support/log.ts'
import { startGrite } from '../support/start-command-child.ts'
import { type Clones, createClones } from '../sync/clones.ts'
import { manyRecords } from '../sync/huge-chunk.ts'
import { writeAround } from '../sync/write-around.ts'

/** Writes a file of 100 MB into a repository and returns its id. */
function writeLargeBlob(setup: Clones, repository: string): Oid {
  const path = join(setup.dir, 'large')
  writeFileSync(path, Buffer.alloc(100_000_000))
  return setup.git(repository, '-c', 'core.compression=1', 'hash-object', '-w', path) as Oid
}

test('sync reports a 100 MB chunk on a remote and reads the rest', async (t) => {
  const setup = createClones(t)
  const bo = setup.clone('bo')
  const blob = writeLargeBlob(setup, setup.origin)
  await writeAround(setup, blob, 'ab'.repeat(32))
  await bo.create('of bo')
  assert.equal((await bo.sync()).pull_events, 2)
  const [warning, ...others] = bo.warnings.splice(0)
  assert.deepEqual([warning?.code, warning?.details?.objectId, others], ['log-problem', blob, []])
  assert.deepEqual(await bo.titles(), ['after', 'before', 'of bo'])
  assert.equal(bo.head(), setup.originHead())
})

test('sync fails on a 100 MB chunk in the local log and moves no ref', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  await ann.create('of ann')
  await ann.sync()
  await bo.create('of bo')
  const blob = writeLargeBlob(setup, bo.path)
  await bo.withRepository(async ({ git }) => {
    const head = await git.readRef(walRef)
    const next = await writeCommit(git, new Map([['x.bin', blob]]), [head as Oid])
    await git.publish({
      objects: [],
      updates: [{ ref: walRef, expected: head, next, reflogMessage: 'x', keepsReflog: true }],
    })
  })
  const before = [bo.head(), setup.originHead()]
  const failure = await bo.failSync()
  assert.deepEqual([failure.details.object_id, failure.details.reason], [blob, 'too-large'])
  assert.match(failure.message, new RegExp(blob))
  assert.deepEqual([bo.head(), setup.originHead()], before)
  assert.deepEqual(await bo.titles(), ['of bo'])
})

test('sync reports a 100 MB chunk on a second remote and reads the rest', async (t) => {
  const setup = createClones(t)
  const bo = setup.clone('bo')
  await writeAround(setup, writeLargeBlob(setup, setup.origin), 'ab'.repeat(32))
  const blob = setup.inOrigin('rev-parse', `${walRef}~1:events/2023/11/14/${'ab'.repeat(32)}.bin`)
  setup.git(setup.dir, 'init', '-q', '--bare', '--template=', 'home.git')
  bo.git('remote', 'add', 'backup', '../origin.git')
  bo.git('remote', 'set-url', 'origin', '../home.git')
  await bo.create('of bo')
  for (const pull of [true, false]) {
    await bo.sync({ remote: 'backup', pull })
    const [warning, ...others] = bo.warnings.splice(0)
    assert.deepEqual([warning?.code, warning?.details?.object_id, others], ['log-unread', blob, []])
    assert.match(
      warning?.message ?? '',
      new RegExp(`^could not read object ${blob} of the log of 'backup', skipped it`),
    )
    assert.deepEqual(await bo.titles(), ['after', 'before', 'of bo'])
  }
})

test('sync reads a chunk of 100,000 events with a 400 MB heap', async (t) => {
  const setup = createClones(t)
  const bo = setup.clone('bo')
  const chunk = encodeChunk(manyRecords(issueId('ab'), 100_000))
  await writeAround(setup, chunk, hashChunk(chunk))
  const environment = { ...setup.environment, NODE_OPTIONS: '--max-old-space-size=400' }
  const { exitStatus, stdout, stderr } = await startGrite({ cwd: bo.path, environment }, 'sync', '--json')
  assert.equal(exitStatus, 0, stderr)
  assert.equal(JSON.parse(stdout).data.pull_events, 100_002)
  assert.deepEqual(await bo.titles(), ['after', 'before', 'busy'])
})
