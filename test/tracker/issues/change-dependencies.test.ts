import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DependencyType, InvalidArgsError, type IssueId, NotFoundError } from '../../../src/model/index.ts'
import { commandRunner, createCommandSandbox } from '../../support/command-runner.ts'
import { issueMaker } from '../../support/issue-maker.ts'
import { issueId } from '../../support/log.ts'

type Data = Readonly<Record<string, unknown>>

async function setUp(t: Parameters<typeof createCommandSandbox>[0]) {
  let now = 1_700_000_000_000
  const sandbox = createCommandSandbox(t, { nowUnixMs: () => (now += 1000) })
  const maker = issueMaker(sandbox)
  const [a, b, c] = [await maker.create('A'), await maker.create('B'), await maker.create('C')] as const
  const head = () => sandbox.git(sandbox.path, 'rev-parse', 'refs/grite/wal')
  const listed = async (issue: string, reverse = false) => {
    const { deps } = (await sandbox.run('issue dep list', { issue, reverse })) as { deps: readonly Data[] }
    return deps.map(({ dep_type, title }) => `${dep_type} ${title}`)
  }
  return { ...sandbox, ...maker, a, b, c, head, listed }
}

test('an added edge is listed on its issue and reversed on its target', async (t) => {
  const { add, listed, head, a, b } = await setUp(t)
  const data = (await add(a, b.slice(0, 8))) as Data
  assert.deepEqual(
    [data.issue_id, data.target, data.dep_type, data.action, data.outcome, data.title, data.target_title],
    [a, b, 'depends_on', 'added', 'changed', 'A', 'B'],
  )
  assert.equal(data.wal_head, head())
  assert.deepEqual([await listed(a), await listed(b), await listed(b, true)], [['depends_on B'], [], ['depends_on A']])
})

const spellings: readonly (readonly [first: DependencyType, second: DependencyType, same: boolean])[] = [
  ['depends_on', 'blocks', true],
  ['blocks', 'depends_on', true],
  ['related_to', 'related_to', true],
  ['depends_on', 'related_to', false],
  ['related_to', 'blocks', false],
]

for (const [first, second, same] of spellings) {
  test(`'A ${first} B' and 'B ${second} A' are ${same ? 'one edge' : 'two edges'}`, async (t) => {
    const { add, remove, listed, head, a, b } = await setUp(t)
    await add(a, b, first)
    const before = head()
    const again = (await add(b, a, second)) as Data
    assert.equal(again.outcome, same ? 'unchanged' : 'changed')
    assert.equal(head() === before, same)
    assert.deepEqual(
      again.stored_as,
      same ? { issue_id: a, dep_type: first, target: b } : { issue_id: b, dep_type: second, target: a },
    )

    const removed = (await remove(b, a, second)) as Data
    assert.deepEqual([removed.outcome, removed.stored_as], ['changed', again.stored_as])
    assert.deepEqual([await listed(a), await listed(b)], [same ? [] : [`${first} B`], []])
  })
}

test('adding an existing or removing an absent edge changes nothing', async (t) => {
  const { add, remove, head, a, b } = await setUp(t)
  await add(a, b)
  const before = head()
  const again = (await add(a, b)) as Data
  assert.deepEqual([again.event_id, again.event_ids, again.wal_head, again.outcome], [null, [], null, 'unchanged'])
  const other = (await remove(a, b, 'related_to')) as Data
  assert.deepEqual([other.event_id, other.outcome, other.stored_as], [null, 'unchanged', null])
  assert.equal(head(), before)
})

test('an edge in either spelling must not close a cycle', async (t) => {
  const { add, head, a, b, c } = await setUp(t)
  await add(b, a, 'depends_on')
  await add(b, c, 'blocks')
  const before = head()
  for (const [issue, target, type] of [
    [a, c, 'depends_on'],
    [c, a, 'blocks'],
  ] as const) {
    await assert.rejects(add(issue, target, type), (error: InvalidArgsError) => {
      assert.ok(error instanceof InvalidArgsError)
      const name = (id: IssueId, title: string) => `${id.slice(0, 7)} '${title}'`
      assert.ok(
        error.message.endsWith([name(a, 'A'), name(b, 'B'), name(c, 'C'), name(a, 'A')].join(' -> ')),
        error.message,
      )
      assert.deepEqual(error.details.cycle, [a, b, c])
      return true
    })
  }
  await assert.rejects(add(a, b), InvalidArgsError)
  assert.equal(head(), before)
  await add(a, c, 'related_to')
  await add(c, a, 'depends_on')
})

test('an issue cannot have an edge to itself', async (t) => {
  const { add, a } = await setUp(t)
  for (const type of ['depends_on', 'blocks', 'related_to'] as const) {
    await assert.rejects(add(a, a, type), { name: 'InvalidArgsError', message: /must be another issue/ })
  }
})

