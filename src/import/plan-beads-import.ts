/**
 * The import of a whole beads file: two passes over its lines, so that memory holds ids and not texts.
 *
 * The first pass learns which issues there are, because an edge names an issue by an id that does not say when the
 * issue was created. The second maps and plans line by line. Nothing is written here: the caller appends the events of
 * each step, whole steps together as far as the limits of a batch allow. A step belongs to one issue, and no issue has
 * two that write, so a caller may lag behind with appending.
 */
import { type Event, type IssueId, limits } from '../model/index.ts'
import { type EdgeTarget, type ImportedIssue, mapBeadsIssue, type SkippedEdgeReason } from './beads-facts.ts'
import { type BeadsIndex, collectBeadsIndex } from './beads-index.ts'
import { type BeadsIssue, type ParsedBeadsLine, parseBeadsLine } from './beads-line.ts'
import type { JsonlLine } from './jsonl-lines.ts'
import { countYieldingLine, type FactCounts, type IssuePlan, planIssue } from './plan-issue.ts'

/** What the log holds already. The view answers; an import asks once for each issue. */
export interface ImportBaseline {
  /** All events of these issues, in any order. An issue without events may be left out. */
  findIssueEvents(issueIds: readonly IssueId[]): Promise<ReadonlyMap<IssueId, readonly Event[]>>
  /** The issue that an original id names (`originalIdOf`), of several the newest. Unknown ids are left out. */
  findImportedIssues(originalIds: readonly string[]): Promise<ReadonlyMap<string, IssueId>>
}

export interface BeadsImportOptions {
  /** Imports deleted issues too, as closed ones. */
  readonly includeTombstones: boolean
}

/** What became of one line, by and large in the order of the file. Blank lines yield no step. */
export type ImportStep =
  | { readonly outcome: 'malformed'; readonly lineNumber: number; readonly reason: string }
  | {
      readonly outcome: 'skipped'
      readonly lineNumber: number
      readonly originalId: string
      readonly reason: 'tombstone'
    }
  | {
      /** Another line of the file speaks for the issue: it is newer, or follows and is as new. */
      readonly outcome: 'yielded'
      readonly lineNumber: number
      readonly originalId: string
      readonly counts: FactCounts
    }
  | {
      readonly outcome: 'planned'
      readonly lineNumber: number
      readonly imported: ImportedIssue
      readonly plan: IssuePlan
    }

/** How many lines one question to the baseline is about; bounds the events in memory. */
const windowLines = 256

/**
 * Plans the import of a beads file.
 *
 * @param readLines - opens the same lines, once for each of the two passes
 */
export async function* planBeadsImport(
  readLines: () => AsyncIterable<JsonlLine>,
  baseline: ImportBaseline,
  options: BeadsImportOptions,
): AsyncGenerator<ImportStep> {
  const index = collectBeadsIndex(options)
  for await (const line of readLines()) {
    const parsed = readLine(line)
    if ('issue' in parsed) index.add(parsed.issue, line.lineNumber)
  }
  const aliases = await baseline.findImportedIssues(index.findStrangers())
  const findTarget = (originalId: string) => index.findTarget(originalId) ?? targetOf(aliases.get(originalId))
  const groups = makeGroups()
  for await (const window of windowsOf(readLines())) {
    const mapped = window.map((line) => mapLine(line, findTarget, options))
    const ids = mapped.flatMap((one) => (one.outcome === 'mapped' ? [one.imported.issueId] : []))
    const logged = await baseline.findIssueEvents(ids)
    for (const one of mapped) {
      if (one.outcome === 'mapped') yield* planMapped(one, { index, logged, groups })
      else yield one
    }
  }
}

/** Parses a line; one that breaks a limit of the texts made from it is malformed too, before any edge points to it. */
function readLine(line: JsonlLine): ParsedBeadsLine {
  if ('problem' in line) return { malformed: line.problem }
  const parsed = parseBeadsLine(line.text)
  if ('malformed' in parsed || line.text.length < safeLineLength) return parsed
  const mapped = mapBeadsIssue(parsed.issue, () => ({ outcome: 'unknown' }))
  return 'malformed' in mapped ? mapped : parsed
}

/** No text made of a shorter line can break the limit of a comment: a character has at most 3 bytes, JSON adds some. */
const safeLineLength = limits.bodyBytesMax / 8

function targetOf(issueId: IssueId | undefined): EdgeTarget {
  return issueId === undefined ? { outcome: 'unknown' } : { outcome: 'imported', issueId }
}

async function* windowsOf(lines: AsyncIterable<JsonlLine>): AsyncGenerator<JsonlLine[]> {
  let window: JsonlLine[] = []
  for await (const line of lines) {
    window.push(line)
    if (window.length < windowLines) continue
    yield window
    window = []
  }
  if (window.length > 0) yield window
}

