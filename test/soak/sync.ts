/**
 * A thousand random histories of three clones and two remotes, with real git.
 *
 * SOAK_HISTORIES and SYNC_SEED set their number and seed.
 */
import { test } from 'node:test'
import { playRealHistories } from '../sync/real-repositories.ts'

const histories = Number(process.env.SOAK_HISTORIES ?? 1000)

test(`${histories} random histories converge with real git`, async (t) => {
  const seed = Number(process.env.SYNC_SEED ?? Date.now() % 0x7fff_ffff)
  t.diagnostic(`seed ${seed}`)
  await playRealHistories(t, { histories, stepsMax: 14, seed, parallel: 4, checked: 50 })
})
