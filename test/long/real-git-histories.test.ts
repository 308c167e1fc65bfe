/** Runs the histories of test/sync/model.test.ts on real repositories. test/soak/sync.ts runs a thousand of them. */
import { test } from 'node:test'
import { playRealHistories } from '../sync/real-repositories.ts'

test('clones with real git converge without loss', async (t) => {
  const seed = Number(process.env.SYNC_SEED ?? Date.now() % 0x7fff_ffff)
  t.diagnostic(`seed ${seed}`)
  await playRealHistories(t, { histories: 50, stepsMax: 6, seed, parallel: 4, checked: 5 })
})
