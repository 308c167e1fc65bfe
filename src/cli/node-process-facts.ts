/**
 * The facts of the real process. Without a terminal, writes go directly to the file descriptor: `process.stdout` would load
 * Node's streams, which takes longer than printing the output.
 */
import { readFileSync, statSync, writeSync } from 'node:fs'
import { randomBytes } from '../git/index.ts'
import { NotFoundError, StorageError } from '../model/errors/index.ts'
import type { Interrupts } from './interrupts.ts'
import { isTerminal } from './is-terminal.ts'
import { openUnblocked, waitForReader } from './long-output.ts'
import { ClosedPipeError, type ProcessFacts, type TextSink } from './process-facts.ts'

const longText = 64 * 1024

export function nodeProcessFacts(interrupts: Interrupts): ProcessFacts {
  return {
    cwd: currentDirectory,
    env: process.env,
    rawArguments: (count) => readRawList('cmdline')?.slice(-count) ?? null,
    rawVariable(name) {
      const start = Buffer.from(`${name}=`)
      return (
        readRawList('environ')
          ?.find((entry) => entry.subarray(0, start.length).equals(start))
          ?.subarray(start.length) ?? null
      )
    },
    stdin: {
      get isTerminal() {
        return isTerminal(0)
      },
      chunks: () => process.stdin,
    },
    stdout: openSink(1, () => process.stdout),
    stderr: openSink(2, () => process.stderr),
    nowUnixMs: () => Date.now(),
    randomBytes,
    onInterrupt: interrupts.onInterrupt,
    isInterrupted: () => interrupts.running,
    leaveInterrupts: interrupts.leave,
  }
}

function currentDirectory(): string {
  try {
    const path = process.cwd()
    return path.includes('\ufffd') && !isSameDirectory(path, '.') ? requireUnnamedDirectory(path) : path
  } catch (cause) {
    if (cause instanceof StorageError) throw cause
    throw new NotFoundError('the current directory no longer exists', {
      cause,
      hints: ['Change to an existing directory'],
    })
  }
}

/** Node decodes the path; if it is not UTF-8, the result names another directory, or none. */
function isSameDirectory(path: string, other: string): boolean {
  const [one, two] = [path, other].map((each) => statSync(each, { bigint: true, throwIfNoEntry: false }))
  return one !== undefined && one.ino === two?.ino && one.dev === two?.dev
}

/** On Linux, uses another name for the directory, which also works in child processes. */
function requireUnnamedDirectory(path: string): string {
  const unnamed = '/proc/self/cwd'
  if (process.platform === 'linux' && isSameDirectory(unnamed, '.')) return unnamed
  throw new StorageError(`the name of the current directory is not UTF-8: ${path}`, {
    details: { path },
    hints: ['Change to a directory whose path is UTF-8'],
  })
}

/** The NUL-terminated strings that the system passed to this process. Linux only. */
function readRawList(name: 'cmdline' | 'environ'): Buffer[] | null {
  try {
    const bytes = readFileSync(`/proc/self/${name}`)
    const list: Buffer[] = []
    for (let start = 0, end = bytes.indexOf(0); end >= 0; start = end + 1, end = bytes.indexOf(0, start)) {
      list.push(bytes.subarray(start, end))
    }
    return list
  } catch {
    return null
  }
}

/** @param stream - the stream of the descriptor, created only to read the terminal size */
function openSink(descriptor: 1 | 2, stream: () => { readonly columns?: number; readonly rows?: number }): TextSink {
  const terminal = isTerminal(descriptor)
  return {
    isTerminal: terminal,
    // A terminal without a set size (`script`, `docker run -t`, CI) reports 0.
    columns: () => (terminal && stream().columns) || undefined,
    rows: () => (terminal && stream().rows) || undefined,
    ...openWriter(descriptor),
    onUnread(callback) {
      let stop: () => void = () => undefined
      let isOver = false
      void import('./reader-watch.ts').then(({ watchReader }) => {
        if (!isOver) stop = watchReader(descriptor, callback)
      })
      return () => {
        isOver = true
        stop()
      }
    },
  }
}

/** Writes long texts through one buffer: a new buffer per piece of a large output would fill the memory. */
function openWriter(descriptor: number): Pick<TextSink, 'write' | 'writeBytes'> {
  let spare: Buffer | undefined
  let place: number | undefined
  const writeLong = async (bytes: Uint8Array): Promise<void> => {
    place ??= openUnblocked(descriptor)
    await writeAll(place, bytes)
    // Yield to the event loop, for signals and garbage collection.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    async write(text) {
      if (text.length < longText) return writeAll(place ?? descriptor, Buffer.from(text))
      const bytesMax = 3 * text.length
      const buffer = spare !== undefined && spare.length >= bytesMax ? spare : Buffer.allocUnsafe(bytesMax)
      spare = undefined
      await writeLong(buffer.subarray(0, buffer.write(text)))
      spare = buffer
    },
    writeBytes: (bytes) => (bytes.length < longText ? writeAll(place ?? descriptor, bytes) : writeLong(bytes)),
  }
}

/** Writes all bytes: a non-blocking pipe may accept only a part at a time. */
async function writeAll(descriptor: number, bytes: Uint8Array): Promise<void> {
  let written = 0
  let waits = 0
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written)
      waits = 0
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code === 'EPIPE' || code === 'ECONNRESET') throw new ClosedPipeError()
      if (code !== 'EAGAIN') throw cannotWrite(descriptor, error as Error)
      await waitForReader(waits++)
    }
  }
}

function cannotWrite(descriptor: number, cause: Error): StorageError {
  return new StorageError(`cannot write standard ${descriptor === 1 ? 'output' : 'error'}: ${cause.message}`, { cause })
}
