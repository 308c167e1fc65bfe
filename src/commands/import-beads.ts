import {
  countStep,
  type ImportBaseline,
  type ImportCounts,
  noImportCounts,
  planBeadsImport,
  splitJsonlLines,
} from '../import/index.ts'
import type { Progress } from './context.ts'
import type { ImportData, ImportRequest } from './import.ts'
import type { ImportSource } from './import-source.ts'
import type { BatchWriter } from './import-writer.ts'
import type { Repository } from './repository.ts'

/** Imports a beads tracker. */
export async function importBeads(
  source: ImportSource,
  repository: Repository,
  writer: BatchWriter,
  { dryRun, includeTombstones }: ImportRequest,
  progress: Progress,
): Promise<ImportData> {
  let counts: ImportCounts = noImportCounts
  const errors: { line: number; message: string }[] = []
  let lines = 0
  for await (const step of planBeadsImport(() => splitJsonlLines(source.read()), baselineOf(repository), {
    includeTombstones,
  })) {
    counts = countStep(counts, step)
    progress.report(++lines, null)
    if (step.outcome === 'malformed') errors.push({ line: step.lineNumber, message: step.reason })
    if (step.outcome === 'planned') await writer.add(step.plan.events)
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
    event_count: counts.events,
    commit_count: writer.commitCount,
    errors,
    wal_head: writer.head ?? (await repository.view()).head,
  }
}

/** Asks for the view each time: it is opened anew when something else wrote to the log between two commits. */
function baselineOf(repository: Repository): ImportBaseline {
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
  }
}
