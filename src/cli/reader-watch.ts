/**
 * Detects that the reader of standard output is gone without writing to it, by polling, like `tail -f`. Node reports it
 * only on a write, and a feed may have nothing to write for days.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'

/** Polling interval; each poll takes 0.1 ms. */
const intervalMs = 250

/** Returns false once there is certainly no reader. */
interface Probe {
  readonly hasReader: () => boolean
  readonly close: () => void
}

/**
 * Calls back once when the reader of a pipe or socket is gone; never for a file or a terminal. Does not keep the process
 * running.
 * @returns a function that stops the watch
 */
export function watchReader(descriptor: number, onGone: () => void): () => void {
  let probe: Probe | undefined
  let timer: NodeJS.Timeout | undefined
  let isOver = false
  const stop = () => {
    isOver = true
    clearInterval(timer)
    probe?.close()
    probe = undefined
  }
  void openProbe(descriptor).then((opened) => {
    if (opened === null) return
    if (isOver) return opened.close()
    probe = opened
    const look = () => {
      if (isOver || probe?.hasReader() !== false) return
      stop()
      onGone()
    }
    timer = setInterval(look, intervalMs).unref()
    look()
  })
  return stop
}

/** Null if the system cannot detect it; then the next write notices that the reader is gone. */
async function openProbe(descriptor: number): Promise<Probe | null> {
  try {
    const found = fstatSync(descriptor)
    if (found.isSocket()) return socketProbe(descriptor)
    return found.isFIFO() && process.platform === 'linux' ? await pipeProbe(descriptor) : null
  } catch {
    return null
  }
}

/** An empty write succeeds unless the other end is closed. A half-closed peer can still read. */
function socketProbe(descriptor: number): Probe {
  const nothing = Buffer.alloc(0)
  const hasReader = () => {
    try {
      writeSync(descriptor, nothing)
      return true
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EAGAIN'
    }
  }
  return { hasReader, close: () => undefined }
}

/**
 * Calls poll(2) through WASI, the only part of Node that supports it for a descriptor. Uses a separate open file description
 * of the pipe, because poll makes it non-blocking, which would affect processes that share ours.
 */
async function pipeProbe(descriptor: number): Promise<Probe | null> {
  const own = openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK)
  try {
    const poll = await openPoll(own)
    return { hasReader: () => poll() !== 'error', close: () => closeSync(own) }
  } catch {
    closeSync(own)
    return null
  }
}

// The layout of `subscription` and `event` in the WASI preview 1 interface.
const subscriptionBytes = 48
const eventsAt = 256
const countAt = 512
const readyToWrite = { tag: 2, userData: 1n }
const timePassed = { tag: 0, userData: 2n, nanoseconds: 1_000_000n }

// Missing in the types of Node.
const { Memory } = (globalThis as unknown as { WebAssembly: WebAssemblyParts }).WebAssembly
interface WebAssemblyParts {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer }
}

async function openPoll(descriptor: number): Promise<() => 'fine' | 'error'> {
  const { WASI } = await withoutWarning(() => import('node:wasi'))
  const wasi = new WASI({ version: 'preview1', stdout: descriptor })
  const memory = new Memory({ initial: 1 })
  wasi.initialize({ exports: { memory } })
  const view = new DataView(memory.buffer)
  view.setBigUint64(0, readyToWrite.userData, true)
  view.setUint8(8, readyToWrite.tag)
  // WASI descriptor 1 is the descriptor above.
  view.setUint32(16, 1, true)
  // A full pipe is never ready: do not wait for it.
  view.setBigUint64(subscriptionBytes, timePassed.userData, true)
  view.setUint8(subscriptionBytes + 8, timePassed.tag)
  view.setUint32(subscriptionBytes + 16, 1, true)
  view.setBigUint64(subscriptionBytes + 24, timePassed.nanoseconds, true)
  const { poll_oneoff: pollOneoff } = wasi.wasiImport as { poll_oneoff: (...places: number[]) => number }
  return () => {
    if (pollOneoff(0, eventsAt, 2, countAt) !== 0 || view.getUint32(countAt, true) === 0) return 'fine'
    const isOfPipe = view.getBigUint64(eventsAt, true) === readyToWrite.userData
    return isOfPipe && view.getUint16(eventsAt + 8, true) !== 0 ? 'error' : 'fine'
  }
}

/** Suppresses Node's warning that WASI is experimental, which does not concern users. */
async function withoutWarning<Result>(load: () => Promise<Result>): Promise<Result> {
  const { emitWarning } = process
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    const text = typeof warning === 'string' ? warning : warning.message
    if (!text.includes('WASI')) Reflect.apply(emitWarning, process, [warning, ...rest])
  }
  try {
    return await load()
  } finally {
    process.emitWarning = emitWarning
  }
}
