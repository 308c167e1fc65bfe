/** The cost of sorting by dependencies, in steps. Alone in its file, because nothing else may run the counted code first. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IssueId, type Order, sortByDependencies } from '../../../src/model/index.ts'
import { countSteps } from '../../support/count-steps.ts'

test('sorting a dependency cycle takes linear time', () => {
  const idOf = (number: number) => number.toString(16).padStart(32, '0') as IssueId
  const sizes = [1000, 2000]
  const works = sizes.map((size) => {
    const ids = Array.from({ length: size }, (_, index) => idOf(index))
    const orders = ids.map((first, index): Order => ({ first, waits: ids[(index + 1) % size] as IssueId }))
    return () => assert.equal(new Set(sortByDependencies(ids, orders).sorted).size, size)
  })
  const [steps = 0, stepsOfTwice = 0] = countSteps(works)
  assert.ok(steps > 10_000, `${steps} steps`)
  assert.ok(stepsOfTwice < 2.2 * steps, `${steps} steps for 1000 issues, ${stepsOfTwice} for 2000`)
})
