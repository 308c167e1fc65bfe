import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ancestorsOf,
  baseOffsets,
  descendantsOf,
  graphAsDot,
  graphAsMermaid,
  graphAsText,
  type LineageGraph,
  type LineageNode,
  mergeBases,
} from '../../../src/model/streams/index.ts'

function graph(...nodes: readonly LineageNode[]): LineageGraph {
  return new Map(nodes.map((node) => [node.id, node]))
}
const root = (id: string, ...joins: LineageNode['joins']): LineageNode => ({ id, kind: 'root', joins })
const branch = (id: string, parent: string, offset: number, ...merged: LineageNode['joins']): LineageNode => ({
  id,
  kind: 'branch',
  joins: [{ id: parent, offset, from: offset }, ...merged],
})
const at = (id: string, offset: number) => ({ id, offset })

const family = graph(root('p'), branch('a', 'p', 3), branch('b', 'p', 7), branch('aa', 'a', 5), branch('low', 'aa', 2))

const bases: readonly (readonly [
  name: string,
  graph: LineageGraph,
  positions: Parameters<typeof mergeBases>[1],
  bases: ReturnType<typeof mergeBases>,
])[] = [
  ['of a branch and its parent is the fork', family, [at('p', 20), at('b', 9)], [at('p', 7)]],
  ['of a branch and a parent that ends before the fork is that end', family, [at('p', 5), at('b', 9)], [at('p', 5)]],
  ['of two branches is the lower fork', family, [at('a', 9), at('b', 9)], [at('p', 3)]],
  ['of a branch of a branch', family, [at('aa', 9), at('a', 9)], [at('a', 5)]],
  ['of a branch below the fork of its parent', family, [at('low', 9), at('a', 9)], [at('p', 2)]],
  ['of unrelated streams does not exist', graph(root('x'), root('y')), [at('x', 1), at('y', 1)], []],
  [
    'of crossing merges are both',
    graph(root('x', { id: 'y', offset: 4, from: 6 }), root('y', { id: 'x', offset: 3, from: 8 })),
    [at('x', 9), at('y', 9)],
    [at('x', 3), at('y', 4)],
  ],
  [
    'before a merge does not count it',
    graph(root('x', { id: 'y', offset: 4, from: 6 }), root('y')),
    [at('x', 5), at('y', 9)],
    [],
  ],
  ['of three is what all contain', family, [at('a', 9), at('b', 9), at('aa', 9)], [at('p', 3)]],
  [
    'of a cycle ends',
    graph(root('x', { id: 'y', offset: 1, from: 0 }), root('y', { id: 'x', offset: 1, from: 0 })),
    [at('x', 1), at('y', 1)],
    [],
  ],
]
for (const [name, lineage, positions, expected] of bases) {
  test(`the merge base ${name}`, () => {
    assert.deepEqual(mergeBases(lineage, positions), expected)
    assert.deepEqual(mergeBases(lineage, positions.toReversed()), expected)
  })
}

test('the base offset of a source is what the target or an earlier source holds', () => {
  assert.deepEqual(baseOffsets(family, at('p', 20), [at('a', 9), at('b', 9)]), [3, 7])
  assert.deepEqual(baseOffsets(family, null, [at('a', 9), at('b', 9)]), [3, 3])
  assert.deepEqual(baseOffsets(family, null, [at('p', 9), at('aa', 9), at('a', 8)]), [3, 3, 5])
  assert.deepEqual(baseOffsets(family, null, [at('a', 9)]), [9])
  const merged = graph(root('t', { id: 's', offset: 4, from: 6 }), root('s'))
  assert.deepEqual(baseOffsets(merged, at('t', 5), [at('s', 9)]), [0])
  assert.deepEqual(baseOffsets(merged, at('t', 6), [at('s', 9)]), [4])
})

test('ancestors and descendants are found at any depth', () => {
  assert.deepEqual(ancestorsOf(family, 'low'), [at('aa', 2), at('a', 2), at('p', 2)])
  assert.deepEqual(descendantsOf(family, 'p'), ['a', 'b', 'aa', 'low'])
  const chain = graph(
    root('0'),
    ...Array.from({ length: 5000 }, (_, level) => branch(`${level + 1}`, `${level}`, level + 1)),
  )
  assert.equal(ancestorsOf(chain, '5000').length, 5000)
  assert.equal(graphAsText(chain).split('\n').length, 5001)
})

const drawn = graph(root('p'), branch('a"]\n', 'p', 3), {
  id: 'm',
  kind: 'merge',
  joins: [{ id: 'a"]\n', offset: 9, from: 0 }],
})

test('a graph is drawn as text', () => {
  assert.equal(graphAsText(drawn), ['p', '  a"]\\n from p@3', '    m merges a"]\\n@9'].join('\n'))
  const cycle = graph(branch('x', 'y', 1), branch('y', 'x', 1))
  assert.equal(graphAsText(cycle).split('\n').length, 2)
})

test('ids are escaped in Mermaid and DOT', () => {
  assert.equal(
    graphAsMermaid(drawn),
    ['flowchart TD', '  s0["a#34;]#92;n"]', '  s1["m"]', '  s2["p"]', '  s2 -->|3| s0', '  s0 -.->|9| s1'].join('\n'),
  )
  assert.ok(graphAsDot(drawn).includes('s0 [label="a\\"]\\\\n"];'))
  assert.ok(graphAsDot(drawn).includes('s0 -> s1 [label="9", style=dashed];'))
})
