/**
 * Notices that nobody reads standard output any more, without writing to it. Node tells only a writer; a feed may
 * have nothing to write for days. As `tail -f`, which polls for it.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'

/** How often to look: 0.1 ms each time. */
const intervalMs = 250

/** False from the moment on when there is certainly no reader. */
interface Probe {
  readonly hasReader: () => boolean
  readonly close: () => void
}

/**
 * Calls back once when the reader of a pipe or socket is gone. A file or a terminal has none. Does not keep the process
 * running.
 * @returns ends it
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

/** Null where it cannot be known: then a reader that is gone is noticed at the next write, as ever. */
async function openProbe(descriptor: number): Promise<Probe | null> {
  try {
    const found = fstatSync(descriptor)
    if (found.isSocket()) return socketProbe(descriptor)
    return found.isFIFO() && process.platform === 'linux' ? await pipeProbe(descriptor) : null
  } catch {
    return null
  }
}

/** A write of nothing goes through, unless the other end is closed. One that only sends no more still reads. */
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
 * poll(2) by way of WASI, the only part of Node that offers it for a descriptor. It asks a description of its own of the
 * pipe: poll makes it non-blocking, which is nothing to do to one that other processes share.
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

// Types of Node leave it out.
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
  // What WASI calls 1 is the descriptor above.
  view.setUint32(16, 1, true)
  // A pipe that is full is ready for nothing: do not wait for it.
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

/** Node calls WASI experimental, in a warning on standard error that is nothing to users. */
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
