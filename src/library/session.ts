/**
 * Runs commands in this process on one open repository: validates the input, gives each call its own workspace, and returns
 * the data in its JSON form. Calls may overlap.
 */
import { requireInput } from '../commands/check-input.ts'
import type { AnyCommand, DataOf, GivenInput } from '../commands/define-command.ts'
import type { CommandName, CommandNamed } from '../commands/index.ts'
import { InvalidArgsError } from '../model/errors/index.ts'
import type { CommandContext, TextInput } from '../tracker/effects.ts'
import { readDeferred } from '../tracker/export/json-pieces.ts'
import type { RequestFacts, Workspace } from '../tracker/workspace.ts'
import type { RecordStreams } from '../wal/streams/index.ts'
import { findCommand } from './find-command.ts'
import type { Effects } from './options.ts'

export interface CallOptions {
  /** The idempotency key of the call: a repeated call with it is carried out once. `<unix ms>-<32 hex>`. */
  readonly key?: string | undefined
  /** Whether a call with this key may have been made before; by default it may. */
  readonly mayBeRepeated?: (() => boolean) | undefined
  /** Standard input for a call that reads it: for `-` instead of a file, and for the operations of `batch`. */
  readonly stdin?: string | undefined
}

type Emit = CommandContext['emit']

/** What runs the commands of a repository: this process, or the daemon. */
export interface CommandSession {
  /** @throws {GriteError} when the command fails */
  run<Name extends CommandName>(
    name: Name,
    input: GivenInput<CommandNamed<Name>>,
    options?: CallOptions,
  ): Promise<DataOf<CommandNamed<Name>>>
  /** Runs a feed until it is aborted. The feed waits for the delivery of each item. */
  feed<Name extends CommandName>(
    name: Name,
    input: GivenInput<CommandNamed<Name>>,
    emit: Emit,
    signal: AbortSignal,
  ): Promise<void>
  /** Runs work on the record streams of the repository, in this process. */
  withStreams<Result>(work: (open: OpenStreams) => Promise<Result>): Promise<Result>
  /** As `withStreams`, for an iteration: its opener closes it. */
  openStreams(): Promise<OpenStreams & { readonly close: () => Promise<void> }>
  /** Ends feeds and waits for pending calls. */
  close(): Promise<void>
}

/** The record streams, open for one call or iteration. */
export interface OpenStreams {
  readonly repository: Workspace
  readonly streams: RecordStreams
  /** Aborted when the session closes. */
  readonly signal: AbortSignal
}

/** Where the session gets its workspaces. */
export interface Workspaces {
  readonly open: (facts: RequestFacts) => Workspace | Promise<Workspace>
  readonly close: () => Promise<void>
}

interface Call extends CallOptions {
  readonly command: AnyCommand
  readonly input: unknown
  readonly emit: Emit
  readonly interrupted: AbortSignal
}

export class Session implements CommandSession {
  readonly #effects: Effects
  readonly #workspaces: Workspaces
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<unknown>>()

  constructor(workspaces: Workspaces, effects: Effects) {
    this.#workspaces = workspaces
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
    // The data belongs to the command of this name.
    return (await this.#call(call)) as DataOf<CommandNamed<Name>>
  }

  async feed<Name extends CommandName>(
    name: Name,
    input: GivenInput<CommandNamed<Name>>,
    emit: Emit,
    signal: AbortSignal,
  ): Promise<void> {
    const command = this.#commandNamed(name)
    const outer = this.#effects.signal === undefined ? [] : [this.#effects.signal]
    const interrupted = AbortSignal.any([this.#closing.signal, signal, ...outer])
    await this.#call({ command, input, emit, interrupted })
  }

  async withStreams<Result>(work: (open: OpenStreams) => Promise<Result>): Promise<Result> {
    return this.#track(
      (async () => {
        const { close, ...open } = await this.openStreams()
        try {
          return await work(open)
        } finally {
          await close()
        }
      })(),
    )
  }

  async openStreams(): Promise<OpenStreams & { readonly close: () => Promise<void> }> {
    this.#requireOpen()
    const outer = this.#effects.signal === undefined ? [] : [this.#effects.signal]
    const repository = await this.#workspaces.open(this.#requestFacts({}))
    const close = () => this.#close(repository)
    const signal = AbortSignal.any([this.#closing.signal, ...outer])
    return { repository, streams: await repository.streams(), signal, close }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#running)
    await this.#workspaces.close()
  }

  #requireOpen(): void {
    if (this.#closing.signal.aborted) throw new TypeError('the repository has been closed')
  }

  #commandNamed(name: string): AnyCommand {
    this.#requireOpen()
    const command = findCommand(name)
    if (command !== undefined) return command
    throw new InvalidArgsError(`unknown command '${name}'`, { details: { command: name } })
  }

  async #call(call: Call): Promise<unknown> {
    return this.#track(this.#runCommand(call))
  }

  async #track<Result>(running: Promise<Result>): Promise<Result> {
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  async #runCommand({
    command,
    input: given,
    emit,
    interrupted,
    stdin = '',
    key,
    mayBeRepeated = () => true,
  }: Call): Promise<unknown> {
    const input = requireInput(command, given)
    const facts = this.#requestFacts(key === undefined ? {} : { requestKey: key, mayBeRepeated })
    const workspace = await this.#workspaces.open(facts)
    const context: CommandContext = {
      ...facts,
      jsonLayout: 'compact',
      text: textOf(stdin),
      emit,
      interrupted,
      repository: async () => workspace,
    }
    try {
      const { data } = await command.run(context, input as never)
      return command.isDeferred === true ? await readDeferred(data) : data
    } finally {
      await this.#close(workspace)
    }
  }

  #requestFacts(request: Pick<RequestFacts, 'requestKey' | 'mayBeRepeated'>): RequestFacts {
    const { progress = () => ({ report() {}, end() {} }), ...effects } = this.#effects
    return { ...effects, progress, isInteractive: false, ...request }
  }

  /** Warns if the view does not close cleanly: the result of the call is already in the log, so this is not an error. */
  async #close(workspace: Workspace): Promise<void> {
    try {
      await workspace.close()
    } catch (error) {
      const message = `the view did not close cleanly: ${error instanceof Error ? error.message : 'unknown reason'}`
      this.#effects.warn({ code: 'close-failed', message })
    }
  }
}

async function refuseToEmit(): Promise<void> {
  throw new TypeError('only feeds emit items')
}

function textOf(stdin: string): TextInput {
  return {
    interactive: false,
    async readStdin(bytesMax) {
      if (Buffer.byteLength(stdin) <= bytesMax) return stdin
      throw new InvalidArgsError(`standard input can have at most ${bytesMax} bytes`, {
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
