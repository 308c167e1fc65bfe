/**
 * Plans the import of a whole beads file in two passes over its lines, so that memory holds ids but not texts.
 *
 * The first pass learns which issues exist, because an edge refers to an issue by an id that does not contain its
 * creation time. The second maps and plans line by line. Then come edges of earlier imports whose other end this file
 * contains, and memories. Nothing is written here: the caller appends the events of each step, whole steps together
 * within the limits of a batch. A step belongs to one issue, and only one step per issue writes, so a caller may append
 * with a delay.
 */
import {
  beadsImportCard,
  type Event,
  type EventId,
  type IssueId,
  limits,
  memoryContextKey,
  type ProjectContext,
} from '../model/index.ts'
import { type EdgeTarget, type ImportedIssue, mapBeadsIssue, type WaitingReason } from './beads-facts.ts'
import { type BeadsIndex, collectBeadsIndex } from './beads-index.ts'
import { type BeadsIssue, type BeadsMemory, type ParsedBeadsLine, parseBeadsLine } from './beads-line.ts'
import type { JsonlLine } from './jsonl-lines.ts'
import {
  countYieldingLine,
  type FactCounts,
  type IssuePlan,
  planIssue,
  planWaitingEdges,
  waitingTargetsOf,
} from './plan-issue.ts'
import { type MemoryPlan, planMemory } from './plan-memory.ts'

/** The present content of the log. The view answers; an import asks once per issue. */
export interface ImportBaseline {
  /** All events of these issues, in any order. Issues without events may be omitted. */
  findIssueEvents(issueIds: readonly IssueId[]): Promise<ReadonlyMap<IssueId, readonly Event[]>>
  /** The issue with an original id (`originalIdOf`), the newest of several. Unknown ids are left out. */
  findImportedIssues(originalIds: readonly string[]): Promise<ReadonlyMap<string, IssueId>>
  /** Issues with a kept edge (`importedEdgesOf`) to a wanted original id. */
  findWaiting(isWanted: (originalId: string) => boolean): Promise<readonly IssueId[]>
  /** The value of a project key in the context store. */
  findProjectContext(key: string): Promise<ProjectContext | undefined>
  hasEvent(eventId: EventId): Promise<boolean>
}

export interface BeadsImportOptions {
  /** Also imports deleted issues, as closed ones. */
  readonly includeTombstones: boolean
}

/** The result for one line, roughly in file order. Blank lines and headers yield no step. */
export type ImportStep =
  | { readonly outcome: 'malformed'; readonly lineNumber: number; readonly reason: string }
  | {
      readonly outcome: 'skipped'
      readonly lineNumber: number
      readonly originalId: string
      readonly reason: 'tombstone'
    }
  | {
      /** Another line of the file decides the issue: it is newer, or equally new and later in the file. */
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
  | {
      /** An issue of an earlier import, with edges to issues that have arrived. */
      readonly outcome: 'connected'
      readonly issueId: IssueId
      readonly originalId: string
      readonly events: readonly Event[]
    }
  | { readonly outcome: 'memory'; readonly key: string; readonly plan: MemoryPlan }
  /** The card that names the source, before the first event of an import. */
  | { readonly outcome: 'card'; readonly events: readonly Event[] }

/** Lines per query to the baseline; bounds the events in memory. */
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
  let isNamed = false
  for await (const step of planSteps(readLines, baseline, options)) {
    if (!isNamed && eventsOfStep(step).length > 0) {
      isNamed = true
      const card = beadsImportCard()
      if (!(await baseline.hasEvent(card.eventId))) yield { outcome: 'card', events: [card] }
    }
    yield step
  }
}

/** The events that a step appends. */
export function eventsOfStep(step: ImportStep): readonly Event[] {
  switch (step.outcome) {
    case 'planned':
    case 'memory':
      return step.plan.events
    case 'connected':
    case 'card':
      return step.events
    case 'malformed':
    case 'skipped':
    case 'yielded':
      return []
  }
}

async function* planSteps(
  readLines: () => AsyncIterable<JsonlLine>,
  baseline: ImportBaseline,
  options: BeadsImportOptions,
): AsyncGenerator<ImportStep> {
  const index = collectBeadsIndex(options)
  const memories = new Map<string, BeadsMemory>()
  for await (const line of readLines()) {
    const parsed = readLine(line)
    if ('issue' in parsed) index.add(parsed.issue, line.lineNumber)
    else if ('memory' in parsed) memories.set(parsed.memory.key, parsed.memory)
  }
  const aliases = await baseline.findImportedIssues(index.findMissingTargets())
  const findTarget = (originalId: string): EdgeTarget => {
    const inFile = index.findTarget(originalId)
    return inFile?.outcome === 'imported' ? inFile : (targetOf(aliases.get(originalId)) ?? inFile ?? unknownTarget)
  }
  const groups = makeGroups()
  const planned = new Set<IssueId>()
  for await (const window of windowsOf(readLines())) {
    const mapped = window.flatMap((line) => mapLine(line, findTarget, options))
    const ids = mapped.flatMap((one) => (one.outcome === 'mapped' ? [one.imported.issueId] : []))
    const logged = await baseline.findIssueEvents(ids)
    for (const one of mapped) {
      if (one.outcome !== 'mapped') yield one
      else
        for (const step of planMapped(one, { index, logged, groups })) {
          if (step.outcome === 'planned' && step.plan.isCurrent) planned.add(step.imported.issueId)
          yield step
        }
    }
  }
  yield* connectWaiting(baseline, index.isInFile, { findTarget, isLeftOut: (issueId) => planned.has(issueId) })
  for (const memory of memories.values()) {
    const present = await baseline.findProjectContext(memoryContextKey(memory.key))
    yield { outcome: 'memory', key: memory.key, plan: planMemory(memory, present) }
  }
}

