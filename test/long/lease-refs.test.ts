import { test } from 'node:test'
import { leaveFewLeases } from '../reports/lease-refs.ts'

test('2,000 claimed and closed issues leave at most 200 refs on the remote a day later', (t) => leaveFewLeases(t, 2000))
