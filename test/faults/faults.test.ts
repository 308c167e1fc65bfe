/** A few faults of each kind in different commands; test/long has more, and `npm run soak -- faults` tries all. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFaultSetup, type FaultCommandName } from './fault-setup.ts'
import { type FaultCall, type FaultKind, type FaultProgram, whyNoFaults } from './fault-shim.ts'
import { sweepFaults } from './sweep.ts'

/** The last column selects the failing operation, from the first (0) to the last (1). */
const faults: readonly (readonly [FaultCommandName, FaultProgram, FaultCall, FaultKind, number])[] = [
  ['create', 'node', 'write', 'ENOSPC', 0.5],
  ['create', 'node', 'rename', 'kill', 1],
  ['create', 'node', 'fsync', 'EIO', 0.9],
  ['claim', 'node', 'fsync', 'EIO', 0.4],
  ['claim', 'node', 'link', 'kill', 0],
  ['undo', 'node', 'read', 'EIO', 0.8],
  ['undo', 'node', 'mkdir', 'EACCES', 0],
  ['list', 'node', 'openr', 'EACCES', 0.5],
  ['list', 'node', 'unlink', 'kill', 0],
  ['rebuild', 'node', 'openw', 'ENOSPC', 0.5],
  ['rebuild', 'node', 'fsync', 'kill', 0.9],
  ['sync', 'git', 'map', 'EIO', 0.5],
  ['sync', 'git', 'write', 'kill', 0.6],
  ['sync', 'node', 'rename', 'EIO', 0.5],
]

describe('disk faults and kills', { skip: whyNoFaults }, () => {
  it('a disk fault or kill loses no event and is reported truthfully', async (t) => {
    const setup = await createFaultSetup(t)
    const ends: string[] = []
    for (const [name, program, call, how, part] of faults) {
      const points = (await setup.points(name)).filter(
        (point) => point.program === program && point.call === call && point.how === how,
      )
      const point = points[Math.round(part * (points.length - 1))]
      if (point === undefined) throw new Error(`${name} has no ${call} in ${program}`)
      ends.push(...(await sweepFaults(setup, name, [point], (line) => t.diagnostic(line))))
    }
    // Each kind of end must occur, or the faults were never reached.
    for (const end of ['0', '5', 'SIGKILL']) assert.ok(ends.includes(end), ends.join(' '))
  })
})
