/**
 * Appends and tails of record streams for clients of the socket (docs/ipc.md, Append and Tail).
 *
 * Invariants
 * - Appends of all connections share the groups of one store, so that one flush serves many.
 * - A tail sends only what its client has given credit for; the stream is not read ahead of that.
 * - A tail whose client gives no credit for `tailIdleMs` expires. A poll never waits.
 */
import {
  appendAnswer,
  type Frame,
  parseAppendRequest,
  parseTailRequest,
  partBytesMax,
  pollAnswer,
  tell,
  type WireValue,
  wireRecord,
} from '../ipc/index.ts'
import { errorToWire } from '../ipc/wire-errors.ts'
import { toText } from '../library/call-on-wire.ts'
import { IpcError } from '../model/errors/index.ts'
import { parseStreamId } from '../model/streams/index.ts'
import type { ReadRecord, RecordStreams } from '../wal/streams/index.ts'
import type { Request } from './connection.ts'
import type { DaemonLimits } from './limits.ts'

/** Appends the records of a request. Never throws. Not async, because each promise of a small append counts. */
export function serveAppend(request: Request, frame: Frame, streams: RecordStreams): Promise<void> {
  try {
    const { stream, drafts, durability, expectedOffset } = parseAppendRequest(frame.slice(2) as readonly WireValue[])
    const options = { durability, expectedOffset, signal: request }
    return streams.append(parseStreamId(stream), drafts, options).then(
      (appended) => request.finish(tell.answer, appendAnswer(appended)),
      (error: unknown) => finishWith(request, error),
    )
  } catch (error) {
    finishWith(request, error)
    return Promise.resolve()
  }
}

function finishWith(request: Request, error: unknown): void {
  request.finish(tell.failure, toText(errorToWire(error)))
}

export class TailSessions {
  readonly #limits: Pick<DaemonLimits, 'tails' | 'tailIdleMs'>
  #count = 0

  constructor(limits: Pick<DaemonLimits, 'tails' | 'tailIdleMs'>) {
    this.#limits = limits
  }

  /** Sends records until the client cancels. Never throws. */
  async serve(request: Request, frame: Frame, streams: RecordStreams): Promise<void> {
    const { tails, tailIdleMs } = this.#limits
    if (this.#count >= tails) {
      request.refuse('busy', `${tails} tails are open`)
      return
    }
    this.#count++
    request.isEndless = true
    const over = new AbortController()
    const signal = AbortSignal.any([request.signal, over.signal])
    const credit = new Credit(tailIdleMs, signal)
    try {
      const { stream, from, credit: first, waits } = parseTailRequest(frame.slice(2) as readonly WireValue[])
      const streamId = parseStreamId(stream)
      request.listener = { credit: (bytes) => credit.add(bytes) }
      credit.add(first)
      // An unknown stream is an error, and no stream without records.
      const { nextOffset } = await streams.status(streamId)
      request.accept(null, () => 0)
      const onDamage = (damage: { readonly reason: string }) =>
        void request.send(tell.warning, toText({ code: 'stream-damage', message: damage.reason, details: damage }))
      const reading = { from: from ?? nextOffset, signal, onDamage }
      if (waits === false) {
        const batches = streams.read(streamId, { ...reading, includeTail: true })
        const sent = first > 0 ? await sendWhatIsThere(request, batches, credit) : null
        const at = sent ?? reading.from
        request.finish(tell.answer, pollAnswer({ nextOffset: at, end: Math.max(at, nextOffset) }))
        return
      }
      for await (const batch of streams.follow(streamId, reading)) await sendBatch(request, batch, credit)
      request.finish(tell.answer, null)
    } catch (error) {
      if (request.isCancelled) request.finish(tell.answer, null)
      else finishWith(request, error)
    } finally {
      over.abort()
      credit.close()
      this.#count--
    }
  }
}

/** @returns the offset after the last record that was sent; null for none */
async function sendWhatIsThere(
  request: Request,
  batches: AsyncIterable<readonly ReadRecord[]>,
  credit: Credit,
): Promise<number | null> {
  let next: number | null = null
  for await (const batch of batches) {
    for (let start = 0; start < batch.length; ) {
      const first = batch[start]
      const isRoom = first !== undefined && (next === null || costOf(first) <= credit.bytes)
      if (!isRoom || request.isCancelled) return next
      start = await sendSome(request, batch, start, credit)
      next = (batch[start - 1] as ReadRecord).offset + 1
    }
  }
  return next
}

/** @throws {IpcError} when the session expires */
async function sendBatch(request: Request, batch: readonly ReadRecord[], credit: Credit): Promise<void> {
  for (let start = 0; start < batch.length; ) {
    await credit.wait()
    if (request.isCancelled) return
    start = await sendSome(request, batch, start, credit)
  }
}

/** Sends what the credit allows of a batch, but at least one record. @returns the index after the last one */
async function sendSome(
  request: Request,
  batch: readonly ReadRecord[],
  start: number,
  credit: Credit,
): Promise<number> {
  const bytesMax = Math.min(credit.bytes, partBytesMax)
  let [end, bytes] = [start, 0]
  for (; end < batch.length; end++) {
    const more = costOf(batch[end] as ReadRecord)
    if (end > start && bytes + more > bytesMax) break
    bytes += more
  }
  credit.take(bytes)
  await request.send(tell.records, batch.slice(start, end).map(wireRecord))
  return end
}

/** What a record takes of the credit: its bytes, and those of its place. */
const placeBytes = 16
const costOf = ({ bytes }: ReadRecord): number => bytes.length + placeBytes

/** Bytes that a client takes. */
class Credit {
  readonly #idleMs: number
  readonly #signal: AbortSignal
  #bytes = 0
  #expired = false
  #timer: NodeJS.Timeout | undefined
  #wake: () => void = () => {}

  constructor(idleMs: number, signal: AbortSignal) {
    this.#idleMs = idleMs
    this.#signal = signal
    signal.addEventListener('abort', () => this.#wake(), { once: true })
  }

  add(bytes: number): void {
    this.#bytes = Math.min(this.#bytes + bytes, Number.MAX_SAFE_INTEGER)
    if (this.#bytes <= 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#wake()
  }

  take(bytes: number): void {
    this.#bytes -= bytes
    if (this.#bytes > 0) return
    this.#timer ??= setTimeout(() => {
      this.#expired = true
      this.#wake()
    }, this.#idleMs).unref()
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Waits until the client takes bytes. @throws {IpcError} when it takes none for too long */
  async wait(): Promise<void> {
    while (this.#bytes <= 0 && !this.#expired && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#expired) {
      throw new IpcError(`the client took no records for ${this.#idleMs} ms`, { details: { reason: 'expired' } })
    }
  }

  close(): void {
    clearTimeout(this.#timer)
  }
}
