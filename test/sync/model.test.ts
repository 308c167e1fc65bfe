import { test } from 'node:test'
import { assertClonesConverge } from './memory-repositories.ts'

test('clones in memory converge and lose nothing', () => assertClonesConverge(250))
