/**
 * A thread that seals large journals, so that appends go on meanwhile. It starts with the first one, and ends when it
 * has been idle.
 *
 * Invariants
 * - The process stays for an order under way, and not for an idle thread.
 * - An order that the thread cannot do is answered with null: its caller does it itself.
 */
import type { Worker } from 'node:worker_threads'
import type { ObjectFormat, ObjectPlace } from '../../git/index.ts'
import { encodeManifest, nextOffsetOf } from '../../model/streams/index.ts'
import type { JournalFile } from './journal/index.ts'
import type { SealedCommit } from './seal-batches.ts'
import { type SealingAnswer, type SealingOrder, unpackCommit } from './sealing-messages.ts'
import type { StreamHead } from './stream-heads.ts'

/** Starting a thread takes 50 ms and some MiB. */
const idleMsMax = 10_000

export interface SealingTarget {
  readonly format: ObjectFormat
  readonly objectPlace: ObjectPlace | null
}

/** What the thread needs to know of a closed journal. */
type SealedFile = Pick<JournalFile, 'path' | 'token' | 'descriptor' | 'framesFrom'>

export class SealingThread {
  readonly #path: () => string
  #worker: Promise<Worker> | null = null
  /** Where a thread cannot start, or ended by itself, no other one is tried. */
  #isBroken = false
  #lastNumber = 0
  readonly #waiting = new Map<number, (answer: SealingAnswer['commits']) => void>()
  #idleTimer: NodeJS.Timeout | undefined

  /** @param path - of the thread's program */
  constructor(path: () => string) {
    this.#path = path
  }

  /**
   * The commits that seal a closed file; null when the thread cannot make them.
   * @param objectPlace - where it writes their objects; null to leave that to the caller
   */
  async seal(
    { format, objectPlace }: SealingTarget,
    head: StreamHead,
    file: SealedFile,
  ): Promise<readonly SealedCommit[] | null> {
    if (this.#isBroken) return null
    clearTimeout(this.#idleTimer)
    const number = ++this.#lastNumber
    const answered = new Promise<SealingAnswer['commits']>((resolve) => this.#waiting.set(number, resolve))
    try {
      this.#worker ??= this.#start()
      const worker = await this.#worker
      worker.ref()
      const { path, token, descriptor } = file
      const from = nextOffsetOf(head.manifest)
      const order: SealingOrder = {
        ...{ number, format, ref: head.ref, head: head.commit, manifest: encodeManifest(head.manifest), from },
        ...{ journal: { path, token, descriptor }, frames: file.framesFrom(from) },
        objectPlace,
      }
      worker.postMessage(order, [order.frames.buffer])
    } catch {
      this.#break()
    }
    return (await answered)?.map(unpackCommit) ?? null
  }

  /** Ends the thread. Orders under way are answered with null. */
  async close(): Promise<void> {
    clearTimeout(this.#idleTimer)
    const ending = this.#worker
    this.#worker = null
    const worker = await ending?.catch(() => null)
    worker?.removeAllListeners()
    await worker?.terminate()
    this.#answerAll()
  }

  async #start(): Promise<Worker> {
    const { Worker } = await import('node:worker_threads')
    const path = this.#path()
    // Not the options of this process: they may run its program again.
    const execArgv = path.endsWith('.ts') ? ['--import', 'tsx'] : []
    const worker = new Worker(path, { execArgv })
    worker.on('message', (answer: SealingAnswer) => this.#take(worker, answer))
    worker.on('error', () => this.#break())
    worker.on('exit', () => this.#break())
    return worker
  }

  #take(worker: Worker, { number, commits }: SealingAnswer): void {
    const resolve = this.#waiting.get(number)
    this.#waiting.delete(number)
    if (this.#waiting.size === 0) {
      worker.unref()
      this.#idleTimer = setTimeout(() => void this.close(), idleMsMax)
      this.#idleTimer.unref()
    }
    resolve?.(commits)
  }

  #break(): void {
    this.#isBroken = true
    this.#worker = null
    this.#answerAll()
  }

  #answerAll(): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const resolve of waiting) resolve(null)
  }
}
