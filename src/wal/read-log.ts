import { setImmediate } from 'node:timers/promises'
import { type CommitEntry, contentBytesOf, type GitPort, type Oid, type ReadHistoryOptions } from '../git/index.ts'
import { loadBulkHashing } from './bulk-hashing.ts'
import type { Segment, TakenObjects } from './segment-codec.ts'
import type { Stream } from './stream.ts'

/** A stored commit and its content. */
export interface DecodedCommit<Sealed> {
  readonly entry: CommitEntry
  readonly segment: Sealed
}

export interface LogRange extends Pick<ReadHistoryOptions, 'mayUseFile'> {
  readonly head: Oid
  /** Segments reachable from these commits are left out (they are applied already). */
  readonly exclude?: readonly Oid[]
}

/** Reads a stream's segments, parents before children, verified. Damage is reported in `problems`. */
export async function* readLog<Batch, Item, Sealed extends Segment<Item>>(
  git: GitPort,
  stream: Pick<Stream<Batch, Item, Sealed>, 'codec'>,
  range: LogRange,
): AsyncGenerator<readonly Sealed[]> {
  for await (const commits of readCommits(git, stream, range)) yield commits.map(({ segment }) => segment)
}

/** Like `readLog`, with the commits. */
export async function* readCommits<Batch, Item, Sealed extends Segment<Item>>(
  git: GitPort,
  { codec }: Pick<Stream<Batch, Item, Sealed>, 'codec'>,
  { head, exclude = [], mayUseFile = false }: LogRange,
): AsyncGenerator<readonly DecodedCommit<Sealed>[]> {
  const taken: TakenObjects = new Set()
  const pause = new EventLoopYield()
  const { fileBytesMax: blobBytesMax, comesFirst } = codec
  for await (const entries of git.readHistory({ head, exclude, blobBytesMax, comesFirst, mayUseFile })) {
    if (entries.length >= bulkCommits) await loadBulkHashing()
    const commits: DecodedCommit<Sealed>[] = []
    for (const entry of entries) {
      let segment = codec.decodePair(entry)
      if (segment === null) {
        const steps = codec.decodeInSteps(entry, taken)
        let step = steps.next()
        while (!step.done) {
          await pause.take()
          step = steps.next()
        }
        segment = step.value
      }
      commits.push({ entry, segment })
      if (pause.isDue(entry)) await pause.take()
    }
    yield commits
  }
}

/** A batch of this many commits is probably one of many. */
const bulkCommits = 200

/** Bytes decoded before yielding to the event loop: signals are handled only then. */
const yieldBytes = 1024 * 1024
const yieldCommits = 256

/** Yields to timers, input and signals during long decoding. */
class EventLoopYield {
  #bytes = 0
  #commits = 0

  isDue(entry: CommitEntry): boolean {
    this.#commits += 1
    this.#bytes += contentBytesOf(entry)
    return this.#bytes >= yieldBytes || this.#commits >= yieldCommits
  }

  async take(): Promise<void> {
    this.#bytes = 0
    this.#commits = 0
    await setImmediate()
  }
}
