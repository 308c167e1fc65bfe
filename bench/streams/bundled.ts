import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Bench } from '../bench.ts'
import { benchEnv } from '../measure.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Runs a bench in a bundle and a process of its own. The small size runs in this process. */
export function bundled({ name, question, run }: Bench): Bench {
  return { name, question, run: async ({ small }) => (small ? run({ small }) : runInBundle(name)) }
}

function runInBundle(name: string): readonly string[] {
  const program = `node_modules/.cache/grite-bench-${process.pid}.mjs`
  const run = (...args: readonly string[]): string =>
    execFileSync(process.execPath, args, {
      ...{ cwd: root, env: benchEnv as NodeJS.ProcessEnv, encoding: 'utf8', maxBuffer: 1 << 30 },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  try {
    run('scripts/bundle-bench.mjs', 'bench/streams/program.ts', program)
    return run(program, name).trim().split('\n')
  } finally {
    rmSync(`${root}/${program}`, { force: true })
  }
}
