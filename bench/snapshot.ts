import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bench, griteScript, inRepository, mib, ms, ratio, verdict } from './bench.ts'
import { fillLog } from './make-log.ts'
import { type ProcessRun, timeWithMemory } from './measure.ts'

export const snapshotBench: Bench = {
  name: 'snapshot',
  question:
    'single-event commits: rebuild from a snapshot in at most 60% of the time of a full rebuild, 80% when it is checked first',
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const count = small ? 500 : 100_000
      await fillLog(cwd, count)
      const made = timeWithMemory(griteScript, ['snapshot', 'create', '--json'], cwd)
      const memory = join(cwd, '.git/grite/snapshots.json')
      const known = readFileSync(memory)
      const runs = { full: [] as ProcessRun[], trusted: [] as ProcessRun[], checked: [] as ProcessRun[] }
      const fromSnapshot = () => timeWithMemory(griteScript, ['rebuild', '--from-snapshot', '--json'], cwd)
      // In turn, so that noise affects all of them.
      for (let run = 0; run < (small ? 1 : 3); run++) {
        runs.full.push(timeWithMemory(griteScript, ['rebuild', '--json'], cwd))
        writeFileSync(memory, known)
        runs.trusted.push(fromSnapshot())
        // As in a clone that does not know the snapshot.
        rmSync(memory)
        runs.checked.push(fromSnapshot())
      }
      const full = medianOf(runs.full)
      return [
        describe(`rebuild --from-snapshot (trusted), ${count} commits`, runs.trusted, { full, target: 0.6 }),
        describe(`rebuild --from-snapshot (checked), ${count} commits`, runs.checked, { full, target: 0.8 }),
        `  the full rebuild took ${ms(full.median)}`,
        `  creating it took ${ms(made.median)}, peak ${mib(made.peakRssBytes)}`,
      ]
    }),
}

function describe(
  what: string,
  runs: readonly ProcessRun[],
  { full, target }: { readonly full: ProcessRun; readonly target: number },
): string {
  const run = medianOf(runs)
  const peak = Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes))
  const { snapshot_events } = JSON.parse(run.stdout).data
  const same = JSON.stringify(countsOf(run)) === JSON.stringify(countsOf(full)) && snapshot_events > 0
  const met = verdict(run.median <= target * full.median)
  return `${what}: ${ratio(run.median, full.median)} of the full rebuild (target ${target}x): ${met}; ${ms(run.median)}, peak ${mib(peak)}; same counts: ${verdict(same)}`
}

function countsOf(run: ProcessRun): unknown[] {
  const { event_count, issue_count } = JSON.parse(run.stdout).data
  return [event_count, issue_count]
}

function medianOf(runs: readonly ProcessRun[]): ProcessRun {
  const sorted = [...runs].sort((left, right) => left.median - right.median)
  return sorted[sorted.length >> 1] as ProcessRun
}
