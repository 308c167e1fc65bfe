/** Graphs of few issues with many edges, so that cycles, doubles and both spellings are common. */
import fc from 'fast-check'
import { type DependencyType, dependencyTypes, type IssueId, type StoredEdge } from '../../../src/model/index.ts'

export const issueNumber = (number: number): IssueId => number.toString(16).padStart(32, '0') as IssueId

export const edge = (source: number, target: number, type: DependencyType): StoredEdge => ({
  source: issueNumber(source),
  target: issueNumber(target),
  type,
})

const anyEdge = (count: number): fc.Arbitrary<StoredEdge> => {
  const number = fc.nat(count - 1)
  return fc.tuple(number, number, fc.constantFrom(...dependencyTypes)).map((parts) => edge(...parts))
}

/** Issues in any order, and edges between some of them. */
export const anyGraph = fc.integer({ min: 1, max: 9 }).chain((count) =>
  fc.record({
    ids: fc.shuffledSubarray(
      Array.from({ length: count }, (_, number) => issueNumber(number)),
      { minLength: 1 },
    ),
    edges: fc.array(anyEdge(count), { maxLength: 2 * count }),
  }),
)

/** Which issue waits, directly or not, for which: the transitive closure, by its definition. */
export function naiveReach(edges: readonly StoredEdge[]): (first: IssueId, waits: IssueId) => boolean {
  const pairs = new Set<string>()
  for (const { source, target, type } of edges) {
    if (type === 'blocks') pairs.add(`${source} ${target}`)
    if (type === 'depends_on') pairs.add(`${target} ${source}`)
  }
  for (let before = -1; before !== pairs.size; ) {
    before = pairs.size
    for (const left of [...pairs]) {
      for (const right of [...pairs]) {
        const [first, middle] = left.split(' ')
        const [other, last] = right.split(' ')
        if (middle === other) pairs.add(`${first} ${last}`)
      }
    }
  }
  return (first, waits) => pairs.has(`${first} ${waits}`)
}
