/** Tracker records other than issues are no errors; issue fields beyond the title stay readable. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { renderImport } from '../../src/cli/render/import.ts'
import { plainStyle } from '../../src/cli/render/style.ts'
import { textOf } from '../cli/render/text-of.ts'
import type { CleanUp } from '../git/temp-repository.ts'
import { createCommandSandbox } from '../support/command-runner.ts'

// biome-ignore lint/suspicious/noExplicitAny: data of commands, whose shape is what the tests assert
type Data = any

const times = { created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-02T00:00:00Z' }
const header = { _schema: 'beads-jsonl/1', _sort: 'stable-v1' }
const plain = { _type: 'issue', id: 'a-1', title: 'plain', status: 'open', priority: 1, issue_type: 'task', ...times }
const counts = { dependency_count: 0, dependent_count: 0, comment_count: 0 }
const memory = { _type: 'memory', key: 'k', value: 'always run make lint' }
const rich = {
  ...{
    ...plain,
    id: 'a-2',
    title: 'rich',
    due_at: '2026-02-01T00:00:00Z',
    created_by: 'ann',
    owner: 'ann@example.org',
  },
  ...{ design: 'Two parts.', acceptance_criteria: '- it works', notes: 'none' },
  comments: [{ id: '0198f3c4', issue_id: 'a-2', author: 'bo b', text: 'hello', created_at: '2026-01-01T05:00:00Z' }],
}

function setUp(t: CleanUp) {
  const { path, run, outcome, withRepository } = createCommandSandbox(t)
  const importRecords = async (...records: readonly object[]) => {
    const text = records.map((record) => JSON.stringify(record)).join('\n')
    writeFileSync(join(path, 'tracker.jsonl'), text)
    return (await outcome('import', { file: 'tracker.jsonl' })) as { data: Data; exitStatus?: number }
  }
  const contextOf = (key: string) =>
    withRepository(async (repository) => (await (await repository.view()).findProjectContext(key))?.body.value)
  return { run: run as (name: string, input?: object) => Promise<Data>, importRecords, contextOf }
}

describe('imported tracker records', { concurrency: 3 }, () => {
  test('records that are no issues are no errors, and memories are kept', async (t) => {
    const { importRecords, contextOf } = setUp(t)
    const { data, exitStatus = 0 } = await importRecords(header, { ...plain, ...counts }, memory)
    assert.deepEqual([exitStatus, data.malformed, data.created, data.updated], [0, 0, 1, 0])
    assert.deepEqual(data.memories, { added: 1, unchanged: 0, superseded: 0 })
    assert.equal(await contextOf('memory.k'), 'always run make lint')
    const again = await importRecords(header, { ...plain, ...counts }, memory)
    assert.deepEqual([again.data.event_count, again.data.memories.unchanged], [0, 1])
    await importRecords({ ...memory, value: 'a newer one' })
    assert.equal(await contextOf('memory.k'), 'a newer one')
  })

  test('an import without issues succeeds and says so', async (t) => {
    const { importRecords, run } = setUp(t)
    const { data, exitStatus = 0 } = await importRecords()
    assert.deepEqual([exitStatus, data.format, data.created], [0, 'beads', 0])
    assert.equal((await run('import', { file: 'tracker.jsonl', format: 'beads' })).created, 0)
    const view = { width: null, style: plainStyle, nowUnixMs: 0, quiet: false }
    assert.equal(await textOf(renderImport(data, view)), 'Nothing to import: the file has no issues.\n')
    const onlyHeader = await importRecords(header)
    assert.equal(await textOf(renderImport(onlyHeader.data, view)), 'Nothing to import: the file has no issues.\n')
  })

  test('only lossy records leave a comment, which is not counted', async (t) => {
    const { importRecords, run } = setUp(t)
    await importRecords(
      header,
      { ...plain, ...counts, ephemeral: false, metadata: {} },
      { ...plain, id: 'a-3', owner: 'ann' },
    )
    const commentsOf = async (issue: string) =>
      (await run('issue show', { issue })).issue.comments.map(({ body }: Data) => body)
    assert.deepEqual(await commentsOf('a-1'), [])
    assert.deepEqual(await commentsOf('a-3'), ['Other beads fields:\nowner: ann'])
    assert.equal((await run('issue list', { query: 'has:comments' })).total, 0)
    const { issues } = await run('issue list')
    assert.deepEqual(
      issues.map(({ comment_count }: Data) => comment_count),
      [0, 0],
    )
  })

  test('due dates, texts and author names stay readable', async (t) => {
    const { importRecords, run } = setUp(t)
    await importRecords(rich)
    const { issue } = await run('issue show', { issue: 'a-2' })
    assert.equal(issue.fields.due, '2026-02-01')
    assert.equal(issue.author_label, 'beads')
    assert.equal(issue.comment_count, 4)
    assert.deepEqual(issue.comments.map(({ body, actor_label }: Data) => [actor_label, body]).sort(), [
      ['beads', 'Acceptance criteria (beads acceptance_criteria):\n- it works'],
      ['beads', 'Design (beads design):\nTwo parts.'],
      ['beads', 'Notes (beads notes):\nnone'],
      ['beads', 'Other beads fields:\ncreated_by: ann\nowner: ann@example.org'],
      ['beads', 'bo b wrote (beads comment 0198f3c4):\nhello'],
    ])
    const { checks } = await run('doctor')
    assert.deepEqual(
      checks.filter(({ status }: Data) => status !== 'ok').map(({ id, message }: Data) => [id, message]),
      [],
    )
  })

  test('an import of thousands recommends no rebuild', async (t) => {
    const { importRecords, run } = setUp(t)
    await importRecords(...Array.from({ length: 2100 }, (_, index) => ({ ...plain, id: `m-${index}` })))
    const { event_count, events_since_rebuild, rebuild_recommended } = await run('db stats')
    assert.ok(event_count > 10_000)
    assert.deepEqual([events_since_rebuild, rebuild_recommended], [0, false])
  })

  test('a restored export reports the counts of its import', async (t) => {
    const [from, to] = [setUp(t), setUp(t)]
    const imported = (await from.importRecords(header, plain, rich, memory)).data
    const { content } = await from.run('export', { format: 'json' })
    const restored = (await to.importRecords(content)).data
    const keys = ['created', 'updated', 'unchanged', 'malformed', 'event_count'] as const
    const pick = (data: Data) => keys.map((key) => data[key])
    assert.deepEqual(pick(restored), pick(imported))
    assert.equal(content.meta.event_count, imported.event_count)
    assert.deepEqual(pick((await to.importRecords(content)).data), [0, 0, 2, 0, 0])
  })
})
