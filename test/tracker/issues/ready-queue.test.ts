import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ReadyFilter, readReadyQueue, readySortKeys } from '../../../src/tracker/issues/ready-queue.ts'
import type { Workspace } from '../../../src/tracker/workspace.ts'
import { encodeList } from '../../../src/view/list-file.ts'
import { type CommandRunner, createCommandSandbox } from '../../support/command-runner.ts'
import { issueMaker } from '../../support/issue-maker.ts'
import { issueId } from '../../support/log.ts'

type Input = Readonly<Record<string, unknown>>

interface Listed {
  readonly issues: readonly {
    readonly title: string
    readonly overdue: boolean
    readonly unknown_blockers: readonly string[]
    readonly in_cycle?: boolean
    readonly blockers?: readonly { readonly title: string; readonly through: readonly string[] }[]
  }[]
  readonly total: number
  readonly blocked_count: number
  readonly taken_count: number
}

const firstMs = Date.UTC(2026, 3, 5)

async function setUp(t: Parameters<typeof createCommandSandbox>[0]) {
  let now = firstMs
  const sandbox = createCommandSandbox(t, { nowUnixMs: () => (now += 1000) })
  await sandbox.run('init')
  const titles = async (name: string, input: Input = {}) =>
    ((await sandbox.run(name, input)) as Listed).issues.map(({ title }) => title).join(' ')
  return {
    ...sandbox,
    ...issueMaker(sandbox),
    ready: async (input?: Input) => {
      await sandbox.withRepository(assertSameFromList)
      return titles('ready', input)
    },
    blocked: (input?: Input) => titles('blocked', input),
    close: (...issue: readonly string[]) => sandbox.run('issue close', { issue }),
  }
}

/** The queue is the same when the rows come from the text of the list. */
async function assertSameFromList(repository: Workspace): Promise<void> {
  const view = await repository.view()
  const texts = (await view.allRowTexts()).map(({ text }) => text)
  const { list } = encodeList('1', { head: '', reflogMark: '' }, texts)
  const filters: ReadyFilter[] = [{}, { type: 'epic' }, { labels: ['ui'] }, { status: 'deferred' }, { assignees: [] }]
  for (const filter of filters) {
    for (const sort of readySortKeys) {
      const stored = await readReadyQueue(repository, filter, sort)
      Object.assign(view, { listText: () => list })
      const fromList = await readReadyQueue(repository, filter, sort)
      Reflect.deleteProperty(view, 'listText')
      const describe = ({ ready, issueIds, ...counts }: typeof stored) => ({
        rows: ready.map(({ row, unknownBlockers }) => ({ row, unknownBlockers })),
        texts: ready.map(({ unparsed }) => unparsed.text),
        ids: issueIds(),
        ...counts,
      })
      assert.deepEqual(describe(fromList), describe(stored))
      assert.ok(fromList.ready.every(({ unparsed }) => unparsed.listed !== undefined))
    }
  }
}

const nameOfActor = async ({ run }: Pick<CommandRunner, 'run'>) => {
  const { label, actor_id } = (await run('actor current')) as { label: string | null; actor_id: string }
  return label ?? actor_id
}

test('ready lists open issues whose blockers are closed', async (t) => {
  const { create, add, ready, blocked, close } = await setUp(t)
  const [a, b, c] = [await create('A'), await create('B'), await create('C')]
  await add(a, b)
  await add(b, c, 'related_to')
  await add(c, b, 'blocks')
  assert.deepEqual([await ready(), await blocked()], ['C', 'A B'])
  await close(c)
  assert.deepEqual([await ready(), await blocked()], ['B', 'A'])
  await close(b)
  assert.deepEqual([await ready(), await blocked()], ['A', ''])
  await close(a)
  assert.deepEqual([await ready(), await blocked()], ['', ''])
})

test('ready sorts by priority, then due date, then age', async (t) => {
  const { create, ready, withRepository } = await setUp(t)
  await create('none')
  await create('P2', { priority: 'P2', due: '2026-06-01' })
  const word = await create('word', { due: '2026-05-01' })
  await create('P0', { priority: 'P0' })
  await create('again', { priority: 'P2', due: '2026-05-01' })
  // A priority written by another tool.
  await withRepository((repository) =>
    repository.write((draft) => draft.add(word, { type: 'LabelAdded', label: 'priority:High' })),
  )
  assert.equal(await ready(), 'P0 P2 again word none')
  assert.equal(await ready({ sort: 'due' }), 'again word P2 P0 none')
  assert.equal(await ready({ sort: 'created' }), 'none P2 word P0 again')
  assert.equal(await ready({ limit: 2 }), 'P0 P2')
})

