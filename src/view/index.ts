export { type CatchUpOptions, type CatchUpOutcome, catchUp, noteOwnMove } from './catch-up.ts'
export { type IssueRow, rowOf } from './index-entries.ts'
export {
  type CopiedView,
  catchUpCopy,
  compareViews,
  foldBeside,
  openCopyOfView,
  type ViewDifferences,
} from './inspect.ts'
export { isCurrent } from './is-current.ts'
export type { SymbolName } from './keys.ts'
export { changedRowsMax, formatRowsAgain, type ListText } from './list-file.ts'
export { readNames, writeNames } from './names-file.ts'
export { openRowsView } from './open-rows-view.ts'
export {
  foldInMemory,
  type JudgeSnapshot,
  type OpenViewOptions,
  openView,
  type RebuiltView,
  rebuildView,
  rebuildViewFromSnapshot,
  replaceOpenView,
  replaceUnreadableView,
  type SnapshotLicence,
  viewWaitMsMax,
} from './open-view.ts'
export { parseOwnJson } from './own-json.ts'
export {
  claimIn,
  createdTsIn,
  extendText,
  issueIdIn,
  issueIdsIn,
  openListedRows,
  parseRowTexts,
  shortIdIn,
  type UnparsedRow,
} from './row-text.ts'
export type { RowsUse } from './rows-families.ts'
export { isNotInRows } from './rows-store.ts'
export { shortIdLength } from './short-ids.ts'
export { isFileFailure, isStoreFailure } from './store.ts'
export { type DependencyEdge, type IssueFilter, type ProjectEvent, View, viewSchema } from './view.ts'
export { ViewDirectory } from './view-directory.ts'
export { orderByTime, type RowBlock, type WholeList } from './whole-list.ts'
