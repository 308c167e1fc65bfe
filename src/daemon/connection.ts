/**
 * One client of the daemon: its frames, its unfinished requests, and the bytes that wait for it.
 *
 * Invariants
 * - Nothing a peer sends throws: what is not the protocol ends the connection.
 * - A request ends with exactly one final frame, or with the connection.
 * - Output waits for the socket, never in memory beyond what one write holds.
 */
import type { Socket } from 'node:net'
import {
  ask,
  encodeFrame,
  encodePart,
  type Frame,
  FrameReader,
  ignorableFrom,
  partBytesMax,
  protocolVersion,
  type Refusal,
  requestsMax,
  tell,
  type WireValue,
} from '../ipc/index.ts'
import { errorToWire } from '../ipc/wire-errors.ts'
import { toText } from '../library/call-on-wire.ts'
import { InternalError } from '../model/errors/index.ts'
import { timeOfRequestKey } from '../model/index.ts'
import type { DaemonLimits } from './limits.ts'

/** A client is not read while more than this waits for it: more than one part of output, so that it can cancel. Bytes. */
const answerBytesMax = 2 * partBytesMax

/** A client waits twice as long before it gives up. Milliseconds. */
const freshMsMax = 250

/** What the server does for a connection. */
export interface Requests {
  /** Called when bytes have come, before the frames in them begin requests. */
  readonly beginRead: () => void
  readonly facts: { readonly version: number; readonly build: string; readonly pid: number }
  readonly limits: DaemonLimits
  /** Begins a request; must not throw. */
  readonly begin: (request: Request, frame: Frame) => void
  readonly onClose: (connection: Connection) => void
  readonly isStopping: () => boolean
  /** A client of a higher version, or of another build, has asked. */
  readonly replace: (by: 'version' | 'build') => void
  readonly note: (facts: Readonly<Record<string, unknown>>, message: string) => void
}

export class Connection {
  readonly requests = new Map<number, Request>()
  readonly #socket: Socket
  readonly #server: Requests
  readonly #reader = new FrameReader()
  /** `version` and `build`: everything but status and stop is refused for it. */
  #standing: 'new' | 'served' | 'version' | 'build' = 'new'
  #deadline: NodeJS.Timeout | undefined
  #drained: Promise<void> | undefined
  #isCorked = false
  #isReading = false
  #isUrgent = false
  isClosed = false

  constructor(socket: Socket, server: Requests) {
    this.#socket = socket
    this.#server = server
    this.#within(server.limits.helloMs)
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    // A half-closed peer looks like one that was killed: it gets no answers.
    socket.on('end', () => this.close())
    socket.on('error', () => this.close())
    socket.on('close', () => this.close())
  }

  /** Sends a frame. Resolves when the socket takes more. */
  async send(frame: readonly WireValue[]): Promise<void> {
    if (!this.isClosed) await this.sendBytes(encodeFrame(frame))
  }

  /** Sends the last frame of a request. With no other request there is nothing to join it with, so it goes out at once. */
  sendLast(frame: readonly WireValue[]): void {
    if (this.isClosed) return
    if (this.requests.size > 0 || this.#isReading) this.#cork()
    this.#socket.write(encodeFrame(frame))
  }

  /** Sends a frame, and what waits before it, before anything is done for the requests of this read of the socket. */
  sendNow(frame: readonly WireValue[]): void {
    if (this.isClosed) return
    this.#cork()
    this.#socket.write(encodeFrame(frame))
    if (this.#isReading) this.#isUrgent = true
    else this.#uncork()
  }

  /** @param pieces - of whole frames; not copied */
  async sendBytes(...pieces: readonly Uint8Array[]): Promise<void> {
    if (this.isClosed) return
    this.#cork()
    let takesMore = true
    for (const bytes of pieces) takesMore = this.#socket.write(bytes)
    if (!takesMore) await this.#drain()
  }

  /** Bytes that the client has not taken yet. */
  get waitingBytes(): number {
    return this.#socket.writableLength
  }

  /** Ends the connection of a daemon that has finished its requests: the client may repeat those without an answer. */
  leave(): void {
    void this.send([tell.goodbye, 0])
    this.end()
  }

  /** Ends the connection after what has been sent. */
  end(): void {
    this.#socket.end()
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    clearTimeout(this.#deadline)
    this.#socket.destroy()
    for (const request of this.requests.values()) request.abandon()
    this.requests.clear()
    this.#server.onClose(this)
  }

  /** The frames of one turn of the event loop go out in one write. */
  #cork(): void {
    if (this.#isCorked) return
    this.#isCorked = true
    this.#socket.cork()
    setImmediate(() => this.#uncork())
  }

  #uncork(): void {
    if (!this.#isCorked) return
    this.#isCorked = false
    this.#socket.uncork()
  }

  async #drain(): Promise<void> {
    this.#drained ??= new Promise<void>((resolve) => {
      const patience = setTimeout(() => {
        this.#server.note({}, 'disconnected a client that takes no output')
        this.close()
      }, this.#server.limits.unreadMs)
      const done = () => {
        clearTimeout(patience)
        this.#socket.off('drain', done)
        this.#socket.off('close', done)
        this.#drained = undefined
        resolve()
      }
      this.#socket.once('drain', done)
      this.#socket.once('close', done)
    })
    await this.#drained
  }

  #within(ms: number): void {
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => this.close(), ms)
    this.#deadline.unref()
  }

