/** Dependency edges: missing issues, order and cycles. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { DependencyType, Event, IssueId } from '../../../src/model/index.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'
import { issueMaker } from '../../support/issue-maker.ts'
import { batchOf, issueId, makeEvent } from '../../support/log.ts'
import { writeLog } from '../../support/snapshots.ts'

interface Row {
  readonly title: string
}

const absent = issueId('b0')

function createLog(t: TestContext, nowUnixMs?: () => number) {
  const place = createCommandSandbox(t, nowUnixMs === undefined ? {} : { nowUnixMs })
  const { run, withRepository } = place
  return {
    ...place,
    /** Appends events in one commit. */
    append: (events: readonly Event[]) => withRepository(({ git }) => writeLog(git, [batchOf(events)])),
    rows: async () => ((await run('issue list')) as { issues: Row[] }).issues,
    rebuild: async () => (await run('rebuild')) as { issue_count: number; event_count: number },
  }
}

/** Issues created at the same moment, and their order by the edges between them. */
async function createGraph(t: TestContext, ...titles: readonly string[]) {
  const log = createLog(t, () => 1_700_000_000_000)
  const maker = issueMaker(log)
  const ids = new Map<string, IssueId>()
  for (const title of titles) ids.set(title, await maker.create(title))
  const idOf = (title: string) => ids.get(title) as IssueId
  return {
    ...log,
    idOf,
    edge: (from: string, type: DependencyType, to: string) => maker.add(idOf(from), idOf(to), type),
    order: async () => {
      const { issues, cycles } = (await log.run('issue dep topo')) as { issues: Row[]; cycles: IssueId[][] }
      return { titles: issues.map(({ title }) => title), cycles }
    },
  }
}

test('dep add and dep remove refuse a missing issue', async (t) => {
  const { run, rows, rebuild, git, path } = createLog(t)
  const { create, add, remove } = issueMaker({ run })
  const id = await create('one')
  const head = () => git(path, 'rev-parse', 'refs/grite/wal')
  const before = head()
  await assert.rejects(add(id, absent), { code: 'not_found' })
  for (const change of [add, remove]) await assert.rejects(change(absent, id), { code: 'not_found' })
  assert.equal(((await remove(id, absent)) as { outcome: string }).outcome, 'unchanged')
  assert.equal(head(), before)
  assert.equal((await rebuild()).issue_count, 1)
  assert.equal((await rows()).length, 1)
})

test('dep topo lists blockers first and has a stable order', async (t) => {
  const { idOf, edge, order, rebuild } = await createGraph(t, 'one', 'two', 'three', 'four')
  const all = ['one', 'two', 'three', 'four']
  // All of one age, so sorted by id.
  const byId = (titles: readonly string[]) => titles.toSorted((x, y) => (idOf(x) < idOf(y) ? -1 : 1))
  assert.deepEqual((await order()).titles, byId(all))
  const [first, ...rest] = byId(all) as [string, ...string[]]
  const last = rest.at(-1) as string
  await edge(last, 'blocks', first)
  const { titles } = await order()
  assert.ok(titles.indexOf(last) < titles.indexOf(first), titles.join(' '))
  assert.deepEqual(titles, [...rest, first])
  await rebuild()
  assert.deepEqual((await order()).titles, titles)
})

test('a cycle is detected across both edge types', async (t) => {
  const { idOf, edge, order, append } = await createGraph(t, 'one', 'two', 'three')
  await edge('one', 'depends_on', 'two')
  await edge('three', 'blocks', 'two')
  await assert.rejects(edge('one', 'blocks', 'three'), { code: 'invalid_args' })
  assert.deepEqual(await order(), { titles: ['three', 'two', 'one'], cycles: [] })
  // As after two clones that each wrote a half.
  await append([makeEvent(idOf('one'), { type: 'DependencyAdded', target: idOf('three'), dep_type: 'blocks' })])
  const { titles, cycles } = await order()
  assert.deepEqual([titles.length, cycles.map((cycle) => cycle.length)], [3, [3]])
})
