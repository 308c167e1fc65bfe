/** Tries faults one after another. */
import assert from 'node:assert/strict'
import type { FaultCommandName, FaultSetup } from './fault-setup.ts'
import type { FaultPoint } from './fault-shim.ts'

/**
 * Asserts that every fault is harmless.
 * @returns the exit status or signal of the command for each fault
 */
export async function sweepFaults(
  setup: FaultSetup,
  name: FaultCommandName,
  points: readonly FaultPoint[],
  log: (line: string) => void,
): Promise<string[]> {
  const ends: string[] = []
  const failures: string[] = []
  for (const point of points) {
    try {
      ends.push(await setup.assertHarmless(name, point))
    } catch (error) {
      const { program, call, nth, how } = point
      failures.push(`${how} at ${call} ${nth} of ${program}: ${(error as Error).message}`)
      log(failures.at(-1) ?? '')
    }
  }
  log(`${name}: ${points.length} faults, ${failures.length} not harmless`)
  assert.equal(failures.length, 0, failures.join('\n'))
  return ends
}
