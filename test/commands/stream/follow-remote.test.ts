/** Readers of streams that other clones write, in this process, with real git. */
import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConsumeData } from '../../../src/commands/consume.ts'
import type { StreamCursorGetData } from '../../../src/commands/stream/cursor.ts'
import type { StreamTailData } from '../../../src/commands/stream/tail.ts'
import type { SyncData } from '../../../src/commands/sync/sync.ts'
import { InvalidArgsError } from '../../../src/model/index.ts'
import { parseStreamId } from '../../../src/model/streams/index.ts'
import { refOfStream } from '../../../src/wal/streams/stream-refs.ts'
import { commandRunner, createCommandSandbox, type RunnerOptions } from '../../support/command-runner.ts'

type Sandbox = Parameters<typeof createCommandSandbox>[0]

/** A repository with a published stream, and clones of its remote. */
async function publishedLog(t: Sandbox, ...payloads: readonly string[]) {
  const sandbox = createCommandSandbox(t)
  const { run, git, dir, path, environment } = sandbox
  git(dir, 'init', '-q', '--bare', 'remote.git')
  git(path, 'remote', 'add', 'origin', `${dir}/remote.git`)
  await run('stream create', { stream: 'log' })
  const publish = async (...texts: readonly string[]) => {
    for (const payload of texts) await run('stream append', { stream: 'log', payload })
    await run('stream publish', { stream: ['log'], seal: true })
  }
  await publish(...payloads)
  const clone = (name: string, options: Partial<RunnerOptions> = {}) => {
    git(dir, 'clone', '-q', 'remote.git', name)
    return commandRunner({ cwd: `${dir}/${name}`, env: environment, ...options })
  }
  return { ...sandbox, publish, clone }
}

test('a tail fetches what another clone publishes, and says once that it cannot', async (t) => {
  const { dir, publish, clone } = await publishedLog(t, 'a')
  const away = `${dir}/away.git`
  const onEmit = async () => {
    if (reader.emitted.length > 1) return
    renameSync(`${dir}/remote.git`, away)
    while (reader.warnings.length === 0) await sleep(20)
    // Another one fails, quietly.
    await sleep(1200)
    renameSync(away, `${dir}/remote.git`)
    await publish('b')
  }
  const reader = clone('reader', { onEmit })
  const tail = { stream: 'log', from: 'beginning', fetch: '1s', count: 2 }
  const data = (await reader.run('stream tail', tail)) as StreamTailData
  assert.deepEqual([data.next_offset, data.ended], [2, 'count'])
  assert.deepEqual(
    reader.emitted.map((item) => (item as { payload: string }).payload),
    ['a', 'b'],
  )
  assert.deepEqual(
    reader.warnings.map(({ code }) => code),
    ['fetch-failed'],
  )
  await publish('c')
  const more = { stream: 'log', offset: '2', follow: true, fetch: '1h', count: 1 }
  assert.equal(((await reader.run('consume', more)) as ConsumeData).next_offset, 3)
  for (const input of [{ fetch: '1m' }, { remote: 'origin' }, { share: true }])
    await assert.rejects(reader.run('consume', { stream: 'log', ...input }), InvalidArgsError)
  await assert.rejects(reader.run('stream tail', { stream: 'log', remote: 'origin' }), InvalidArgsError)
})

test('readers in several clones share a cursor, and the farther one wins', async (t) => {
  const { run, dir, clone } = await publishedLog(t, 'a', 'b', 'c', 'd')
  const [first, second] = [clone('first'), clone('second')]
  for (const { run: runIn } of [first, second]) await runIn('stream fetch', { stream: ['log'] })
  const consume = async ({ outcome }: typeof first, more: object) => {
    const { data, exitStatus } = await outcome('consume', { stream: 'log', cursor: 'index', ...more })
    return [(data as ConsumeData).next_offset, exitStatus]
  }
  const offsetIn = async (runIn: typeof run) =>
    ((await runIn('stream cursor get', { stream: 'log', cursor: 'index' })) as StreamCursorGetData).offset
  assert.deepEqual(await consume(first, { share: true, count: 1 }), [1, 0])
  assert.deepEqual(await consume(second, { share: true, count: 2 }), [3, 0], 'goes on where the first one was')
  assert.deepEqual(await consume(first, { count: 1 }), [2, 0])
  assert.deepEqual(await consume(first, { share: true, count: 0 }), [3, 0])

  // A sync takes along what has been shared once, in both directions.
  await second.run('stream follow', { stream: 'log' })
  await first.run('stream follow', { stream: 'log' })
  assert.deepEqual(await consume(second, {}), [4, 0])
  const synced = async (runner: typeof first) => ((await runner.run('sync', { streams: true })) as SyncData).streams
  assert.deepEqual((await synced(second))?.cursors, [{ stream: 'log', cursor: 'index', outcome: 'shared', offset: 4 }])
  assert.deepEqual((await synced(first))?.cursors, [{ stream: 'log', cursor: 'index', outcome: 'moved', offset: 4 }])
  assert.deepEqual([await offsetIn(first.run), (await synced(first))?.cursors], [4, []])

  // Both move without a look at each other: nobody goes back.
  for (const payload of ['e', 'f']) await run('stream append', { stream: 'log', payload })
  await run('sync', { streams: true })
  for (const { run: runIn } of [first, second]) await runIn('stream fetch', { stream: ['log'] })
  await consume(first, { count: 1 })
  await consume(second, { count: 2 })
  await synced(second)
  assert.deepEqual((await synced(first))?.cursors, [{ stream: 'log', cursor: 'index', outcome: 'moved', offset: 6 }])
  assert.deepEqual([await offsetIn(first.run), await offsetIn(second.run)], [6, 6])

  renameSync(`${dir}/remote.git`, `${dir}/away.git`)
  assert.deepEqual(await consume(first, { share: true }), [6, 1])
  assert.deepEqual(
    first.warnings.map(({ code }) => code),
    ['cursor-not-shared'],
  )
})

