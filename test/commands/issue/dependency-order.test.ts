import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IssueId } from '../../../src/model/index.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'
import { issueMaker } from '../../support/issue-maker.ts'

async function setUp(t: Parameters<typeof createCommandSandbox>[0]) {
  let now = 1_700_000_000_000
  const sandbox = createCommandSandbox(t, { nowUnixMs: () => (now += 1000) })
  const maker = issueMaker(sandbox)
  const titles = new Map<string, string>()
  const create = async (title: string, input: Readonly<Record<string, unknown>> = {}) => {
    const id = await maker.create(title, input)
    titles.set(id, title)
    return id
  }
  const order = async (input: Readonly<Record<string, unknown>> = {}) => {
    const { issues } = (await sandbox.run('issue dep topo', input)) as { issues: readonly { issue_id: string }[] }
    return issues.map(({ issue_id }) => titles.get(issue_id) ?? '?').join(' ')
  }
  const close = (...issue: readonly string[]) => sandbox.run('issue close', { issue })
  /** Adds an edge as another clone may: to any target, without a check for cycles. */
  const addUnchecked = (source: IssueId, target: IssueId) =>
    sandbox.withRepository((repository) =>
      repository.write((draft) => draft.add(source, { type: 'DependencyAdded', target, dep_type: 'depends_on' })),
    )
  return { ...sandbox, ...maker, create, order, close, addUnchecked }
}

test('issue dep topo lists blockers first, then older issues', async (t) => {
  const { create, add, order, close } = await setUp(t)
  const [a, b, c, d] = [
    await create('A'),
    await create('B', { label: ['x'] }),
    await create('C'),
    await create('D', { label: ['x'] }),
  ]
  assert.equal(await order(), 'A B C D')
  await add(b, c)
  await add(c, d)
  assert.equal(await order(), 'A D C B')
  assert.equal(await order({ label: ['x'] }), 'D B', 'through C, which has no such label')
  await add(d, a, 'related_to')
  await close(d)
  assert.equal(await order({ state: 'open' }), 'A C B')
  assert.equal(await order({ state: 'closed' }), 'D')
  await assert.rejects(order({ state: 'Opened' }), { name: 'InvalidArgsError' })
})

test('issue dep topo lists a cycle last and warns about it', async (t) => {
  const { create, add, order, run, addUnchecked, warnings } = await setUp(t)
  const [a, b, c, d] = [await create('A'), await create('B'), await create('C'), await create('D')]
  await add(a, b)
  await add(c, a)
  await addUnchecked(b, a)
  assert.equal(await order(), 'D A B C')
  const { cycles, issues } = (await run('issue dep topo')) as {
    cycles: readonly string[][]
    issues: readonly { issue_id: string; in_cycle: boolean }[]
  }
  assert.deepEqual(cycles, [[a, b]])
  assert.deepEqual(
    issues.filter(({ in_cycle }) => in_cycle).map(({ issue_id }) => issue_id),
    [a, b],
  )
  const [warning] = warnings
  assert.equal(warning?.code, 'dependency-cycle')
  assert.match(warning?.message ?? '', new RegExp(`wait for each other.*${a.slice(0, 7)}, ${b.slice(0, 7)}`))
  // The cycle does not block unrelated edges.
  await add(d, c, 'blocks')
})
