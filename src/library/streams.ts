/** Record streams of an open repository. Records are read and appended in this process, as bytes. */
import { parseStreamId, type StreamId } from '../model/streams/index.ts'
import { explainUnknown } from '../tracker/streams/stream-target.ts'
import type { ReadRecord, RecordDraft, RecordStreams } from '../wal/streams/index.ts'
import { toText } from './call-on-wire.ts'
import type { Answer, Input, Options } from './repository.ts'
import type { CommandSession, OpenStreams } from './session.ts'
import { Checkpoints, Cursors } from './stream-groups.ts'

/** A record to append. Texts are stored as UTF-8. */
export interface NewRecord {
  readonly payload: string | Uint8Array
  readonly key?: string | Uint8Array | null | undefined
  readonly contentType?: string | null | undefined
  readonly headers?: Readonly<Record<string, string | Uint8Array>> | undefined
  /** A record with this producer and sequence is appended once. */
  readonly producer?: { readonly id: string; readonly sequence: number } | null | undefined
}

/** A record as it was read. Its bytes are views of a larger buffer: copy what you keep, and change nothing. */
export interface StreamRecordItem {
  readonly stream: string
  readonly incarnation: string
  readonly offset: number
  readonly ts_unix_ms: number
  /** Actor id, 32 hex. */
  readonly writer: string | null
  readonly key: Uint8Array | null
  readonly content_type: string | null
  readonly headers: Readonly<Record<string, string | Uint8Array>>
  readonly producer: { readonly id: string; readonly sequence: number } | null
  readonly payload: Uint8Array
  /** The payload as UTF-8. */
  readonly text: string
  /** Where an inherited or adopted record was appended; null for the stream's own. */
  readonly origin: { readonly stream: string; readonly incarnation: string; readonly offset: number } | null
}

export interface AppendSettings {
  /** Appends only if the first record gets this offset. */
  readonly expect?: number | undefined
  /** `memory` waits for no flush. Default `local`. */
  readonly durability?: 'memory' | 'local' | undefined
  /** Gives up before the records are written. */
  readonly signal?: AbortSignal | undefined
}

export interface ReadSettings {
  /** Default: the oldest record; of `tail`, the end. */
  readonly from?: number | undefined
  /** Up to, not including, this offset. Default: the end. */
  readonly to?: number | undefined
  readonly limit?: number | undefined
  /** Ends the iteration without an error. */
  readonly signal?: AbortSignal | undefined
}

/** Records of a source, both offsets included. */
export interface MergeRange {
  readonly stream: string
  readonly from: number
  readonly to: number
}

/** What one row of a `custom:` merge adds: a range, or several by time. */
export type MergeRow = MergeRange | { readonly interleave: readonly MergeRange[] }

export interface MergeSettings extends Options<'stream merge', 'stream' | 'source' | 'rows'> {
  /** With the policy `custom:<name>`, what is added, in order. */
  readonly rows?: readonly MergeRow[] | undefined
}

export type TailSettings = Pick<ReadSettings, 'from' | 'signal'>

/** One record stream, which need not exist yet. */
export class Stream {
  readonly id: string
  readonly checkpoints: Checkpoints
  readonly cursors: Cursors
  readonly #id: StreamId
  readonly #session: CommandSession

  /** Call `repository.stream` instead. */
  constructor(session: CommandSession, id: string) {
    this.#id = parseStreamId(id)
    this.id = id
    this.#session = session
    this.checkpoints = new Checkpoints(session, id)
    this.cursors = new Cursors(session, id)
  }

  /** Creates the stream. @throws {ConflictError} when it exists */
  create(options: Options<'stream create', 'stream'> = {}): Promise<Answer<'stream create'>> {
    return this.#session.run('stream create', { ...options, stream: this.id })
  }

  /** Appends one record. @throws {ConflictError} when `expect` or the producer's sequence does not fit */
  append(record: NewRecord | string | Uint8Array, settings: AppendSettings = {}): Promise<Answer<'stream append'>> {
    const isBare = typeof record === 'string' || record instanceof Uint8Array
    return this.appendMany([isBare ? { payload: record } : record], settings)
  }

