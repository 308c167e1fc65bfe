/** Tries faults one after the other. */
import assert from 'node:assert/strict'
import type { FaultCommandName, FaultScene } from './fault-scene.ts'
import type { FaultPoint } from './fault-shim.ts'

/**
 * Asserts that none of the faults does harm.
 * @returns how the commands ended: an exit status or a signal for each fault
 */
export async function sweepFaults(
  scene: FaultScene,
  name: FaultCommandName,
  points: readonly FaultPoint[],
  tell: (line: string) => void,
): Promise<string[]> {
  const ends: string[] = []
  const failures: string[] = []
  for (const point of points) {
    try {
      ends.push(await scene.assertHarmless(name, point))
    } catch (error) {
      const { program, call, nth, how } = point
      failures.push(`${how} at ${call} ${nth} of ${program}: ${(error as Error).message}`)
      tell(failures.at(-1) ?? '')
    }
  }
  tell(`${name}: ${points.length} faults, ${failures.length} not harmless`)
  assert.equal(failures.length, 0, failures.join('\n'))
  return ends
}
