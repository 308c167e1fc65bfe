import { Session } from 'node:inspector'

/**
 * Counts how often the blocks of grite's code run in each of several functions: a measure of work without a clock. Code
 * that ran before is counted by calls alone, so one of these functions should be the first to use it.
 */
export function countSteps(tasks: readonly (() => unknown)[]): number[] {
  const session = new Session()
  session.connect()
  try {
    session.post('Profiler.enable')
    // Blocks are counted only in code compiled from here on, while the session lasts.
    session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
    return tasks.map((task) => {
      takeSteps(session)
      task()
      return takeSteps(session)
    })
  } finally {
    session.disconnect()
  }
}

/** Returns the steps since the last call. */
function takeSteps(session: Session): number {
  let steps = 0
  session.post('Profiler.takePreciseCoverage', (error, { result }) => {
    if (error !== null) throw error
    const own = result.filter(({ url }) => !url.startsWith('node:'))
    for (const { functions } of own) for (const { ranges } of functions) for (const { count } of ranges) steps += count
  })
  return steps
}
