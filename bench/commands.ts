import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { batchLines } from './batch-lines.ts'
import { type Bench, bareNode, grite, griteScript, inRepository, ms, ratio, runGrite, verdict } from './bench.ts'
import { benchEnv, summarize, type Timing } from './measure.ts'
import { type TimedProcess, timeProcesses } from './time-processes.ts'

/** One raw flush wave: writes and flushes as many files as a create, in parallel, in `directory`. */
export async function rawFlushWave(directory: string): Promise<number> {
  const folder = mkdtempSync(join(directory, 'wave-'))
  const start = process.hrtime.bigint()
  await Promise.all(
    Array.from({ length: 9 }, async (_, index) => {
      const file = await open(join(folder, String(index)), 'wx')
      await file.write(Buffer.alloc(200, index))
      await file.datasync()
      await file.close()
    }),
  )
  const elapsed = Number(process.hrtime.bigint() - start) / 1e6
  rmSync(folder, { recursive: true })
  return elapsed
}

export const versionBench: Bench = {
  name: 'version',
  question: '`--version`: at most 1.3 bare node starts',
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const { node, version } = timeProcesses(
        { node: bareNode, version: grite('--version') },
        { runs: small ? 3 : 31, cwd },
      )
      return [compare('--version', version, node, 1.3)]
    }),
}

export const createBench: Bench = {
  name: 'create',
  question: '`issue create`: at most 1.95 bare node starts plus three raw flush waves',
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const commands = {
        node: bareNode,
        create: grite('issue', 'create', '--title', 'A title', '--body', 'Some text'),
      }
      // The first write creates an actor.
      timeProcesses(commands, { runs: 1, cwd })
      const rounds: { readonly node: number; readonly create: number; readonly wave: number }[] = []
      for (let run = 0; run < (small ? 3 : 31); run++) {
        const { node, create } = timeProcesses(commands, { runs: 1, cwd })
        rounds.push({ node: node.median, create: create.median, wave: await rawFlushWave(cwd) })
      }
      const [node, create, wave] = (['node', 'create', 'wave'] as const).map((key) =>
        summarize(rounds.map((round) => round[key])),
      ) as [Timing, Timing, Timing]
      const allowed = 1.95 * node.median + 3 * wave.median
      const withoutFlushes = create.median - 3 * wave.median
      return [
        `${ratio(withoutFlushes, node.median)} of a bare start, without flushes (target 1.95x): ${verdict(create.median <= allowed)}`,
        `create ${ms(create.median)} (min ${ms(create.min)}), bare node ${ms(node.median)} (min ${ms(node.min)}), one flush wave ${ms(wave.median)}`,
      ]
    }),
}

export const listBench: Bench = {
  name: 'list',
  question: '`issue list --json` of 1,000 issues: at most 1.8 bare node starts; `show` and `ready`: at most 2.0',
  run: ({ small }) =>
    inRepository(async (cwd) => {
      fillWithIssues(cwd, small ? 50 : 1000)
      const { issues } = JSON.parse(runGrite(cwd, 'issue', 'list', '--json')).data
      const id: string = issues[issues.length >> 1].issue_id
      const { node, list, show, ready } = timeProcesses(
        {
          node: bareNode,
          list: grite('issue', 'list', '--json'),
          show: grite('issue', 'show', id, '--json'),
          ready: grite('ready', '--json'),
        },
        { runs: small ? 3 : 31, cwd },
      )
      const titles = JSON.parse(list.stdout).data.issues.map((issue: { title: string }) => issue.title)
      const digest = createHash('sha256').update(titles.sort().join('\n')).digest('hex').slice(0, 16)
      return [
        compare('list', list, node, 1.8),
        compare('show', show, node, 2),
        compare('ready', ready, node, 2),
        `${titles.length} titles, digest ${digest}`,
      ]
    }),
}

function fillWithIssues(cwd: string, count: number): void {
  const { status, stderr } = spawnSync(process.execPath, [griteScript, 'batch'], {
    cwd,
    env: benchEnv as NodeJS.ProcessEnv,
    input: batchLines(count),
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
}

function compare(name: string, timed: TimedProcess, node: TimedProcess, target: number): string {
  const { median, min, processor } = timed
  const times = `${name} ${ms(median)} (min ${ms(min)}), bare node ${ms(node.median)} (min ${ms(node.min)})`
  const met = verdict(median <= target * node.median)
  const busy =
    processor && node.processor ? `, ${ratio(processor.median, node.processor.median)} of its processor time` : ''
  return `${name} ${ratio(median, node.median)} of a bare start${busy} (target ${target}x): ${met}; ${times}`
}
