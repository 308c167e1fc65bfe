import { contentBytesOf } from './pair-entry.ts'
import type { CommitEntry } from './port.ts'

/** Small, because git waits for its pipe while a batch is processed. */
const batchCommitsMax = 256
const batchBytesMax = 4 * 1024 * 1024
/** Bytes counted per entry beside its contents, so that empty commits fill a batch too. */
const entryBytes = 512

/** Collects entries until a batch reaches the size that a log reader should hold at once. */
export class EntryBatch {
  #entries: CommitEntry[] = []
  #bytes = 0

  add(entry: CommitEntry): void {
    this.#entries.push(entry)
    this.#bytes += entryBytes + contentBytesOf(entry)
  }

  get isFull(): boolean {
    return this.#entries.length >= batchCommitsMax || this.#bytes >= batchBytesMax
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  /** Returns the batch and starts a new one. */
  take(): readonly CommitEntry[] {
    const taken = this.#entries
    this.#entries = []
    this.#bytes = 0
    return taken
  }
}
