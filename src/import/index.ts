export {
  type EdgeTarget,
  type ImportedIssue,
  mapBeadsIssue,
  type WaitingEdge,
  type WaitingReason,
  waitingReasons,
} from './beads-facts.ts'
export {
  type BeadsComment,
  type BeadsDependency,
  type BeadsIssue,
  type BeadsMemory,
  type ParsedBeadsLine,
  parseBeadsLine,
} from './beads-line.ts'
export { detectImportFormat, detectionBytes, type ImportFormat } from './detect-format.ts'
export {
  type ByteRange,
  type ExportIndex,
  ExportIndexer,
  type IndexedEvent,
  type SkippedEvent,
} from './export-index.ts'
export { readExportedText } from './exported-text.ts'
export { type JsonlLine, splitJsonlLines } from './jsonl-lines.ts'
export {
  type BeadsImportOptions,
  connectWaiting,
  countStep,
  eventsOfStep,
  type ImportBaseline,
  type ImportCounts,
  type ImportStep,
  noImportCounts,
  planBeadsImport,
} from './plan-beads-import.ts'
export { type FactCounts, type IssuePlan, planIssue } from './plan-issue.ts'
export { planRestore, type ReadRange, type RestoreBaseline, type RestoreCounts, RestoreTally } from './plan-restore.ts'
