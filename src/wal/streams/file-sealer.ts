import { setImmediate as nextTurn } from 'node:timers/promises'
import type { GitPort } from '../../git/index.ts'
import { nextOffsetOf } from '../../model/streams/index.ts'
import type { JournalFile } from './journal/index.ts'
import type { SegmentTools } from './open-segment.ts'
import { batchesUpToGap, type SealedCommit, sealBatches } from './seal-batches.ts'
import type { SealingThread } from './sealing-thread.ts'
import type { StreamHead } from './stream-heads.ts'

/** Journals with fewer bytes are sealed here, within a few milliseconds. */
const threadBytesMin = 256 * 1024

type ObjectStore = Pick<GitPort, 'objectPlace'> & { readonly layout: Pick<GitPort['layout'], 'objectFormat'> }

/** Makes the commits of closed journals: large ones in a thread, small ones in slices between other work. */
export class FileSealer {
  readonly #tools: SegmentTools
  readonly #git: ObjectStore
  readonly #thread: SealingThread

  constructor(tools: SegmentTools, git: ObjectStore, thread: SealingThread) {
    this.#tools = tools
    this.#git = git
    this.#thread = thread
  }

  /** The commits on top of a head that seal what it lacks of a closed file, up to a gap. */
  async seal(head: StreamHead, file: JournalFile): Promise<readonly SealedCommit[]> {
    const made = file.recordBytes < threadBytesMin ? null : await this.#sealInThread(head, file)
    return made ?? (await this.#sealHere(head, file))
  }

  async #sealInThread(head: StreamHead, file: JournalFile): Promise<readonly SealedCommit[] | null> {
    // Where the repository is not to be written, the publish says so.
    const objectPlace = (await this.#git.objectPlace?.().catch(() => null)) ?? null
    return await this.#thread.seal({ format: this.#git.layout.objectFormat, objectPlace }, head, file)
  }

  async #sealHere(head: StreamHead, file: JournalFile): Promise<readonly SealedCommit[]> {
    const from = nextOffsetOf(head.manifest)
    const made: SealedCommit[] = []
    for (const commit of sealBatches(
      this.#tools,
      this.#git.layout.objectFormat,
      head,
      batchesUpToGap(file.batchesFrom(from), from),
    )) {
      if (commit === undefined) await nextTurn()
      else made.push(commit)
    }
    return made
  }
}
