/** Runs a command line for a client of the daemon: `main` with the facts of the client. */

import { isServed } from '../commands/is-served.ts'
import type { Line, LineEffects, LineOutcome, LineStreams, LocalReason, RunLine } from '../daemon/line.ts'
import type { WrittenEvents } from '../tracker/written-events.ts'
import { commandLineCommands } from './all-commands.ts'
import { buildCommandTable } from './command-table.ts'
import { createInterrupts } from './interrupts.ts'
import { main } from './main.ts'
import { parseArgv } from './parse-argv.ts'
import type { OpenRepository } from './process-context.ts'
import { ClosedPipeError, type ProcessFacts, type TextSink } from './process-facts.ts'

export const runServedLine: RunLine = async (line, streams, effects) => {
  if (!(await isForDaemon(line))) return { refused: 'local' }
  return new ServedLine(line, streams, effects).run()
}

const table = buildCommandTable(commandLineCommands)

/** Whether the daemon can do what the words ask for. A fault of the words is told by whoever finds it. */
async function isForDaemon({ argv, env, terminal }: Line): Promise<boolean> {
  // Traces of the process of the caller.
  if ((env.GRITE_LOG ?? '') !== '' || (env.GRITE_DEBUG ?? '') !== '') return false
  const { request, globals } = await parseArgv(argv, table)
  switch (request.kind) {
    case 'version':
    case 'fault':
      return true
    case 'help':
      return !terminal.stdout
    case 'run': {
      return !globals.noDaemon && isServed(request.command, request.input)
    }
  }
}

/** Unwinds a line that the caller runs again. */
class LeftToCallerError extends Error {
  override readonly name = 'LeftToCallerError'
}

class ServedLine {
  readonly #line: Line
  readonly #streams: LineStreams
  readonly #effects: LineEffects
  readonly #interrupts = createInterrupts()
  #hasPrinted = false
  #written: WrittenEvents | undefined
  #left: LocalReason | undefined

  constructor(line: Line, streams: LineStreams, effects: LineEffects) {
    this.#line = line
    this.#streams = streams
    this.#effects = effects
  }

  async run(): Promise<LineOutcome> {
    const { cancelled } = this.#streams
    const interrupt = () => void this.#interrupts.run()
    if (cancelled.aborted) interrupt()
    else cancelled.addEventListener('abort', interrupt, { once: true })
    const status = await main(this.#line.argv, this.#facts(), { openRepository: this.#openRepository })
    return this.#left === undefined ? { status } : { refused: this.#left }
  }

  readonly #openRepository: OpenRepository = (facts) => {
    this.#written = facts.written
    const { key } = this.#line
    return this.#effects.openRepository(key === null ? facts : { ...facts, requestKey: key }, this.#leaveToCaller)
  }

  /** What is printed after this is dropped, because the caller runs the line again. */
  readonly #leaveToCaller = (reason: LocalReason): never => {
    const hasEffect = this.#hasPrinted || (this.#written?.eventCount ?? 0) > 0
    if (!hasEffect) this.#left = reason
    throw new LeftToCallerError()
  }

  #facts(): ProcessFacts {
    const { cwd, env, terminal } = this.#line
    return {
      cwd: () => cwd,
      env,
      // The client has checked that its words are UTF-8.
      rawArguments: () => null,
      rawVariable: () => null,
      stdin: { isTerminal: terminal.stdin, chunks: () => this.#streams.stdin() },
      stdout: this.#sink('stdout'),
      stderr: this.#sink('stderr'),
      nowUnixMs: this.#effects.nowUnixMs,
      randomBytes: this.#effects.randomBytes,
      onInterrupt: this.#interrupts.onInterrupt,
      isInterrupted: () => this.#interrupts.running,
      leaveInterrupts: this.#interrupts.leave,
      leaveToCaller: () => this.#leaveToCaller('local'),
    }
  }

  #sink(stream: 'stdout' | 'stderr'): TextSink {
    const { terminal } = this.#line
    const isTerminal = terminal[stream]
    return {
      isTerminal,
      columns: () => (isTerminal && terminal.columns) || undefined,
      rows: () => (isTerminal && terminal.rows) || undefined,
      write: async (text) => {
        if (this.#left !== undefined) return
        this.#hasPrinted = true
        if ((await this.#streams.write(stream, text)) === 'closed') throw new ClosedPipeError()
      },
      onUnread: this.#streams.onUnread,
    }
  }
}
