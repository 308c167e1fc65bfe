import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IssueId } from '../../../src/model/index.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'
import { issueMaker } from '../../support/issue-maker.ts'
import { issueId } from '../../support/log.ts'

interface Graph {
  readonly nodes: readonly { readonly title: string; readonly state: string | null; readonly short_id: string }[]
  readonly edges: readonly { readonly from: string; readonly to: string; readonly types: readonly string[] }[]
  readonly tree: readonly { readonly issue_id: string; readonly depth: number; readonly cut: string | null }[]
  readonly cycles: readonly (readonly string[])[]
}

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
  const name = (id: string) => titles.get(id) ?? '?'
  const graph = async (input: Readonly<Record<string, unknown>> = {}) =>
    (await sandbox.run('issue dep graph', input)) as Graph
  const tree = async (input: Readonly<Record<string, unknown>> = {}) =>
    (await graph(input)).tree.map(
      ({ issue_id, depth, cut }) => `${'.'.repeat(depth)}${name(issue_id)}${cut === null ? '' : ` ${cut}`}`,
    )
  const close = (...issue: readonly string[]) => sandbox.run('issue close', { issue })
  return { ...sandbox, ...maker, create, name, graph, tree, close }
}

test('issue dep graph lists below each issue its blockers', async (t) => {
  const { create, add, tree, close } = await setUp(t)
  const [a, b, c] = [await create('A'), await create('B'), await create('C')]
  const d = await create('D')
  await create('alone')
  await add(a, b)
  await add(c, a, 'blocks')
  await add(b, c)
  await add(d, b)
  await add(d, a, 'related_to')
  assert.deepEqual(await tree(), ['A', '.B', '..C', '.C', 'D', '.B repeated'])
  assert.deepEqual(await tree({ reverse: true }), ['C', '.A', '.B', '..A', '..D'])
  assert.deepEqual(await tree({ issue: b }), ['B', '.C'])
  assert.deepEqual(await tree({ issue: b, reverse: true }), ['B', '.A', '.D'])
  await close(b)
  assert.deepEqual(await tree({ state: 'open' }), ['A', '.C'])
  assert.deepEqual(await tree({ issue: b, state: 'open' }), ['B', '.C'])
})

test('graph edges point away from blockers, one per pair of issues', async (t) => {
  const { create, add, graph, withRepository, name } = await setUp(t)
  const [a, b, c] = [await create('A'), await create('B'), await create('C')]
  const absent = issueId('abcd')
  await withRepository((repository) =>
    repository.write(async (draft) => {
      await draft.add(a, { type: 'DependencyAdded', target: b, dep_type: 'blocks' })
      await draft.add(b, { type: 'DependencyAdded', target: a, dep_type: 'depends_on' })
      await draft.add(b, { type: 'DependencyAdded', target: absent, dep_type: 'depends_on' })
    }),
  )
  await add(b, c, 'related_to')
  const { edges, nodes } = await graph()
  const [low, high] = [b, c].sort() as [IssueId, IssueId]
  assert.deepEqual(
    edges.map(({ from, to, types }) => `${name(from)} ${name(to)} ${types.join()}`).sort(),
    ['? B depends_on', 'A B blocks,depends_on', `${name(low)} ${name(high)} related_to`].sort(),
  )
  assert.deepEqual(
    nodes.map(({ title, state }) => [title, state]),
    [
      ['A', 'open'],
      ['B', 'open'],
      ['C', 'open'],
      ['?', null],
    ],
  )
  assert.equal(nodes.at(-1)?.short_id, absent)
})

test('issue dep graph --parents lists below each issue its parts', async (t) => {
  const { create, tree, warnings } = await setUp(t)
  const epic = await create('Epic')
  const part = await create('Part', { parent: epic })
  await create('Other')
  const leaf = await create('Leaf', { parent: part })
  assert.deepEqual(await tree({ parents: true }), ['Epic', '.Part', '..Leaf'])
  assert.deepEqual(await tree({ parents: true, issue: leaf, reverse: true }), ['Leaf', '.Part', '..Epic'])
  assert.deepEqual(warnings, [])
})

test('issue dep graph --parents marks and warns about a parent cycle', async (t) => {
  // Two clones may concurrently make two issues parts of each other.
  const { create, tree, withRepository, warnings } = await setUp(t)
  const epic = await create('Epic')
  const part = await create('Part', { parent: epic })
  await withRepository((repository) =>
    repository.write((draft) => draft.add(epic, { type: 'LabelAdded', label: `parent:${part}` })),
  )
  assert.deepEqual(await tree({ parents: true }), ['Epic', '.Part', '..Epic cycle'])
  assert.match(warnings[0]?.message ?? '', /are parts of each other/)
})
