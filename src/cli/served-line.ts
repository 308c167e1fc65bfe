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
  const use = await useOf(line)
  if (use === 'local') return { refused: 'local' }
  streams.accept()
  if (use === 'endless') streams.setEndless()
  return new ServedLine(line, streams, effects, use === 'kept').run()
}

const table = buildCommandTable(commandLineCommands)

/** Where a line runs; `kept`: in the daemon, which may give its answer again; `endless`: a feed. Invalid words are reported by either side. */
async function useOf({ argv, env, terminal }: Line): Promise<'local' | 'served' | 'kept' | 'endless'> {
  // Traces of the process of the caller.
  if ((env.GRITE_LOG ?? '') !== '' || (env.GRITE_DEBUG ?? '') !== '') return 'local'
  const { request, globals } = await parseArgv(argv, table)
  switch (request.kind) {
    case 'version':
      return 'kept'
    case 'fault':
      return 'served'
    case 'help':
      return terminal.stdout ? 'local' : 'served'
    case 'run': {
      if (globals.noDaemon || !isServed(request.command, request.input)) return 'local'
      if (request.command.isFeed === true) return 'endless'
      return request.command.isKept === true ? 'kept' : 'served'
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
  readonly #isKept: boolean
  #hasPrinted = false
  #hasReadClock = false
  #hasReadInput = false
  #hasWarned = false
  #written: WrittenEvents | undefined
  #left: LocalReason | undefined

  constructor(line: Line, streams: LineStreams, effects: LineEffects, isKept: boolean) {
    this.#isKept = isKept
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
    if (this.#left !== undefined) return { refused: this.#left }
    // What has failed may work the next time.
    const isSettled = status === 0 && !this.#hasReadClock && !this.#hasReadInput && !this.#hasWarned
    return { status, isRepeatable: this.#isKept && isSettled }
  }

  readonly #openRepository: OpenRepository = (facts) => {
    this.#written = facts.written
    const { key } = this.#line
    const warn: typeof facts.warn = (warning) => {
      // A warning that is given once only: the next answer has none.
      this.#hasWarned = true
      facts.warn(warning)
    }
    const mayBeRepeated = () => facts.mayBeRepeated?.() === true || this.#streams.mayBeRepeated()
    const keyed = key === null ? {} : { requestKey: key, mayBeRepeated }
    return this.#effects.openRepository({ ...facts, ...keyed, warn }, this.#leaveToCaller)
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
      stdin: { isTerminal: terminal.stdin, chunks: () => this.#readInput() },
      stdout: this.#sink('stdout'),
      stderr: this.#sink('stderr'),
      nowUnixMs: () => {
        this.#hasReadClock = true
        return this.#effects.nowUnixMs()
      },
      randomBytes: this.#effects.randomBytes,
      onInterrupt: this.#interrupts.onInterrupt,
      isInterrupted: () => this.#interrupts.running,
      leaveInterrupts: this.#interrupts.leave,
      leaveToCaller: () => this.#leaveToCaller('local'),
    }
  }

  #readInput(): AsyncIterable<Uint8Array> {
    this.#hasReadInput = true
    return this.#streams.stdin()
  }

  #sink(stream: 'stdout' | 'stderr'): TextSink {
    const { terminal } = this.#line
    const isTerminal = terminal[stream]
    const write = async (output: string | Uint8Array): Promise<void> => {
      if (this.#left !== undefined) return
      this.#hasPrinted = true
      if ((await this.#streams.write(stream, output)) === 'closed') throw new ClosedPipeError()
    }
    return {
      isTerminal,
      columns: () => (isTerminal && terminal.columns) || undefined,
      rows: () => (isTerminal && terminal.rows) || undefined,
      write,
      writeBytes: write,
      onUnread: this.#streams.onUnread,
    }
  }
}
