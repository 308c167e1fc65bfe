/** Runs commands in this process: checks the input, opens the repository, returns the data as JSON has it. */
import { requireInput } from '../commands/check-input.ts'
import type { AnyCommand, DataOf, GivenInput } from '../commands/define-command.ts'
import type { CommandName, CommandNamed } from '../commands/index.ts'
import { InvalidArgsError } from '../model/errors/index.ts'
import type { CommandContext, TextInput } from '../tracker/effects.ts'
import { readDeferred } from '../tracker/export/json-pieces.ts'
import { openCommandRepository, type Repository } from '../tracker/workspace.ts'
import { libraryCommands } from './all-commands.ts'
import { CallQueue } from './call-queue.ts'
import type { Effects } from './options.ts'

export interface CallOptions {
  /** Text for a call that reads standard input: `-` in place of a file, and the operations of `batch`. */
  readonly stdin?: string | undefined
}

type Emit = CommandContext['emit']

interface Call extends CallOptions {
  readonly command: AnyCommand
  readonly input: unknown
  readonly emit: Emit
  readonly interrupted: AbortSignal
}

export class Session {
  readonly #effects: Effects
  readonly #queue = new CallQueue()
  readonly #closing = new AbortController()
  readonly #feeds = new Set<Promise<unknown>>()

  constructor(effects: Effects) {
    this.#effects = effects
  }

  async run<Name extends CommandName>(
    name: Name,
    input: GivenInput<CommandNamed<Name>>,
    options: CallOptions = {},
  ): Promise<DataOf<CommandNamed<Name>>> {
    const command = this.#commandNamed(name)
    if (command.isFeed === true) throw new TypeError(`${name} is a feed; call watch() for its items`)
    const { signal = new AbortController().signal } = this.#effects
    const call = { command, input, emit: refuseToEmit, interrupted: signal, ...options }
    // The data is that of this very command.
    return (await this.#queue.run(() => this.#call(call))) as DataOf<CommandNamed<Name>>
  }

  /**
   * Runs a feed beside the queue: it lasts long, and lets other calls in between its looks at the log. Each item is
   * handed over before the feed goes on.
   */
  async feed<Name extends CommandName>(
    name: Name,
    input: GivenInput<CommandNamed<Name>>,
    emit: Emit,
    signal: AbortSignal,
  ): Promise<void> {
    const command = this.#commandNamed(name)
    const outer = this.#effects.signal === undefined ? [] : [this.#effects.signal]
    const interrupted = AbortSignal.any([this.#closing.signal, signal, ...outer])
    const feed = this.#call({ command, input, emit, interrupted })
    this.#feeds.add(feed)
    try {
      await feed
    } finally {
      this.#feeds.delete(feed)
    }
  }

  /** Ends feeds, and waits for the calls that were made before. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#queue.idle()
    await Promise.allSettled(this.#feeds)
  }

  #commandNamed(name: string): AnyCommand {
    if (this.#closing.signal.aborted) throw new TypeError('the repository has been closed')
    const command = commands.get(name)
    if (command !== undefined) return command
    throw new InvalidArgsError(`there is no command '${name}'`, { details: { command: name } })
  }

  async #call({ command, input: given, emit, interrupted, stdin = '' }: Call): Promise<unknown> {
    const input = requireInput(command, given)
    const facts = {
      ...this.#effects,
      progress: () => ({ report() {}, end() {} }),
      isInteractive: false,
    }
    let open: Promise<Repository> | undefined
    const context: CommandContext = {
      ...facts,
      isJson: true,
      text: textOf(stdin),
      emit,
      interrupted,
      repository() {
        open ??= openCommandRepository(facts)
        return open
      },
    }
    try {
      const { data } = await command.run(context, input as never)
      return command.isDeferred === true ? await readDeferred(data) : data
    } finally {
      await this.#close(open)
    }
  }

  /** What the call did is in the log already; a cache that does not close cleanly must not hide that. */
  async #close(open: Promise<Repository> | undefined): Promise<void> {
    const repository = await open?.catch(() => undefined)
    try {
      await repository?.close()
    } catch (error) {
      const message = `the view did not close cleanly: ${error instanceof Error ? error.message : 'unknown reason'}`
      this.#effects.warn({ code: 'close-failed', message })
    }
  }
}

const commands = new Map(libraryCommands.map((command) => [command.name, command]))

async function refuseToEmit(): Promise<void> {
  throw new TypeError('only feeds emit items')
}

function textOf(stdin: string): TextInput {
  return {
    interactive: false,
    async readStdin(bytesMax) {
      if (Buffer.byteLength(stdin) <= bytesMax) return stdin
      throw new InvalidArgsError(`standard input has at most ${bytesMax} bytes`, {
        details: { field: 'stdin', bytes_max: bytesMax },
      })
    },
    async *stdinChunks() {
      yield Buffer.from(stdin, 'utf8')
    },
    async *readStdinLines() {
      yield* stdin.split(/\r?\n/)
    },
    editText: async () => undefined,
  }
}
