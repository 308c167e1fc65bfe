/**
 * A trace of this process, as JSON lines on standard error, enabled by GRITE_LOG. It has commands, option names and
 * durations, but never a title, a text or any other value, since logs are shared.
 */
import pino from 'pino'
import type { ProcessFacts, TextSink } from './process-facts.ts'

type LogFacts = Pick<ProcessFacts, 'env' | 'nowUnixMs'> & { readonly stderr: Pick<TextSink, 'write'> }

/** Logs the start of a command; the returned function logs its end. GRITE_LOG is a level of pino; other values mean `debug`. */
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
