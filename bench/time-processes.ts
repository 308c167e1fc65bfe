/**
 * Times whole processes, all in the same way: a small program starts them, because starting one from a grown Node process takes
 * longer than some of them run. The program is written in C, and in JavaScript for machines without a compiler.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { benchEnv, summarize, type Timing } from './measure.ts'

export interface TimedProcess extends Timing {
  /** Of user and system, which other load hardly changes. Undefined without a C compiler. */
  readonly processor: Timing | undefined
  /** Standard output of the last run. */
  readonly stdout: string
}

interface Rounds {
  readonly runs: number
  readonly cwd: string
  readonly env?: typeof benchEnv
  /** The words that start the program which starts the commands. */
  readonly starter?: readonly string[]
}

/** Runs the commands in rounds, so that noise affects all of them equally. */
export function timeProcesses<Name extends string>(
  commands: Readonly<Record<Name, readonly string[]>>,
  { runs, cwd, env = benchEnv, starter = chooseStarter() }: Rounds,
): Record<Name, TimedProcess> {
  const names = Object.keys(commands) as Name[]
  const folder = mkdtempSync(join(tmpdir(), 'grite-runs-'))
  try {
    const lists = names.flatMap((name) => [String(commands[name].length), ...commands[name]])
    const [file = '', ...first] = starter
    const words = [...first, folder, String(runs), String(names.length), ...lists]
    const options = { cwd, env: env as NodeJS.ProcessEnv, encoding: 'utf8', maxBuffer: 1 << 28 } as const
    const { status, stdout, stderr, error } = spawnSync(file, words, options)
    if (status !== 0) throw new Error(`${file} failed: ${error?.message ?? stderr}`)
    const rows = stdout.trimEnd().split('\n').map(parseRow)
    for (const { index, exitStatus } of rows) {
      if (exitStatus === 0) continue
      const line = (commands[names[index] as Name] ?? []).join(' ')
      throw new Error(`${line} exited with ${exitStatus}: ${readFileSync(join(folder, `${index}.err`), 'utf8')}`)
    }
    const summary = (index: number): TimedProcess => {
      const own = rows.filter((row) => row.index === index)
      const processor = own.flatMap(({ processorMs }) => processorMs ?? [])
      return {
        ...summarize(own.map(({ elapsedMs }) => elapsedMs)),
        processor: processor.length === own.length ? summarize(processor) : undefined,
        stdout: readFileSync(join(folder, `${index}.out`), 'utf8'),
      }
    }
    return Object.fromEntries(names.map((name, index) => [name, summary(index)])) as Record<Name, TimedProcess>
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The format is that of time-runs.c. */
function parseRow(line: string) {
  const [index, elapsedNs, processorUs, exitStatus] = line.split(' ')
  return {
    index: Number(index),
    elapsedMs: Number(elapsedNs) / 1e6,
    processorMs: processorUs === '-' ? undefined : Number(processorUs) / 1e3,
    exitStatus: Number(exitStatus),
  }
}

const sourceOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

export const nodeStarter: readonly string[] = [process.execPath, sourceOf('time-runs.cjs')]

let chosen: readonly string[] | undefined

function chooseStarter(): readonly string[] {
  chosen ??= compileStarter() ?? nodeStarter
  return chosen
}

/** The words that start the program in C, for as long as this process runs; undefined if it cannot be compiled here. */
export function compileStarter(): readonly string[] | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'grite-time-runs-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const program = join(folder, 'time-runs')
  const { status } = spawnSync('cc', ['-std=c99', '-O2', '-o', program, sourceOf('time-runs.c')])
  return status === 0 ? [program] : undefined
}
