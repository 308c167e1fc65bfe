/**
 * A hundred thousand damaged files of every foreign format, and a hundred damaged remotes. SOAK_FILES,
 * SOAK_REMOTES and FOREIGN_SEED set their number and seed. Add a seed that finds something to
 * test/long/foreign-files.test.ts or test/long/damaged-remote.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foreignFiles, readDamaged } from '../support/foreign-files.ts'
import { playDamagedRemote } from '../sync/damaged-remote.ts'

const remotes = Number(process.env.SOAK_REMOTES ?? 100)
const firstSeed = Number(process.env.FOREIGN_SEED ?? Date.now() % 0x7fff_ffff)
const count = Number(process.env.SOAK_FILES ?? 100_000)

for (const sort of Object.keys(foreignFiles)) {
  test(`${count} damaged ${sort} files are read or refused`, async (t) => {
    t.diagnostic(`seed ${firstSeed}`)
    await readDamaged(sort, { seed: firstSeed, count })
    assert.ok(process.resourceUsage().maxRSS < 1024 ** 2, 'less than a gibibyte was needed')
  })
}

for (let seed = firstSeed; seed < firstSeed + remotes; seed++) {
  test(`a damaged remote causes no internal error (seed ${seed})`, (t) => playDamagedRemote(t, seed))
}
