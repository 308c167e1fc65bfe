import type { ChildProcess } from 'node:child_process'
import type { CommandContext } from '../effects.ts'

/** The program of `--exec` and its arguments, verbatim: no shell is used, and no text of an event is inserted. */
export interface Hook {
  readonly program: string
  readonly arguments: readonly string[]
}

/** Grace period after a program was asked to stop. */
const graceMs = 2000

/**
 * Runs the program once, with a text on its standard input, and waits for it to exit. Its output goes directly to standard
 * error. Never fails: a failure is a warning.
 *
 * @param endsAtUnixMs - when to stop the program if it is still running
 */
export async function runProgram(
  context: Pick<CommandContext, 'cwd' | 'env' | 'clock' | 'warn' | 'interrupted'>,
  hook: Hook,
  input: string,
  endsAtUnixMs: number | undefined,
): Promise<void> {
  const failure = await runToEnd(context, hook, input, endsAtUnixMs).catch((error: Error) => error.message)
  if (failure === null || context.interrupted.aborted) return
  context.warn({ code: 'hook-failed', message: `${hook.program}: ${failure}`, details: { program: hook.program } })
}

/** Returns the reason of a failure, or null. Rejects when the program could not be started. */
async function runToEnd(
  context: Pick<CommandContext, 'cwd' | 'env' | 'clock' | 'interrupted'>,
  hook: Hook,
  input: string,
  endsAtUnixMs: number | undefined,
): Promise<string | null> {
  const { spawn } = await import('node:child_process')
  const child = spawn(hook.program, [...hook.arguments], {
    cwd: context.cwd,
    env: { ...context.env },
    stdio: ['pipe', 2, 2],
  })
  const stopWaiting = endWith(context, child, endsAtUnixMs)
  return new Promise((resolve) => {
    child.once('error', (error) => {
      stopWaiting()
      resolve(error.message)
    })
    child.once('exit', (exitStatus, signal) => {
      stopWaiting()
      if (signal !== null) resolve(`it was killed by ${signal}`)
      else resolve(exitStatus === 0 ? null : `exit status ${exitStatus}`)
    })
    // The program may exit without reading its input.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

/** Stops the program when this process stops, or when its time is up. */
function endWith(
  { clock, interrupted }: Pick<CommandContext, 'clock' | 'interrupted'>,
  child: ChildProcess,
  endsAtUnixMs: number | undefined,
): () => void {
  const timers: NodeJS.Timeout[] = []
  const end = () => {
    child.kill('SIGTERM')
    timers.push(setTimeout(() => child.kill('SIGKILL'), graceMs))
  }
  interrupted.addEventListener('abort', end, { once: true })
  if (interrupted.aborted) end()
  if (endsAtUnixMs !== undefined) timers.push(setTimeout(end, Math.max(0, endsAtUnixMs - clock.nowUnixMs())))
  return () => {
    interrupted.removeEventListener('abort', end)
    for (const timer of timers) clearTimeout(timer)
  }
}
