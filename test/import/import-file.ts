/** Runs imports against a log in memory, as the command does against the view. */

import {
  type BeadsImportOptions,
  countStep,
  eventsOfStep,
  type ImportBaseline,
  type ImportCounts,
  type ImportStep,
  noImportCounts,
  planBeadsImport,
  splitJsonlLines,
} from '../../src/import/index.ts'
import type { Event, IssueId } from '../../src/model/index.ts'
import {
  foldIssue,
  importedEdgeTargetsOf,
  laterContext,
  originalIdOf,
  type ProjectContext,
} from '../../src/model/index.ts'

/** A log in memory. Appending an event twice is an error, as in the real log. */
export interface MemoryLog {
  readonly events: Event[]
  readonly ids: Set<string>
  readonly byIssue: Map<IssueId, Event[]>
}

export function makeLog(events: Iterable<Event> = []): MemoryLog {
  const log: MemoryLog = { events: [], ids: new Set(), byIssue: new Map() }
  for (const event of events) append(log, event)
  return log
}

export function append(log: MemoryLog, event: Event): void {
  if (log.ids.has(event.eventId)) throw new Error(`${event.eventId} is already in the log`)
  log.ids.add(event.eventId)
  log.events.push(event)
  // As in the view, project values belong to no issue.
  if (event.body.type === 'ProjectContextUpdated') return
  log.byIssue.set(event.issueId, [...(log.byIssue.get(event.issueId) ?? []), event])
}

/** Returns a log with the events of both, each once. */
export function uniteLogs(left: MemoryLog, right: MemoryLog): MemoryLog {
  return makeLog(new Map([...left.events, ...right.events].map((event) => [event.eventId, event])).values())
}

export interface ImportOutcome {
  readonly counts: ImportCounts
  readonly steps: readonly ImportStep[]
  readonly appended: readonly Event[]
}

/** Imports text or bytes; appends all steps only after the last was planned, as a slow caller would. */
export async function importFile(
  log: MemoryLog,
  content: string | Uint8Array,
  options: BeadsImportOptions = { includeTombstones: false },
): Promise<ImportOutcome> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  let counts = noImportCounts
  const steps: ImportStep[] = []
  const appended: Event[] = []
  for await (const step of planBeadsImport(() => splitJsonlLines([bytes]), baselineOf(log), options)) {
    counts = countStep(counts, step)
    steps.push(step)
    appended.push(...eventsOfStep(step))
  }
  for (const event of appended) append(log, event)
  return { counts, steps, appended }
}

function baselineOf(log: MemoryLog): ImportBaseline {
  return {
    async findIssueEvents(issueIds) {
      return new Map(issueIds.map((issueId) => [issueId, [...(log.byIssue.get(issueId) ?? [])]]))
    },
    async findImportedIssues(originalIds) {
      const wanted = new Set(originalIds)
      const found = new Map<string, IssueId>()
      for (const event of [...log.events].sort((left, right) => left.tsUnixMs - right.tsUnixMs)) {
        if (event.body.type !== 'IssueCreated') continue
        const originalId = originalIdOf(foldIssue(event.issueId, [event]))
        if (originalId !== undefined && wanted.has(originalId)) found.set(originalId, event.issueId)
      }
      return found
    },
    async findWaiting(isWanted) {
      const waiting = log.events.filter((event) => importedEdgeTargetsOf(event).some(isWanted))
      return [...new Set(waiting.map(({ issueId }) => issueId))]
    },
    async findProjectContext(key) {
      let found: ProjectContext | null = null
      for (const event of log.events) {
        const { body } = event
        if (body.type === 'ProjectContextUpdated' && body.key === key) found = laterContext(found, { ...event, body })
      }
      return found ?? undefined
    },
    hasEvent: async (eventId) => log.ids.has(eventId),
  }
}

/** Makes a line with all required keys. */
export function lineOf(fields: Readonly<Record<string, unknown>>): string {
  const base = {
    title: 'A title',
    status: 'open',
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-02T00:00:00Z',
  }
  return JSON.stringify({ ...base, ...fields })
}
