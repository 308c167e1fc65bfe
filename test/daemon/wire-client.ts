/** A client that says what a test wants, right or wrong, and keeps what it hears. */
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import {
  ask,
  encodeFrame,
  type Frame,
  FrameReader,
  protocolVersion,
  tell,
  type WireValue,
} from '../../src/ipc/index.ts'

/** Frames that end a request. */
export const finalKinds: readonly number[] = [tell.refused, tell.exit, tell.answer, tell.failure]

export interface RunWords {
  readonly argv?: readonly string[]
  readonly key?: string | null
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

export class WireClient {
  readonly socket: Socket
  readonly frames: Frame[] = []
  readonly closed: Promise<unknown>
  /** A daemon that has not answered by then never will. Milliseconds. */
  answerMsMax = 10_000
  readonly #reader = new FrameReader()
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.socket = socket
    this.closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      this.frames.push(...this.#reader.take(bytes))
      this.#wake()
    })
    socket.on('close', () => this.#wake())
  }

  /** Connects and says nothing. */
  static async connect(path: string): Promise<WireClient> {
    const socket = createConnection({ path, allowHalfOpen: true })
    const client = new WireClient(socket)
    await once(socket, 'connect')
    return client
  }

  /** Connects and says hello. */
  static async greet(path: string, version: number = protocolVersion, build = ''): Promise<WireClient> {
    const client = await WireClient.connect(path)
    client.send(ask.hello, version, build, [], new Uint8Array())
    await client.next(tell.hello)
    return client
  }

  send(...frame: readonly WireValue[]): void {
    this.socket.write(encodeFrame(frame))
  }

  sendBytes(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  run(id: number, { argv = [], key = null, cwd = '/', env = {} }: RunWords = {}): void {
    this.send(ask.run, id, key, argv, cwd, env, [false, false, false, 0, 0])
  }

  /** Takes the first frame of a kind, and of a request if one is named; waits for it. */
  next(kind: number, id?: number): Promise<Frame> {
    return this.nextOf([kind], id)
  }

  /** The final frame of a request. */
  end(id: number): Promise<Frame> {
    return this.nextOf(finalKinds, id)
  }

  async nextOf(kinds: readonly number[], id?: number): Promise<Frame> {
    const isIt = (frame: Frame) => kinds.includes(frame[0]) && (id === undefined || frame[1] === id)
    const deadline = performance.now() + this.answerMsMax
    for (;;) {
      const index = this.frames.findIndex(isIt)
      if (index >= 0) return this.frames.splice(index, 1)[0] as Frame
      const missing = `a frame of the kinds ${kinds.join(', ')}${id === undefined ? '' : ` of request ${id}`}`
      if (this.socket.destroyed) throw new Error(`the connection ended without ${missing}`)
      if (performance.now() > deadline) throw new Error(`${missing} did not come`)
      await this.#something()
    }
  }

  close(): void {
    this.socket.destroy()
  }

  #something(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 100)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