const unknownTarget: EdgeTarget = { outcome: 'unknown' }

/**
 * Plans edges that earlier imports kept and whose other end is here.
 *
 * @param isWanted - which original ids may have arrived
 */
export async function* connectWaiting(
  baseline: Pick<ImportBaseline, 'findWaiting' | 'findIssueEvents' | 'findImportedIssues'>,
  isWanted: (originalId: string) => boolean,
  {
    findTarget = () => unknownTarget,
    isLeftOut = () => false,
  }: {
    readonly findTarget?: (originalId: string) => EdgeTarget
    readonly isLeftOut?: (issueId: IssueId) => boolean
  } = {},
): AsyncGenerator<Extract<ImportStep, { outcome: 'connected' }>> {
  const sources = (await baseline.findWaiting(isWanted)).filter((issueId) => !isLeftOut(issueId))
  for (let start = 0; start < sources.length; start += windowLines) {
    const logged = [...(await baseline.findIssueEvents(sources.slice(start, start + windowLines)))]
    const names = new Set(logged.flatMap(([issueId, events]) => waitingTargetsOf(issueId, events)))
    const aliases = await baseline.findImportedIssues([...names])
    const find = (originalId: string): EdgeTarget => {
      const target = findTarget(originalId)
      return target.outcome === 'imported' ? target : (targetOf(aliases.get(originalId)) ?? target)
    }
    for (const [issueId, events] of logged) {
      const plan = planWaitingEdges(issueId, events, find)
      if (plan !== undefined && plan.events.length > 0) yield { outcome: 'connected', issueId, ...plan }
    }
  }
}

/** Parses a line. A line whose texts would exceed a limit is malformed too, before any edge points to it. */
function readLine(line: JsonlLine): ParsedBeadsLine {
  if ('problem' in line) return { malformed: line.problem }
  const parsed = parseBeadsLine(line.text)
  if (!('issue' in parsed) || line.text.length < safeLineLength) return parsed
  const mapped = mapBeadsIssue(parsed.issue, () => ({ outcome: 'unknown' }))
  return 'malformed' in mapped ? mapped : parsed
}

/**
 * A shorter line cannot produce a text above the limit of a comment: a character takes at most 3 bytes, and JSON adds
 * some.
 */
const safeLineLength = limits.bodyBytesMax / 8

function targetOf(issueId: IssueId | undefined): EdgeTarget | undefined {
  return issueId === undefined ? undefined : { outcome: 'imported', issueId }
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
): (MappedLine | Extract<ImportStep, { outcome: 'malformed' | 'skipped' }>)[] {
  const { lineNumber } = line
  const parsed = readLine(line)
  if ('malformed' in parsed) return [{ outcome: 'malformed', lineNumber, reason: parsed.malformed }]
  if (!('issue' in parsed)) return []
  const { issue } = parsed
  if (issue.status === 'tombstone' && !includeTombstones) {
    return [{ outcome: 'skipped', lineNumber, originalId: issue.id, reason: 'tombstone' }]
  }
  const imported = mapBeadsIssue(issue, findTarget)
  if ('malformed' in imported) return [{ outcome: 'malformed', lineNumber, reason: imported.malformed }]
  return [{ outcome: 'mapped', lineNumber, issue, imported }]
}

/** Lines about one issue, when the file has several. */
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
  if (!index.decidesIssue(issue, lineNumber)) {
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

/** All counts of an import: issues and lines first, then facts. */
export interface ImportCounts {
  /** Issues. */
  readonly created: number
  readonly updated: number
  readonly unchanged: number
  /** Lines left out on purpose. */
  readonly skipped: { readonly tombstone: number }
  /** Unreadable lines; the rest of the file is imported. */
  readonly malformed: number
  /** Lines superseded by another line of the file. */
  readonly yielded: number
  /** Edges kept as text only. */
  readonly waitingEdges: Readonly<Record<WaitingReason, number>>
  /** Issues of earlier imports that got edges. */
  readonly connected: number
  readonly memories: Readonly<Record<MemoryPlan['outcome'], number>>
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
  waitingEdges: { tombstone: 0, unknown: 0, self: 0, foreign: 0, 'too-long': 0 },
  connected: 0,
  memories: { added: 0, unchanged: 0, superseded: 0 },
  events: 0,
  facts: { appended: 0, unchanged: 0, duplicate: 0, superseded: 0, removed: 0 },
}

/** Adds one step to the counts. */
export function countStep(before: ImportCounts, step: ImportStep): ImportCounts {
  const counts = { ...before, events: before.events + eventsOfStep(step).length }
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
        waitingEdges: countEdges(counts.waitingEdges, step.imported),
        facts: addFacts(counts.facts, step.plan.counts),
      }
    case 'connected':
      return { ...counts, connected: counts.connected + 1 }
    case 'memory': {
      const { outcome } = step.plan
      return { ...counts, memories: { ...counts.memories, [outcome]: counts.memories[outcome] + 1 } }
    }
    case 'card':
      return counts
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
  counts: ImportCounts['waitingEdges'],
  { waitingEdges }: ImportedIssue,
): ImportCounts['waitingEdges'] {
  const sum = { ...counts }
  for (const { reason } of waitingEdges) sum[reason] += 1
  return sum
}
