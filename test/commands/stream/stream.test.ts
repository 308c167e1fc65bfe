/** The commands of record streams, in this process. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DbStatsData } from '../../../src/commands/db/stats.ts'
import type { ProduceData } from '../../../src/commands/produce.ts'
import type { StreamAppendData } from '../../../src/commands/stream/append.ts'
import type { StreamBranchData } from '../../../src/commands/stream/branch.ts'
import type { StreamDiffData } from '../../../src/commands/stream/diff.ts'
import type { StreamGraphData } from '../../../src/commands/stream/graph.ts'
import type { StreamLineageData } from '../../../src/commands/stream/lineage.ts'
import type { StreamListData } from '../../../src/commands/stream/list.ts'
import type { StreamReadData } from '../../../src/commands/stream/read.ts'
import type { StreamShowData } from '../../../src/commands/stream/show.ts'
import type { StreamTailItem } from '../../../src/commands/stream/tail.ts'
import { type ErrorCode, GriteError } from '../../../src/model/index.ts'
import { commandRunner, createCommandSandbox } from '../../support/command-runner.ts'

const fails = (code: ErrorCode, details: Readonly<Record<string, unknown>> = {}) => {
  return (error: unknown) => {
    assert.ok(error instanceof GriteError, `${error}`)
    const found = Object.fromEntries(Object.keys(details).map((key) => [key, error.details[key]]))
    assert.deepEqual([error.code, found], [code, details])
    return true
  }
}

function openStreams(t: Parameters<typeof createCommandSandbox>[0]) {
  let nowUnixMs = Date.UTC(2026, 3, 5)
  const options = { nowUnixMs: () => (nowUnixMs += 1000) }
  const sandbox = createCommandSandbox(t, options)
  const { run, path, environment } = sandbox
  const append = async (stream: string, payload: string, more: object = {}) =>
    (await run('stream append', { stream, payload, ...more })) as StreamAppendData
  const payloads = async (stream: string, more: object = {}) =>
    ((await run('stream read', { stream, ...more })) as StreamReadData).records.map(({ payload }) => payload)
  /** The command with this standard input. */
  const piped = async (stdin: string, input: object) => {
    const runner = commandRunner({ cwd: path, env: environment, ...options, stdin })
    return (await runner.run('produce', { ...input })) as ProduceData
  }
  return { ...sandbox, append, payloads, piped }
}

test('append answers with the position, and read gives the record', async (t) => {
  const { run, append, payloads } = openStreams(t)
  await run('stream create', { stream: 'build/42', label: ['kind=trace'], reason: 'plan', retainCount: 10 })
  const first = await append('build/42', 'one', { key: 'k', header: ['a=1'], contentType: 'text/plain' })
  assert.deepEqual([first.stream, first.offset, first.next_offset, first.level], ['build/42', 0, 1, 'local'])
  assert.equal((await append('build/42', 'dHdv', { base64: true, durability: 'memory' })).level, 'memory')

  const stats = (await run('db stats')) as DbStatsData
  assert.deepEqual([stats.stream_count, stats.journal_count, stats.unsealed_records], [1, 1, 2])
  assert.ok(stats.journal_bytes > 0 && (stats.stream_bytes ?? 0) > 0)

  const { records, ...rest } = (await run('stream read', { stream: 'build/42' })) as StreamReadData
  assert.deepEqual(rest, { stream: 'build/42', incarnation: first.incarnation, next_offset: 2, end_offset: 2 })
  const [{ writer, ts_unix_ms, ...record } = assert.fail()] = records
  assert.match(writer ?? '', /^[0-9a-f]{32}$/)
  assert.ok(ts_unix_ms > Date.UTC(2026, 3, 5))
  assert.deepEqual(record, {
    stream: 'build/42',
    incarnation: first.incarnation,
    offset: 0,
    key: 'k',
    content_type: 'text/plain',
    headers: { a: '1' },
    producer: null,
    payload: 'one',
    origin: null,
  })
  assert.deepEqual(await payloads('build/42', { from: 1 }), ['two'])
  assert.deepEqual(await payloads('build/42', { key: 'k', where: ['a=1'] }), ['one'])
  assert.deepEqual(await payloads('build/42', { from: 5 }), [])

  await assert.rejects(run('stream create', { stream: 'build/42' }), fails('conflict'))
  await assert.rejects(append('build/42', 'x', { expect: 0 }), fails('conflict', { expected: 0, found: 2 }))
  await assert.rejects(append('build/43', 'x'), fails('not_found', { value: 'build/43', near: ['build/42'] }))
  await assert.rejects(append(' ', 'x'), fails('invalid_args', { field: 'stream' }))
  await assert.rejects(append('build/42', 'x', { header: ['a'] }), fails('invalid_args', { field: 'header' }))
  await assert.rejects(append('build/42', 'x', { header: ['a=1', 'a=2'] }), fails('invalid_args', { field: 'header' }))
  await assert.rejects(append('build/42', '?', { base64: true }), fails('invalid_args', { field: 'payload' }))
  await assert.rejects(append('build/42', 'x', { producer: 'p' }), fails('invalid_args', { field: 'producer' }))

  const shown = (await run('stream show', { stream: 'build/42' })) as StreamShowData
  assert.deepEqual(
    [shown.labels, shown.reason, shown.retention, shown.unsealed_records, shown.newest.length, shown.damage],
    [{ kind: 'trace' }, 'plan', { max_age_ms: null, max_bytes: null, max_count: 10 }, 2, 2, []],
  )
  const sealed = (await run('stream seal', { stream: 'build/42' })) as { readonly records: number }
  assert.equal(sealed.records, 2)
  assert.equal(((await run('stream show', { stream: 'build/42' })) as StreamShowData).unsealed_records, 0)
  assert.deepEqual(await payloads('build/42'), ['one', 'two'])
})