test('ready hides issues assigned only to others', async (t) => {
  const { create, ready, run, ...sandbox } = await setUp(t)
  const me = await nameOfActor({ run })
  await create('mine', { assignee: [me] })
  await create('theirs', { assignee: ['bob'] })
  await create('shared', { assignee: ['bob', me] })
  await create('free')
  const queue = (await run('ready')) as Listed
  assert.deepEqual(
    queue.issues.map(({ title }) => title),
    ['mine', 'shared', 'free'],
  )
  assert.deepEqual([queue.total, queue.taken_count, queue.blocked_count], [3, 1, 0])
  assert.equal(await ready({ assignee: 'bob' }), 'theirs shared')
  assert.equal(await ready({ assignee: me }), 'mine shared')
  assert.equal(await ready({ assignee: 'me' }), 'mine shared')
  assert.equal(await ready({ assignee: 'none' }), 'free')
  assert.deepEqual(sandbox.warnings, [])
})

test('ready lists epics only with --type epic', async (t) => {
  const { create, ready } = await setUp(t)
  const epic = await create('Epic', { type: 'epic' })
  await create('Part', { parent: epic, type: 'task' })
  const task = await create('Task', { type: 'task' })
  await create('Step', { parent: task })
  assert.equal(await ready(), 'Part Task Step')
  assert.equal(await ready({ type: 'epic' }), 'Epic')
  assert.equal(await ready({ type: 'task' }), 'Part Task')
})

test('ready lists blocked and deferred issues only by --status', async (t) => {
  const { create, ready, run } = await setUp(t)
  await create('A', { set: ['status=blocked'] })
  await create('B', { set: ['status=deferred'] })
  await create('C', { set: ['status=in_progress'] })
  assert.deepEqual([await ready(), await ready({ status: 'deferred' })], ['C', 'B'])
  assert.equal(((await run('ready')) as Listed & { set_aside_count: number }).set_aside_count, 2)
})

test('ready hides parts of blocked and deferred parents', async (t) => {
  const { create, add, ready, run, close } = await setUp(t)
  const epic = await create('Epic', { type: 'epic' })
  const task = await create('Task', { parent: epic })
  await create('Step', { parent: task })
  await create('Later', { parent: await create('Idea', { set: ['status=deferred'] }) })
  const first = await create('First')
  await add(epic, first)
  assert.equal(await ready(), 'First')
  assert.equal(await ready({ parent: epic }), '')
  assert.equal(await ready({ status: 'deferred' }), 'Idea')
  assert.equal(((await run('ready')) as Listed & { set_aside_count: number }).set_aside_count, 4)
  await close(first)
  assert.equal(await ready(), 'Task Step')
  const { title } = (await run('issue claim', { next: true })) as { title: string }
  assert.equal(title, 'Task')
})

test('ready lists parts of a parent that waits for them alone', async (t) => {
  const { create, add, ready } = await setUp(t)
  const whole = await create('Whole')
  const part = await create('Part', { parent: whole })
  const step = await create('Step', { parent: part })
  await add(whole, step)
  assert.equal(await ready(), 'Part Step')
  await add(whole, await create('Other'))
  assert.equal(await ready(), 'Other')
})

test('ready and claim --next wait for the defer date', async (t) => {
  const { create, ready, run } = await setUp(t)
  await create('Tomorrow', { priority: 'P0', set: ['defer=2026-04-06'] })
  await create('Its part', { parent: await create('Epic', { set: ['defer=2026-05-01'] }) })
  await create('Today', { set: ['defer=2026-04-05'] })
  assert.equal(await ready(), 'Today')
  assert.equal(((await run('ready')) as Listed & { set_aside_count: number }).set_aside_count, 3)
  assert.equal(((await run('issue claim', { next: true })) as { title: string }).title, 'Today')
})

