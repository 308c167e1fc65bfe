import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Incarnation, StreamId } from '../../../src/model/streams/index.ts'
import { Lineages } from '../../../src/tracker/streams/lineage.ts'
import { graphOf } from '../../../src/tracker/streams/stream-tree.ts'
import type { StreamSummary } from '../../../src/wal/streams/index.ts'

/** `child` of `parent@offset`, with records up to `end`. */
function summary(
  id: string,
  end: number,
  parents: readonly (readonly [id: string, bound: number])[] = [],
): StreamSummary {
  const kind = parents.length === 0 ? 'root' : parents.length === 1 ? 'branch' : 'merge'
  // Only what the walks read.
  return {
    streamId: id as StreamId,
    incarnation: incarnationOf(id),
    generation: 0,
    kind,
    state: 'live',
    nextOffset: end,
    firstOffset: 0,
    parents: parents.map(([parent, offset]) => ({
      streamId: parent as StreamId,
      incarnation: incarnationOf(parent),
      offset,
      root: '',
    })),
  } as unknown as StreamSummary
}

const incarnationOf = (id: string) => id.padStart(16, '0') as Incarnation

const root = summary('a', 10)
const left = summary('b', 12, [['a', 5]])
const right = summary('c', 9, [['a', 7]])
const deep = summary('d', 8, [['b', 4]])
const merged = summary('m', 20, [
  ['b', 12],
  ['c', 9],
])
const lineages = new Lineages([root, left, right, deep, merged])

const shown = (list: ReturnType<Lineages['ancestors']>) =>
  list.map(
    ({ depth, parent, summary: found }) => `${depth} ${found?.streamId ?? '?'} of ${parent.streamId}@${parent.offset}`,
  )

test('ancestors and descendants are found once, nearest first', () => {
  assert.deepEqual(shown(lineages.ancestors(merged)), ['1 b of b@12', '1 c of c@9', '2 a of a@5'])
  assert.deepEqual(shown(lineages.descendants(root)), ['1 b of a@5', '1 c of a@7', '2 d of b@4', '2 m of b@12'])
  assert.deepEqual(shown(new Lineages([deep]).ancestors(deep)), ['1 ? of b@4'])
})

test('the common prefix is the shortest bound on the way to a common ancestor', () => {
  const common = (one: StreamSummary, other: StreamSummary) => {
    const found = lineages.commonPrefix(one, other)
    return found === null ? null : `${found.streamId}@${found.offset}`
  }
  assert.equal(common(left, right), 'a@5')
  assert.equal(common(deep, right), 'a@4')
  assert.equal(common(deep, left), 'b@4')
  assert.equal(common(root, left), 'a@5')
  assert.equal(common(root, root), 'a@10')
  assert.equal(common(root, summary('z', 1)), null)
})

test('a lineage that leads back to itself ends the walks', () => {
  const one = summary('x', 3, [['y', 1]])
  const two = summary('y', 3, [['x', 1]])
  const circle = new Lineages([one, two])
  assert.equal(circle.ancestors(one).length, 1)
  assert.equal(circle.commonPrefix(one, two)?.offset, 1)
  assert.equal(graphOf(circle, [one, two]).tree.length, 3)
})

test('a chain of 10,000 branches is walked without recursion', () => {
  const chain = [summary('0', 1)]
  for (let index = 1; index < 10_000; index++) chain.push(summary(`${index}`, 1, [[`${index - 1}`, 1]]))
  const long = new Lineages(chain)
  const last = chain.at(-1) as StreamSummary
  assert.equal(long.ancestors(last).length, 9999)
  assert.equal(long.commonPrefix(chain[0] as StreamSummary, last)?.streamId, '0')
  assert.equal(graphOf(long, chain).tree.at(-1)?.depth, 9999)
})

test('a graph has each stream once, and draws a merge below each source', () => {
  const { nodes, edges, tree } = graphOf(lineages, [left, right, merged])
  assert.deepEqual(
    nodes.map(({ stream, kind }) => [stream, kind]),
    [
      ['b', 'branch'],
      ['c', 'branch'],
      ['m', 'merge'],
      ['a', 'root'],
    ],
  )
  assert.deepEqual(edges.map(({ from, to, fork_offset }) => [from, to, fork_offset]).sort(), [
    [0, 2, 11],
    [1, 2, 8],
    [3, 0, 4],
    [3, 1, 6],
  ])
  assert.deepEqual(
    tree.map(({ node, depth, cut }) => `${'  '.repeat(depth)}${nodes[node]?.stream}${cut === null ? '' : '*'}`),
    ['a', '  b', '    m', '  c', '    m*'],
  )
})
