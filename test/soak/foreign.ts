/**
 * A hundred thousand damaged files of every sort that others write. SOAK_FILES and FOREIGN_SEED change their number and
 * which. A seed that finds something belongs into test/long/foreign-files.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foreignFiles, readDamaged } from '../support/foreign-files.ts'

const count = Number(process.env.SOAK_FILES ?? 100_000)

for (const sort of Object.keys(foreignFiles)) {
  test(`${count} damaged files are read or refused: ${sort}`, async (t) => {
    const seed = Number(process.env.FOREIGN_SEED ?? Date.now() % 0x7fff_ffff)
    t.diagnostic(`seed ${seed}`)
    await readDamaged(sort, { seed, count })
    assert.ok(process.resourceUsage().maxRSS < 1024 ** 2, 'less than a gibibyte was needed')
  })
}
