import { test } from 'node:test'
import { assertClonesConverge } from '../sync/memory-repositories.ts'

test('clones in memory converge without loss in 2,000 random histories', () => assertClonesConverge(2000))