interface MappedLine {
  readonly outcome: 'mapped'
  readonly lineNumber: number
  readonly issue: BeadsIssue
  readonly imported: ImportedIssue
}

function mapLine(
  line: JsonlLine,
  findTarget: (originalId: string) => EdgeTarget,
  { includeTombstones }: BeadsImportOptions,
): MappedLine | Extract<ImportStep, { outcome: 'malformed' | 'skipped' }> {
  const { lineNumber } = line
  const parsed = readLine(line)
  if ('malformed' in parsed) return { outcome: 'malformed', lineNumber, reason: parsed.malformed }
  const { issue } = parsed
  if (issue.status === 'tombstone' && !includeTombstones) {
    return { outcome: 'skipped', lineNumber, originalId: issue.id, reason: 'tombstone' }
  }
  const imported = mapBeadsIssue(issue, findTarget)
  if ('malformed' in imported) return { outcome: 'malformed', lineNumber, reason: imported.malformed }
  return { outcome: 'mapped', lineNumber, issue, imported }
}

/** Lines about one issue, as far as the file has several. */
interface Groups {
  readonly winners: Map<IssueId, ImportedIssue>
  readonly waiting: Map<IssueId, MappedLine[]>
}

function makeGroups(): Groups {
  return { winners: new Map(), waiting: new Map() }
}

interface PlanContext {
  readonly index: BeadsIndex
  readonly logged: ReadonlyMap<IssueId, readonly Event[]>
  readonly groups: Groups
}

function* planMapped(line: MappedLine, { index, logged, groups }: PlanContext): Generator<ImportStep> {
  const { issue, imported, lineNumber } = line
  const { issueId } = imported
  const winner = groups.winners.get(issueId)
  if (!index.isWinner(issue, lineNumber)) {
    if (winner !== undefined) yield yieldLine(line, winner)
    else groups.waiting.set(issueId, [...(groups.waiting.get(issueId) ?? []), line])
    return
  }
  for (const other of groups.waiting.get(issueId) ?? []) yield yieldLine(other, imported)
  groups.waiting.delete(issueId)
  if (index.isRepeated(issue)) groups.winners.set(issueId, imported)
  yield { outcome: 'planned', lineNumber, imported, plan: planIssue(imported, logged.get(issueId) ?? []) }
}

function yieldLine({ lineNumber, imported }: MappedLine, winner: ImportedIssue): ImportStep {
  const counts = countYieldingLine(imported, winner)
  return { outcome: 'yielded', lineNumber, originalId: imported.originalId, counts }
}

/** Everything an import counts. Issues and lines first, then facts. */
export interface ImportCounts {
  /** Issues. */
  readonly created: number
  readonly updated: number
  readonly unchanged: number
  /** Lines left out on purpose. */
  readonly skipped: { readonly tombstone: number }
  /** Lines that could not be read; the rest of the file is imported. */
  readonly malformed: number
  /** Lines that another line of the file speaks for. */
  readonly yielded: number
  /** Edges that are kept as text only. */
  readonly skippedEdges: Readonly<Record<SkippedEdgeReason, number>>
  /** Events to append. */
  readonly events: number
  readonly facts: FactCounts
}

export const noImportCounts: ImportCounts = {
  created: 0,
  updated: 0,
  unchanged: 0,
  skipped: { tombstone: 0 },
  malformed: 0,
  yielded: 0,
  skippedEdges: { tombstone: 0, unknown: 0, self: 0, foreign: 0 },
  events: 0,
  facts: { appended: 0, unchanged: 0, duplicate: 0, superseded: 0, removed: 0 },
}

/** Adds one step to the counts. */
export function countStep(counts: ImportCounts, step: ImportStep): ImportCounts {
  switch (step.outcome) {
    case 'malformed':
      return { ...counts, malformed: counts.malformed + 1 }
    case 'skipped':
      return { ...counts, skipped: { tombstone: counts.skipped.tombstone + 1 } }
    case 'yielded':
      return { ...counts, yielded: counts.yielded + 1, facts: addFacts(counts.facts, step.counts) }
    case 'planned':
      return {
        ...counts,
        [step.plan.outcome]: counts[step.plan.outcome] + 1,
        skippedEdges: countEdges(counts.skippedEdges, step.imported),
        events: counts.events + step.plan.events.length,
        facts: addFacts(counts.facts, step.plan.counts),
      }
  }
}

function addFacts(left: FactCounts, right: FactCounts): FactCounts {
  return {
    appended: left.appended + right.appended,
    unchanged: left.unchanged + right.unchanged,
    duplicate: left.duplicate + right.duplicate,
    superseded: left.superseded + right.superseded,
    removed: left.removed + right.removed,
  }
}

function countEdges(
  counts: ImportCounts['skippedEdges'],
  { skippedEdges }: ImportedIssue,
): ImportCounts['skippedEdges'] {
  const sum = { ...counts }
  for (const { reason } of skippedEdges) sum[reason] += 1
  return sum
}
