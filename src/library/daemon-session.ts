/**
 * Runs commands in the daemon of a repository, and in this process where the daemon cannot: what needs the network or programs, and
 * while no daemon answers.
 *
 * Invariants
 * - The answers and errors are those of a session in this process.
 * - A call whose answer was lost is repeated here under its key, so that it is carried out once.
 */
import { requireInput } from '../commands/check-input.ts'
import type { AnyCommand, DataOf, GivenInput } from '../commands/define-command.ts'
import type { CommandName, CommandNamed } from '../commands/index.ts'
import { isServed } from '../commands/is-served.ts'
import { randomBytes } from '../git/index.ts'
import { ask, type DaemonConnection, EncodedWireValue, errorFromWire, type RequestEnd } from '../ipc/index.ts'
import { IpcError } from '../model/errors/index.ts'
import { formatHex } from '../model/index.ts'
import type { CommandContext } from '../tracker/effects.ts'
import { errorFromText, fromText, toText } from './call-on-wire.ts'
import { DaemonStreams } from './daemon-streams.ts'
import { findCommand } from './find-command.ts'
import type { Effects } from './options.ts'
import type { CallOptions, CommandSession, OpenStreams } from './session.ts'
import { SharedOpening } from './shared-opening.ts'

/** Items of a feed that are on the way before the first is taken. */
const creditMax = 16

export interface DaemonSessionOptions {
  readonly effects: Effects
  /** Connects to the daemon; undefined when there is none. */
  readonly connect: () => Promise<DaemonConnection | undefined>
  /** Opens the session in this process, once. */
  readonly openLocal: () => Promise<CommandSession>
}

export class DaemonSession implements CommandSession {
  readonly #options: DaemonSessionOptions
  #connection: Promise<DaemonConnection | undefined> | undefined
  #local: Promise<CommandSession> | undefined
  #opening: SharedOpening | undefined
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  /** Current directory, environment and options of the calls that are made together. */
  #facts: readonly [EncodedWireValue, EncodedWireValue, EncodedWireValue] | undefined

  /** @param connection - the open one to begin with, if there is one */
  constructor(options: DaemonSessionOptions, connection?: DaemonConnection) {
    this.#options = options
    this.#connection = connection === undefined ? undefined : Promise.resolve(connection)
  }

  async run<Name extends CommandName>(
    name: Name,
    input: GivenInput<CommandNamed<Name>>,
    options?: CallOptions,
  ): Promise<DataOf<CommandNamed<Name>>> {
    try {
      return await this.#run(name, input, options)
    } finally {
      // It may have chosen another actor.
      await this.#opening?.end()
    }
  }

