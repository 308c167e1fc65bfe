/** What is stored for streams, here and on a remote, and what a full disk does to it. The journal's own are in journal/journal-writer.test.ts. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { type Disk, nodeDisk } from '../../../src/git/durable/disk.ts'
import { RemoteError, StorageError } from '../../../src/model/index.ts'
import { createTempRepository } from '../../git/temp-repository.ts'
import { openRealStore, perform } from './real-store.ts'
import { cloneA, draft, id, local, textsOf } from './store-setup.ts'

const log = id('log')

async function openPlace(t: TestContext) {
  const { path, environment, run, dir } = await createTempRepository(t)
  const remote = join(dir, 'remote.git')
  run('init', '-q', '--bare', '--template=', remote)
  run('remote', 'add', 'origin', remote)
  const room = { isFull: false }
  const disk: Disk = {
    ...nodeDisk,
    createFile(file, parts, mode) {
      if (room.isFull)
        throw Object.assign(new Error(`ENOSPC: no space left on device, write '${file}'`), { code: 'ENOSPC' })
      return nodeDisk.createFile(file, parts, mode)
    },
  }
  const warnings: string[] = []
  const place = await openRealStore(
    { cwd: path, environment, cloneId: cloneA },
    { disk, warn: (one) => warnings.push(one) },
  )
  t.after(() => place.git.close())
  const store = place.open()
  t.after(() => store.close())
  await perform(place, store, { name: 'create', stream: log })
  return { ...place, store, room, run, remote, warnings, open: place.open }
}

it('a seal on a full disk keeps the records in the journal, and succeeds when there is room', async (t) => {
  const { store, room, open } = await openPlace(t)
  await store.append(log, [draft('a')], local)
  room.isFull = true
  await assert.rejects(store.seal(log), (error) => {
    assert.ok(error instanceof StorageError, String(error))
    assert.match(error.message, /^sealing stream 'log' failed: .*ENOSPC.*; every acknowledged record is safe$/)
    return true
  })
  await store.append(log, [draft('b')], local)
  assert.deepEqual(await textsOf(open(), log), ['a', 'b'])
  room.isFull = false
  assert.equal((await store.seal(log)).sealedOffset, 2)
  await store.append(log, [draft('c')], local)
  assert.deepEqual(await textsOf(open(), log), ['a', 'b', 'c'])
})

it('an act on a full disk leaves the stream as it is, and appends go on', async (t) => {
  const { store, room, open, ...place } = await openPlace(t)
  await store.append(log, [draft('a')], local)
  const before = await store.status(log)
  room.isFull = true
  await assert.rejects(perform(place, store, { name: 'retain', stream: log }), StorageError)
  await assert.rejects(perform(place, store, { name: 'delete', stream: log }), StorageError)
  await assert.rejects(perform(place, store, { name: 'branch', stream: id('child'), source: log }), StorageError)
  assert.equal((await store.status(log)).head, before.head)
  await store.append(log, [draft('b')], local)
  room.isFull = false
  await perform(place, store, { name: 'branch', stream: id('child'), source: log })
  for (const stream of [log, id('child')]) assert.deepEqual(await textsOf(open(), stream), ['a', 'b'])
})

it('a publish to a full remote says that the records are safe here, and succeeds when there is room', async (t) => {
  const { store, run, remote, ...place } = await openPlace(t)
  const payload = randomBytes(20_000)
  await store.append(log, [{ payload }], local)
  await store.seal(log)
  // A write beyond so many blocks fails, as on a full disk.
  run('config', 'remote.origin.receivepack', `trap '' XFSZ; ulimit -f 4; git-receive-pack`)
  await assert.rejects(perform(place, store, { name: 'publish', stream: log }), (error) => {
    assert.ok(error instanceof RemoteError, String(error))
    assert.match(error.hints.join(), /its disk may be full; the records are safe in this clone/)
    return true
  })
  assert.equal(run('ls-remote', remote), '')
  run('config', '--unset', 'remote.origin.receivepack')
  await perform(place, store, { name: 'publish', stream: log })
  const { ref, head } = await store.status(log)
  assert.equal(run('ls-remote', remote), `${head}\t${ref}`)
})

it('a publish adds five small objects to the remote, however long the stream is', async (t) => {
  const { store, run, remote, ...place } = await openPlace(t)
  const objects = () => Number(run('--git-dir', remote, 'rev-list', '--objects', '--all', '--count'))
  const counts: number[] = []
  for (let round = 0; round < 5; round++) {
    await store.append(log, [draft(`r${round}`)], local)
    await store.seal(log)
    await perform(place, store, { name: 'publish', stream: log })
    counts.push(objects())
  }
  // A commit, its tree, manifest, segment and facts for people; the index of one record is the same.
  assert.deepEqual(
    counts.slice(1).map((count, index) => count - (counts[index] as number)),
    [5, 5, 5, 5],
  )
})
