import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type IssueId, layOutForest, type TreeLink, type TreeRow, treeDepthMax } from '../../../src/model/index.ts'
import { anyGraph, issueNumber } from './arbitrary-graphs.ts'

const link = (parent: number, child: number): TreeLink => ({ parent: issueNumber(parent), child: issueNumber(child) })
const numbers = (count: number) => Array.from({ length: count }, (_, number) => issueNumber(number))
const draw = (rows: readonly TreeRow[]) =>
  rows.map(({ issueId, depth, cut }) => `${'.'.repeat(depth)}${Number.parseInt(issueId, 16)}${cut ? ` ${cut}` : ''}`)

const cases: readonly (readonly [title: string, count: number, links: readonly TreeLink[], rows: readonly string[]])[] =
  [
    ['issues without a parent are roots', 3, [link(2, 0)], ['1', '2', '.0']],
    ['children follow the order of their links', 4, [link(0, 3), link(0, 1), link(1, 2)], ['0', '.3', '.1', '..2']],
    [
      'a child of two parents is unfolded once',
      4,
      [link(0, 1), link(0, 2), link(1, 3), link(2, 1)],
      ['0', '.1', '..3', '.2', '..1 repeated'],
    ],
    ['a repeated leaf is not marked', 3, [link(0, 2), link(1, 2)], ['0', '.2', '1', '.2']],
    ['a cycle is cut where it closes', 3, [link(1, 2), link(2, 1)], ['0', '1', '.2', '..1 cycle']],
    ['an issue that is its own child is cut', 1, [link(0, 0)], ['0', '.0 cycle']],
    ['links to unknown issues are ignored', 1, [link(0, 5), link(5, 0)], ['0']],
  ]

for (const [title, count, links, rows] of cases) {
  test(title, () => assert.deepEqual(draw(layOutForest(numbers(count), links)), rows))
}

test('a forest of one root shows only its descendants', () => {
  assert.deepEqual(draw(layOutForest(numbers(4), [link(0, 1), link(1, 2), link(3, 1)], issueNumber(1))), ['1', '.2'])
})

test('a forest shows every issue and every link once', () => {
  fc.assert(
    fc.property(anyGraph, ({ ids, edges }) => {
      const links = edges.map(({ source, target }) => ({ parent: source, child: target }))
      const rows = layOutForest(ids, links)
      assert.deepEqual([...new Set(rows.map(({ issueId }) => issueId))].sort(), [...ids].sort())
      const path: IssueId[] = []
      const shown: TreeLink[] = []
      for (const { issueId, depth } of rows) {
        path.length = depth
        if (depth > 0) shown.push({ parent: path[depth - 1] as IssueId, child: issueId })
        path.push(issueId)
      }
      const inner = links.filter(({ parent, child }) => ids.includes(parent) && ids.includes(child))
      const asText = ({ parent, child }: TreeLink) => `${parent} ${child}`
      assert.deepEqual(shown.map(asText).sort(), inner.map(asText).sort())
    }),
  )
})

test('a chain of a hundred thousand issues is cut', () => {
  const ids = numbers(100_000)
  const links = ids.slice(1).map((_, number) => link(number, number + 1))
  const rows = layOutForest(ids, links)
  assert.equal(rows.length, treeDepthMax + 1)
  assert.equal(rows.at(-1)?.cut, 'deep')
  assert.equal(rows.at(-2)?.cut, null)
})