  async #run<Name extends CommandName>(
    name: Name,
    input: GivenInput<CommandNamed<Name>>,
    options: CallOptions = {},
  ): Promise<DataOf<CommandNamed<Name>>> {
    const command = this.#commandNamed(name)
    if (command === undefined || command.isFeed === true || !isServed(command, asGiven(input))) {
      return (await this.#here()).run(name, input, options)
    }
    requireInput(command, input)
    const { key = this.#newKey() } = options
    let { mayBeRepeated } = options
    const running = this.#call(command, input, { ...options, key }, this.#options.effects.signal)
    this.#running.add(running)
    try {
      const end = await running
      // The data belongs to the command of this name.
      if (end !== undefined) return end as DataOf<CommandNamed<Name>>
    } catch (error) {
      if (!(error instanceof IpcError)) throw error
      // The daemon may have carried it out.
      mayBeRepeated = () => true
    } finally {
      this.#running.delete(running)
    }
    return (await this.#here()).run(name, input, { ...options, key, mayBeRepeated })
  }

  async feed<Name extends CommandName>(
    name: Name,
    input: GivenInput<CommandNamed<Name>>,
    emit: CommandContext['emit'],
    signal: AbortSignal,
  ): Promise<void> {
    const command = this.#commandNamed(name)
    const connection = command !== undefined && isServed(command, asGiven(input)) ? await this.#connected() : undefined
    if (command === undefined || connection === undefined) return (await this.#here()).feed(name, input, emit, signal)
    requireInput(command, input)
    const outer = this.#options.effects.signal === undefined ? [] : [this.#options.effects.signal]
    const interrupted = AbortSignal.any([this.#closing.signal, signal, ...outer])
    if ((await this.#feed(connection, command, input, emit, interrupted)) === 'refused') {
      await (await this.#here()).feed(name, input, emit, signal)
    }
  }

  async withStreams<Result>(work: (open: OpenStreams) => Promise<Result>): Promise<Result> {
    this.#requireOpen()
    const running = this.#withOpening(work)
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  async #withOpening<Result>(work: (open: OpenStreams) => Promise<Result>): Promise<Result> {
    const before = this.#opening
    if (before?.isOver === false) return before.use(work)
    this.#opening = new SharedOpening(this.openStreams())
    const [result] = await Promise.all([this.#opening.use(work), before?.end()])
    return result
  }

  async openStreams(): Promise<OpenStreams & { readonly close: () => Promise<void> }> {
    this.#requireOpen()
    const { close, ...open } = await (await this.#here()).openStreams()
    return { ...this.#overDaemon(open), close }
  }

  #overDaemon({ repository, streams, signal }: OpenStreams): OpenStreams {
    return {
      repository,
      streams: new DaemonStreams(streams, () => this.#connected()),
      signal: AbortSignal.any([signal, this.#closing.signal]),
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#running)
    await this.#opening?.end()
    ;(await this.#connection)?.close()
    await (await this.#local)?.close()
  }

  #commandNamed(name: string): AnyCommand | undefined {
    this.#requireOpen()
    return findCommand(name)
  }

  #requireOpen(): void {
    if (this.#closing.signal.aborted) throw new TypeError('the repository has been closed')
  }

  #here(): Promise<CommandSession> {
    this.#local ??= this.#options.openLocal()
    return this.#local
  }

  /** `<unix ms>-<32 hex>` */
  #newKey(): string {
    return `${Date.now()}-${formatHex(randomBytes(16))}`
  }

  async #connected(): Promise<DaemonConnection | undefined> {
    const present = await this.#connection
    if (present?.isOpen === true) return present
    this.#connection = this.#options.connect()
    return this.#connection
  }

  /** @returns undefined when the daemon leaves it to this process */
  async #call(
    command: AnyCommand,
    input: unknown,
    { key, stdin }: CallOptions,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const connection = await this.#connected()
    if (connection === undefined) return undefined
    const parts: Uint8Array[] = []
    const { id, end } = connection.request(ask.call, this.#callOf(command, input, key ?? null, stdin), {
      onWarning: (text) => this.#warn(text),
      onPart: (bytes) => void parts.push(bytes),
    })
    const cancel = () => connection.tell(ask.cancel, id, 2)
    signal?.addEventListener('abort', cancel)
    try {
      const outcome = await end
      if (outcome.kind === 'refused') return undefined
      return readAnswer(outcome, parts)
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }

  async #feed(
    connection: DaemonConnection,
    command: AnyCommand,
    input: unknown,
    emit: CommandContext['emit'],
    signal: AbortSignal,
  ): Promise<'refused' | undefined> {
    let delivered: Promise<void> = Promise.resolve()
    let failure: unknown
    const { id, end } = connection.request(ask.call, this.#callOf(command, input, null), {
      onWarning: (text) => this.#warn(text),
      onItem: (text) => {
        delivered = delivered
          .then(() => emit(fromText(text)))
          .then(() => connection.tell(ask.credit, id, 1))
          .catch((error: unknown) => {
            failure ??= error
            connection.tell(ask.cancel, id, 2)
          })
      },
    })
    connection.tell(ask.credit, id, creditMax)
    const cancel = () => connection.tell(ask.cancel, id, 2)
    if (signal.aborted) cancel()
    else signal.addEventListener('abort', cancel)
    try {
      const outcome = await end
      await delivered
      if (failure !== undefined) throw failure
      if (outcome.kind === 'refused') return 'refused'
      readAnswer(outcome, [])
      return undefined
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  /** The elements of the frame after its id. */
  #callOf({ name }: AnyCommand, input: unknown, key: string | null, stdin?: string) {
    const [cwd, environment, options] = this.#callFacts()
    const own = stdin === undefined ? options : { ...this.#callOptions(), stdin }
    return [key, name, toText(input), cwd, environment, own] as const
  }

  #callOptions() {
    const { actor, dataDir } = this.#options.effects.identity
    return { actor, 'data-dir': dataDir }
  }

  /** The program may change its environment between two calls, but not between two that it makes at once. */
  #callFacts() {
    if (this.#facts !== undefined) return this.#facts
    const { cwd, env } = this.#options.effects
    const environment = Object.fromEntries(Object.entries(env).filter(([each]) => passedOn.test(each)))
    this.#facts = [
      new EncodedWireValue(cwd),
      new EncodedWireValue(environment),
      new EncodedWireValue(this.#callOptions()),
    ]
    process.nextTick(() => {
      this.#facts = undefined
    })
    return this.#facts
  }

  #warn(text: Parameters<typeof fromText>[0]): void {
    this.#options.effects.warn(fromText(text) as Parameters<Effects['warn']>[0])
  }
}

/** Variables that a command may read (docs/ipc.md, Run). */
const passedOn = /^(?:HOME|PATH|XDG_CONFIG_HOME|TZ|(?:LC_|GRITE_|GIT_).*)$/

function readAnswer(outcome: Exclude<RequestEnd, { kind: 'refused' }>, parts: readonly Uint8Array[]): unknown {
  if (outcome.kind === 'failure') throw errorFromWire(errorFromText(outcome.value))
  const text = parts.length === 0 ? outcome.value : Buffer.concat(parts).toString('utf8')
  return text === null ? null : fromText(text)
}

const asGiven = (input: unknown) => input as Readonly<Record<string, unknown>>
