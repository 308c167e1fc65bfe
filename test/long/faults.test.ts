/** Faults spread evenly over the operations of every command; all of them are tried by `npm run soak -- faults`. */
import { describe, it } from 'node:test'
import { createFaultScene, faultCommandNames } from '../faults/fault-scene.ts'
import { whyNoFaults } from '../faults/fault-shim.ts'
import { sweepFaults } from '../faults/sweep.ts'

/** Of each command. */
const faultCount = 5

describe('a fault of the disk, or a kill', { skip: whyNoFaults }, () => {
  for (const name of faultCommandNames) {
    it(`is harmless: ${name}`, async (t) => {
      const scene = await createFaultScene(t)
      const all = await scene.points(name)
      const points = Array.from({ length: faultCount }, (_, index) => {
        const point = all[Math.floor(((index + 0.5) * all.length) / faultCount)]
        if (point === undefined) throw new Error(`${name} has no operations that could fail`)
        return point
      })
      await sweepFaults(scene, name, points, (line) => t.diagnostic(line))
    })
  }
})
