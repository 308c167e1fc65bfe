/**
 * Hands a command line to the daemon at a socket, before the rest of the program is loaded (docs/ipc.md).
 *
 * Invariants
 * - It never waits for a daemon that does not answer: after 500 ms, or when the connection breaks, the program does the work itself.
 * - A request that may have been carried out is done again only under its key, with which the program looks it up in the log.
 */
import { closeSync, openSync, readFileSync, readSync, write, writeSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import {
  ask,
  encodeFrame,
  type Frame,
  FrameReader,
  ignorableFrom,
  kindMax,
  protocolVersion,
  tell,
} from '../ipc/frames.ts'
import type { WireValue } from '../ipc/wire-values.ts'
import { isTerminal } from './is-terminal.ts'
import { openUnblocked, waitForReader } from './long-output.ts'
import { watchReader } from './reader-watch.ts'
import { formatRunRequest } from './run-request.ts'

/** Milliseconds. */
const acceptMsMax = 500
const cancelMsMax = 3_000
/** A line that runs for this long may have nothing to print for days: only then its reader is watched. Milliseconds. */
const watchReaderAfterMs = 500
/** Output that waits here for its reader; the daemon holds the rest. Bytes. */
const waitingBytesMax = 32 * 1024 * 1024
/** Most of what one read of the socket takes. */
const readBytes = 256 * 1024
/** What an empty pipe takes without blocking. Bytes. */
const pipeBytes = 64 * 1024
const statusMax = 255

const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/** How the daemon has answered. */
export type ClientOutcome =
  | { readonly kind: 'exit'; readonly status: number }
  /** The program does it; with the key of a request whose fate is in doubt. */
  | { readonly kind: 'local'; readonly key: string | undefined }
  /** Parts of the output were written, and the rest is lost. */
  | { readonly kind: 'lost' }

const passedOn = new Set(
  (
    'HOME PATH XDG_CONFIG_HOME TZ LANG LANGUAGE TERM COLORTERM NO_COLOR CLICOLOR CLICOLOR_FORCE COLUMNS LINES PAGER EDITOR ' +
    'VISUAL CI SHELL TMPDIR'
  ).split(' '),
)
const isPassedOn = (name: string): boolean =>
  passedOn.has(name) || name.startsWith('LC_') || name.startsWith('GRITE_') || name.startsWith('GIT_')

/** Runs a line through the daemon at a socket. Never rejects. */
export function runThroughDaemon(
  socket: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ClientOutcome> {
  const cwd = process.cwd()
  const environment: Record<string, string> = {}
  for (const name of Object.keys(env)) if (isPassedOn(name)) environment[name] = env[name] ?? ''
  // Node puts U+FFFD for bytes that are not UTF-8.
  if ([...argv, cwd, ...Object.values(environment)].some((text) => text.includes('\ufffd')))
    return Promise.resolve({ kind: 'local', key: undefined })
  const { GRITE_REQUEST: said = '' } = environment
  const key = said === '' ? newKey() : said
  const isTerminals = [isTerminal(0), isTerminal(1), isTerminal(2)] as const
  const { columns = 0, rows = 0 } = isTerminals[1] ? process.stdout : {}
  const request = formatRunRequest({ key, argv, cwd, environment, terminal: [...isTerminals, columns, rows] })
  // Too long for a frame.
  if (request === undefined) return Promise.resolve({ kind: 'local', key: undefined })
  return new Promise((resolve) => new Client(socket, key, resolve).start(request))
}

/** `<unix ms>-<32 hex>`. Node's own source of randomness takes 2 ms to load. */
function newKey(): string {
  return `${Date.now()}-${randomHex()}`
}

/** 32 digits. */
function randomHex(): string {
  try {
    // Linux has them as text.
    const digits = readFileSync('/proc/sys/kernel/random/uuid', 'utf8').trim().split('-').join('')
    if (digits.length === 32) return digits
  } catch {
    // As elsewhere.
  }
  const bytes = Buffer.alloc(16)
  const descriptor = openSync('/dev/urandom', 'r')
  readSync(descriptor, bytes)
  closeSync(descriptor)
  return bytes.toString('hex')
}

class Client {
  readonly #path: string
  readonly #key: string
  readonly #resolve: (outcome: ClientOutcome) => void
  readonly #reader = new FrameReader()
  #socket: Socket | undefined
  #isSent = false
  #isOver = false
  /** Bytes of output that have come from the daemon. */
  #outputBytes = 0
  #hasPrinted = false
  #hasSentInput = false
  #isGreeted = false
  #isAccepted = false
  /** Parts of standard input that the daemon waits for. */
  #inputWanted = 0
  #readsInput = false
  #inputEnded = false
  /** Outputs that nobody reads. */
  readonly #unread = new Set<number>()
  /** Descriptors of the outputs that do not block. */
  readonly #unblocked = new Map<number, number>()
  #readerTimer: NodeJS.Timeout | undefined
  #stopWatchingReader: (() => void) | undefined
  #acceptTimer: NodeJS.Timeout | undefined
  /** How it ends after a signal. */
  #cancelled: ClientOutcome | undefined
  /** Bytes of the daemon whose frames have not been served yet. */
  #waitingBytes = 0
  #writing = Promise.resolve()

  constructor(path: string, key: string, resolve: (outcome: ClientOutcome) => void) {
    this.#path = path
    this.#key = key
    this.#resolve = resolve
  }

  /** @param request - one character a byte */
  start(request: string): void {
    // Without the buffers of a readable stream, which take 1 ms to get going.
    const onread = {
      buffer: () => Buffer.allocUnsafeSlow(readBytes),
      callback: (count: number, buffer: Uint8Array) => this.#take(buffer.subarray(0, count) as Buffer),
    }
    const socket = createConnection({ path: this.#path, onread })
    this.#socket = socket
    socket.on('connect', () => {
      this.#isSent = true
      socket.write(request, 'latin1')
      // Only now, while the daemon is at work. Until then a signal ends the process, as it does while Node starts.
      this.#acceptTimer = setTimeout(() => setImmediate(() => this.#acceptTimer && this.#lose()), acceptMsMax)
      for (const name of Object.keys(signals) as (keyof typeof signals)[]) process.on(name, () => this.#cancel(name))
    })
    socket.on('error', () => {})
    // After what has arrived before.
    socket.on('close', () => void this.#writing.then(() => this.#lose()))
  }

  /** @returns whether to read on */
  #take(part: Buffer): boolean {
    this.#writing = this.#writing.then(async () => {
      try {
        for (const frame of this.#reader.take(part)) await this.#serve(frame)
      } catch {
        this.#lose()
      }
      const wasPaused = this.#waitingBytes > waitingBytesMax
      this.#waitingBytes -= part.length
      if (wasPaused && this.#waitingBytes <= waitingBytesMax) this.#socket?.resume()
    })
    // A pager may take nothing for hours, and the daemon gives up a client that takes nothing for a minute.
    this.#waitingBytes += part.length
    return this.#waitingBytes <= waitingBytesMax
  }

  async #serve(frame: Frame): Promise<void> {
    const [kind, id, value] = frame
    if (this.#isOver || (kind >= ignorableFrom && kind <= kindMax)) return
    if (!this.#isGreeted || kind === tell.hello) {
      const isExpected = !this.#isGreeted && kind === tell.hello && id === protocolVersion
      this.#isGreeted = true
      return isExpected ? undefined : this.#lose()
    }
    // An answer begins with one of the two, and has no other.
    const isFirst = kind === tell.accepted || kind === tell.refused
    if (id !== 1 || isFirst === this.#isAccepted) return this.#lose()
    switch (kind) {
      case tell.refused:
        return this.#leave({ kind: 'local', key: undefined })
      case tell.accepted:
        this.#isAccepted = true
        clearTimeout(this.#acceptTimer)
        this.#acceptTimer = undefined
        this.#readerTimer = setTimeout(() => this.#watchReader(), watchReaderAfterMs)
        return
      case tell.stdout:
      case tell.stderr:
        if (!(value instanceof Uint8Array)) return this.#lose()
        return this.#print(kind === tell.stdout ? 1 : 2, value)
      case tell.wantStdin:
        this.#inputWanted++
        return this.#readInput()
      case tell.exit:
        return isStatus(value) ? this.#leave({ kind: 'exit', status: value }) : this.#lose()
      default:
        return this.#lose()
    }
  }

  async #print(descriptor: 1 | 2, bytes: Uint8Array): Promise<void> {
    if (this.#unread.has(descriptor)) return
    this.#outputBytes += bytes.length
    const onWritten = () => {
      this.#hasPrinted = true
    }
    try {
      if (this.#outputBytes <= pipeBytes) return await writeAtOnce(descriptor, bytes, onWritten)
      // A blocked thread would keep the process from ending.
      const place = this.#unblocked.get(descriptor) ?? openUnblocked(descriptor)
      this.#unblocked.set(descriptor, place)
      await (place === descriptor ? writeInBackground : writeAtOnce)(place, bytes, onWritten)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE' || code === 'ECONNRESET') this.#tellUnread(descriptor)
      // For example a full disk. If nothing has been written, the program does the line again, and reports it.
      else this.#lose()
    }
  }

  #watchReader(): void {
    this.#stopWatchingReader = watchReader(1, () => this.#tellUnread(1))
  }

  /** The reader has gone. */
  #tellUnread(descriptor: 1 | 2): void {
    if (this.#isOver || this.#unread.has(descriptor)) return
    this.#unread.add(descriptor)
    this.#socket?.write(encodeFrame([ask.closed, 1, descriptor]))
  }

  /** Answers with parts as they come. A blocking read in a thread would keep the process from ending. */
  #readInput(): void {
    if (this.#isOver) return
    if (!this.#readsInput) {
      this.#readsInput = true
      process.stdin.on('error', () => this.#lose())
      process.stdin.on('readable', () => this.#readInput())
      process.stdin.on('end', () => {
        this.#inputEnded = true
        this.#readInput()
      })
    }
    while (this.#inputWanted > 0) {
      const bytes: Buffer | null = this.#inputEnded ? Buffer.alloc(0) : process.stdin.read()
      if (bytes === null) return
      this.#inputWanted--
      if (bytes.length > 0) this.#hasSentInput = true
      this.#socket?.write(encodeFrame([ask.stdin, 1, bytes]))
    }
  }

  #cancel(name: keyof typeof signals): void {
    const outcome = { kind: 'exit', status: 128 + signals[name] } as const
    if (this.#cancelled !== undefined) {
      this.#leave(outcome)
      return
    }
    this.#cancelled = outcome
    this.#socket?.write(encodeFrame([ask.cancel, 1, signals[name]]))
    setTimeout(() => this.#leave(outcome), cancelMsMax)
  }

  #lose(): void {
    if (this.#hasPrinted || this.#hasSentInput) this.#leave({ kind: 'lost' })
    else this.#leave({ kind: 'local', key: this.#isSent ? this.#key : undefined })
  }

  #leave(outcome: ClientOutcome): void {
    if (this.#isOver) return
    this.#isOver = true
    const ended = this.#cancelled ?? outcome
    if (ended.kind === 'exit') {
      // The process ends now, and everything with it.
      this.#resolve(ended)
      return
    }
    clearTimeout(this.#acceptTimer)
    this.#acceptTimer = undefined
    clearTimeout(this.#readerTimer)
    this.#stopWatchingReader?.()
    if (this.#readsInput) for (const name of ['error', 'readable', 'end']) process.stdin.removeAllListeners(name)
    for (const name of Object.keys(signals)) process.removeAllListeners(name)
    this.#socket?.removeAllListeners()
    this.#socket?.on('error', () => {})
    this.#socket?.destroy()
    this.#resolve(ended)
  }
}

const isStatus = (value: WireValue | undefined): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= statusMax

/** A pipe may be non-blocking, and full. @throws when nobody reads it, or it cannot be written */
async function writeAtOnce(descriptor: number, bytes: Uint8Array, onWritten: () => void): Promise<void> {
  let waits = 0
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(descriptor, bytes, written)
      waits = 0
      onWritten()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      await waitForReader(waits++)
    }
  }
}

/** As `writeAtOnce`; signals and the daemon are heard while a full pipe blocks. */
async function writeInBackground(descriptor: number, bytes: Uint8Array, onWritten: () => void): Promise<void> {
  let waits = 0
  for (let written = 0; written < bytes.length; ) {
    const count = await new Promise<number>((resolve, reject) => {
      write(descriptor, bytes, written, bytes.length - written, null, (error, taken) => {
        if (error === null) resolve(taken)
        else if (error.code === 'EAGAIN') resolve(0)
        else reject(error)
      })
    })
    written += count
    if (count > 0) {
      waits = 0
      onWritten()
    } else await waitForReader(waits++)
  }
}
