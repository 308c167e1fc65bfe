import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { benchEnv } from './measure.ts'
import { mulberry32 } from './mulberry32.ts'

export interface Bench {
  readonly name: string
  readonly question: string
  /** Measures and returns the lines to print, targets and ratios first. `small` selects the size for tests. */
  readonly run: (size: { readonly small: boolean }) => Promise<readonly string[]>
}

/** The bundled command line, as users run it. */
export const griteScript = fileURLToPath(new URL('../dist/grite.cjs', import.meta.url))
export const grite = (...args: readonly string[]): readonly string[] => [process.execPath, griteScript, ...args]
export const bareNode: readonly string[] = [process.execPath, '-e', '0']

/** Runs work in a new empty repository, which is removed afterwards. */
export async function inRepository<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'grite-bench-'))
  try {
    execFileSync('git', ['init', '-q', '-b', 'main', directory], { env: benchEnv as NodeJS.ProcessEnv })
    return await work(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
  }
}

export function runGrite(directory: string, ...args: readonly string[]): string {
  const [file, ...rest] = grite(...args) as [string, ...string[]]
  return execFileSync(file, rest, {
    cwd: directory,
    env: benchEnv as NodeJS.ProcessEnv,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
}

export const ms = (value: number): string => `${value.toFixed(1)} ms`
export const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
export const ratio = (value: number, base: number): string => `${(value / base).toFixed(2)}x`

/** `met` or `MISSED`, in upper case so that readers notice it. */
export const verdict = (met: boolean): string => (met ? 'met' : 'MISSED')

/** The facts of a process, with a deterministic clock and deterministic randomness. */
export function openFacts(cwd: string) {
  const random = mulberry32(20_26)
  let nowUnixMs = 1_700_000_000_000
  return {
    cwd,
    env: benchEnv,
    clock: { nowUnixMs: () => ++nowUnixMs },
    random: { bytes: (count: number) => Uint8Array.from({ length: count }, () => Math.floor(random() * 256)) },
    identity: { actor: undefined, dataDir: undefined },
    warn: () => {},
    progress: () => ({ report() {}, end() {} }),
  }
}
