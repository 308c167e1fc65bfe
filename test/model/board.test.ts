import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareStatuses, statusOf } from '../../src/model/index.ts'

test('statuses are in the order of the work, then by name', () => {
  const statuses = ['zeta', 'blocked', 'In Progress', 'alpha', 'review', 'todo', 'open', 'in_progress', 'deferred']
  assert.deepEqual(statuses.sort(compareStatuses), [
    ...['open', 'todo', 'In Progress', 'in_progress', 'review', 'blocked', 'deferred'],
    ...['alpha', 'zeta'],
  ])
})

test('an issue without a status is in the column open', () => {
  assert.deepEqual([statusOf({}), statusOf({ status: 'doing' })], ['open', 'doing'])
})
