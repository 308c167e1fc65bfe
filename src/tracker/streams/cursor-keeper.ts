/**
 * Moves a cursor along with a reader: after what it printed was flushed, at most every 1,000 records or every second, and at
 * the end. A reader that was killed repeats at most what came after the last move. Where another reader has moved the cursor
 * farther, it stays there.
 */
import { ConflictError } from '../../model/index.ts'
import type { StreamId } from '../../model/streams/index.ts'
import { advanceCursor, type CursorPlace } from '../../wal/streams/index.ts'
import type { SharedCursor } from './share-reader.ts'

const recordsMax = 1000
const waitMsMax = 1000
/** A reader that goes on pushes its cursor this often. */
const shareMs = 15_000

export interface KeptCursor {
  readonly place: CursorPlace
  readonly streamId: StreamId
  readonly name: string
  /** Where it is. */
  readonly offset: number
  /** Null for one that stays in this clone. */
  readonly shared: Pick<SharedCursor, 'push'> | null
}

export class CursorKeeper {
  readonly #cursor: KeptCursor
  #kept: number
  #next: number
  #records = 0
  #timer: NodeJS.Timeout | undefined
  #moving: Promise<void> = Promise.resolve()
  #failure: { readonly error: unknown } | null = null
  #sharing: Promise<boolean> | null = null
  #sharedAtMs = performance.now()

  constructor(cursor: KeptCursor) {
    this.#cursor = cursor
    this.#kept = cursor.offset
    this.#next = cursor.offset
  }

  /** Records were printed, up to an offset. Rejects when an earlier move has failed. */
  async note(recordCount: number, nextOffset: number): Promise<void> {
    if (this.#failure !== null) throw this.#failure.error
    this.#next = nextOffset
    this.#records += recordCount
    if (this.#records >= recordsMax) await this.#move()
    else this.#timer ??= setTimeout(() => this.#moveInBackground(), waitMsMax).unref()
  }

  /** Moves the cursor to where the reader is, and shares it. @returns whether it is where it should be */
  async end(): Promise<boolean> {
    await this.#move()
    await this.#sharing
    return (await this.#cursor.shared?.push()) ?? true
  }

  #moveInBackground(): void {
    this.#move().catch((error: unknown) => {
      this.#failure = { error }
    })
  }

  async #move(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#records = 0
    const move = this.#moving.then(async () => {
      const next = this.#next
      if (next <= this.#kept) return
      this.#kept = await this.#advance(next)
      this.#shareAtTimes()
    })
    this.#moving = move.catch(() => {})
    await move
  }

  async #advance(next: number): Promise<number> {
    const { place, streamId, name } = this.#cursor
    try {
      await advanceCursor(place, streamId, name, next)
      return next
    } catch (error) {
      if (!(error instanceof ConflictError) || error.details.reason !== 'behind') throw error
      return Number(error.details.found)
    }
  }

  #shareAtTimes(): void {
    const { shared } = this.#cursor
    if (shared === null || this.#sharing !== null || performance.now() - this.#sharedAtMs < shareMs) return
    this.#sharing = shared.push().finally(() => {
      this.#sharing = null
      this.#sharedAtMs = performance.now()
    })
    this.#sharing.catch((error: unknown) => {
      this.#failure = { error }
    })
  }
}
