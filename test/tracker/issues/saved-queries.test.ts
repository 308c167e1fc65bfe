/** Queries saved in the log: shared, replaced, removed, and written by other tools. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GriteError, limits, projectContextIssueId, savedQueryKey } from '../../../src/model/index.ts'
import { walRef } from '../../../src/wal/index.ts'
import { commandRunner, createCommandSandbox } from '../../support/command-runner.ts'
import { batchOf, makeEvent, writeBatch } from '../../support/log.ts'

interface Listed {
  readonly queries: readonly {
    readonly name: string
    readonly query: string | null
    readonly problem: string | null
    readonly actor_label: string | null
  }[]
}

function setUp(t: Parameters<typeof createCommandSandbox>[0]) {
  const place = createCommandSandbox(t)
  return {
    ...place,
    list: async () => ((await place.run('query list')) as Listed).queries,
    /** Writes project keys as another tool would. */
    async put(...pairs: readonly (readonly [key: string, value: string])[]) {
      await place.withRepository(async ({ git }) => {
        const events = pairs.map(([key, value]) =>
          makeEvent(projectContextIssueId, { type: 'ProjectContextUpdated', key, value }),
        )
        const head = await git.readRef(walRef)
        const next = await writeBatch(git, batchOf(events), head)
        place.git(place.path, 'update-ref', walRef, next)
      })
    },
  }
}

test('a saved query can be listed, run, replaced and removed', async (t) => {
  const { run, list } = setUp(t)
  await run('actor init', { label: 'ann' })
  await run('issue create', { title: 'Crash', label: ['bug'] })
  await run('issue create', { title: 'Crash again', label: ['bug', 'ui'] })
  const saved = (await run('query save', { name: 'bugs', query: ['label:bug', 'sort:title'] })) as Record<
    string,
    unknown
  >
  assert.deepEqual(
    [saved.query, saved.replaced, saved.outcome, typeof saved.event_id],
    ['label:bug sort:title', null, 'changed', 'string'],
  )
  const again = (await run('query save', { name: 'bugs', query: ['label:bug sort:title'] })) as Record<string, unknown>
  assert.deepEqual([again.event_id, again.outcome, again.wal_head], [null, 'unchanged', null])
  assert.deepEqual(
    (await list()).map(({ name, query, problem, actor_label }) => [name, query, problem, actor_label]),
    [['bugs', 'label:bug sort:title', null, 'ann']],
  )
  const titles = async (input: object) =>
    ((await run('query run', { name: 'bugs', ...input })) as { issues: { title: string }[] }).issues.map(
      ({ title }) => title,
    )
  assert.deepEqual(await titles({}), ['Crash', 'Crash again'])
  assert.deepEqual(await titles({ query: ['-label:ui'] }), ['Crash'])
  assert.deepEqual(await titles({ query: ['sort:title-desc limit:1'] }), ['Crash again'])
  const replaced = (await run('query save', { name: 'bugs', query: ['label:ui'] })) as Record<string, unknown>
  assert.equal(replaced.replaced, 'label:bug sort:title')
  assert.deepEqual(await titles({}), ['Crash again'])
  assert.equal(((await run('query remove', { name: 'bugs' })) as Record<string, unknown>).query, 'label:ui')
  assert.deepEqual(await list(), [])
})

test('a saved query is shared with the log', async (t) => {
  const { run, git, dir, path } = setUp(t)
  await run('query save', { name: 'mine', query: ['assignee:me'] })
  git(dir, 'init', '-q', 'other')
  git(`${dir}/other`, 'fetch', '-q', path, 'refs/grite/wal:refs/grite/wal')
  const other = commandRunner({ cwd: `${dir}/other`, env: {} })
  assert.equal(((await other.run('query list')) as Listed).queries[0]?.query, 'assignee:me')
})

