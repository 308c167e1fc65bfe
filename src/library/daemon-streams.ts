/**
 * Record streams with a daemon: appends go through it, so that one flush serves many programs, and it pushes the records
 * of a tail. Everything else is read from the repository by this process.
 *
 * Invariants
 * - Where the daemon refuses or is gone, this process does the work itself.
 * - An append whose answer was lost is repeated only with a producer, because then it counts once.
 * - A tail holds at most `creditBytes` of records that the program has not taken, or one record.
 */
import {
  appendRequest,
  ask,
  type DaemonConnection,
  errorFromWire,
  parseAppendAnswer,
  parseRecords,
  type RequestEnd,
  tailRequest,
  type WireRecord,
} from '../ipc/index.ts'
import { IpcError } from '../model/errors/index.ts'
import { decodeRecord, type Incarnation, type StreamId } from '../model/streams/index.ts'
import type {
  AppendedRecords,
  AppendOptions,
  BranchStream,
  CreateStream,
  FollowOptions,
  ListFilter,
  ReadOptions,
  ReadRecord,
  RecordDraft,
  RecordStreams,
  Sealed,
  StreamStatus,
  StreamSummary,
} from '../wal/streams/index.ts'
import { errorFromText } from './call-on-wire.ts'

/** Bytes of records on the way to the program. */
const creditBytes = 1024 * 1024

export class DaemonStreams implements RecordStreams {
  readonly #local: RecordStreams
  readonly #connected: () => Promise<DaemonConnection | undefined>

  constructor(local: RecordStreams, connected: () => Promise<DaemonConnection | undefined>) {
    this.#local = local
    this.#connected = connected
  }

  async append(streamId: StreamId, drafts: readonly RecordDraft[], options: AppendOptions): Promise<AppendedRecords> {
    const { durability, expectedOffset, signal } = options
    signal?.throwIfAborted()
    const connection = await this.#connected()
    if (connection === undefined) return this.#local.append(streamId, drafts, options)
    const { id, end } = sendAppend(connection, { stream: streamId, drafts, durability, expectedOffset })
    const cancel = () => connection.tell(ask.cancel, id, 2)
    const aborts = signal instanceof AbortSignal ? signal : undefined
    aborts?.addEventListener('abort', cancel)
    try {
      const outcome = await end
      if (outcome.kind === 'answer') return readAppended(streamId, outcome)
      if (outcome.kind === 'failure') {
        signal?.throwIfAborted()
        throw errorFromWire(errorFromText(outcome.value))
      }
    } catch (error) {
      if (!(error instanceof IpcError) || !isIdempotent(drafts)) throw explainLost(error)
    } finally {
      aborts?.removeEventListener('abort', cancel)
    }
    return this.#local.append(streamId, drafts, options)
  }

  async *follow(streamId: StreamId, options: FollowOptions): AsyncGenerator<readonly ReadRecord[]> {
    const { signal } = options
    let from = options.from
    for (let isServed = true; isServed && !signal.aborted; ) {
      const connection = await this.#connected()
      if (connection === undefined) break
      const tail = new Tail(connection, streamId, from, signal)
      try {
        for await (const records of tail.batches()) {
          from = (records.at(-1)?.offset ?? from - 1) + 1
          yield records
        }
        isServed = tail.isExpired
      } finally {
        tail.close()
      }
    }
    if (!signal.aborted) yield* this.#local.follow(streamId, { ...options, from })
  }

  get acts(): RecordStreams['acts'] {
    return this.#local.acts
  }

  list(filter?: ListFilter): Promise<readonly StreamSummary[]> {
    return this.#local.list(filter)
  }

  status(streamId: StreamId): Promise<StreamStatus> {
    return this.#local.status(streamId)
  }

  create(streamId: StreamId, options: CreateStream): Promise<StreamSummary> {
    return this.#local.create(streamId, options)
  }

  read(streamId: StreamId, options: ReadOptions): AsyncIterable<readonly ReadRecord[]> {
    return this.#local.read(streamId, options)
  }

