/** A trace of what this process does, as JSON lines on standard error, only when GRITE_LOG asks for it. */
import pino from 'pino'
import type { ProcessFacts } from './process-facts.ts'

export interface Logger {
  readonly info: (facts: object, message: string) => void
}

/** GRITE_LOG names a level of pino; any other text means `debug`. */
export function openLogger({ env, stderr }: Pick<ProcessFacts, 'env' | 'stderr'>): Logger {
  const asked = env.GRITE_LOG ?? ''
  const level = Object.hasOwn(pino.levels.values, asked) ? asked : 'debug'
  return pino({ level }, { write: (line: string) => void stderr.write(line).catch(() => undefined) })
}
