/**
 * Damaged foreign files of every kind: no reader throws an undocumented error, hangs or fills the memory.
 * `npm run soak -- foreign` reads a hundred thousand of each kind.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foreignFiles, readDamaged } from '../support/foreign-files.ts'

/** The default seed, and a seed that once found a fault. */
const seeds = [1, 617_968_519]
const count = 2000

for (const sort of Object.keys(foreignFiles)) {
  test(`${count} damaged files are read or rejected: ${sort}`, async () => {
    for (const seed of seeds) await readDamaged(sort, { seed, count })
    assert.ok(process.resourceUsage().maxRSS < 1024 ** 2, 'less than a gibibyte was needed')
  })
}