  readAt(streamId: StreamId, offset: number): Promise<ReadRecord> {
    return this.#local.readAt(streamId, offset)
  }

  branch(streamId: StreamId, parentId: StreamId, options: BranchStream): Promise<StreamSummary> {
    return this.#local.branch(streamId, parentId, options)
  }

  seal(streamId: StreamId): Promise<Sealed> {
    return this.#local.seal(streamId)
  }

  close(): Promise<void> {
    return this.#local.close()
  }
}

function sendAppend(connection: DaemonConnection, request: Parameters<typeof appendRequest>[0]) {
  return connection.request(ask.append, appendRequest(request))
}

function readAppended(streamId: StreamId, { value }: Extract<RequestEnd, { kind: 'answer' }>): AppendedRecords {
  const answer = parseAppendAnswer(value)
  return { ...answer, streamId, incarnation: answer.incarnation as Incarnation }
}

function isIdempotent(drafts: readonly RecordDraft[]): boolean {
  return drafts.every(({ producer }) => producer !== null && producer !== undefined)
}

function explainLost(error: unknown): unknown {
  if (!(error instanceof IpcError)) return error
  return new IpcError(`${error.message}; the records may have been appended`, {
    details: { written: 'maybe' },
    hints: ['Read the end of the stream before you repeat it, or append with a producer and a sequence'],
    cause: error,
  })
}

/** One session with the daemon. */
class Tail {
  readonly #connection: DaemonConnection
  readonly #id: number
  readonly #signal: AbortSignal
  readonly #waiting: (readonly WireRecord[])[] = []
  readonly #cancel: () => void
  #end: RequestEnd | 'lost' | undefined
  #failure: unknown
  #wake: () => void = () => {}
  isExpired = false

  constructor(connection: DaemonConnection, stream: StreamId, from: number, signal: AbortSignal) {
    this.#connection = connection
    this.#signal = signal
    const { id, end } = connection.request(ask.tail, tailRequest({ stream, from, credit: creditBytes }), {
      onRecords: (value) => {
        try {
          this.#waiting.push(parseRecords(value))
        } catch (error) {
          this.#failure ??= error
        }
        this.#wake()
      },
    })
    this.#id = id
    end.then(
      (outcome) => this.#finish(outcome),
      () => this.#finish('lost'),
    )
    this.#cancel = () => {
      this.#connection.tell(ask.cancel, this.#id, 2)
      this.#wake()
    }
    signal.addEventListener('abort', this.#cancel)
  }

  /** Ends without an error when the daemon is gone or leaves it to this process. */
  async *batches(): AsyncGenerator<readonly ReadRecord[]> {
    while (!this.#signal.aborted) {
      if (this.#failure !== undefined) throw this.#failure
      const records = this.#waiting.shift()
      if (records !== undefined) {
        yield records.map(toReadRecord)
        let bytes = 0
        for (const record of records) bytes += record.bytes.length + placeBytes
        if (this.#end === undefined) this.#connection.tell(ask.credit, this.#id, bytes)
        continue
      }
      if (this.#end !== undefined) return this.#judgeEnd(this.#end)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#cancel)
    if (this.#end === undefined) this.#connection.tell(ask.cancel, this.#id, 2)
  }

  #finish(outcome: RequestEnd | 'lost'): void {
    this.#end = outcome
    this.#wake()
  }

  #judgeEnd(end: RequestEnd | 'lost'): void {
    if (end === 'lost' || end.kind !== 'failure') return
    const error = errorFromWire(errorFromText(end.value))
    this.isExpired = error.details.reason === 'expired'
    if (!this.isExpired) throw error
  }
}

/** What a record costs beside its bytes. */
const placeBytes = 16

function toReadRecord({ offset, bytes, origin }: WireRecord): ReadRecord {
  return {
    offset,
    bytes,
    origin:
      origin === null
        ? null
        : {
            streamId: origin.streamId as StreamId,
            incarnation: origin.incarnation as Incarnation,
            offset: origin.offset,
          },
    record: () => decodeRecord(bytes),
  }
}