  #take(bytes: Buffer): void {
    this.#server.beginRead()
    this.#isReading = true
    try {
      this.#takeFrames(bytes)
    } finally {
      this.#isReading = false
      if (this.#isUrgent) this.#uncork()
      this.#isUrgent = false
    }
  }

  #takeFrames(bytes: Buffer): void {
    let isWhole = false
    try {
      for (const frame of this.#reader.take(bytes)) {
        isWhole = true
        this.#serve(frame)
        if (this.isClosed) return
      }
    } catch (error) {
      this.#server.note({ reason: (error as Error).message }, 'disconnected a client that does not speak the protocol')
      void this.send([tell.refused, 0, 'frame', (error as Error).message])
      this.end()
      // Its further bytes mean nothing.
      this.#socket.removeAllListeners('data')
      this.#socket.resume()
      this.#within(this.#server.limits.helloMs)
      return
    }
    if (this.#standing === 'new') return
    if (isWhole) {
      clearTimeout(this.#deadline)
      this.#deadline = undefined
    }
    if (this.#reader.isInFrame && this.#deadline === undefined) this.#within(this.#server.limits.frameMs)
    if (this.waitingBytes > answerBytesMax) this.#restFromReading()
  }

  /** Asks nothing more of a client that does not take its answers. */
  #restFromReading(): void {
    this.#socket.pause()
    void this.#drain().then(() => this.#socket.resume())
  }

  #serve(frame: Frame): void {
    const [kind, id] = frame
    if (this.#standing === 'new') {
      if (kind !== ask.hello) throw new Error('the first frame is not hello')
      this.#greet(frame)
      return
    }
    if (kind === ask.hello) throw new Error('hello was already said')
    if (kind >= ignorableFrom) return
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 1 || id > 0xffff_ffff) {
      throw new Error('a request id is an integer from 1 to 2^32 - 1')
    }
    const present = this.requests.get(id)
    if (present !== undefined) {
      present.take(frame)
      return
    }
    // Late: the request is over.
    if (kind === ask.stdin || kind === ask.cancel || kind === ask.closed || kind === ask.credit) return
    this.#begin(id, frame)
  }

  #begin(id: number, frame: Frame): void {
    const [kind] = frame
    const request = new Request(this, id)
    const isAlwaysServed = kind === ask.status || kind === ask.stop
    if (!isAlwaysServed) {
      if (this.#standing === 'version' || this.#standing === 'build') {
        request.refuse(this.#standing, `this daemon is ${this.#server.facts.build}`)
        return
      }
      if (this.#server.isStopping()) {
        request.refuse('stopping', 'the daemon is ending')
        return
      }
      if (this.requests.size >= requestsMax) {
        request.refuse('busy', `${requestsMax} requests are unfinished`)
        return
      }
    }
    this.requests.set(id, request)
    this.#server.begin(request, frame)
  }

  #greet([, version, build]: Frame): void {
    const { facts } = this.#server
    if (typeof version !== 'number' || typeof build !== 'string') throw new Error('hello has no version or no build')
    this.#standing =
      version !== protocolVersion ? 'version' : build !== '' && build !== facts.build ? 'build' : 'served'
    void this.send([tell.hello, facts.version, facts.build, [], facts.pid])
    if (version > protocolVersion) this.#server.replace('version')
    else if (this.#standing === 'build') this.#server.replace('build')
  }
}