test('an edge to an unknown issue can be removed but not added', async (t) => {
  const { add, remove, withRepository, listed, a } = await setUp(t)
  const absent = issueId('abcd')
  await assert.rejects(add(a, absent), NotFoundError)
  await assert.rejects(remove(absent, a), NotFoundError)
  await withRepository((repository) =>
    repository.write((draft) => draft.add(a, { type: 'DependencyAdded', target: absent, dep_type: 'blocks' })),
  )
  assert.deepEqual(await listed(a), ['blocks ?'])
  await assert.rejects(remove(a, absent.slice(0, 8), 'blocks'), NotFoundError)
  const data = (await remove(a, absent.toUpperCase(), 'blocks')) as Data
  assert.deepEqual([data.outcome, data.target, data.target_title], ['changed', absent, null])
  assert.deepEqual(await listed(a), [])
})

test('removing one spelling of an edge warns about the other', async (t) => {
  const { add, remove, withRepository, warnings, listed, a, b } = await setUp(t)
  await add(a, b, 'blocks')
  // Another clone may add the other spelling concurrently.
  await withRepository((repository) =>
    repository.write((draft) => draft.add(b, { type: 'DependencyAdded', target: a, dep_type: 'depends_on' })),
  )
  await remove(b, a, 'depends_on')
  assert.deepEqual(
    warnings.map(({ code, message }) => [code, message.includes(`${a} blocks ${b}`)]),
    [['edge-left', true]],
  )
  assert.deepEqual([await listed(a), await listed(b)], [['blocks B'], []])
  await remove(b, a, 'depends_on')
  assert.deepEqual([warnings.length, await listed(a)], [1, []])
})

test('the error about a long cycle names only its ends', async (t) => {
  const { run, withRepository } = await setUp(t)
  const ids = await withRepository(async (repository) => {
    const { result } = await repository.write(async (draft) => {
      const made = Array.from({ length: 300 }, (_, index) => {
        return draft.createIssue({ title: `${'long '.repeat(100)}${index}`, body: '', labels: [] }).issueId
      })
      for (const [index, target] of made.slice(0, -1).entries()) {
        await draft.add(made[index + 1] as IssueId, { type: 'DependencyAdded', target, dep_type: 'depends_on' })
      }
      return made
    })
    return result
  })
  const closing = run('issue dep add', { issue: ids[0], target: ids.at(-1) })
  await assert.rejects(closing, (error: InvalidArgsError) => {
    assert.ok(error instanceof InvalidArgsError)
    assert.match(error.message, /\(293 more\)/)
    assert.ok(error.message.length < 1000, error.message)
    assert.deepEqual([error.details.cycle_length, (error.details.cycle as string[]).length], [300, 100])
    return true
  })
})

test('a batch changes edges, checks its own edges and fails as a whole', async (t) => {
  const lines = (...operations: readonly object[]) => operations.map((one) => JSON.stringify(one)).join('\n')
  const sandbox = createCommandSandbox(t)
  const withInput = (stdin: string) => commandRunner({ cwd: sandbox.path, env: sandbox.environment, stdin })
  await withInput(
    lines(
      { op: 'create', title: 'A', as: 'a' },
      { op: 'create', title: 'B', as: 'b' },
      { op: 'create', title: 'C', as: 'c' },
      { op: 'dep_add', issue: '@a', target: '@b' },
      { op: 'dep_add', issue: '@c', target: '@b', type: 'blocks' },
      { op: 'dep_remove', issue: '@a', target: '@b' },
      { op: 'dep_add', issue: '@b', target: '@a' },
    ),
  ).run('batch')
  const { issues } = (await sandbox.run('issue dep topo')) as { issues: readonly { title: string; issue_id: string }[] }
  // A and C have the same time.
  assert.deepEqual([issues.at(-1)?.title, issues.length], ['B', 3])
  const [a, b] = ['A', 'B'].map((title) => issues.find((issue) => issue.title === title)?.issue_id)
  const head = sandbox.git(sandbox.path, 'rev-parse', 'refs/grite/wal')
  const wrong: readonly (readonly [string, string])[] = [
    [
      lines({ op: 'comment', issue: a, body: 'x' }, { op: 'dep_add', issue: a, target: b }),
      'line 2: this edge would close a cycle',
    ],
    [lines({ op: 'dep_add', issue: a, target: b, type: 'needs' }), 'line 1: dependency type must be one of blocks'],
    [lines({ op: 'dep_add', issue: a }), 'line 1: target is required'],
  ]
  for (const [stdin, message] of wrong) {
    await assert.rejects(withInput(stdin).run('batch'), (error: Error) => error.message.startsWith(message))
  }
  assert.equal(sandbox.git(sandbox.path, 'rev-parse', 'refs/grite/wal'), head)
})
