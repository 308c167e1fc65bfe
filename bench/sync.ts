/** The cost of a sync relative to git's cost for the same objects, over a path on one disk. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Oid } from '../src/git/index.ts'
import { type Bench, bareNode, grite, inRepository, ms, ratio, runGrite, verdict } from './bench.ts'
import { fillLog } from './make-log.ts'
import { benchEnv, summarize, type Timing } from './measure.ts'
import { timeProcesses } from './time-processes.ts'

const log = 'refs/grite/wal'
const tracked = 'refs/plain/wal'

/** Numbers of new commits on each side, with one event each, and the most that a sync may take in times of plain git. */
const cases = [
  { name: 'all of it ours', ours: 1000, theirs: 0, target: 1.5 },
  { name: 'all of it theirs', ours: 0, theirs: 1000, target: 1.8 },
  { name: 'half and half, diverged', ours: 500, theirs: 500, target: 2 },
]
/** Bare starts of Node that a sync with nothing to do may take beside its fetch. */
const idleStartsMax = 1.8

export const syncBench: Bench = {
  name: 'sync',
  question:
    'a sync of 1,000 new events: 1.5x (ours), 1.8x (theirs), 2x (both) `git fetch` and `git push` of the same objects',
  run: ({ small }) =>
    inRepository(async (scratch) => {
      const share = small ? 0.01 : 1
      const lines: string[] = []
      for (const { name, ours, theirs, target } of cases) {
        const template = join(scratch, 'template')
        await makePair(template, { base: 2000 * share, ours: ours * share, theirs: theirs * share })
        const [plain, synced] = timePair(template, join(scratch, 'run'), small ? 2 : 7)
        lines.push(
          `${name}: ${ratio(synced.median, plain.median)} (target ${target}x): ${verdict(synced.median <= target * plain.median)}; sync ${ms(synced.median)} (min ${ms(synced.min)}), git ${ms(plain.median)} (min ${ms(plain.min)})`,
        )
      }
      return lines
    }),
}

export const idleSyncBench: Bench = {
  name: 'idle-sync',
  question: 'a sync with nothing to do: at most `git fetch` and 1.8 bare node starts',
  run: ({ small }) =>
    inRepository(async (scratch) => {
      const template = join(scratch, 'template')
      await makePair(template, { base: small ? 20 : 2000, ours: 0, theirs: 0 })
      const cwd = join(template, 'clone')
      runGrite(cwd, 'sync')
      const { node, fetch, sync } = timeProcesses(
        {
          node: bareNode,
          fetch: ['git', 'fetch', '-q', 'origin', `+${log}:${tracked}`],
          sync: grite('sync', '--quiet'),
        },
        { runs: small ? 2 : 31, cwd },
      )
      const allowed = fetch.median + idleStartsMax * node.median
      return [
        `git fetch and ${ratio(sync.median - fetch.median, node.median)} bare starts (target ${idleStartsMax}x): ${verdict(sync.median <= allowed)}`,
        `sync ${ms(sync.median)} (min ${ms(sync.min)}), git fetch ${ms(fetch.median)}, bare node ${ms(node.median)}`,
      ]
    }),
}

/** A bare remote and its clone, `origin.git` and `clone`, with a common log and new commits on each side. */
async function makePair(
  folder: string,
  { base, ours, theirs }: { readonly base: number; readonly ours: number; readonly theirs: number },
): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  const [origin, clone] = [join(folder, 'origin.git'), join(folder, 'clone')]
  mkdirSync(folder, { recursive: true })
  git(folder, 'init', '-q', '--bare', origin)
  await fillLog(origin, base)
  git(folder, 'clone', '-q', origin, clone)
  git(clone, 'remote', 'set-url', 'origin', '../origin.git')
  runGrite(clone, 'init', '--quiet')
  const head = git(clone, 'rev-parse', log) as Oid
  if (theirs > 0) await fillLog(origin, theirs, { seed: 1, base: head })
  if (ours > 0) await fillLog(clone, ours, { seed: 2, base: head })
  runGrite(clone, 'issue', 'list', '--quiet')
}

/** Times plain git and grite on copies of the same pair, in turn. */
function timePair(template: string, folder: string, runs: number): readonly [Timing, Timing] {
  const plain: number[] = []
  const synced: number[] = []
  // git must push the same objects as grite: the diverged case pushes to a separate ref.
  const script = `git fetch -q origin +${log}:${tracked} && git push -q origin ${log}:refs/plain/mine`
  for (let run = 0; run < runs; run++) {
    plain.push(timeOnCopy(template, folder, ['sh', '-c', script]))
    synced.push(timeOnCopy(template, folder, grite('sync', '--quiet')))
  }
  return [summarize(plain), summarize(synced)]
}

function timeOnCopy(template: string, folder: string, command: readonly string[]): number {
  rmSync(folder, { recursive: true, force: true })
  cpSync(template, folder, { recursive: true })
  // A copied reflog is a new file to the view, which would scan it.
  runGrite(join(folder, 'clone'), 'issue', 'list', '--quiet')
  return timeProcesses({ command }, { runs: 1, cwd: join(folder, 'clone') }).command.median
}

function git(cwd: string, ...args: readonly string[]): string {
  return execFileSync('git', args, { cwd, env: benchEnv as NodeJS.ProcessEnv, encoding: 'utf8' }).trim()
}
