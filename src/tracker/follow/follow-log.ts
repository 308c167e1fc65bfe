/**
 * Reports new events of the log, however its ref moves.
 *
 * Invariants
 * - An event is reported once, identified by its id and not by its commit: a sync may move it to another commit, and a log
 *   that was moved back may return.
 * - The view is open only while a piece is assembled, so a slow reader does not block other processes.
 * - A poll without a change costs one read of the ref.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Oid } from '../../git/index.ts'
import { type ChunkEvent, limits, NotFoundError } from '../../model/index.ts'
import { issueLog, readLog, walRef } from '../../wal/index.ts'
import type { Workspace } from '../workspace.ts'
import { describeEvents, type FoundEvent, type WatchedEvent } from './describe-events.ts'
import { ToldEvents } from './reported-events.ts'
import { type Since, tellsSince } from './since.ts'

export class LogFollower {
  readonly #repository: Workspace
  readonly #told: ToldEvents
  #head: Oid | null
  #since: Since | undefined

  private constructor(repository: Workspace, told: ToldEvents, head: Oid | null, since: Since | undefined) {
    this.#repository = repository
    this.#told = told
    this.#head = head
    this.#since = since
  }

  /**
   * Follows the log from its current head.
   *
   * @param readStart - selects the existing events that the first poll reports; undefined for none
   */
  static async start(
    repository: Workspace,
    readStart: (repository: Workspace) => Promise<Since | undefined>,
  ): Promise<LogFollower> {
    const view = await repository.view()
    try {
      const since = await readStart(repository)
      const told = new ToldEvents(await view.allEventIds())
      return new LogFollower(repository, told, view.head as Oid | null, since)
    } finally {
      await repository.closeView()
    }
  }

  /** The head up to which everything has been reported. */
  get head(): Oid | null {
    return this.#head
  }

  /** Yields unreported events in log order, in pieces that bound memory. */
  async *look(): AsyncGenerator<readonly WatchedEvent[]> {
    const since = this.#since
    this.#since = undefined
    if (since !== undefined && this.#head !== null) yield* this.#describe(this.#backlog(since, this.#head))
    const ref = await this.#repository.git.readRef(walRef)
    if (ref === this.#head) return
    this.#requireRepository(ref)
    // Opening the view restores lost events of the log, which may change the head.
    const head = (await this.#repository.view()).head as Oid | null
    if (head !== null && head !== this.#head) yield* this.#describe(this.#gained(head))
    await this.#repository.closeView()
    this.#head = head
  }

  /** Distinguishes a deleted repository from a deleted log. */
  #requireRepository(ref: Oid | null): void {
    const { commonDir } = this.#repository.layout
    if (ref !== null || existsSync(join(commonDir, 'HEAD'))) return
    throw new NotFoundError(`the repository ${commonDir} no longer exists`, { details: { path: commonDir } })
  }

  async *#describe(pieces: AsyncIterable<readonly FoundEvent[]>): AsyncGenerator<readonly WatchedEvent[]> {
    for await (const found of pieces) {
      if (found.length === 0) continue
      const described = await describeEvents(this.#repository, found)
      await this.#repository.closeView()
      yield described
    }
  }

  async *#gained(head: Oid): AsyncGenerator<readonly FoundEvent[]> {
    for await (const items of this.#read(head, this.#head)) {
      yield items.filter(({ event }) => {
        if (this.#told.has(event.eventId)) return false
        this.#told.add(event.eventId)
        return true
      })
    }
  }

  /** Yields each event once, at its first occurrence. */
  async *#backlog(since: Since, head: Oid): AsyncGenerator<readonly FoundEvent[]> {
    const seen = new Set<string>()
    const tells = tellsSince(since)
    if (since.kind === 'commit') {
      for await (const items of this.#read(since.commit, null)) for (const { event } of items) seen.add(event.eventId)
    }
    for await (const items of this.#read(head, since.kind === 'commit' ? since.commit : null)) {
      yield items.filter(({ event }) => {
        if (seen.has(event.eventId)) return false
        seen.add(event.eventId)
        return tells(event)
      })
    }
  }

  async *#read(head: Oid, exclude: Oid | null): AsyncGenerator<readonly FoundEvent[]> {
    const { git } = this.#repository
    // The objects of a replaced head may be gone; then scan the whole log.
    const isHere =
      exclude !== null && (await git.readObject(exclude, limits.chunkReadBytesMax).catch(() => null)) !== null
    for await (const segments of readLog(git, issueLog, { head, exclude: isHere ? [exclude] : [] })) {
      yield segments.flatMap(({ commit, items }) => items.map(({ event }: ChunkEvent) => ({ event, commit })))
    }
  }
}
