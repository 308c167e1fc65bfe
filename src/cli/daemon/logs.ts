import { defineCommand } from '../../commands/define-command.ts'
import { daemonLogPath, earlierLogPath } from '../../daemon/index.ts'
import { parseForeignJson, shape } from '../../model/index.ts'
import { readTextIfThere } from './read-text-if-there.ts'

const linesDefault = 50

export interface LogLine {
  /** ISO 8601, or null for a line that is not one of ours. */
  readonly time: string | null
  readonly level: 'info' | 'warn' | null
  readonly pid: number | null
  readonly message: string
  /** What else the line says. */
  readonly facts: Readonly<Record<string, unknown>>
}

export interface DaemonLogsData {
  readonly path: string
  readonly lines: readonly LogLine[]
}

export const daemonLogs = defineCommand({
  name: 'daemon logs',
  summary: 'Show what the daemon of this repository has logged',
  description: 'The log has starts, ends and refused clients, but no text of an issue. It keeps the last 1 to 2 MiB.',
  examples: [
    { command: 'grite daemon logs', explains: `the last ${linesDefault} lines` },
    { command: 'grite daemon logs --lines 1000 --json', explains: 'more of them, for a script' },
  ],
  effect: 'reads',
  arguments: {},
  options: {
    lines: { type: 'count', min: 1, short: 'n', valueName: 'n', summary: `How many lines; default ${linesDefault}` },
  },
  async run(context, { lines = linesDefault }): Promise<{ readonly data: DaemonLogsData }> {
    const { paths } = await context.repository()
    const path = daemonLogPath(paths.home)
    const text = [earlierLogPath(path), path].map((each) => readTextIfThere(each) ?? '').join('')
    const all = text.split('\n').filter((line) => line !== '')
    return { data: { path, lines: all.slice(-lines).map(parseLine) } }
  },
})

/** The levels of pino. */
const levels: Readonly<Record<number, LogLine['level']>> = { 30: 'info', 40: 'warn' }

const lineShape = shape.record(shape.anything)
const lineLengthMax = 64 * 1024

function parseLine(text: string): LogLine {
  const read = parseForeignJson(text, lineShape, { name: 'a line', sizeMax: lineLengthMax, depthMax: 2 })
  if (read.problem !== null) return { time: null, level: null, pid: null, message: text, facts: {} }
  const { time, level, pid, msg, ...facts } = Object.fromEntries(read.value)
  return {
    time: typeof time === 'string' ? time : null,
    level: typeof level === 'number' ? (levels[level] ?? null) : null,
    pid: typeof pid === 'number' ? pid : null,
    message: typeof msg === 'string' ? msg : '',
    facts,
  }
}
