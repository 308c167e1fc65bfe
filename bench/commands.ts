import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { batchLines } from './batch-lines.ts'
import { type Bench, bareNode, grite, griteScript, inRepository, ms, ratio, verdict } from './bench.ts'
import { benchEnv, summarize, timeProcesses } from './measure.ts'

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

export const createBench: Bench = {
  name: 'create',
  question: '`issue create`: at most 2.5 bare node starts plus three raw flush waves',
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const runs = small ? 3 : 31
      const { node, create } = timeProcesses(
        { node: bareNode, create: grite('issue', 'create', '--title', 'A title', '--body', 'Some text') },
        { runs, cwd },
      )
      const waves: number[] = []
      for (let run = 0; run < runs; run++) waves.push(await rawFlushWave(cwd))
      const wave = summarize(waves)
      const allowed = 2.5 * node.median + 3 * wave.median
      const withoutFlushes = create.median - 3 * wave.median
      return [
        `${ratio(withoutFlushes, node.median)} of a bare start, without flushes (target 2.5x): ${verdict(create.median <= allowed)}`,
        `create ${ms(create.median)} (min ${ms(create.min)}), bare node ${ms(node.median)} (min ${ms(node.min)}), one flush wave ${ms(wave.median)}`,
      ]
    }),
}

export const listBench: Bench = {
  name: 'list',
  question: '`issue list --json` of 1,000 issues: at most 2.5 bare node starts',
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const count = small ? 50 : 1000
      const result = spawnSync(process.execPath, [griteScript, 'batch'], {
        cwd,
        env: benchEnv as NodeJS.ProcessEnv,
        input: batchLines(count),
        encoding: 'utf8',
      })
      if (result.status !== 0) throw new Error(result.stderr)
      const { node, list } = timeProcesses(
        { node: bareNode, list: grite('issue', 'list', '--json') },
        { runs: small ? 3 : 31, cwd },
      )
      const titles = JSON.parse(list.stdout).data.issues.map((issue: { title: string }) => issue.title)
      const digest = createHash('sha256').update(titles.sort().join('\n')).digest('hex').slice(0, 16)
      return [
        `${ratio(list.median, node.median)} of a bare start (target 2.5x): ${verdict(list.median <= 2.5 * node.median)}`,
        `list ${ms(list.median)} (min ${ms(list.min)}), bare node ${ms(node.median)} (min ${ms(node.min)}); ${titles.length} titles, digest ${digest}`,
      ]
    }),
}
