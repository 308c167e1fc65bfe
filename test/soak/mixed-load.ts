/** Readers and writers of one store beside processes and a git that moves the log back. SOAK_ROUNDS changes the number of rounds. */
import { test } from 'node:test'
import { runMixedLoad } from '../support/mixed-load.ts'

const rounds = Number(process.env.SOAK_ROUNDS ?? 20)

for (let round = 1; round <= rounds; round++) {
  test(`mixed load ${round} of ${rounds}: 2,000 requests beside four processes`, { timeout: 30 * 60_000 }, (t) =>
    runMixedLoad(t, { requests: 2000, processes: 4, writesPerProcess: 10 }),
  )
}
