import {
  countStep,
  eventsOfStep,
  type ImportBaseline,
  type ImportCounts,
  type ImportStep,
  noImportCounts,
  planBeadsImport,
  splitJsonlLines,
} from '../../import/index.ts'
import type { IssueId } from '../../model/index.ts'
import type { Progress } from '../effects.ts'
import type { Workspace } from '../workspace.ts'
import type { ImportData, ImportRequest, WaitingEdgeData } from './import-data.ts'
import type { ImportSource } from './import-source.ts'
import type { BatchWriter } from './import-writer.ts'

/** Maximum number of listed errors and edges; the rest are counted. */
const listedMax = 10_000

/** Imports a beads tracker. */
export async function importBeads(
  source: ImportSource,
  repository: Workspace,
  writer: BatchWriter,
  { dryRun, includeTombstones }: ImportRequest,
  progress: Progress,
): Promise<ImportData> {
  let counts: ImportCounts = noImportCounts
  const errors: { line: number; message: string }[] = []
  const waiting: WaitingEdgeData[] = []
  let lines = 0
  for await (const step of planBeadsImport(() => splitJsonlLines(source.read()), importBaseline(repository), {
    includeTombstones,
  })) {
    counts = countStep(counts, step)
    progress.report(++lines, null)
    if (step.outcome === 'malformed' && errors.length < listedMax) {
      errors.push({ line: step.lineNumber, message: step.reason })
    }
    if (step.outcome === 'planned' && waiting.length < listedMax) waiting.push(...waitingEdgesOf(step))
    const events = eventsOfStep(step)
    if (events.length > 0) await writer.add(events)
  }
  await writer.finish()
  return {
    format: 'beads',
    dry_run: dryRun,
    created: counts.created,
    updated: counts.updated,
    unchanged: counts.unchanged,
    skipped: { tombstone: counts.skipped.tombstone, repeated: counts.yielded },
    duplicate: counts.facts.duplicate,
    superseded: counts.facts.superseded,
    malformed: counts.malformed,
    memories: counts.memories,
    connected: counts.connected,
    waiting_edge_count: Object.values(counts.waitingEdges).reduce((sum, count) => sum + count, 0),
    waiting_edges: waiting,
    event_count: counts.events,
    commit_count: writer.commitCount,
    errors,
    wal_head: writer.head ?? (await repository.view()).head,
  }
}

function waitingEdgesOf({ imported }: Extract<ImportStep, { outcome: 'planned' }>): WaitingEdgeData[] {
  return imported.waitingEdges.map(({ dependsOnId, type, reason }) => ({
    issue_id: imported.issueId,
    original_id: imported.originalId,
    depends_on: dependsOnId,
    type,
    reason,
  }))
}

/** Requests the view on each call: it is reopened when another process writes between two commits. */
export function importBaseline(repository: Workspace): ImportBaseline {
  return {
    async findIssueEvents(issueIds) {
      const view = await repository.view()
      if (view.eventCount === 0) return new Map()
      const known = await view.findStates(issueIds)
      const events = await Promise.all([...known.keys()].map(async (id) => [id, await view.eventsOf(id)] as const))
      return new Map(events)
    },
    async findImportedIssues(originalIds) {
      const view = await repository.view()
      const found = new Map()
      for (const originalId of originalIds) {
        const rows = await view.findRows(await view.findByAlias(originalId))
        const newest = [...rows.values()].sort((left, right) => right.created_ts - left.created_ts)[0]
        if (newest !== undefined) found.set(originalId, newest.issue_id)
      }
      return found
    },
    async findWaiting(isWanted) {
      const sources = new Set<IssueId>()
      for await (const { originalId, issueId } of (await repository.view()).importedEdges()) {
        if (isWanted(originalId)) sources.add(issueId)
      }
      return [...sources]
    },
    findProjectContext: async (key) => (await repository.view()).findProjectContext(key),
    hasEvent: async (eventId) => (await (await repository.view()).findKnownEventIds([eventId])).size > 0,
  }
}