test('a producer appends a record once', async (t) => {
  const { run, append, piped, payloads } = openStreams(t)
  await run('stream create', { stream: 's' })
  assert.equal((await append('s', 'a', { producer: 'p:4' })).repeated, false)
  assert.deepEqual([(await append('s', 'a', { producer: 'p:4' })).repeated, await payloads('s')], [true, ['a']])
  await assert.rejects(append('s', 'b', { producer: 'p:3' }), fails('conflict'))

  const first = await piped('x\ny\n', { stream: 's', producer: 'q' })
  assert.deepEqual([first.records, first.first_offset, first.next_offset], [2, 1, 3])
  const again = await piped('x\ny\nz\n', { stream: 's', producer: 'q' })
  assert.deepEqual([again.records, again.repeated, again.first_offset], [1, 2, 3])
  assert.deepEqual(await payloads('s'), ['a', 'x', 'y', 'z'])
})

test('produce cuts its input, and says what was appended before a failure', async (t) => {
  const { piped, payloads, run } = openStreams(t)
  const made = await piped('a:1\nb\n:2\n', { stream: 's', create: true, keySeparator: ':', header: ['h=1'] })
  assert.deepEqual([made.records, made.level, made.interrupted], [3, 'local', false])
  const { records } = (await run('stream read', { stream: 's' })) as StreamReadData
  assert.deepEqual(
    records.map(({ key, payload, headers }) => [key, payload, headers]),
    [
      ['a', '1', { h: '1' }],
      [null, 'b', { h: '1' }],
      ['', '2', { h: '1' }],
    ],
  )
  await piped('x--y', { stream: 's', delimiter: '--', key: 'k' })
  await piped('p\nq\0', { stream: 's', null: true })
  assert.deepEqual(await payloads('s', { from: 3 }), ['x', 'y', 'p\nq'])
  assert.deepEqual((await piped('', { stream: 's' })).records, 0)

  const wrong = piped('{"value":"1"}\n{"value":"2"}\nnope\n{"value":"3"}\n', { stream: 's', ndjson: true })
  await assert.rejects(wrong, fails('invalid_args', { line: 3, acknowledged: 2, next_offset: 8 }))
  assert.deepEqual(await payloads('s', { from: 6 }), ['1', '2'])
  const long = piped(`ok\n${'x'.repeat(1024 * 1024 + 2000)}\nlater\n`, { stream: 's' })
  await assert.rejects(long, fails('invalid_args', { record: 2, acknowledged: 1 }))
  assert.deepEqual(await payloads('s', { from: 8 }), ['ok'])
  await assert.rejects(piped('x', { stream: 'none' }), fails('not_found'))
  await assert.rejects(piped('x', { stream: 's', key: 'k', keySeparator: ':' }), fails('invalid_args'))
})

