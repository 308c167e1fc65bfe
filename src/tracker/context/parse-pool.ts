/**
 * Threads that parse source files, as many as the machine has cores.
 *
 * Invariants
 * - Every order is answered. A file that ends its thread, or does not come back in time, is left out; the orders behind
 *   it go to another thread. Where threads end and none has answered, all orders fail.
 * - A thread holds one file at work and one waiting.
 */
import type { Worker } from 'node:worker_threads'
import { StorageError } from '../../model/index.ts'
import type { ParseAnswer, ParseOrder } from './parse-messages.ts'

/** The parser stops by itself long before. */
const answerMsMaxDefault = 20_000
const ordersPerThread = 2
const threadsMax = 8
/** Starting a thread costs as much as parsing this many files. */
const filesPerThread = 32
/** Threads that may end before one has answered. */
const failedStartsMax = 3

type Order = Omit<ParseOrder, 'number'>
export type Parsed = Omit<ParseAnswer, 'number'>

interface Waiting {
  readonly order: ParseOrder
  readonly resolve: (answer: Parsed) => void
  readonly reject: (error: unknown) => void
}

interface Thread {
  readonly worker: Worker
  readonly orders: Waiting[]
  timer: NodeJS.Timeout | undefined
}

export interface ParsePoolOptions {
  readonly program: () => string
  /** Files that will come. */
  readonly expected: number
  readonly cores: number
  /** How long a thread may take for a file. Milliseconds. */
  readonly answerMsMax?: number
}

export class ParsePool {
  readonly #options: ParsePoolOptions
  readonly #threadsMax: number
  readonly #threads = new Set<Thread>()
  readonly #queue: Waiting[] = []
  #starting = 0
  #lastNumber = 0
  #isClosed = false
  #hasAnswered = false
  #failedStarts = 0

  constructor(options: ParsePoolOptions) {
    this.#options = options
    const useful = Math.ceil(options.expected / filesPerThread)
    this.#threadsMax = Math.max(1, Math.min(options.cores, threadsMax, useful))
  }

  parse(order: Order): Promise<Parsed> {
    return new Promise((resolve, reject) => {
      this.#lastNumber += 1
      this.#queue.push({ order: { ...order, number: this.#lastNumber }, resolve, reject })
      this.#fill()
    })
  }

  /** Ends the threads. Orders that have no answer are left out. */
  async close(): Promise<void> {
    this.#isClosed = true
    const ending = [...this.#threads].map(async (thread) => {
      for (const waiting of thread.orders.splice(0)) leaveOut(waiting, 'too-slow')
      clearTimeout(thread.timer)
      thread.worker.removeAllListeners()
      await thread.worker.terminate()
    })
    this.#threads.clear()
    for (const waiting of this.#queue.splice(0)) leaveOut(waiting, 'too-slow')
    await Promise.all(ending)
  }

  #fill(): void {
    if (this.#isClosed) return
    for (const thread of this.#threads) {
      while (thread.orders.length < ordersPerThread && this.#queue.length > 0) this.#give(thread)
    }
    const isWanted = this.#queue.length > 0 && this.#threads.size + this.#starting < this.#threadsMax
    if (!isWanted) return
    this.#starting += 1
    void this.#start()
  }

  #give(thread: Thread): void {
    const waiting = this.#queue.shift()
    if (waiting === undefined) return
    thread.orders.push(waiting)
    thread.worker.postMessage(waiting.order)
    if (thread.orders.length === 1) this.#watch(thread)
  }

  #watch(thread: Thread): void {
    clearTimeout(thread.timer)
    thread.timer =
      thread.orders.length === 0
        ? undefined
        : setTimeout(() => this.#end(thread, 'too-slow'), this.#options.answerMsMax ?? answerMsMaxDefault)
  }

  async #start(): Promise<void> {
    const { Worker } = await import('node:worker_threads')
    this.#starting -= 1
    if (this.#isClosed) return
    const path = this.#options.program()
    // Not the options of this process: they may run its program again.
    const worker = new Worker(path, { execArgv: path.endsWith('.ts') ? ['--import', 'tsx'] : [] })
    const thread: Thread = { worker, orders: [], timer: undefined }
    this.#threads.add(thread)
    worker.on('message', (answer: ParseAnswer) => this.#take(thread, answer))
    worker.on('error', (cause) => this.#end(thread, 'crashed', cause))
    worker.on('exit', () => this.#end(thread, 'crashed'))
    this.#fill()
  }

  #take(thread: Thread, { number, ...parsed }: ParseAnswer): void {
    const at = thread.orders.findIndex(({ order }) => order.number === number)
    const [waiting] = at < 0 ? [] : thread.orders.splice(at, 1)
    if (at === 0) this.#watch(thread)
    this.#hasAnswered = true
    waiting?.resolve(parsed)
    this.#fill()
  }

  /** Leaves the first file of a thread out, and gives the others to another thread. */
  #end(thread: Thread, reason: 'too-slow' | 'crashed', cause?: unknown): void {
    if (!this.#threads.delete(thread)) return
    clearTimeout(thread.timer)
    void thread.worker.terminate()
    const [first, ...others] = thread.orders
    this.#queue.unshift(...others)
    if (!this.#hasAnswered && reason === 'crashed') this.#failedStarts += 1
    if (this.#failedStarts === failedStartsMax) {
      const error = new StorageError(`the threads that parse source files cannot run: ${describeCause(cause)}`, {
        cause,
      })
      for (const { reject } of [...(first === undefined ? [] : [first]), ...this.#queue.splice(0)]) reject(error)
      return
    }
    if (first !== undefined) leaveOut(first, reason)
    this.#fill()
  }
}

const describeCause = (cause: unknown): string => (cause instanceof Error ? cause.message : 'they end by themselves')

function leaveOut({ resolve }: Waiting, leftOut: 'too-slow' | 'crashed'): void {
  resolve({ contentHash: null, symbols: null, leftOut })
}
