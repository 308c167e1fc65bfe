import { test } from 'node:test'
import { assertClonesConverge } from '../sync/memory-scene.ts'

test('clones in memory converge and lose nothing, in many histories', () => assertClonesConverge(2000))
