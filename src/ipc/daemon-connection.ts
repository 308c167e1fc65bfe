/** A connection to the daemon, for requests other than the command line of a client (`src/cli/thin-client.ts`). */
import { createConnection, type Socket } from 'node:net'
import { IpcError } from '../model/errors/index.ts'
import { ask, encodeFrame, type Frame, FrameReader, protocolVersion, tell } from './frames.ts'
import { type WireValue, wireNumber, wireText } from './wire-values.ts'

/** A daemon that does not answer within this time is treated as gone. Milliseconds. */
const answerMsDefault = 2_000

/** What a request receives before its end. */
export interface Replies {
  readonly onAccepted?: () => void
  readonly onWarning?: (warning: WireValue) => void
  readonly onItem?: (item: WireValue) => void
  /** A part of a long answer. */
  readonly onPart?: (bytes: Uint8Array) => void
  /** Records of a tail. */
  readonly onRecords?: (records: WireValue) => void
  readonly onNotice?: (kind: string, facts: WireValue) => void
}

interface Pending extends Replies {
  readonly resolve: (end: RequestEnd) => void
  readonly reject: (error: Error) => void
}

/** How a request ended. */
export type RequestEnd =
  | { readonly kind: 'answer'; readonly value: WireValue }
  | { readonly kind: 'failure'; readonly value: WireValue }
  | { readonly kind: 'refused'; readonly reason: string; readonly message: string }

/** Who answers. */
export interface DaemonFacts {
  readonly version: number
  readonly build: string
  readonly pid: number
}

export class DaemonConnection {
  readonly #socket: Socket
  readonly #answerMsMax: number
  readonly #reader = new FrameReader()
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #isUnref = false
  #isCorked = false
  #lost: IpcError | undefined
  #greet: (facts: DaemonFacts) => void = () => {}
  #refuseGreeting: (error: Error) => void = () => {}
  readonly greeting: Promise<DaemonFacts>

  private constructor(socket: Socket, answerMsMax: number) {
    this.#socket = socket
    this.#answerMsMax = answerMsMax
    this.greeting = new Promise((resolve, reject) => {
      this.#greet = resolve
      this.#refuseGreeting = reject
    })
    this.greeting.catch(() => {})
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('error', (error) => this.#lose(error.message))
    socket.on('close', () => this.#lose('the connection ended'))
  }

  /**
   * @param build - of this program; empty to accept every build
   * @param answerMsMax - how long `ask` waits. Milliseconds
   * @throws {IpcError} when nobody listens
   */
  static open(path: string, build: string, answerMsMax = answerMsDefault): Promise<DaemonConnection> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(path)
      const fail = (cause: Error) => reject(new IpcError(`no daemon answers at ${path}: ${cause.message}`, { cause }))
      socket.once('error', fail)
      socket.once('connect', () => {
        socket.off('error', fail)
        const connection = new DaemonConnection(socket, answerMsMax)
        socket.write(encodeFrame([ask.hello, protocolVersion, build, [], new Uint8Array()]))
        resolve(connection)
      })
    })
  }

  /** Whether the connection is usable. */
  get isOpen(): boolean {
    return this.#lost === undefined
  }

  /** From now on, keeps the process running only while a request is unfinished. */
  unref(): void {
    this.#isUnref = true
    if (this.#pending.size === 0) this.#socket.unref()
  }

  /**
   * Sends a request.
   * @param rest - the elements after the id
   * @returns its id, for further frames, and its end. The end rejects with an IpcError when the connection is lost
   */
  request(
    kind: number,
    rest: readonly WireValue[],
    replies: Replies = {},
  ): { readonly id: number; readonly end: Promise<RequestEnd> } {
    if (this.#lost !== undefined) throw this.#lost
    const id = ++this.#lastId
    const end = new Promise<RequestEnd>((resolve, reject) => {
      this.#pending.set(id, { ...replies, resolve, reject })
    })
    // Who does not wait for the end does not want to hear of it.
    end.catch(() => {})
    this.#socket.ref()
    this.#write(encodeFrame([kind, id, ...rest]))
    return { id, end }
  }

  /** Sends a further frame of a request; nothing when it is over. */
  tell(kind: number, id: number, ...rest: readonly WireValue[]): void {
    if (this.#lost === undefined && this.#pending.has(id)) this.#write(encodeFrame([kind, id, ...rest]))
  }

  /** The requests that are made together go out in one write. */
  #write(bytes: Uint8Array): void {
    if (!this.#isCorked) {
      this.#isCorked = true
      this.#socket.cork()
      process.nextTick(() => {
        this.#isCorked = false
        this.#socket.uncork()
      })
    }
    this.#socket.write(bytes)
  }

  /** Sends a request that the daemon answers at once. @throws {IpcError} when it does not, or refuses */
  async ask(kind: number, ...rest: readonly WireValue[]): Promise<WireValue> {
    const { end } = this.request(kind, rest)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new IpcError(`the daemon did not answer within ${this.#answerMsMax} ms`)),
        this.#answerMsMax,
      )
    })
    try {
      const outcome = await Promise.race([end, late])
      if (outcome.kind === 'answer') return outcome.value
      const reason = outcome.kind === 'refused' ? outcome.message : 'the request failed'
      throw new IpcError(`the daemon did not do it: ${reason}`)
    } finally {
      clearTimeout(timer)
    }
  }

  close(): void {
    this.#lose('the connection was closed')
  }

  #take(bytes: Buffer): void {
    try {
      for (const frame of this.#reader.take(bytes)) this.#serve(frame)
    } catch (error) {
      this.#lose((error as Error).message)
    }
  }

  #serve(frame: Frame): void {
    const [kind, id, value, more] = frame
    if (kind === tell.hello) {
      const [, version, build, , pid] = frame
      this.#greet({ version: wireNumber(version), build: wireText(build), pid: wireNumber(pid) })
      return
    }
    if (kind === tell.goodbye) {
      for (const { resolve } of this.#pending.values())
        resolve({ kind: 'refused', reason: 'stopping', message: 'the daemon has ended' })
      this.#lose('the daemon has ended')
      return
    }
    const pending = this.#pending.get(wireNumber(id))
    if (pending === undefined) {
      if (kind === tell.refused) this.#lose(wireText(more))
      return
    }
    const end = (outcome: RequestEnd) => {
      this.#pending.delete(wireNumber(id))
      if (this.#isUnref && this.#pending.size === 0) this.#socket.unref()
      pending.resolve(outcome)
    }
    switch (kind) {
      case tell.accepted:
        pending.onAccepted?.()
        return
      case tell.refused:
        end({ kind: 'refused', reason: wireText(value), message: wireText(more) })
        return
      case tell.answer:
        end({ kind: 'answer', value: value ?? null })
        return
      case tell.failure:
        end({ kind: 'failure', value: value ?? null })
        return
      case tell.warning:
        pending.onWarning?.(value ?? null)
        return
      case tell.part:
        if (value instanceof Uint8Array) pending.onPart?.(value)
        return
      case tell.item:
        pending.onItem?.(value ?? null)
        return
      case tell.records:
        pending.onRecords?.(value ?? null)
        return
      case tell.notice:
        pending.onNotice?.(wireText(value), more ?? null)
        return
    }
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined) return
    this.#lost = new IpcError(`the connection to the daemon is lost: ${reason}`)
    this.#socket.destroy()
    this.#refuseGreeting(this.#lost)
    for (const { reject } of this.#pending.values()) reject(this.#lost)
    this.#pending.clear()
  }
}
