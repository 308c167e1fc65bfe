import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  DependencyGraph,
  dependencyTypes,
  type EdgeList,
  findBlockers,
  findDependencyCycles,
  findWaiting,
  type IssueId,
  type IssueStateWord,
  ordersOf,
  respell,
  type StoredEdge,
  sortByDependencies,
} from '../../../src/model/index.ts'
import { anyGraph, edge, issueNumber, naiveReach } from './arbitrary-graphs.ts'

const [a, b, c, d] = [0, 1, 2, 3].map(issueNumber) as [IssueId, IssueId, IssueId, IssueId]

test('blocks and depends_on give the same order', () => {
  const edges = [edge(0, 1, 'blocks'), edge(1, 0, 'depends_on')]
  assert.deepEqual(ordersOf(edges), [
    { first: a, waits: b },
    { first: a, waits: b },
  ])
  assert.deepEqual(edges.map(respell), edges.toReversed())
  assert.deepEqual(ordersOf([edge(0, 1, 'related_to')]), [])
  assert.deepEqual(respell(edge(0, 1, 'related_to')), edge(1, 0, 'related_to'))
})

test('sorting keeps the given order of independent issues', () => {
  assert.deepEqual(sortByDependencies([c, a, b], []), { sorted: [c, a, b], cycles: [] })
  const { sorted } = sortByDependencies([a, b, c, d], ordersOf([edge(0, 3, 'depends_on'), edge(1, 0, 'blocks')]))
  assert.deepEqual(sorted, [b, c, d, a])
})

test('cycles and their dependents sort last', () => {
  const edges = [edge(0, 1, 'blocks'), edge(0, 1, 'depends_on'), edge(2, 0, 'depends_on')]
  assert.deepEqual(sortByDependencies([c, a, b, d], ordersOf(edges)), { sorted: [d, a, b, c], cycles: [[a, b]] })
})

test('an edge to itself is a cycle of one', () => {
  assert.deepEqual(findDependencyCycles([edge(1, 1, 'blocks'), edge(2, 2, 'related_to')]), [[b]])
})

test('sorting equals the naive choice of the first free issue', () => {
  fc.assert(
    fc.property(anyGraph, ({ ids, edges }) => {
      const { sorted, cycles } = sortByDependencies(ids, ordersOf(edges))
      const inner = edges.filter(({ source, target }) => ids.includes(source) && ids.includes(target))
      const reaches = naiveReach(inner)
      assert.deepEqual(cycles.flat().sort(), ids.filter((id) => reaches(id, id)).sort())
      const together = (id: IssueId) =>
        ids.filter((other) => other === id || (reaches(id, other) && reaches(other, id)))
      const late = (id: IssueId) => ids.some((other) => reaches(other, other) && (other === id || reaches(other, id)))
      const wanted: IssueId[] = []
      for (const group of [ids.filter((id) => !late(id)), ids.filter(late)]) {
        let rest = group
        while (rest.length > 0) {
          const isFree = (id: IssueId) => !rest.some((other) => reaches(other, id) && !reaches(id, other))
          const taken = together(rest.find(isFree) as IssueId)
          wanted.push(...taken)
          rest = rest.filter((id) => !taken.includes(id))
        }
      }
      assert.deepEqual(sorted, wanted)
    }),
  )
})

test('a cycle holds exactly the issues that reach each other', () => {
  fc.assert(
    fc.property(anyGraph, ({ edges }) => {
      const reaches = naiveReach(edges)
      const ids = [...new Set(edges.flatMap(({ source, target }) => [source, target]))].sort()
      const wanted = ids
        .filter((id) => reaches(id, id))
        .map((id) => ids.filter((other) => reaches(id, other) && reaches(other, id)))
        .filter(([first], index, all) => all.findIndex((other) => other[0] === first) === index)
      assert.deepEqual(findDependencyCycles(edges), wanted)
    }),
  )
})

test('a changing graph finds a path exactly where one exists', () => {
  fc.assert(
    fc.property(anyGraph, fc.array(fc.nat(17)), ({ ids, edges }, removals) => {
      const graph = new DependencyGraph(edges)
      let standing: StoredEdge[] = edges
      for (const index of removals) {
        const gone = edges[index]
        if (gone === undefined) continue
        graph.set(gone, false)
        standing = standing.filter((one) => JSON.stringify(one) !== JSON.stringify(gone))
      }
      const reaches = naiveReach(standing)
      const orders = ordersOf(standing)
      for (const first of ids) {
        for (const last of ids) {
          const path = graph.findPath(first, last)
          assert.equal(path !== undefined, first === last || reaches(first, last))
          for (const [index, waits] of (path ?? []).slice(1).entries()) {
            assert.ok(orders.some((order) => order.first === path?.[index] && order.waits === waits))
          }
          assert.deepEqual([path?.[0] ?? first, path?.at(-1) ?? last], [first, last])
        }
      }
    }),
  )
})

