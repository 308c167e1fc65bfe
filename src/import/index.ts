export {
  type EdgeTarget,
  type ImportedIssue,
  mapBeadsIssue,
  type SkippedEdge,
  type SkippedEdgeReason,
} from './beads-facts.ts'
export {
  type BeadsComment,
  type BeadsDependency,
  type BeadsIssue,
  type ParsedBeadsLine,
  parseBeadsLine,
} from './beads-line.ts'
export { detectImportFormat, detectionBytes, type ImportFormat } from './detect-format.ts'
export {
  type GriteExport,
  parseGriteExport,
  planRestore,
  type RestorePlan,
  type SkippedEvent,
} from './grite-export.ts'
export { type JsonlLine, splitJsonlLines } from './jsonl-lines.ts'
export {
  type BeadsImportOptions,
  countStep,
  type ImportBaseline,
  type ImportCounts,
  type ImportStep,
  noImportCounts,
  planBeadsImport,
} from './plan-beads-import.ts'
export { type FactCounts, type IssuePlan, planIssue } from './plan-issue.ts'
