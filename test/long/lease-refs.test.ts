import { test } from 'node:test'
import { leaveFewLeases } from '../reports/lease-refs.ts'

test('2,000 closed claims leave at most 200 lease refs after a day', (t) => leaveFewLeases(t, 2000))