/** What listens to the frames of a running request. */
export interface RequestListener {
  readonly stdin?: (bytes: Uint8Array) => void
  readonly cancel?: () => void
  readonly closed?: (stream: number) => void
  readonly credit?: (count: number) => void
}

export class Request {
  readonly connection: Connection
  readonly id: number
  #isCancelled = false
  #cancelled: AbortController | undefined
  listener: RequestListener = {}
  /** Ends only when it is cancelled: a subscription, a feed. */
  isEndless = false
  /** Of a client that prints: when the daemon ends, it must not take what it has for the whole. */
  isLine = false
  #isOver = false
  #wasLate = false
  #isAccepted = false

  constructor(connection: Connection, id: number) {
    this.connection = connection
    this.id = id
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Whether the client has cancelled, or is gone. */
  get isCancelled(): boolean {
    return this.#isCancelled
  }

  /** Aborted when the client cancels or is gone. Made when it is first asked for: most requests need none. */
  get signal(): AbortSignal {
    this.#cancelled ??= new AbortController()
    if (this.#isCancelled) this.#cancelled.abort()
    return this.#cancelled.signal
  }

  throwIfAborted(): void {
    if (this.#isCancelled) this.signal.throwIfAborted()
  }

  /** Takes a further frame of this request. @throws when the frame is none */
  take(frame: Frame): void {
    const [kind, , value] = frame
    switch (kind) {
      case ask.stdin:
        if (!(value instanceof Uint8Array)) throw new Error('stdin without bytes')
        this.listener.stdin?.(value)
        return
      case ask.cancel:
        this.cancel()
        return
      case ask.closed:
        this.listener.closed?.(typeof value === 'number' ? value : 0)
        return
      case ask.credit:
        if (typeof value !== 'number' || !Number.isInteger(value) || value < 1)
          throw new Error('credit without a count')
        this.listener.credit?.(value)
        return
      default:
        throw new Error(`request ${this.id} is not finished`)
    }
  }

  /**
   * Says that the request has begun. A client waits 500 ms for this frame, and then as long as the connection lasts. The system has
   * it before anything is written to the log: then this has returned, and the read that the request came with is over.
   *
   * @param key - of the request
   */
  accept(key: string | null, nowUnixMs: () => number): void {
    this.#isAccepted = true
    this.connection.sendNow([tell.accepted, this.id])
    const ageMs = key === null ? 0 : nowUnixMs() - timeOfRequestKey(key)
    this.#wasLate = ageMs < 0 || ageMs >= freshMsMax
  }

  /** Whether the client may have carried the request out by itself, as of now. */
  mayBeRepeated(): boolean {
    return this.#wasLate || this.#isOver || this.#isCancelled
  }

  send(kind: number, ...rest: readonly WireValue[]): Promise<void> {
    return this.connection.send([kind, this.id, ...rest])
  }

  /** Sends a frame whose value is bytes, which must not change afterwards. */
  sendPart(kind: number, bytes: Uint8Array): Promise<void> {
    return this.connection.sendBytes(...encodePart(kind, this.id, bytes))
  }

  refuse(reason: Refusal, message: string): void {
    this.finish(tell.refused, reason, message)
  }

  /** Ends a request after an unexpected error. One that has begun may have had an effect, so it is not called undone. */
  fail(message: string): void {
    if (this.#isAccepted) this.finish(tell.failure, toText(errorToWire(new InternalError(message))))
    else this.refuse('command', message)
  }

  /** Sends the final frame, once. */
  finish(kind: number, ...rest: readonly WireValue[]): void {
    if (this.#isOver) return
    this.#isOver = true
    this.connection.requests.delete(this.id)
    this.connection.sendLast([kind, this.id, ...rest])
  }

  cancel(): void {
    this.#isCancelled = true
    this.#cancelled?.abort()
    this.listener.cancel?.()
  }

  /** The connection is gone. */
  abandon(): void {
    this.#isOver = true
    this.cancel()
    this.listener.closed?.(1)
  }
}
