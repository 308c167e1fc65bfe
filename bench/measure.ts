/** Timing of whole processes and of work in this one. Figures are medians of several runs, with their spread. */
import { spawnSync } from 'node:child_process'

export interface Timing {
  /** Milliseconds. */
  readonly median: number
  readonly min: number
  readonly max: number
}

export interface ProcessRun extends Timing {
  /** Largest resident set of any run, bytes. */
  readonly peakRssBytes: number
  /** Standard output of the last run. */
  readonly stdout: string
}

/** NODE_EXTRA_CA_CERTS alone costs Node 20 about 25 ms a start. */
export const benchEnv: Readonly<Record<string, string | undefined>> = {
  ...process.env,
  NODE_EXTRA_CA_CERTS: undefined,
  NO_COLOR: '1',
  // Background maintenance would disturb the next measurement and the removal of the folder.
  GRITE_NO_MAINTENANCE: '1',
  // The benches of the daemon start their own.
  GRITE_NO_DAEMON: '1',
  CI: undefined,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
}

/** Preloaded into a Node process: prints its own peak resident set, in bytes, as the last line of stderr. */
const peakReporter = `data:text/javascript,process.on('exit',()=>process.stderr.write('\\npeak '+process.resourceUsage().maxRSS*1024))`

/** Runs one Node script, whose output goes through a pipe to a process that drops it. */
export function timeThroughPipe(script: string, args: readonly string[], cwd: string): Omit<ProcessRun, 'stdout'> {
  const start = process.hrtime.bigint()
  const words = [process.execPath, '--import', peakReporter, script, ...args]
  const { status, stderr } = spawnSync('sh', ['-c', '"$0" "$@" | cat >/dev/null', ...words], {
    ...{ cwd, env: benchEnv, encoding: 'utf8' },
  })
  const elapsed = Number(process.hrtime.bigint() - start) / 1e6
  const peakRssBytes = Number(/peak (\d+)$/.exec(stderr)?.[1] ?? 0)
  if (status !== 0 || peakRssBytes === 0) throw new Error(`${script} ${args.join(' ')} failed: ${stderr}`)
  return { median: elapsed, min: elapsed, max: elapsed, peakRssBytes }
}

/** Runs one Node script and measures its peak resident set. */
export function timeWithMemory(script: string, args: readonly string[], cwd: string): ProcessRun {
  const start = process.hrtime.bigint()
  const result = spawnSync(process.execPath, ['--import', peakReporter, script, ...args], {
    cwd,
    env: benchEnv,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  const elapsed = Number(process.hrtime.bigint() - start) / 1e6
  if (result.status !== 0) throw new Error(`${script} ${args.join(' ')} exited with ${result.status}: ${result.stderr}`)
  const peakRssBytes = Number(/peak (\d+)$/.exec(result.stderr)?.[1] ?? 0)
  return { median: elapsed, min: elapsed, max: elapsed, peakRssBytes, stdout: result.stdout }
}

export function summarize(times: readonly number[]): Timing {
  const sorted = [...times].sort((left, right) => left - right)
  return {
    median: sorted[sorted.length >> 1] ?? 0,
    min: sorted[0] ?? 0,
    max: sorted.at(-1) ?? 0,
  }
}
