/** What a repository of the library does with record streams, whether it works alone or with the daemon. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type * as library from '../../src/library/index.ts'
import { type CleanUp, createSandbox } from '../git/temp-repository.ts'
import { lastFirst } from '../support/last-first.ts'
import type { RepositoryKind } from './repository.ts'

async function textsOf(records: AsyncIterable<library.StreamRecordItem>): Promise<string[]> {
  const texts: string[] = []
  for await (const { offset, text } of records) texts.push(`${offset} ${text}`)
  return texts
}

export function judgeStreams({ name, open, errors, end }: RepositoryKind): void {
  const { ConflictError, InvalidArgsError, NotFoundError } = errors

  async function openNew(test: CleanUp): Promise<library.Repository> {
    const t = lastFirst(test)
    const { dir, environment: env, git } = createSandbox(t)
    const cwd = join(dir, 'repository')
    git(dir, 'init', '-q', '-b', 'main', cwd)
    t.after(() => end?.({ cwd, env }))
    return await open({ cwd, env })
  }

  test(`${name}: a call that is repeated under its key is carried out once`, async (t) => {
    await using repo = await openNew(t)
    const keyed = (command: 'create' | 'append' | 'branch') => ({
      key: `1800000000000-${command.padEnd(32, '0').replaceAll(/[^0-9a-f]/g, 'a')}`,
    })
    const twice = async <Result>(call: () => Promise<Result>) => [await call(), await call()] as const
    const create = await twice(() => repo.run('stream create', { stream: 's', label: ['a=b'] }, keyed('create')))
    assert.deepEqual(create[1], create[0])
    const [first, again] = await twice(() => repo.run('stream append', { stream: 's', payload: 'x' }, keyed('append')))
    assert.deepEqual([first.offset, first.repeated, again.offset, again.repeated], [0, false, 0, true])
    const branch = await twice(() => repo.run('stream branch', { stream: 'b', parent: 's@0' }, keyed('branch')))
    assert.deepEqual(branch[1], branch[0])
    assert.deepEqual(await textsOf(repo.stream('b').read()), ['0 x'])

    const other = repo.run('stream create', { stream: 's', label: ['a=c'] }, keyed('create'))
    await assert.rejects(other, ConflictError)
    await assert.rejects(repo.run('stream create', { stream: 's', label: ['a=b'] }), ConflictError)
    await assert.rejects(repo.run('stream branch', { stream: 's', parent: 'b' }, keyed('branch')), ConflictError)
  })

  test(`${name}: a stream is created, appended to, read, branched and sealed`, async (t) => {
    await using repo = await openNew(t)
    const plan = await repo.streams.create('agent/plan', { label: ['kind=trace'] })
    const first = await plan.append('one')
    assert.deepEqual([first.stream, first.offset, first.level], ['agent/plan', 0, 'local'])
    const many = await plan.appendMany([
      { payload: Uint8Array.of(0xff), key: 'k', headers: { a: '1', b: Uint8Array.of(2) }, contentType: 'x/y' },
      { payload: 'three', producer: { id: 'p', sequence: 1 } },
    ])
    assert.deepEqual([many.offset, many.next_offset], [1, 3])
    assert.deepEqual((await plan.append({ payload: 'three', producer: { id: 'p', sequence: 1 } })).repeated, true)

    const { writer, ts_unix_ms, text, ...record } = await plan.readAt(1)
    assert.deepEqual([writer?.length, ts_unix_ms > 0, text], [32, true, '\ufffd'])
    const { key, payload, headers, ...facts } = record
    assert.deepEqual([Buffer.from(key ?? []).toString(), [...payload]], ['k', [0xff]])
    assert.deepEqual([headers.a, [...(headers.b ?? [])]], ['1', [2]])
    assert.deepEqual(facts, {
      stream: 'agent/plan',
      incarnation: first.incarnation,
      offset: 1,
      content_type: 'x/y',
      producer: null,
      origin: null,
    })
    assert.deepEqual(await textsOf(plan.read({ from: 2 })), ['2 three'])
    assert.deepEqual(await textsOf(plan.read({ limit: 1 })), ['0 one'])

    const other = await repo.actors.create()
    await repo.actors.use(other.actor_id)
    const { offset } = await plan.append('by another')
    assert.equal((await plan.readAt(offset)).writer, other.actor_id)

    await plan.branch('agent/retry', { at: 0, reason: 'again' })
    const retry = repo.stream('agent/retry')
    await retry.append('two')
    assert.deepEqual(await textsOf(retry.read()), ['0 one', '1 two'])
    assert.deepEqual((await retry.readAt(0)).origin, {
      stream: 'agent/plan',
      incarnation: first.incarnation,
      offset: 0,
    })
    const diff = await retry.diff('agent/plan')
    assert.deepEqual([diff.left.count, diff.right.count], [1, 3])
    assert.equal((await retry.lineage()).ancestors[0]?.stream, 'agent/plan')
    assert.equal((await retry.seal()).records, 1)
    assert.equal((await retry.status()).unsealed_records, 0)
    assert.equal((await repo.streams.list({ label: ['kind=trace'] })).total, 1)
    assert.equal((await repo.streams.graph()).edges.length, 1)

    await assert.rejects(plan.create(), ConflictError)
    await assert.rejects(plan.append('x', { expect: 0 }), ConflictError)
    await assert.rejects(repo.stream('agent/plam').append('x'), NotFoundError)
    await assert.rejects(textsOf(repo.stream('none').read()), NotFoundError)
    await assert.rejects(plan.readAt(99), NotFoundError)
    assert.throws(() => repo.stream(''), InvalidArgsError)
  })

  test(`${name}: streams are merged, proven, checked, retained and ended`, async (t) => {
    await using repo = await openNew(t)
    const plan = await repo.streams.create('plan')
    for (const text of ['a', 'b', 'c']) await plan.append(text)
    await plan.branch('retry', { at: 1 })
    const retry = repo.stream('retry')
    await retry.appendMany([{ payload: 'x' }, { payload: 'y' }])

    const preview = await plan.merge('retry', { policy: 'recursive', preview: true })
    assert.deepEqual([preview.action, preview.records, preview.commit], ['previewed', 2, null])
    const merged = await plan.merge(['retry'], { policy: 'recursive', reason: 'it passed', evidence: ['by=test'] })
    assert.deepEqual([merged.records, merged.next_offset], [2, 5])
    assert.deepEqual(await textsOf(plan.read({ from: 2 })), ['2 c', '3 x', '4 y'])
    await assert.rejects(retry.merge('plan', { policy: 'fast-forward' }), ConflictError)
    const rows = [{ stream: 'retry', from: 3, to: 3 }, { interleave: [{ stream: 'plan', from: 0, to: 0 }] }]
    const picked = await repo.stream('picked').merge(['retry', 'plan'], { policy: 'custom:best', create: true, rows })
    assert.equal(picked.records, 2)
    assert.deepEqual(await textsOf(repo.stream('picked').read()), ['0 y', '1 a'])

    const checkpoint = await plan.checkpoints.create({ kind: 'handoff' })
    assert.equal((await plan.checkpoints.list()).checkpoints[0]?.root, checkpoint.root)
    assert.equal((await plan.checkpoints.verify()).wrong_count, 0)
    const proof = await plan.proof(1)
    const { valid, stream, offset, root } = await repo.streams.verifyProof(proof)
    assert.deepEqual([valid, stream, offset], [true, 'plan', 1])
    assert.equal((await repo.streams.verifyProof(JSON.stringify(proof), { root: root ?? '' })).valid, true)
    assert.equal((await repo.streams.verifyProof(proof, { root: 'ab'.repeat(32) })).valid, false)
    assert.equal((await plan.verify()).problem_count, 0)
    assert.equal((await repo.streams.verify({ all: true })).streams.length, 3)

    const { cursors } = plan
    assert.equal((await cursors.create('index')).offset, 0)
    assert.equal((await cursors.ack('index', 1)).offset, 2)
    assert.equal((await cursors.advance('index', 4)).offset, 4)
    await assert.rejects(cursors.advance('index', 1), ConflictError)
    assert.deepEqual([(await cursors.get('index')).behind, (await cursors.list()).total], [1, 1])
    await cursors.delete('index')
    await assert.rejects(cursors.get('index'), NotFoundError)

    const metrics = await repo.streams.create('metrics')
    for (const text of ['1', '2', '3']) {
      await metrics.append(text)
      await metrics.seal()
    }
    assert.equal((await metrics.retain({ maxCount: 1, preview: true })).dropped, 2)
    assert.deepEqual(await textsOf(metrics.read()), ['0 1', '1 2', '2 3'])
    assert.equal((await metrics.retain({ maxCount: 1 })).oldest_offset, 2)
    assert.equal((await metrics.purge()).removed.length, 1)
    assert.equal((await metrics.takeover()).outcome, 'unchanged')
    assert.equal((await metrics.delete({ reason: 'over' })).state, 'deleted')
    await assert.rejects(metrics.append('4'), NotFoundError)
  })

  test(`${name}: streams are published, fetched, exported and imported`, async (test) => {
    const t = lastFirst(test)
    const { dir, environment: env, git } = createSandbox(t)
    git(dir, 'init', '-q', '--bare', 'remote.git')
    const openAt = async (folder: string) => {
      const cwd = join(dir, folder)
      git(dir, 'clone', '-q', 'remote.git', cwd)
      t.after(() => end?.({ cwd, env }))
      return await open({ cwd, env, warn: () => {} })
    }
    await using writer = await openAt('writer')
    await using reader = await openAt('reader')
    const log = await writer.streams.create('log')
    await log.append('a')
    assert.equal((await log.publish({ seal: true })).streams[0]?.outcome, 'published')
    const copy = reader.stream('log')
    assert.equal((await copy.fetch()).streams[0]?.outcome, 'created')
    assert.deepEqual(await textsOf(copy.read()), ['0 a'])
    assert.deepEqual((await reader.streams.follow('l*')).follow, ['l*'])
    assert.equal((await reader.streams.fetch()).streams[0]?.outcome, 'unchanged')
    assert.deepEqual((await reader.streams.unfollow('l*')).follow, [])
    assert.equal((await copy.rescue({ offline: true })).outcome, 'unchanged')
    assert.equal((await copy.takeover({ reason: 'the writer is gone' })).epoch, 2)
    assert.equal((await copy.append('b')).offset, 1)

    const file = join(dir, 'streams.bundle')
    assert.equal((await reader.streams.export(file, ['log'])).streams[0]?.next_offset, 2)
    assert.equal((await writer.streams.import(file, { dryRun: true })).streams[0]?.outcome, 'moved')
    assert.equal((await writer.streams.import(file)).streams[0]?.outcome, 'moved')
    assert.deepEqual(await textsOf(log.read()), ['0 a', '1 b'])
  })

  test(`${name}: a tail gets each record once, and ends with its signal, its loop or the repository`, async (t) => {
    const repo = await openNew(t)
    const stream = await repo.streams.create('s')
    await stream.append('0')
    const stop = new AbortController()
    const seen: string[] = []
    const tailing = (async () => {
      for await (const { text } of stream.tail({ from: 0, signal: stop.signal })) {
        seen.push(text)
        if (seen.length < 5) await stream.append(`${seen.length}`)
        else stop.abort()
      }
    })()
    await tailing
    assert.deepEqual(seen, ['0', '1', '2', '3', '4'])
    for await (const { text } of stream.tail({ from: 4 })) {
      assert.equal(text, '4')
      break
    }
    const waiting = textsOf(stream.tail())
    await stream.append('5')
    await repo.close()
    const last = await waiting
    assert.ok(last.length <= 1, `${last}`)
    await assert.rejects(textsOf(stream.read()), TypeError)
  })
}
