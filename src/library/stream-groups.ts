/** What belongs to one record stream: its checkpoints, and the cursors of its readers. */
import type { Answer, Options } from './repository.ts'
import type { CommandSession } from './session.ts'

class StreamGroup {
  protected readonly session: CommandSession
  protected readonly stream: string

  constructor(session: CommandSession, stream: string) {
    this.session = session
    this.stream = stream
  }
}

/** Statements that the root of a stream was right at some time. */
export class Checkpoints extends StreamGroup {
  /** Seals the stream, and states its root. Signed when the actor has a key. */
  create(options: Options<'stream checkpoint create', 'stream'> = {}): Promise<Answer<'stream checkpoint create'>> {
    return this.session.run('stream checkpoint create', { ...options, stream: this.stream })
  }

  /** Lists them, newest first. */
  list(): Promise<Answer<'stream checkpoint list'>> {
    return this.session.run('stream checkpoint list', { stream: this.stream })
  }

  /** Checks each signature, and that the head continues each root. Wrong ones are in the answer; they are no error. */
  verify(): Promise<Answer<'stream checkpoint verify'>> {
    return this.session.run('stream checkpoint verify', { stream: this.stream })
  }
}

/** Durable positions of readers. A cursor moves only forward. */
export class Cursors extends StreamGroup {
  /** Creates a cursor, before the first record or at `offset`. @throws {ConflictError} when it exists */
  create(
    cursor: string,
    options: Options<'stream cursor create', 'stream' | 'cursor'> = {},
  ): Promise<Answer<'stream cursor create'>> {
    return this.session.run('stream cursor create', { ...options, stream: this.stream, cursor })
  }

  /** Returns where a reader goes on, and how many records wait for it. @throws {NotFoundError} when there is none */
  get(cursor: string): Promise<Answer<'stream cursor get'>> {
    return this.session.run('stream cursor get', { stream: this.stream, cursor })
  }

  /** Lists the cursors of this stream. */
  list(): Promise<Answer<'stream cursor list'>> {
    return this.session.run('stream cursor list', { stream: this.stream })
  }

  /** Moves a cursor to the offset of the next record to consume. @throws {ConflictError} when it is beyond */
  advance(
    cursor: string,
    offset: number,
    options: Options<'stream cursor advance', 'stream' | 'cursor' | 'offset'> = {},
  ): Promise<Answer<'stream cursor advance'>> {
    return this.session.run('stream cursor advance', { ...options, stream: this.stream, cursor, offset: `${offset}` })
  }

  /** Moves a cursor behind a consumed record, unless it is beyond. */
  ack(
    cursor: string,
    offset: number,
    options: Options<'stream cursor ack', 'stream' | 'cursor' | 'offset'> = {},
  ): Promise<Answer<'stream cursor ack'>> {
    return this.session.run('stream cursor ack', { ...options, stream: this.stream, cursor, offset: `${offset}` })
  }

  /** Forgets a cursor. */
  delete(cursor: string): Promise<Answer<'stream cursor delete'>> {
    return this.session.run('stream cursor delete', { stream: this.stream, cursor })
  }
}
