import { Session } from 'node:inspector'

/**
 * Counts how often the blocks of our code run in each of several works: a measure that knows no clock. What has run
 * before is counted by calls alone, so that the first to use a function should be one of the works.
 */
export function countSteps(works: readonly (() => unknown)[]): number[] {
  const session = new Session()
  session.connect()
  try {
    session.post('Profiler.enable')
    // Blocks are counted in what is compiled from here on, and only as long as the session lasts.
    session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
    return works.map((work) => {
      takeSteps(session)
      work()
      return takeSteps(session)
    })
  } finally {
    session.disconnect()
  }
}

/** Steps since the last time. */
function takeSteps(session: Session): number {
  let steps = 0
  session.post('Profiler.takePreciseCoverage', (error, { result }) => {
    if (error !== null) throw error
    const ours = result.filter(({ url }) => !url.startsWith('node:'))
    for (const { functions } of ours) for (const { ranges } of functions) for (const { count } of ranges) steps += count
  })
  return steps
}
