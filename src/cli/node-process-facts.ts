/**
 * The facts of the real process. Off a terminal, output goes straight to the file descriptor: setting up
 * `process.stdout` loads Node's stream machinery, which costs more than printing an answer.
 */
import { constants, fstatSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { NotFoundError, StorageError } from '../model/errors/index.ts'
import type { Interrupts } from './interrupts.ts'
import { ClosedPipeError, type ProcessFacts, type TextSink } from './process-facts.ts'

/** How long to wait before asking a full pipe again; a reader that is quick gets more at once, so many times. */
const fullPipeWaitMs = 2
const quickReadsMax = 50

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
    randomBytes: (count) => globalThis.crypto.getRandomValues(new Uint8Array(count)),
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
    throw new NotFoundError('the current directory no longer exists', { cause, hints: ['Change to one that does'] })
  }
}

/** Node decodes the path: one that is not UTF-8 would name another directory, or none. */
function isSameDirectory(path: string, other: string): boolean {
  const [one, two] = [path, other].map((each) => statSync(each, { bigint: true, throwIfNoEntry: false }))
  return one !== undefined && one.ino === two?.ino && one.dev === two?.dev
}

/** Linux has another name for it, which works in programs that are started here, too. */
function requireUnnamedDirectory(path: string): string {
  const unnamed = '/proc/self/cwd'
  if (process.platform === 'linux' && isSameDirectory(unnamed, '.')) return unnamed
  throw new StorageError(`the name of the current directory is not UTF-8: ${path}`, {
    details: { path },
    hints: ['Change to a directory whose path is UTF-8'],
  })
}

/** What the system handed to this process, each with a NUL behind it. Only Linux tells. */
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

/** Asks the file first: a pipe or a file is no terminal, and `node:tty` loads Node's streams to say so. */
function isTerminal(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice() && isatty(descriptor)
  } catch {
    return false
  }
}

/** @param stream - that of the descriptor, set up only to ask its size */
function openSink(descriptor: 1 | 2, stream: () => { readonly columns?: number; readonly rows?: number }): TextSink {
  const terminal = isTerminal(descriptor)
  return {
    isTerminal: terminal,
    // A terminal that was never told its size (`script`, `docker run -t`, CI) says 0.
    columns: () => (terminal && stream().columns) || undefined,
    rows: () => (terminal && stream().rows) || undefined,
    write: openWriter(descriptor),
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

/** Long texts go through one buffer: a new one for each piece of a large answer would fill the memory. */
function openWriter(descriptor: number): (text: string) => Promise<void> {
  let spare: Buffer | undefined
  let place: number | undefined
  return async (text) => {
    if (text.length < longText) return writeAll(place ?? descriptor, Buffer.from(text))
    place ??= openUnblocked(descriptor)
    const bytesMax = 3 * text.length
    const buffer = spare !== undefined && spare.length >= bytesMax ? spare : Buffer.allocUnsafe(bytesMax)
    spare = undefined
    await writeAll(place, buffer.subarray(0, buffer.write(text)))
    spare = buffer
    // A turn of the event loop, in which signals are noticed and garbage is collected.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/**
 * The same pipe, opened once more so that a write into it never blocks: a process that waits in a write for a reader
 * notices no signal. Other processes have the pipe as it was. Only Linux opens it again.
 */
function openUnblocked(descriptor: number): number {
  try {
    if (process.platform !== 'linux' || !fstatSync(descriptor).isFIFO()) return descriptor
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return descriptor
  }
}

/** Writes every byte: a pipe that does not block takes them a part at a time. */
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
      await new Promise((resolve) => {
        if (++waits < quickReadsMax) setImmediate(resolve)
        else setTimeout(resolve, fullPipeWaitMs)
      })
    }
  }
}

function cannotWrite(descriptor: number, cause: Error): StorageError {
  return new StorageError(`cannot write standard ${descriptor === 1 ? 'output' : 'error'}: ${cause.message}`, { cause })
}
