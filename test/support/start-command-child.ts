import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { childProgram } from './child-program.ts'
import type { CommandOrder } from './command-child.ts'

export interface CommandEnd {
  readonly exitStatus: number | null
  readonly signal: string | null
  /** Answers acknowledged before the end. */
  readonly answers: readonly Record<string, unknown>[]
  readonly stdout: string
  readonly stderr: string
}

/** Runs command-child.ts with an order until it exits. */
export function startCommandChild(order: CommandOrder): Promise<CommandEnd> {
  return collect(process.execPath, [...childProgram('test/support/command-child.ts'), JSON.stringify(order)], order)
}

/** Runs the built command line. */
export function startGrite(
  { cwd, environment }: Pick<CommandOrder, 'cwd' | 'environment'>,
  ...args: readonly string[]
): Promise<CommandEnd> {
  const script = fileURLToPath(new URL('../../dist/grite.cjs', import.meta.url))
  return collect(process.execPath, [script, ...args], { cwd, environment })
}

function collect(
  program: string,
  args: readonly string[],
  { cwd, environment }: Pick<CommandOrder, 'cwd' | 'environment'>,
): Promise<CommandEnd> {
  const child = spawn(program, args, {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve) => {
    child.once('close', (exitStatus, signal) => {
      const lines = stdout.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'))
      resolve({ exitStatus, signal, stdout, stderr, answers: lines.map((line) => JSON.parse(line)) })
    })
  })
}
