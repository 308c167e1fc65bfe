export { type CatchUpOptions, type CatchUpOutcome, catchUp, noteOwnMove } from './catch-up.ts'
export { type IssueRow, rowOf } from './index-entries.ts'
export { type OpenViewOptions, openView, rebuildView, viewWaitMsMax } from './open-view.ts'
export { type DependencyEdge, type IssueFilter, View, viewSchema } from './view.ts'