test('parts do not wait for a parent that waits for them', async (t) => {
  const { create, add, ready, blocked } = await setUp(t)
  const epic = await create('Epic')
  const part = await create('Part', { parent: epic })
  await create('Other', { parent: epic })
  await add(epic, await create('Step', { parent: part }))
  assert.deepEqual([await ready(), await blocked()], ['Part Other Step', 'Epic'])
})

test('ready and blocked list issues that match every filter', async (t) => {
  const { create, ready, blocked, add } = await setUp(t)
  const epic = await create('Epic', { type: 'epic' })
  await create('A', { label: ['x', 'y'], milestone: '1.0', parent: epic })
  const b = await create('B', { label: ['x'], milestone: '1.0' })
  const c = await create('C', { label: ['y'], parent: epic })
  const cases: readonly (readonly [Input, string])[] = [
    [{}, 'A B C'],
    [{ label: ['x'] }, 'A B'],
    [{ label: ['x', 'y'] }, 'A'],
    [{ milestone: '1.0' }, 'A B'],
    [{ parent: epic.slice(0, 8) }, 'A C'],
    [{ parent: epic, label: ['x'] }, 'A'],
    [{ milestone: '2.0' }, ''],
  ]
  for (const [input, titles] of cases) assert.equal(await ready(input), titles, JSON.stringify(input))
  await assert.rejects(ready({ parent: 'beef' }), { name: 'NotFoundError' })
  await add(b, c)
  await add(epic, c)
  assert.deepEqual(
    [await blocked(), await blocked({ label: ['x'] }), await blocked({ limit: 1 })],
    ['Epic B', 'B', 'Epic'],
  )
})

test('an unknown blocker is reported and does not block', async (t) => {
  const { create, add, run, withRepository } = await setUp(t)
  const [a, b] = [await create('A'), await create('B')]
  const absent = issueId('abcd')
  await withRepository((repository) =>
    repository.write((draft) => draft.add(a, { type: 'DependencyAdded', target: absent, dep_type: 'depends_on' })),
  )
  const queue = (await run('ready')) as Listed
  assert.deepEqual(
    queue.issues.map(({ title, unknown_blockers }) => [title, unknown_blockers]),
    [
      ['A', [absent]],
      ['B', []],
    ],
  )
  await add(a, b)
  const { issues } = (await run('blocked')) as Listed
  assert.deepEqual(
    issues.map(({ title, blockers, unknown_blockers }) => [title, blockers?.length, unknown_blockers]),
    [['A', 1, [absent]]],
  )
})

test('blocked names the edges of each blocker and marks cycles', async (t) => {
  const { create, add, run, withRepository } = await setUp(t)
  const [a, b, c] = [await create('A'), await create('B'), await create('C')]
  await add(a, b)
  await add(c, a)
  await withRepository((repository) =>
    repository.write(async (draft) => {
      await draft.add(b, { type: 'DependencyAdded', target: a, dep_type: 'blocks' })
      await draft.add(b, { type: 'DependencyAdded', target: a, dep_type: 'depends_on' })
    }),
  )
  const { issues, total } = (await run('blocked')) as Listed
  assert.deepEqual(
    issues.map(({ title, in_cycle, blockers }) => [title, in_cycle, blockers?.map((one) => [one.title, one.through])]),
    [
      ['A', true, [['B', ['blocks', 'depends_on']]]],
      ['B', true, [['A', ['depends_on']]]],
      ['C', false, [['A', ['depends_on']]]],
    ],
  )
  assert.equal(total, 3)
})

test('ready marks an issue due before today overdue', async (t) => {
  const { create, run } = await setUp(t)
  await create('late', { due: '2026-04-04' })
  await create('today', { due: '2026-04-05' })
  const { issues } = (await run('ready')) as Listed
  assert.deepEqual(
    issues.map(({ title, overdue }) => [title, overdue]),
    [
      ['late', true],
      ['today', false],
    ],
  )
})

test('ready and blocked create no actor', async (t) => {
  const sandbox = createCommandSandbox(t)
  assert.equal(((await sandbox.run('ready')) as Listed).total, 0)
  assert.equal(((await sandbox.run('blocked')) as Listed).total, 0)
  assert.deepEqual(((await sandbox.run('actor list')) as { actors: unknown }).actors, [])
})