  /** Appends records as one atomic batch; the answer has the offset of the first. */
  async appendMany(records: readonly NewRecord[], settings: AppendSettings = {}): Promise<Answer<'stream append'>> {
    const { expect, durability = 'local', signal } = settings
    return this.#work(async ({ repository, streams }) => {
      const { actor } = await repository.requireActor()
      const drafts = records.map((record) => draftOf(record, actor.id))
      const appended = await streams.append(this.#id, drafts, { durability, expectedOffset: expect, signal })
      return {
        action: 'appended',
        stream: appended.streamId,
        incarnation: appended.incarnation,
        epoch: appended.epoch,
        offset: appended.offset,
        next_offset: appended.nextOffset,
        level: appended.level,
        repeated: appended.repeated,
      }
    })
  }

  /** Iterates over the records that are there now. The stream is read only as fast as the loop takes them. */
  async *read(settings: ReadSettings = {}): AsyncGenerator<StreamRecordItem, void, undefined> {
    for await (const batch of this.readBatches(settings)) yield* batch
  }

  /** As `read`, many records at once: the fastest way to read a long stream. */
  async *readBatches(settings: ReadSettings = {}): AsyncGenerator<readonly StreamRecordItem[], void, undefined> {
    const { from, to, limit, signal } = settings
    yield* this.#iterate(signal, async (streams, anySignal) => {
      const status = await streams.status(this.#id)
      const options = { from: from ?? status.firstOffset, to, limitRecords: limit, signal: anySignal }
      return { status, batches: streams.read(this.#id, { ...options, includeTail: true }) }
    })
  }

  /** Iterates over records as they are appended, by any process, until the signal aborts or the loop is left. */
  async *tail(settings: TailSettings = {}): AsyncGenerator<StreamRecordItem, void, undefined> {
    const { from, signal } = settings
    const batches = this.#iterate(signal, async (streams, anySignal) => {
      const status = await streams.status(this.#id)
      return { status, batches: streams.follow(this.#id, { from: from ?? status.nextOffset, signal: anySignal }) }
    })
    for await (const batch of batches) yield* batch
  }

  /** Returns one record. @throws {NotFoundError} when there is none at this offset */
  readAt(offset: number): Promise<StreamRecordItem> {
    return this.#work(async ({ streams }) => {
      const read = await streams.readAt(this.#id, offset)
      return itemOf(await streams.status(this.#id), read)
    })
  }

  /** Branches this stream: the new one inherits its records up to and including the offset `at`, by default all. */
  async branch(
    id: string,
    { at, ...options }: Options<'stream branch', 'stream' | 'parent'> & { readonly at?: number | undefined } = {},
  ): Promise<Answer<'stream branch'>> {
    const parent = at === undefined ? this.id : `${this.id}@${at}`
    return this.#session.run('stream branch', { ...options, stream: id, parent })
  }

  /** Returns what the stream holds, where it came from, and what is not sealed. */
  status(): Promise<Answer<'stream show'>> {
    return this.#session.run('stream show', { stream: this.id })
  }

  /** Seals what was appended into commits. */
  seal(): Promise<Answer<'stream seal'>> {
    return this.#session.run('stream seal', { stream: this.id })
  }

  /** Returns ancestors and descendants. */
  lineage(): Promise<Answer<'stream lineage'>> {
    return this.#session.run('stream lineage', { stream: this.id })
  }

  /** Returns the records that only one of this stream and another holds. */
  diff(other: string, options: Options<'stream diff', 'stream' | 'other'> = {}): Promise<Answer<'stream diff'>> {
    return this.#session.run('stream diff', { ...options, stream: this.id, other })
  }

  /**
   * Adds what other streams have and this one lacks, by reference. `preview` says what it would add.
   *
   * @param sources - `<id>`, or `<id>@<offset>` with the last offset to merge
   * @throws {ConflictError} when the policy does not allow it
   */
  merge(sources: string | readonly string[], { rows, ...options }: MergeSettings): Promise<Answer<'stream merge'>> {
    const source = typeof sources === 'string' ? [sources] : sources
    const input = { ...options, stream: this.id, source }
    if (rows === undefined) return this.#session.run('stream merge', input)
    return this.#session.run('stream merge', { ...input, rows: '-' }, { stdin: toText(rows) })
  }

  /** Proves that a sealed record is in this stream; `streams.verifyProof` checks it without a repository. */
  proof(offset: number): Promise<Answer<'stream proof'>> {
    return this.#session.run('stream proof', { stream: this.id, offset: `${offset}` })
  }

  /** Checks every record, commit and root. What is wrong is in the answer; it is no error. */
  verify(): Promise<Answer<'stream verify'>> {
    return this.#session.run('stream verify', { stream: [this.id] })
  }

  /** Drops the oldest records, by the given limits or by the policy of the stream. */
  retain(options: Options<'stream retain', 'stream'> = {}): Promise<Answer<'stream retain'>> {
    return this.#session.run('stream retain', { ...options, stream: this.id })
  }

  /** Pushes what is sealed. @throws {ConflictError} when the remote's stream has diverged */
  publish(options: Options<'stream publish', 'stream'> = {}): Promise<Answer<'stream publish'>> {
    return this.#session.run('stream publish', { ...options, stream: [this.id] })
  }

  /** Brings this stream here from a remote, or moves it forward. */
  fetch(options: Options<'stream fetch', 'stream' | 'all'> = {}): Promise<Answer<'stream fetch'>> {
    return this.#session.run('stream fetch', { ...options, stream: [this.id] })
  }

  /** Makes this clone the one that may append. */
  takeover(options: Options<'stream takeover', 'stream'> = {}): Promise<Answer<'stream takeover'>> {
    return this.#session.run('stream takeover', { ...options, stream: this.id })
  }

  /** Goes on from the remote's head, and makes a branch of what only this clone has. */
  rescue(options: Options<'stream rescue', 'stream'> = {}): Promise<Answer<'stream rescue'>> {
    return this.#session.run('stream rescue', { ...options, stream: this.id })
  }

  /** Ends the stream. Branches and merges keep the records that they hold. */
  delete(options: Options<'stream delete', 'stream'> = {}): Promise<Answer<'stream delete'>> {
    return this.#session.run('stream delete', { ...options, stream: this.id })
  }

  /** Removes the refs of what has ended. @throws {ConflictError} when something depends on it */
  purge(options: Options<'stream purge', 'stream'> = {}): Promise<Answer<'stream purge'>> {
    return this.#session.run('stream purge', { ...options, stream: this.id })
  }

  async #work<Result>(work: (open: OpenStreams) => Promise<Result>): Promise<Result> {
    return this.#session.withStreams(async (open) => {
      try {
        return await work(open)
      } catch (error) {
        throw await explainUnknown(open.streams, this.#id, error)
      }
    })
  }

  async *#iterate(
    signal: AbortSignal | undefined,
    start: (streams: RecordStreams, signal: AbortSignal) => Promise<Reading>,
  ): AsyncGenerator<readonly StreamRecordItem[], void, undefined> {
    const open = await this.#session.openStreams()
    const anySignal = signal === undefined ? open.signal : AbortSignal.any([signal, open.signal])
    try {
      const { status, batches } = await start(open.streams, anySignal)
      for await (const batch of batches) {
        yield batch.map((read) => itemOf(status, read))
        if (anySignal.aborted) return
      }
    } catch (error) {
      // Errors during shutdown are expected.
      if (!anySignal.aborted) throw await explainUnknown(open.streams, this.#id, error)
    } finally {
      await open.close()
    }
  }
}

