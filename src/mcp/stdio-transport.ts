/**
 * The transport of the SDK over the input and output of a command: one JSON-RPC message per line.
 *
 * Invariants
 * - Nothing but messages is written to the output.
 * - A line that is no message is skipped and reported. A line that is too long ends the connection: nothing may grow without bound.
 */
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { makeJsonVisible, parseForeignJson, shape } from '../model/index.ts'
import { formatJson } from '../tracker/export/json-pieces.ts'
import { JSONRPCMessageSchema } from './mcp-sdk.ts'

/** The longest line: above every limit of a command's input. Bytes. */
export const messageBytesMax = 16 * 1024 * 1024

export interface StdioParts {
  readonly chunks: () => AsyncIterable<Uint8Array>
  readonly write: (bytes: Uint8Array) => Promise<void>
  /** Called with each message before the protocol gets it. */
  readonly watch?: (message: JSONRPCMessage) => void
}

const newline = 0x0a

export class StdioTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  readonly #parts: StdioParts
  #written: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(parts: StdioParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    void this.#read()
      .catch((error: unknown) => this.onerror?.(asError(error)))
      .then(() => this.close())
  }

  send(message: JSONRPCMessage): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    const line = `${makeJsonVisible(formatJson(message, 'compact'))}\n`
    this.#written = this.#written.then(() => this.#parts.write(Buffer.from(line)))
    // The reader is gone.
    this.#written.catch(() => this.close())
    return this.#written
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.onclose?.()
  }

  async #read(): Promise<void> {
    let parts: Uint8Array[] = []
    let length = 0
    for await (const chunk of this.#parts.chunks()) {
      let start = 0
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
        this.#take(Buffer.concat([...parts, chunk.subarray(start, end)]))
        parts = []
        length = 0
        start = end + 1
      }
      if (this.#isClosed) return
      length += chunk.length - start
      if (length > messageBytesMax) throw new RangeError(`a message is longer than ${messageBytesMax} bytes`)
      if (start < chunk.length) parts.push(chunk.subarray(start))
    }
  }

  #take(line: Uint8Array): void {
    if (line.length === 0 || (line.length === 1 && line[0] === 0x0d)) return
    const read = parseForeignJson(line, shape.anything, { name: 'a message', sizeMax: messageBytesMax })
    if (read.problem !== null) {
      this.onerror?.(new Error(read.problem.message))
      return
    }
    const message = JSONRPCMessageSchema.safeParse(read.value)
    if (!message.success) {
      this.onerror?.(new Error('a message is not JSON-RPC 2.0'))
      return
    }
    this.#parts.watch?.(message.data)
    this.onmessage?.(message.data)
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('the input failed')
}
