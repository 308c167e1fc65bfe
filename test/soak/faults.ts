/**
 * Every fault of every command; takes an hour. SOAK_STRIDE=20 tries every twentieth, SOAK_OFFSET=1 starts with the second,
 * SOAK_ONLY=sync,list tries only these commands.
 */
import { describe, it } from 'node:test'
import { createFaultSetup, faultCommandNames } from '../faults/fault-setup.ts'
import { whyNoFaults } from '../faults/fault-shim.ts'
import { sweepFaults } from '../faults/sweep.ts'

const { SOAK_STRIDE = '1', SOAK_OFFSET = '0', SOAK_ONLY } = process.env
const timeout = 24 * 60 * 60_000

describe('faults of commands', { skip: whyNoFaults, timeout }, () => {
  for (const name of faultCommandNames) {
    if (SOAK_ONLY !== undefined && !SOAK_ONLY.split(',').includes(name)) continue
    it(`every fault of ${name} is harmless`, { timeout }, async (t) => {
      const setup = await createFaultSetup(t)
      const points = (await setup.points(name)).filter((_, index) => index % +SOAK_STRIDE === +SOAK_OFFSET)
      await sweepFaults(setup, name, points, (line) => t.diagnostic(line))
    })
  }
})
