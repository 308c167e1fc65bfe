/**
 * Follows one stream.
 *
 * Invariants
 * - Records come in the order of their offsets, each once, whether read or handed over by the writer of this process.
 * - What the writer hands over is flushed. Where it leaves a gap, or waits too long, the reader reads.
 */
import { type FSWatcher, watch } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StreamId } from '../../model/streams/index.ts'
import type { ReadRecord } from './record-streams.ts'
import { StoredRecord } from './stored-record.ts'

/** Flushed records that the writer of this process has appended. */
export interface AppendedRecordsAt {
  /** Of the first record. */
  readonly firstOffset: number
  readonly records: readonly Uint8Array[]
}

/** @param appended - flushed records that were appended; null when the reader has to look itself */
type OnSignal = (appended: AppendedRecordsAt | null) => void

/** Tells readers of this process that a stream has new records. */
export class StreamSignals {
  readonly #listeners = new Map<StreamId, Set<OnSignal>>()

  /** @param appended - flushed records, called only where somebody listens; null when readers have to look themselves */
  notify(streamId: StreamId, appended: (() => AppendedRecordsAt) | null = null): void {
    const listeners = this.#listeners.get(streamId)
    if (listeners === undefined) return
    const found = appended === null ? null : appended()
    for (const listener of listeners) listener(found)
  }

  /** @returns a function that ends it */
  listen(streamId: StreamId, listener: OnSignal): () => void {
    const listeners = this.#listeners.get(streamId) ?? new Set()
    listeners.add(listener)
    this.#listeners.set(streamId, listeners)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#listeners.delete(streamId)
    }
  }
}

export interface Following {
  /** Of the journals; may be missing. */
  readonly folder: string
  readonly encodedId: string
  readonly streamId: StreamId
  readonly from: number
  readonly read: (from: number) => AsyncIterable<readonly ReadRecord[]>
  /** Whether the writer of this process knows all that the journal holds; undefined while it is appending. */
  readonly knowsAll: () => boolean | undefined
  /** Called at the end. */
  readonly close: () => void
  readonly signals: StreamSignals
  readonly signal: AbortSignal
}

/** Where changes are not reported, such as a fetch that moves the ref, the reader looks this often. */
const pollMs = 1000

/** Batches of records as they are appended, by this process or others, until the signal aborts. */
export async function* followStream(following: Following): AsyncGenerator<readonly ReadRecord[]> {
  const { streamId, signals, signal, read } = following
  const changes = new Changes()
  const stop = signals.listen(streamId, (appended) => changes.note(appended))
  const watcher = new JournalWatch(following, () => changes.note(null))
  let next = following.from
  try {
    while (!signal.aborted) {
      watcher.open()
      for await (const records of changes.mustRead() ? read(next) : changes.take(next)) {
        next = (records.at(-1)?.offset ?? next - 1) + 1
        yield records
        if (signal.aborted) return
      }
      await changes.wait(signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    stop()
    watcher.close()
    following.close()
  }
}

/** Records that wait for a slow reader. Beyond these, it reads them from the journal. Bytes. */
const waitingBytesMax = 4 * 1024 * 1024

class Changes {
  #mustRead = true
  #waiting: AppendedRecordsAt[] = []
  #waitingBytes = 0
  #wake = (): void => {}

  note(appended: AppendedRecordsAt | null): void {
    if (appended === null) this.#mustRead = true
    else {
      this.#waiting.push(appended)
      for (const { length } of appended.records) this.#waitingBytes += length
      if (this.#waitingBytes > waitingBytesMax) this.#drop()
    }
    this.#wake()
  }

  #drop(): void {
    this.#mustRead = true
    this.#waiting = []
    this.#waitingBytes = 0
  }

  /** Whether the reader has to look itself. What is handed over from now on comes after that. */
  mustRead(): boolean {
    const mustRead = this.#mustRead
    this.#mustRead = false
    return mustRead
  }

  /** What was handed over from an offset on, up to a gap. */
  *take(from: number): Generator<readonly ReadRecord[]> {
    const groups = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    let next = from
    for (const { firstOffset, records } of groups) {
      if (firstOffset > next) {
        this.#mustRead = true
        return
      }
      const skip = next - firstOffset
      if (skip >= records.length) continue
      next = firstOffset + records.length
      yield Array.from(
        { length: records.length - skip },
        (_, index) => new StoredRecord(firstOffset + skip + index, records, skip + index, null, 0),
      )
    }
  }

  /** Resolves when there is something to read or take, or after a while. Throws when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.#mustRead || this.#waiting.length > 0) return
    const over = new AbortController()
    const changed = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    const pause = sleep(pollMs, undefined, { signal: AbortSignal.any([signal, over.signal]) }).then(() => {
      this.#mustRead = true
    })
    try {
      await Promise.race([changed, pause])
    } finally {
      this.#wake = () => {}
      over.abort()
      pause.catch(() => {})
    }
  }
}

/** How soon a change is looked at again that the writer of this process may have made itself. */
const recheckMs = 5

/** Reports changes of a stream's journals that the writer of this process does not know. */
class JournalWatch {
  readonly #following: Pick<Following, 'folder' | 'encodedId' | 'knowsAll'>
  readonly #onChange: () => void
  #watcher: FSWatcher | undefined
  #recheck: NodeJS.Timeout | undefined

  constructor(following: Pick<Following, 'folder' | 'encodedId' | 'knowsAll'>, onChange: () => void) {
    this.#following = following
    this.#onChange = onChange
  }

  /** Does nothing when it is open, or where the folder is missing or cannot be watched. */
  open(): void {
    if (this.#watcher !== undefined) return
    try {
      const { folder, encodedId } = this.#following
      const watcher = watch(folder, { persistent: false })
      watcher.on('change', (_type, name) => {
        if (name === null || `${name}`.startsWith(encodedId)) this.#look()
      })
      watcher.on('error', () => this.close())
      this.#watcher = watcher
    } catch {
      // The reader looks from time to time.
    }
  }

  #look(): void {
    if (this.#recheck !== undefined) return
    const knowsAll = this.#following.knowsAll()
    if (knowsAll === false) this.#onChange()
    if (knowsAll !== undefined) return
    this.#recheck = setTimeout(() => {
      this.#recheck = undefined
      this.#look()
    }, recheckMs)
    this.#recheck.unref()
  }

  close(): void {
    clearTimeout(this.#recheck)
    this.#recheck = undefined
    this.#watcher?.close()
    this.#watcher = undefined
  }
}
