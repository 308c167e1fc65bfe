import { test } from 'node:test'
import { assertClonesConverge } from './memory-scene.ts'

test('clones in memory converge and lose nothing', () => assertClonesConverge(250))