test('a cursor stays before what the reader of the output did not take', async (t) => {
  const { run, path, environment } = createCommandSandbox(t)
  await run('stream create', { stream: 'log' })
  for (const payload of ['a', 'b']) await run('stream append', { stream: 'log', payload })
  await run('stream seal', { stream: 'log' })
  await run('stream append', { stream: 'log', payload: 'c' })
  let [room, taken] = [2, '']
  const onEmit = (item: unknown) => {
    if (taken.length === room) throw new Error('closed')
    taken += (item as { payload: string }).payload
  }
  const reader = commandRunner({ cwd: path, env: environment, onEmit })
  const input = { stream: 'log', cursor: 'index' }
  await assert.rejects(reader.run('consume', input), /closed/)
  assert.equal(taken, 'ab')
  room = 9
  assert.equal(((await reader.run('consume', input)) as ConsumeData).records, 1)
  assert.equal(taken, 'abc')
})

test('a reader goes on when somebody else has moved its cursor farther', async (t) => {
  const { run, path, environment } = createCommandSandbox(t)
  await run('stream create', { stream: 'log' })
  for (const payload of ['a', 'b', 'c']) await run('stream append', { stream: 'log', payload })
  const onEmit = async () => void (await run('stream cursor advance', { stream: 'log', cursor: 'index', offset: '3' }))
  const reader = commandRunner({ cwd: path, env: environment, onEmit })
  const data = (await reader.run('consume', { stream: 'log', cursor: 'index', count: 1 })) as ConsumeData
  assert.equal(data.next_offset, 1)
  const { offset } = (await run('stream cursor get', { stream: 'log', cursor: 'index' })) as StreamCursorGetData
  assert.equal(offset, 3)
})

test('a sync goes on beside a stream that the remote refuses, and pushes retained ones', async (t) => {
  const { run, outcome, git, dir, publish } = await publishedLog(t, 'a')
  await run('stream create', { stream: 'short', retainCount: 1 })
  for (const payload of ['x', 'y']) {
    await run('stream append', { stream: 'short', payload })
    await run('stream publish', { stream: ['short'], seal: true })
  }
  await run('stream append', { stream: 'short', payload: 'z' })
  const streamsOf = async () => {
    const { data, exitStatus } = await outcome('sync', { streams: true })
    return { ...(data as SyncData).streams, exitStatus }
  }
  const first = await streamsOf()
  assert.deepEqual(
    first.published?.map((row) => [row.stream, row.outcome, row.local.next_offset]),
    [
      ['log', 'unchanged', 1],
      ['short', 'published', 3],
    ],
  )
  await publish('b')
  await run('stream append', { stream: 'log', payload: 'c' })
  git(`${dir}/remote.git`, 'config', 'receive.maxInputSize', '1')
  const refused = await streamsOf()
  assert.deepEqual(
    [refused.exitStatus, refused.published?.map((row) => [row.stream, row.outcome]), refused.refused?.length],
    [1, [['short', 'unchanged']], 1],
  )
})

test('a sync pushes the other streams at once without those that the remote refuses', async (t) => {
  const { run, outcome, dir, git, path } = await publishedLog(t, 'a')
  const names = ['b', 'c', 'd']
  for (const stream of names) await run('stream create', { stream })
  await run('stream publish', { stream: names })
  for (const stream of ['log', ...names]) await run('stream append', { stream, payload: 'more' })
  const hook = `${dir}/remote.git/hooks/update`
  const refs = ['b', 'd'].map((id) => refOfStream(parseStreamId(id), 0))
  writeFileSync(hook, `#!/bin/sh\ncase "$1" in ${refs.join('|')}) echo no >&2; exit 1;; esac\n`, { mode: 0o755 })
  const { data, exitStatus } = await outcome('sync', { streams: true })
  const { published, refused } = (data as SyncData).streams ?? {}
  assert.deepEqual(
    [exitStatus, published?.map(({ stream, outcome: made }) => [stream, made])],
    [
      1,
      [
        ['c', 'published'],
        ['log', 'published'],
      ],
    ],
  )
  assert.deepEqual(refused?.map(({ stream }) => stream).sort(), ['b', 'd'])
  const [own, theirs] = [path, `${dir}/remote.git`].map((cwd) =>
    ['b', 'c', 'd', 'log'].map((id) => git(cwd, 'rev-parse', refOfStream(parseStreamId(id), 0))),
  )
  assert.deepEqual(
    own?.map((commit, at) => commit === theirs?.[at]),
    [false, true, false, true],
  )
})
