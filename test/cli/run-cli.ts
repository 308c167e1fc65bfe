/** Runs the command line in this process and collects its output. */

import { type MainParts, main } from '../../src/cli/main.ts'
import type { ProcessFacts, TextSink } from '../../src/cli/process-facts.ts'
import type { AnyCommand } from '../../src/commands/define-command.ts'
import { fakeCommands } from './fake-commands.ts'

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Width of standard output; undefined when it is not a terminal. */
  readonly columns?: number
  /** Width of standard error; undefined when it is not a terminal. */
  readonly errorColumns?: number
  readonly stdin?: string
  /** Replaces the collecting sink. */
  readonly stdout?: Pick<TextSink, 'write'>
  readonly commands?: readonly AnyCommand[]
  readonly parts?: Partial<MainParts>
  /** Replaces what the process would be. */
  readonly facts?: Partial<ProcessFacts>
  /** Receives what an interrupt would wait for. */
  readonly onInterrupt?: (cleanup: () => void | Promise<void>) => void
}

export interface CliOutcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export const testNowUnixMs = Date.UTC(2026, 3, 5, 12, 0, 0)

export async function runCli(words: readonly string[], options: CliOptions = {}): Promise<CliOutcome> {
  const stdout = collect(options.columns)
  const stderr = collect(options.errorColumns)
  const facts: ProcessFacts = {
    cwd: () => '/nowhere',
    env: options.env ?? {},
    rawArguments: () => null,
    rawVariable: () => null,
    stdin: {
      isTerminal: false,
      async *chunks() {
        yield Buffer.from(options.stdin ?? '')
      },
    },
    stdout: { ...stdout.sink, ...options.stdout },
    stderr: stderr.sink,
    nowUnixMs: () => testNowUnixMs,
    randomBytes: (count) => new Uint8Array(count),
    onInterrupt(cleanup) {
      options.onInterrupt?.(cleanup)
      return () => undefined
    },
    isInterrupted: () => false,
    leaveInterrupts: () => () => undefined,
    ...options.facts,
  }
  const status = await main(words, facts, {
    commands: options.commands ?? fakeCommands,
    renderers: {},
    ...options.parts,
  })
  return { status, stdout: stdout.text(), stderr: stderr.text() }
}

function collect(columns: number | undefined) {
  const parts: string[] = []
  const sink: TextSink = {
    isTerminal: columns !== undefined,
    columns: () => columns,
    rows: () => undefined,
    async write(text) {
      parts.push(text)
    },
    async writeBytes(bytes) {
      parts.push(Buffer.from(bytes).toString('utf8'))
    },
    onUnread: () => () => undefined,
  }
  return { sink, text: () => parts.join('') }
}
