/** A daemon that answers as a test tells it, for tests of clients. Speaks docs/ipc.md. */
import assert from 'node:assert/strict'
import { mkdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { CleanUp } from '../git/temp-repository.ts'
import { decodeWire, encodeWire, type WireMap, type WireValue } from './wire-cbor.ts'

export type Frame = readonly WireValue[]

/** The `run` frame of a client. */
export interface RunFrame {
  readonly id: number
  readonly key: string
  readonly argv: readonly string[]
  readonly cwd: string
  readonly environment: WireMap
  readonly terminal: readonly (boolean | number)[]
}

export interface FakeConnection {
  /** The next frame; null when the client has closed the connection. */
  receive(): Promise<Frame | null>
  /** Receives `hello` and `run`. */
  receiveRun(): Promise<RunFrame>
  /** Resolves when the system has taken the bytes. Does nothing once the client has closed the connection. */
  send(...frames: readonly Frame[]): Promise<void>
  sendBytes(bytes: Uint8Array): Promise<void>
  /** Ends the answer; what has been sent still arrives. */
  end(): void
  /** Reads no more from the connection. */
  pause(): void
  /** Number of bytes received in the first read. */
  firstReadBytes(): number
}

export interface FakeDaemon {
  readonly socket: string
  /** The longest time for which this process had no processor, or did something else. */
  longestPauseMs(): number
  /** Number of connections so far. */
  connections(): number
  /** Waits for the conversations that have begun, and throws what failed in them. */
  finish(): Promise<void>
}

/** Frames of the daemon, for a request. */
export const answers = (id: number) => ({
  accepted: [129, id] as Frame,
  refused: (reason: string): Frame => [130, id, reason, `refused: ${reason}`],
  stdout: (output: string | Uint8Array): Frame => [131, id, Buffer.from(output)],
  stderr: (output: string | Uint8Array): Frame => [132, id, Buffer.from(output)],
  wantStdin: [133, id] as Frame,
  exit: (status: number): Frame => [134, id, status],
})

export const welcome: Frame = [128, 1, 'build of the fake daemon', [], process.pid]

export function encodeFrame(frame: Frame): Buffer {
  const content = encodeWire(frame)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  return Buffer.concat([length, content])
}

/**
 * Starts a daemon for a repository.
 *
 * @param commonDir - the common git directory, which gets the file that names the socket
 * @param talk - one conversation; the connection is closed at its end
 */
export async function startFakeDaemon(
  t: CleanUp,
  { commonDir, socket }: { readonly commonDir: string; readonly socket: string },
  talk: (connection: FakeConnection) => Promise<void>,
): Promise<FakeDaemon> {
  const conversations: Promise<void>[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (accepted) => {
    sockets.add(accepted)
    const conversation = talk(connectionOf(accepted)).finally(() => accepted.destroy())
    conversation.catch(() => undefined)
    conversations.push(conversation)
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  let [last, longest] = [performance.now(), 0]
  const note = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  const clock = setInterval(note, 20)
  t.after(() => {
    clearInterval(clock)
    for (const one of sockets) one.destroy()
    server.close()
  })
  writeEndpoint(commonDir, `1 boot-id namespace ${process.pid} 123 ${socket}\n`)
  return {
    socket,
    longestPauseMs: () => {
      note()
      return longest
    },
    connections: () => conversations.length,
    finish: async () => void (await Promise.all(conversations)),
  }
}

/** Writes the file in which clients look for the socket. */
export function writeEndpoint(commonDir: string, text: string): void {
  mkdirSync(join(commonDir, 'grite'), { recursive: true })
  writeFileSync(join(commonDir, 'grite', `endpoint.${process.geteuid?.()}.${pidNamespace()}`), text)
}

function pidNamespace(): string {
  if (process.platform !== 'linux') return hostname().replace(/[^A-Za-z0-9_-]/g, '_')
  return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')
}

function connectionOf(socket: Socket): FakeConnection {
  let received: Buffer = Buffer.alloc(0)
  let firstRead = 0
  let isOver = false
  let wake: () => void = () => undefined
  socket.on('data', (bytes) => {
    if (firstRead === 0) firstRead = bytes.length
    received = Buffer.concat([received, bytes])
    wake()
  })
  const end = () => {
    isOver = true
    wake()
  }
  for (const event of ['end', 'close', 'error']) socket.on(event, end)
  const receive = async (): Promise<Frame | null> => {
    for (;;) {
      const length = received.length < 4 ? Number.POSITIVE_INFINITY : received.readUInt32BE()
      if (received.length - 4 >= length) {
        const frame = decodeWire(received.subarray(4, 4 + length))
        received = received.subarray(4 + length)
        assert.ok(Array.isArray(frame))
        return frame as Frame
      }
      if (isOver) return null
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  const sendBytes = (bytes: Uint8Array) =>
    new Promise<void>((resolve) => {
      // Also called, with an error, when the connection ends first.
      if (isOver || !socket.writable) resolve()
      else socket.write(bytes, () => resolve())
    })
  return {
    receive,
    receiveRun: async () => {
      checkHello(await receive())
      return readRun(await receive())
    },
    send: (...frames) => sendBytes(Buffer.concat(frames.map(encodeFrame))),
    sendBytes,
    end: () => void socket.end(),
    pause: () => void socket.pause(),
    firstReadBytes: () => firstRead,
  }
}

function checkHello(frame: Frame | null): void {
  const [kind, version, build, features, token, ...others] = frame ?? []
  assert.deepEqual([kind, version, typeof build, features, token, others], [1, 1, 'string', [], new Uint8Array(), []])
}

function readRun(frame: Frame | null): RunFrame {
  const [kind, id, key, argv, cwd, environment, terminal, ...others] = frame ?? []
  assert.deepEqual([kind, others], [2, []])
  assert.ok(typeof id === 'number' && id >= 1 && id < 2 ** 32)
  assert.ok(Array.isArray(argv) && environment instanceof Map)
  return { id, key, argv, cwd, environment, terminal } as RunFrame
}
