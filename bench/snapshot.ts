import { type Bench, griteScript, inRepository, mib, ms, ratio, verdict } from './bench.ts'
import { fillLog } from './make-log.ts'
import { type ProcessRun, timeWithMemory } from './measure.ts'

export const snapshotBench: Bench = {
  name: 'snapshot',
  question: 'single-event commits: rebuild from a snapshot in at most 60% of the time of a full rebuild',
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const count = small ? 500 : 100_000
      await fillLog(cwd, count)
      const made = timeWithMemory(griteScript, ['snapshot', 'create', '--json'], cwd)
      const full: ProcessRun[] = []
      const short: ProcessRun[] = []
      // In turn, so that a noisy moment hits both.
      for (let run = 0; run < (small ? 1 : 3); run++) {
        full.push(timeWithMemory(griteScript, ['rebuild', '--json'], cwd))
        short.push(timeWithMemory(griteScript, ['rebuild', '--from-snapshot', '--json'], cwd))
      }
      const [fullRun, shortRun] = [medianOf(full), medianOf(short)]
      const memory = Math.max(...short.map(({ peakRssBytes }) => peakRssBytes))
      const { event_count, issue_count, snapshot_events } = JSON.parse(shortRun.stdout).data
      const same = JSON.stringify([event_count, issue_count]) === JSON.stringify(countsOf(fullRun))
      return [
        `${count} commits: ${ratio(shortRun.median, fullRun.median)} of the full rebuild (target 0.6x): ${verdict(shortRun.median <= 0.6 * fullRun.median)}; peak ${mib(memory)}`,
        `  from the snapshot ${ms(shortRun.median)}, full ${ms(fullRun.median)}; ${event_count} events, ${snapshot_events} of them from the snapshot; same counts: ${verdict(same)}`,
        `  making it took ${ms(made.median)}, peak ${mib(made.peakRssBytes)}`,
      ]
    }),
}

function countsOf(run: ProcessRun): unknown[] {
  const { event_count, issue_count } = JSON.parse(run.stdout).data
  return [event_count, issue_count]
}

function medianOf(runs: readonly ProcessRun[]): ProcessRun {
  const sorted = [...runs].sort((left, right) => left.median - right.median)
  return sorted[sorted.length >> 1] as ProcessRun
}
