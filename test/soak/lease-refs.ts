/** git deletes remote refs by name in quadratic time, so this takes a minute or two. */
import { test } from 'node:test'
import { leaveFewLeases } from '../reports/lease-refs.ts'

test('10,000 closed claims leave at most 200 remote refs a day later', (t) => leaveFewLeases(t, 10_000))
