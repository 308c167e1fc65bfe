import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findWaitingParents, type IssueId, isPartOf } from '../../src/model/index.ts'

/** Which issues have a waiting parent, when these `child>parent` edges exist. */
function findIn(edges: string, waiting: string): string {
  const parents = new Map(edges.split(' ').map((edge) => edge.split('>') as [IssueId, IssueId]))
  const hasWaitingParent = findWaitingParents({
    parentOf: (id) => parents.get(id) ?? null,
    isWaiting: (id) => waiting.includes(id),
  })
  return [...parents.keys()].filter(hasWaitingParent).join('')
}

test('parts at any distance wait with their parent', () => {
  assert.equal(findIn('b>a c>b d>c e>x', 'a'), 'bcd')
  assert.equal(findIn('d>c c>b b>a e>x', 'b'), 'dc')
  assert.equal(findIn('b>a c>b', 'c'), '')
})

test('an issue is part of every parent above it', () => {
  const parents = new Map(['b>a', 'c>b', 'x>y', 'y>x'].map((edge) => edge.split('>') as [IssueId, IssueId]))
  const isPart = (part: string, whole: string) =>
    isPartOf(part as IssueId, whole as IssueId, (id) => parents.get(id) ?? null)
  assert.deepEqual([isPart('b', 'a'), isPart('c', 'a'), isPart('a', 'b'), isPart('a', 'a')], [true, true, false, false])
  assert.deepEqual([isPart('x', 'x'), isPart('x', 'a')], [true, false])
})

test('a cycle of parents ends', () => {
  assert.equal(findIn('a>b b>a c>a', ''), '')
  assert.equal(findIn('a>b b>a c>a', 'a'), 'abc')
  assert.equal(findIn('a>a b>a', 'a'), 'ab')
})

test('a chain of a hundred thousand parents is walked once', () => {
  const edges = Array.from({ length: 100_000 }, (_, index) => `${index}>${index + 1}`)
  assert.equal(findIn(edges.join(' '), 'x'), '')
})
