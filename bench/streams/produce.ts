/** Records from standard input. */
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Bench, grite, inRepository, runGrite, verdict } from '../bench.ts'
import { benchEnv } from '../measure.ts'
import { makePayloads, perSecond } from './open-store.ts'

const produceTarget = 50_000

export const streamProduceBench: Bench = {
  name: 'stream-produce',
  question: `\`grite produce\` of 500,000 lines from a file, level local, the whole process: at least ${produceTarget} a second`,
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const count = small ? 2000 : 500_000
      const path = join(cwd, 'lines')
      writeLines(path, count)
      runGrite(cwd, 'init', '--quiet')
      runGrite(cwd, 'stream', 'create', 'bench')
      const [file, ...args] = grite('produce', 'bench') as [string, ...string[]]
      const input = openSync(path, 'r')
      const start = performance.now()
      const { status, stderr } = spawnSync(file, args, {
        ...{ cwd, env: benchEnv as NodeJS.ProcessEnv, encoding: 'utf8', stdio: [input, 'pipe', 'pipe'] },
      })
      const elapsedMs = performance.now() - start
      closeSync(input)
      if (status !== 0) throw new Error(stderr)
      const { data } = JSON.parse(runGrite(cwd, 'stream', 'show', 'bench', '--json'))
      const rate = (count / elapsedMs) * 1000
      return [
        `${perSecond(count, elapsedMs)} (target ${produceTarget}/s): ${verdict(rate >= produceTarget)}`,
        `${data.next_offset} records`,
      ]
    }),
}

function writeLines(path: string, count: number): void {
  const descriptor = openSync(path, 'w')
  const payloads = makePayloads(Math.min(count, 16_384))
  for (let done = 0; done < count; done += payloads.length) {
    const some = payloads.slice(0, count - done)
    writeSync(descriptor, some.map((payload) => `${Buffer.from(payload)}\n`).join(''))
  }
  closeSync(descriptor)
}