test('foreign saved queries are judged one by one', async (t) => {
  const { run, list, put } = setUp(t)
  await run('issue create', { title: 'Crash' })
  const key = savedQueryKey
  await put(
    [key('good'), '{"query":"crash","colour":"red"}'],
    [key('none'), ''],
    [key('text'), 'crash'],
    [key('array'), '["crash"]'],
    [key('number'), '{"query":7}'],
    [key('wrong'), '{"query":"lable:x"}'],
    [key('long'), JSON.stringify({ query: 'x'.repeat(limits.queryBytesMax + 1) })],
    [key('huge'), `{"query":"${'x'.repeat(1_000_000)}"}`],
    [key('deep'), JSON.stringify({ query: '('.repeat(2000) })],
    [key('a name'), '{"query":"crash"}'],
    [key(''), '{"query":"crash"}'],
    [key('\u202e\x1b[2J'), '{"query":"crash"}'],
    ['grite.actor.x', '{"query":"crash"}'],
    ['query.x', '{"query":"crash"}'],
  )
  const listed = new Map((await list()).map(({ name, query, problem }) => [name, { query, problem }]))
  assert.deepEqual([...listed.keys()].sort(), [
    '',
    'a name',
    'array',
    'deep',
    'good',
    'huge',
    'long',
    'number',
    'text',
    'wrong',
    '\u202e\x1b[2J',
  ])
  assert.deepEqual(listed.get('good'), { query: 'crash', problem: null })
  for (const [name, { problem }] of listed) if (name !== 'good') assert.ok(problem !== null, name)
  for (const name of ['text', 'array', 'number', 'huge']) assert.equal(listed.get(name)?.query, null)
  assert.match(listed.get('wrong')?.problem ?? '', /no qualifier 'lable'/)
  assert.match(listed.get('a name')?.problem ?? '', /name/)

  assert.equal(((await run('query run', { name: 'good' })) as { total: number }).total, 1)
  for (const name of ['text', 'wrong', 'a name', 'huge']) {
    await assert.rejects(run('query run', { name }), (error: GriteError) => {
      assert.equal(error.code, 'invalid_args')
      assert.match(error.message, /cannot be run/)
      return true
    })
  }
  await run('query save', { name: 'wrong', query: ['label:x'] })
  for (const name of ['text', 'a name', '\u202e\x1b[2J']) await run('query remove', { name })
  const left = new Set((await list()).map(({ name }) => name))
  assert.ok(!left.has('text') && !left.has('a name') && left.has('wrong'))
})

test('too many saved queries are reported', async (t) => {
  const { run, put, warnings } = setUp(t)
  const pairs = Array.from(
    { length: limits.savedQueriesMax + 1 },
    (_, index) => [savedQueryKey(`q${index}`), '{"query":"x"}'] as const,
  )
  await put(...pairs.slice(1))
  assert.equal(((await run('query list')) as { total: number }).total, limits.savedQueriesMax)
  assert.deepEqual(warnings, [])
  await put(...pairs.slice(0, 1))
  assert.equal(((await run('query list')) as { total: number }).total, limits.savedQueriesMax)
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['too-many-queries'],
  )
})

test('invalid names and queries are refused', async (t) => {
  const { run, list } = setUp(t)
  await run('query save', { name: 'a.b-c_D9', query: ['x'] })
  for (const [name, field] of [
    ['', 'name'],
    ['a b', 'name'],
    ['-a', 'name'],
    ['é', 'name'],
    ['a'.repeat(65), 'name'],
  ]) {
    await assert.rejects(
      run('query save', { name, query: ['x'] }),
      (error: GriteError) => error.details.field === field,
    )
  }
  await assert.rejects(run('query save', { name: 'ok', query: ['lable:x'] }), /there is no qualifier 'lable'/)
  for (const command of ['query run', 'query remove']) {
    await assert.rejects(run(command, { name: 'a.b-c_D' }), (error: GriteError) => {
      assert.equal(error.code, 'not_found')
      assert.match(error.hints.join(), /Did you mean `a.b-c_D9`/)
      return true
    })
  }
  assert.deepEqual(
    (await list()).map(({ name }) => name),
    ['a.b-c_D9'],
  )
})
