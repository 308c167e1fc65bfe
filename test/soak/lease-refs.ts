/** git takes quadratic time to delete refs of a remote by name, so that this takes a minute or two. */
import { test } from 'node:test'
import { leaveFewLeases } from '../reports/lease-refs.ts'

test('10,000 claimed and closed issues leave at most 200 refs on the remote a day later', (t) =>
  leaveFewLeases(t, 10_000))