test('a branch inherits up to the fork offset, and both go on apart', async (t) => {
  const { run, append, payloads } = openStreams(t)
  await run('stream create', { stream: 'plan' })
  for (const text of ['a', 'b', 'c']) await append('plan', text)
  const branch = (await run('stream branch', {
    stream: 'retry',
    parent: 'plan@1',
    reason: 'again',
  })) as StreamBranchData
  assert.deepEqual([branch.kind, branch.fork_offset, branch.first_offset, branch.reason], ['branch', 1, 2, 'again'])
  await append('retry', 'own')
  await append('plan', 'd')
  assert.deepEqual(
    [await payloads('retry'), await payloads('plan')],
    [
      ['a', 'b', 'own'],
      ['a', 'b', 'c', 'd'],
    ],
  )
  const { records } = (await run('stream read', { stream: 'retry', limit: 1 })) as StreamReadData
  assert.deepEqual([records[0]?.origin?.stream, records[0]?.origin?.offset], ['plan', 0])
  await run('stream branch', { stream: 'whole', parent: 'plan' })
  assert.equal((await payloads('whole')).length, 4)

  // An id may have an @ of its own; it wins over a position.
  await run('stream create', { stream: 'plan@2' })
  const odd = (await run('stream branch', { stream: 'odd', parent: 'plan@2' })) as StreamBranchData
  assert.deepEqual([odd.parents[0]?.stream, odd.fork_offset, odd.first_offset], ['plan@2', null, 0])
  const outside = { field: 'offset', value: 9, oldest_offset: 0, next_offset: 4 }
  await assert.rejects(run('stream branch', { stream: 'x', parent: 'plan@9' }), fails('invalid_args', outside))
  await assert.rejects(run('stream branch', { stream: 'retry', parent: 'plan' }), fails('conflict'))
  await assert.rejects(run('stream branch', { stream: 'x', parent: 'plam' }), fails('not_found', { value: 'plam' }))

  const lineage = (await run('stream lineage', { stream: 'plan' })) as StreamLineageData
  assert.deepEqual(
    [lineage.ancestors, lineage.descendants.map(({ stream, fork_offset }) => [stream, fork_offset])],
    [
      [],
      [
        ['retry', 1],
        ['whole', 3],
      ],
    ],
  )
  const diff = (await run('stream diff', { stream: 'retry', other: 'plan' })) as StreamDiffData
  assert.deepEqual([diff.common?.stream, diff.common?.offset], ['plan', 1])
  assert.deepEqual(
    [diff.left, diff.right].map(({ count, records }) => [count, ...records.map(({ payload }) => payload)]),
    [
      [1, 'own'],
      [2, 'c', 'd'],
    ],
  )
  const graph = (await run('stream graph', { stream: 'retry' })) as StreamGraphData
  assert.deepEqual([graph.nodes.map(({ stream }) => stream), graph.edges.length], [['plan', 'retry'], 1])

  const ids = async (more: Readonly<Record<string, unknown>>) =>
    ((await run('stream list', more)) as StreamListData).streams.map(({ stream }) => stream)
  assert.deepEqual(await ids({}), ['plan', 'retry', 'whole', 'plan@2', 'odd'])
  assert.deepEqual(await ids({ parent: 'plan', limit: 1 }), ['retry'])
  assert.deepEqual(await ids({ label: ['kind=x'] }), [])
  assert.deepEqual(await ids({ state: 'deleted' }), [])
  assert.deepEqual((await ids({ actor: branch.actor?.slice(0, 6) })).length, 5)
})

test('consume begins where it is told, and follows', async (t) => {
  const { append, piped, path, environment } = openStreams(t)
  await piped('0\n1\n2\n3\n4\n', { stream: 's', create: true })
  const consumed = async (input: object, more: object = {}) => {
    const runner = commandRunner({ cwd: path, env: environment, nowUnixMs: () => Date.UTC(2026, 3, 6), ...more })
    const data = (await runner.run('consume', { stream: 's', ...input })) as { readonly ended: string }
    return [data.ended, ...(runner.emitted as StreamTailItem[]).map(({ payload }) => payload)]
  }
  assert.deepEqual(await consumed({}), ['end', '0', '1', '2', '3', '4'])
  assert.deepEqual(await consumed({ offset: '-2' }), ['end', '3', '4'])
  assert.deepEqual(await consumed({ offset: 'end' }), ['end'])
  assert.deepEqual(await consumed({ offset: '1', count: 2 }), ['count', '1', '2'])
  assert.deepEqual(await consumed({ offset: 'ts@2026-04-05', count: 1 }), ['count', '0'])
  assert.deepEqual(await consumed({ offset: 'ts@1s' }), ['end'])
  for (const input of [{ offset: 'x' }, { format: '%q' }, { follow: true, exit: true }, { where: ['a'] }]) {
    await assert.rejects(consumed(input), fails('invalid_args'), JSON.stringify(input))
  }

  const following = consumed({ offset: 'end', follow: true, count: 2 })
  await append('s', 'new')
  // Whether the first was appended before the follower had looked: another one may be needed.
  const more = setInterval(() => void append('s', 'more').catch(() => {}), 200)
  try {
    assert.equal((await following)[0], 'count')
  } finally {
    clearInterval(more)
  }
  const stop = new AbortController()
  const onEmit = () => stop.abort()
  const [ended] = await consumed({ offset: '-1', follow: true }, { interrupted: stop.signal, onEmit })
  assert.equal(ended, 'interrupted')
  const { emitted } = await (async () => {
    const runner = commandRunner({ cwd: path, env: environment })
    await runner.run('stream tail', { stream: 's', from: '4', count: 1 })
    return runner
  })()
  assert.deepEqual(
    (emitted as StreamTailItem[]).map(({ offset, payload }) => [offset, payload]),
    [[4, '4']],
  )
})

test('a branch of a cut stream refuses the offsets that were cut off, and so do its own branches', async (t) => {
  const { run } = createCommandSandbox(t)
  await run('stream create', { stream: 'log' })
  for (const payload of ['a', 'b', 'c']) {
    await run('stream append', { stream: 'log', payload })
    await run('stream seal', { stream: 'log' })
  }
  await run('stream retain', { stream: 'log', maxCount: 1 })
  await run('stream branch', { stream: 'child', parent: 'log@2' })
  const cutOff = { field: 'offset', value: 1, oldest_offset: 2, next_offset: 3 }
  for (const parent of ['log', 'child']) {
    const branch = (at: number) => run('stream branch', { stream: `${parent}-branch`, parent: `${parent}@${at}` })
    await assert.rejects(branch(1), fails('invalid_args', cutOff))
    assert.equal(((await branch(2)) as StreamBranchData).first_offset, 3)
  }
})
