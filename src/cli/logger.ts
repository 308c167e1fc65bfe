/**
 * A trace of what this process does, as JSON lines on standard error, only when GRITE_LOG asks for it. It names
 * commands and options and tells times; never a title, a text or any other value, since logs are passed around.
 */
import pino from 'pino'
import type { ProcessFacts } from './process-facts.ts'

type LogFacts = Pick<ProcessFacts, 'env' | 'stderr' | 'nowUnixMs'>

/** Logs the start of a command; the returned function logs its end. GRITE_LOG names a level of pino, else `debug`. */
export function logCommand(
  { env, stderr, nowUnixMs }: LogFacts,
  command: string,
  input: Readonly<Record<string, unknown>>,
): (exitStatus: number) => void {
  const asked = env.GRITE_LOG ?? ''
  const level = Object.hasOwn(pino.levels.values, asked) ? asked : 'debug'
  const logger = pino({ level }, { write: (line: string) => void stderr.write(line).catch(() => undefined) })
  const startedUnixMs = nowUnixMs()
  logger.info({ given: Object.keys(input).filter((name) => isGiven(input[name])) }, command)
  return (exitStatus) => {
    logger.info({ exit_status: exitStatus, duration_ms: nowUnixMs() - startedUnixMs }, `${command} done`)
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0)
}
