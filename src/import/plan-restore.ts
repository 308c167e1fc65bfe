/**
 * Plans the restore of an export: which of its events the log lacks. Contents are read again, a few at a time, in the
 * order of appending: by issue, so that a creation comes first.
 */
import {
  type Event,
  type EventId,
  InvalidArgsError,
  type IssueId,
  limits,
  parseForeignJson,
  shape,
} from '../model/index.ts'
import type { ByteRange, ExportIndex, IndexedEvent } from './export-index.ts'
import { readExportedEvent } from './grite-event.ts'

/** The present content of the log. */
export interface RestoreBaseline {
  /** The events among these that are in the log. */
  findKnown(ids: readonly EventId[]): Promise<ReadonlySet<EventId>>
  /** The issues among these that have a creation. */
  findCreated(ids: readonly IssueId[]): Promise<ReadonlySet<IssueId>>
}

/** Reads bytes of the file. */
export type ReadRange = (range: ByteRange) => Promise<Uint8Array>

export interface RestoreCounts {
  /** Issues. Entries of the context store have no creation and do not count. */
  readonly created: number
  readonly updated: number
  readonly unchanged: number
  /** Events to append. */
  readonly events: number
  /** Copies of an event within the file. */
  readonly duplicate: number
  /** Further creations of an existing issue; they would change nothing. */
  readonly secondCreations: number
}

/** Events read and looked up together, with their texts: bounds the memory. */
const eventsInWindow = 512
const bytesInWindow = 4 * 1024 * 1024

/**
 * Plans the restore of the events of an index. Append each step as a whole and in order; it belongs to one issue.
 *
 * @param tally - receives the counts
 */
export async function* planRestore(
  index: ExportIndex,
  readRange: ReadRange,
  baseline: RestoreBaseline,
  tally: RestoreTally,
): AsyncGenerator<readonly Event[]> {
  let previous: IndexedEvent | undefined
  for (const window of windowsOf(index.events)) {
    const known = await baseline.findKnown(window.map(({ eventId }) => eventId))
    const created = await baseline.findCreated([...new Set(window.map(({ issueId }) => issueId))])
    const fresh = new Set<IndexedEvent>()
    for (const event of window) {
      if (known.has(event.eventId)) continue
      if (event.eventId === previous?.eventId) tally.countCopy()
      else fresh.add(event)
      previous = event
    }
    const read = await readEvents([...fresh], readRange)
    let group: Event[] = []
    for (const { issueId, eventId } of window) {
      if (tally.enter(issueId, created.has(issueId)) && group.length > 0) {
        yield group
        group = []
      }
      const event = read.get(eventId)
      read.delete(eventId)
      if (event !== undefined && tally.accepts(event)) group.push(event)
    }
    if (group.length > 0) yield group
  }
}

/** Counts events, and issues in sequence. */
export class RestoreTally {
  #created = 0
  #updated = 0
  #unchanged = 0
  #events = 0
  #duplicate = 0
  #secondCreations = 0
  #issue: { readonly id: IssueId; readonly isOld: boolean; hasCreation: boolean; accepted: number } | undefined

  /** Moves to the issue of the next event. Returns whether it is a new one. */
  enter(id: IssueId, isOld: boolean): boolean {
    if (this.#issue?.id === id) return false
    this.#settle()
    this.#issue = { id, isOld, hasCreation: isOld, accepted: 0 }
    return true
  }

  /** Whether to append an event of the current issue. */
  accepts({ body }: Event): boolean {
    const issue = this.#issue
    if (issue === undefined) throw new TypeError('no issue was entered')
    if (body.type === 'IssueCreated') {
      if (issue.hasCreation) {
        this.#secondCreations += 1
        return false
      }
      issue.hasCreation = true
    }
    issue.accepted += 1
    this.#events += 1
    return true
  }

  countCopy(): void {
    this.#duplicate += 1
  }

  #settle(): void {
    const issue = this.#issue
    this.#issue = undefined
    if (issue === undefined || !issue.hasCreation) return
    if (!issue.isOld) this.#created += 1
    else if (issue.accepted > 0) this.#updated += 1
    else this.#unchanged += 1
  }

  /** The final counts. */
  finish(): RestoreCounts {
    this.#settle()
    return {
      created: this.#created,
      updated: this.#updated,
      unchanged: this.#unchanged,
      events: this.#events,
      duplicate: this.#duplicate,
      secondCreations: this.#secondCreations,
    }
  }
}

function* windowsOf(events: readonly IndexedEvent[]): Generator<readonly IndexedEvent[]> {
  let start = 0
  while (start < events.length) {
    let end = start
    let bytes = 0
    while (end < events.length && end - start < eventsInWindow && bytes < bytesInWindow) {
      const event = events[end++] as IndexedEvent
      bytes += event.end - event.start
    }
    yield events.slice(start, end)
    start = end
  }
}

async function readEvents(events: readonly IndexedEvent[], readRange: ReadRange): Promise<Map<EventId, Event>> {
  const read = new Map<EventId, Event>()
  for (const run of runsOf(events)) {
    const [first, last] = [run[0] as IndexedEvent, run.at(-1) as IndexedEvent]
    const bytes = await readRange({ start: first.start, end: last.end })
    for (const { eventId, start, end } of run) {
      read.set(eventId, requireEvent(bytes.subarray(start - first.start, end - first.start), eventId))
    }
  }
  return read
}

/** Adjacent events of the file are read together. */
function* runsOf(events: readonly IndexedEvent[]): Generator<readonly IndexedEvent[]> {
  let run: IndexedEvent[] = []
  for (const event of events) {
    const [first, last] = [run[0], run.at(-1)]
    const follows =
      last !== undefined && event.start >= last.end && event.end - (first?.start ?? 0) <= 2 * bytesInWindow
    if (run.length > 0 && !follows) {
      yield run
      run = []
    }
    run.push(event)
  }
  if (run.length > 0) yield run
}

function requireEvent(bytes: Uint8Array, eventId: EventId): Event {
  const { value } = parseForeignJson(bytes, shape.anything, { name: 'event', sizeMax: limits.chunkReadBytesMax * 2 })
  const event = value === null ? '' : readExportedEvent(value)
  if (typeof event === 'string' || event.eventId !== eventId) {
    throw new InvalidArgsError('the export changed while it was read; run the import again')
  }
  return event
}