test('an open issue waits for open and unknown issues only', () => {
  const states: readonly (readonly [IssueId, IssueStateWord])[] = [
    [a, 'open'],
    [b, 'open'],
    [c, 'closed'],
  ]
  const known = new Map(states.map(([issueId, state]) => [issueId, { issueId, state }]))
  const edges = [
    edge(0, 1, 'depends_on'),
    edge(0, 2, 'depends_on'),
    edge(0, 3, 'depends_on'),
    edge(1, 0, 'blocks'),
    edge(0, 2, 'related_to'),
    edge(2, 0, 'depends_on'),
    edge(2, 0, 'blocks'),
    edge(3, 2, 'blocks'),
    edge(3, 1, 'depends_on'),
  ]
  const waiting = findBlockers(edges, (id) => known.get(id))
  assert.deepEqual(
    [...waiting],
    [
      [
        a,
        [
          { issueId: b, isKnown: true, through: ['blocks', 'depends_on'] },
          { issueId: d, isKnown: false, through: ['depends_on'] },
        ],
      ],
    ],
  )
  const { heldUp, unsure } = findWaiting(listsOf(edges), (id) => known.get(id))
  assert.deepEqual([[...heldUp], [...unsure]], [[a], [a]])
})

/** The edges as a store keeps them: by source. */
function listsOf(edges: readonly StoredEdge[]): EdgeList[] {
  const sources = [...new Set(edges.map(({ source }) => source))]
  return sources.map((source) => {
    const own = edges.filter((one) => one.source === source)
    const at = (index: number) => own[index] as StoredEdge
    return { source, count: own.length, typeAt: (index) => at(index).type, targetAt: (index) => at(index).target }
  })
}

test('the issues that wait are those with blockers', () => {
  const node = fc.nat({ max: 5 })
  const type = fc.constantFrom(...dependencyTypes)
  const anyEdges = fc.array(fc.tuple(node, node, type), { maxLength: 15 })
  const anyStates = fc.array(fc.constantFrom('open', 'closed', null), { minLength: 6, maxLength: 6 })
  fc.assert(
    fc.property(anyEdges, anyStates, (numbers, states) => {
      const edges = numbers.map(([from, to, kind]) => edge(from, to, kind))
      const find = (issueId: IssueId) => {
        const state = states.find((_, number) => issueNumber(number) === issueId)
        return state == null ? undefined : { issueId, state }
      }
      const blockers = [...findBlockers(edges, find)]
      const idsWith = (wanted: boolean) =>
        blockers.filter(([, all]) => all.some(({ isKnown }) => isKnown === wanted)).map(([id]) => id)
      const { heldUp, unsure } = findWaiting(listsOf(edges), find)
      assert.deepEqual([[...heldUp].sort(), [...unsure].sort()], [idsWith(true).sort(), idsWith(false).sort()])
    }),
  )
})

test('a chain or cycle of a hundred thousand issues is sorted', () => {
  const count = 100_000
  const ids = Array.from({ length: count }, (_, number) => issueNumber(number))
  const chain = ids.slice(1).map((_, number) => edge(number + 1, number, 'depends_on'))
  assert.deepEqual(sortByDependencies(ids.toReversed(), ordersOf(chain)), { sorted: ids, cycles: [] })
  assert.equal(new DependencyGraph(chain).findPath(a, ids.at(-1) as IssueId)?.length, count)
  assert.deepEqual(findDependencyCycles(chain), [])

  const cycle = [...chain, edge(0, count - 1, 'depends_on')]
  assert.deepEqual(sortByDependencies(ids, ordersOf(cycle)), { sorted: ids, cycles: [ids] })
  assert.deepEqual(findDependencyCycles(cycle), [ids])
})

test('a complete graph is walked once per edge', () => {
  const count = 300
  const ids = Array.from({ length: count }, (_, number) => issueNumber(number))
  const edges = ids.flatMap((_, from) => ids.map((_, to) => edge(from, to, 'blocks')))
  assert.deepEqual(findDependencyCycles(edges), [ids])
  assert.deepEqual(sortByDependencies(ids, ordersOf(edges)).sorted, ids)
})
