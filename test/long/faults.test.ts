/** Faults spread evenly over the operations of every command; `npm run soak -- faults` tries all of them. */
import { describe, it } from 'node:test'
import { createFaultSetup, faultCommandNames } from '../faults/fault-setup.ts'
import { whyNoFaults } from '../faults/fault-shim.ts'
import { sweepFaults } from '../faults/sweep.ts'

/** Number of faults tried per command. */
const faultCount = 5

describe('disk faults and kills', { skip: whyNoFaults }, () => {
  for (const name of faultCommandNames) {
    it(`disk faults and kills during '${name}' are harmless`, async (t) => {
      const setup = await createFaultSetup(t)
      const all = await setup.points(name)
      const points = Array.from({ length: faultCount }, (_, index) => {
        const point = all[Math.floor(((index + 0.5) * all.length) / faultCount)]
        if (point === undefined) throw new Error(`${name} has no operations that can fail`)
        return point
      })
      await sweepFaults(setup, name, points, (line) => t.diagnostic(line))
    })
  }
})
