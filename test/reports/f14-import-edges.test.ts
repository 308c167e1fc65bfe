/** Dependencies on missing issues are reported, kept, and added once those issues arrive. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type CleanUp, createSandbox } from '../git/temp-repository.ts'
import { commandRunner } from '../support/command-runner.ts'

// biome-ignore lint/suspicious/noExplicitAny: data of commands, whose shape is what the tests assert
type Data = any

const edges = (issue: string, ...others: readonly (readonly [string, string])[]) => ({
  dependencies: others.map(([type, depends_on_id], index) => ({
    issue_id: issue,
    depends_on_id,
    type,
    created_at: `2026-01-01T0${index + 1}:00:00Z`,
  })),
})

function lineOf(id: string, second: number, fields: object = {}): string {
  const at = `2026-01-01T00:00:0${second}Z`
  return JSON.stringify({ id, title: id, status: 'open', priority: 2, created_at: at, updated_at: at, ...fields })
}

/** Depends on three issues of the second file. */
const waiting = lineOf('x-1', 1, edges('x-1', ['blocks', 'x-2'], ['parent-child', 'x-3'], ['related', 'x-4']))
const first = [waiting, lineOf('x-5', 5)]
const second = [lineOf('x-2', 2), lineOf('x-3', 3), lineOf('x-4', 4, edges('x-4', ['blocks', 'x-5']))]

function setUp(t: CleanUp) {
  const { dir, environment, git } = createSandbox(t)
  git(dir, 'init', '-q', '--bare', '-b', 'main', 'remote.git')
  const clone = (name: string) => {
    git(dir, 'clone', '-q', 'remote.git', name)
    const { run, outcome } = commandRunner({ cwd: join(dir, name), env: environment })
    const importLines = async (lines: readonly string[], options: object = {}): Promise<Data> => {
      writeFileSync(join(dir, 'tracker.jsonl'), lines.join('\n'))
      return run('import', { file: join(dir, 'tracker.jsonl'), ...options })
    }
    const ids = async (): Promise<string[]> =>
      ((await run('export', { format: 'json' })) as Data).content.events.map(({ event_id }: Data) => event_id).sort()
    const ready = async (): Promise<string[]> =>
      ((await run('ready')) as Data).issues.map(({ title }: Data) => title).sort()
    return { run: run as (name: string, input?: object) => Promise<Data>, outcome, importLines, ids, ready }
  }
  return { clone }
}

describe('waiting edges', { concurrency: 3 }, () => {
  test('an edge to a missing issue is counted and listed', async (t) => {
    const { importLines, outcome } = setUp(t).clone('a')
    const data = await importLines(first)
    assert.equal(data.waiting_edge_count, 3)
    assert.deepEqual(
      data.waiting_edges.map(({ original_id, type, depends_on, reason }: Data) => [
        original_id,
        type,
        depends_on,
        reason,
      ]),
      [
        ['x-1', 'blocks', 'x-2', 'unknown'],
        ['x-1', 'parent-child', 'x-3', 'unknown'],
        ['x-1', 'related', 'x-4', 'unknown'],
      ],
    )
    assert.equal((await importLines(first)).waiting_edge_count, 3, 'also by an import that changes nothing')
    assert.equal((await outcome('import', { file: '-' })).exitStatus ?? 0, 0)
  })

  test('a waiting edge is added by the import of its issue', async (t) => {
    const { clone } = setUp(t)
    const [whole, forward, backward] = [clone('whole'), clone('forward'), clone('backward')]
    await whole.importLines([...first, ...second])
    await forward.importLines(first)
    const connecting = await forward.importLines(second)
    assert.equal(connecting.connected, 1)
    await backward.importLines(second)
    await backward.importLines(first)
    assert.deepEqual(await whole.ready(), ['x-2', 'x-3', 'x-5'])
    for (const one of [forward, backward]) {
      assert.deepEqual(await one.ids(), await whole.ids())
      assert.deepEqual(await one.ready(), await whole.ready())
      for (const file of [first, second, [...first, ...second]]) {
        assert.equal((await one.importLines(file)).event_count, 0)
      }
    }
  })

  test('a waiting edge is added by a sync, alike in both clones', async (t) => {
    const { clone } = setUp(t)
    const [ann, bo, whole] = [clone('ann'), clone('bo'), clone('whole')]
    await whole.importLines([...first, ...second])
    await ann.importLines(first)
    await bo.importLines(second)
    await ann.run('sync')
    const synced = await bo.run('sync')
    assert.equal(synced.push_success, true)
    assert.deepEqual(await bo.ids(), await whole.ids())
    await ann.run('sync')
    assert.deepEqual(await ann.ids(), await whole.ids())
    assert.deepEqual([await ann.ready(), await bo.ready()], [await whole.ready(), await whole.ready()])
    assert.equal((await bo.run('sync')).pull_events, 0)
  })

  test('a waiting edge is added by the sync after init', async (t) => {
    const { clone } = setUp(t)
    const [ann, bo, whole] = [clone('ann'), clone('bo'), clone('whole')]
    await whole.importLines([...first, ...second])
    await ann.importLines(second)
    await ann.run('sync')
    await bo.importLines(first)
    await bo.run('init')
    assert.equal((await bo.run('sync')).push_success, true)
    assert.deepEqual(await bo.ids(), await whole.ids())
  })

  test('a waiting edge that was removed is not added again', async (t) => {
    const { importLines, ready, run } = setUp(t).clone('a')
    await importLines(first)
    await importLines(second)
    const { issues } = await run('issue list')
    const idOf = (name: string) => issues.find(({ title }: Data) => title === name).issue_id
    await run('issue dep remove', { issue: idOf('x-1'), target: idOf('x-2'), type: 'depends_on' })
    assert.equal((await importLines([lineOf('x-2', 2)])).event_count, 0)
    assert.deepEqual(await ready(), ['x-1', 'x-2', 'x-3', 'x-5'])
  })

  test('a waiting edge to a deleted issue waits for its import', async (t) => {
    const { importLines, ids } = setUp(t).clone('a')
    const other = setUp(t).clone('b')
    const file = [waiting, lineOf('x-2', 2, { status: 'tombstone' }), lineOf('x-3', 3), lineOf('x-4', 4)]
    const without = await importLines(file)
    assert.deepEqual(
      without.waiting_edges.map(({ depends_on, reason }: Data) => [depends_on, reason]),
      [['x-2', 'tombstone']],
    )
    await importLines(file, { includeTombstones: true })
    await other.importLines(file, { includeTombstones: true })
    assert.deepEqual(await ids(), await other.ids())
    assert.equal((await importLines(file)).event_count, 0)
  })

  test('--dry-run plans waiting edges and writes nothing', async (t) => {
    const { importLines, ids } = setUp(t).clone('a')
    await importLines(first)
    const before = await ids()
    const planned = await importLines(second, { dryRun: true })
    assert.deepEqual(await ids(), before)
    const done = await importLines(second)
    assert.deepEqual({ ...planned, dry_run: false, wal_head: null }, { ...done, wal_head: null })
  })
})