interface Reading {
  readonly status: StreamPosition
  readonly batches: AsyncIterable<readonly ReadRecord[]>
}

interface StreamPosition {
  readonly streamId: string
  readonly incarnation: string
}

/** All record streams. */
export class Streams {
  readonly #session: CommandSession

  /** Use `repository.streams` instead. */
  constructor(session: CommandSession) {
    this.#session = session
  }

  /** Creates a stream. @throws {ConflictError} when it exists */
  async create(id: string, options: Options<'stream create', 'stream'> = {}): Promise<Stream> {
    const stream = new Stream(this.#session, id)
    await stream.create(options)
    return stream
  }

  /** Lists streams; all options must hold. */
  list(options: Input<'stream list'> = {}): Promise<Answer<'stream list'>> {
    return this.#session.run('stream list', options)
  }

  /** Pushes streams together: those given, or all that this clone writes. */
  publish(options: Input<'stream publish'> = {}): Promise<Answer<'stream publish'>> {
    return this.#session.run('stream publish', options)
  }

  /** Brings streams here from a remote: those given, the followed ones, or with `all` every one. */
  fetch(options: Input<'stream fetch'> = {}): Promise<Answer<'stream fetch'>> {
    return this.#session.run('stream fetch', options)
  }

  /** Adds an id, or a pattern with `*`, to what this clone fetches. */
  follow(pattern: string): Promise<Answer<'stream follow'>> {
    return this.#session.run('stream follow', { stream: pattern })
  }

  unfollow(pattern: string): Promise<Answer<'stream unfollow'>> {
    return this.#session.run('stream unfollow', { stream: pattern })
  }

  /** Checks streams, or with `all` every one, ended ones too. */
  verify(options: Input<'stream verify'>): Promise<Answer<'stream verify'>> {
    return this.#session.run('stream verify', options)
  }

  /** Checks a proof by hashing alone; compare its root with one that you trust, or give that. */
  verifyProof(
    proof: Answer<'stream proof'> | string,
    options: Options<'stream verify-proof', 'file'> = {},
  ): Promise<Answer<'stream verify-proof'>> {
    const stdin = typeof proof === 'string' ? proof : toText(proof)
    return this.#session.run('stream verify-proof', { ...options, file: '-' }, { stdin })
  }

  /** Writes streams, or all without ids, into one file. */
  export(file: string, ids: readonly string[] = []): Promise<Answer<'stream export'>> {
    return this.#session.run('stream export', { file, stream: ids })
  }

  /** Restores the streams of such a file, all or none. */
  import(file: string, options: Options<'stream import', 'file'> = {}): Promise<Answer<'stream import'>> {
    return this.#session.run('stream import', { ...options, file })
  }

  /** Tries what the disk of this clone and a remote can do. */
  probe(options: Input<'stream probe'> = {}): Promise<Answer<'stream probe'>> {
    return this.#session.run('stream probe', options)
  }

  /** Returns streams and their branches as a graph. */
  graph(options: Input<'stream graph'> = {}): Promise<Answer<'stream graph'>> {
    return this.#session.run('stream graph', options)
  }
}

function draftOf(
  { payload, key, contentType, headers, producer }: NewRecord,
  writer: RecordDraft['writer'],
): RecordDraft {
  return {
    payload: bytesOf(payload),
    key: key === null || key === undefined ? null : bytesOf(key),
    contentType: contentType ?? null,
    headers: headers === undefined ? [] : Object.entries(headers),
    producer: producer ?? null,
    writer,
  }
}

const bytesOf = (given: string | Uint8Array): Uint8Array => (typeof given === 'string' ? Buffer.from(given) : given)

function itemOf({ streamId, incarnation }: StreamPosition, read: ReadRecord): StreamRecordItem {
  const { offset, origin } = read
  const { tsUnixMs, writer, key, contentType, headers, producer, payload } = read.record()
  return {
    stream: streamId,
    incarnation,
    offset,
    ts_unix_ms: tsUnixMs,
    writer,
    key,
    content_type: contentType,
    headers: headers.length === 0 ? noHeaders : Object.fromEntries(headers),
    producer,
    payload,
    get text() {
      return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')
    },
    origin:
      origin === null ? null : { stream: origin.streamId, incarnation: origin.incarnation, offset: origin.offset },
  }
}

const noHeaders: Readonly<Record<string, string | Uint8Array>> = Object.freeze({})
