/**
 * The renderer of each command, by name, loaded on demand. The data of a command without a renderer is printed as JSON.
 */
import type { ResultOf } from '../../commands/define-command.ts'
import type { CommandName, CommandNamed } from '../../commands/index.ts'
import type { CompletionData } from '../completion-command.ts'
import type { DaemonInstallLauncherData } from '../daemon/install-launcher.ts'
import type { DaemonLogsData } from '../daemon/logs.ts'
import type { DaemonStartData } from '../daemon/start.ts'
import type { DaemonStatusData } from '../daemon/status.ts'
import type { DaemonStopData } from '../daemon/stop.ts'
import type { McpData } from '../mcp-command.ts'
import type { PieceRenderer, Renderer } from './renderer.ts'

export { renderAsJson } from './as-json.ts'

type RendererOf<Data> = Renderer<Data> | PieceRenderer<Data>

/** The renderer of any command; the table pairs it with the command whose data it renders. */
export type AnyRenderer = RendererOf<never>

export type RendererTable = Readonly<Record<string, () => Promise<AnyRenderer>>>

type EveryRenderer = {
  readonly [Name in CommandName]: () => Promise<RendererOf<ResultOf<CommandNamed<Name>>>>
} & {
  readonly mcp: () => Promise<RendererOf<McpData>>
  readonly completion: () => Promise<RendererOf<CompletionData>>
  readonly 'daemon start': () => Promise<RendererOf<DaemonStartData>>
  readonly 'daemon stop': () => Promise<RendererOf<DaemonStopData>>
  readonly 'daemon status': () => Promise<RendererOf<DaemonStatusData>>
  readonly 'daemon logs': () => Promise<RendererOf<DaemonLogsData>>
  readonly 'daemon install-launcher': () => Promise<RendererOf<DaemonInstallLauncherData>>
}

const issueChange = (done: string) => () => import('./issue-change.ts').then((file) => file.renderIssueChange(done))

const everyRenderer: EveryRenderer = {
  'config list': () => import('./config.ts').then((file) => file.renderConfigList),
  'config get': () => import('./config.ts').then((file) => file.renderConfigGet),
  'config set': () => import('./config.ts').then((file) => file.renderConfigChange),
  'config unset': () => import('./config.ts').then((file) => file.renderConfigChange),
  init: () => import('./init.ts').then((file) => file.renderInit),
  'actor init': () => import('./actors.ts').then((file) => file.renderActorInit),
  'actor list': () => import('./actors.ts').then((file) => file.renderActorList),
  'actor show': () => import('./actors.ts').then((file) => file.renderActorShow),
  'actor current': () => import('./actors.ts').then((file) => file.renderActorCurrent),
  'actor use': () => import('./actors.ts').then((file) => file.renderActorUse),
  'actor rotate-key': () => import('./actors.ts').then((file) => file.renderActorRotateKey),
  'issue create': issueChange('Created'),
  'issue update': issueChange('Updated'),
  'issue edit': issueChange('Edited'),
  'issue comment': issueChange('Commented on'),
  'issue comment edit': () => import('./comment-change.ts').then((file) => file.renderCommentChange),
  'issue comment hide': () => import('./comment-change.ts').then((file) => file.renderCommentChange),
  'issue comment unhide': () => import('./comment-change.ts').then((file) => file.renderCommentChange),
  'issue close': () => import('./claim.ts').then((file) => file.renderClosed),
  'issue reopen': issueChange('Reopened'),
  'issue label add': issueChange('Labelled'),
  'issue label remove': issueChange('Removed label from'),
  'issue assignee add': issueChange('Assigned'),
  'issue assignee remove': issueChange('Unassigned'),
  'issue link add': issueChange('Linked'),
  'issue attachment add': issueChange('Attached to'),
  'issue list': () => import('./issue-list.ts').then((file) => file.renderIssueList),
  search: () => import('./issue-list.ts').then((file) => file.renderIssueList),
  'query save': () => import('./saved-queries.ts').then((file) => file.renderQuerySave),
  'query list': () => import('./saved-queries.ts').then((file) => file.renderQueryList),
  'query run': () => import('./issue-list.ts').then((file) => file.renderIssueList),
  'query remove': () => import('./saved-queries.ts').then((file) => file.renderQueryRemove),
  'issue show': () => import('./issue-show.ts').then((file) => file.renderIssueShow),
  'issue history': () => import('./issue-history.ts').then((file) => file.renderIssueHistory),
  undo: () => import('./undo.ts').then((file) => file.renderReversal),
  redo: () => import('./undo.ts').then((file) => file.renderReversal),
  'issue dep add': () => import('./issue-dependencies.ts').then((file) => file.renderDependencyChange),
  'issue dep remove': () => import('./issue-dependencies.ts').then((file) => file.renderDependencyChange),
  'issue dep list': () => import('./issue-dependencies.ts').then((file) => file.renderDependencyList),
  'issue dep topo': () => import('./issue-dependencies.ts').then((file) => file.renderDependencyOrder),
  'issue dep graph': () => import('./relation-graph.ts').then((file) => file.renderRelationGraph),
  board: () => import('./board.ts').then((file) => file.renderBoard),
  ready: () => import('./ready.ts').then((file) => file.renderReady),
  blocked: () => import('./blocked.ts').then((file) => file.renderBlocked),
  'issue attachment list': () => import('./attachments.ts').then((file) => file.renderAttachmentList),
  'issue attachment get': () => import('./attachments.ts').then((file) => file.renderAttachmentGet),
  'issue claim': () => import('./claim.ts').then((file) => file.renderClaim),
  'issue unclaim': () => import('./claim.ts').then((file) => file.renderUnclaim),
  'lock acquire': () => import('./lock.ts').then((file) => file.renderHeld),
  'lock renew': () => import('./lock.ts').then((file) => file.renderHeld),
  'lock release': () => import('./lock.ts').then((file) => file.renderReleased),
  'lock status': () => import('./lock.ts').then((file) => file.renderLockStatus),
  'lock gc': () => import('./lock.ts').then((file) => file.renderLockGc),
  'db check': () => import('./checks.ts').then((file) => file.renderDbCheck),
  'db verify': () => import('./checks.ts').then((file) => file.renderDbVerify),
  'db stats': () => import('./upkeep.ts').then((file) => file.renderDbStats),
  export: () => import('./upkeep.ts').then((file) => file.renderExport),
  changelog: () => import('./changelog.ts').then((file) => file.renderChangelog),
  import: () => import('./import.ts').then((file) => file.renderImport),
  batch: () => import('./batch.ts').then((file) => file.renderBatch),
  rebuild: () => import('./upkeep.ts').then((file) => file.renderRebuild),
  sync: () => import('./sync.ts').then((file) => file.renderSync),
  snapshot: () => import('./snapshots.ts').then((file) => file.renderSnapshotCreate),
  'snapshot create': () => import('./snapshots.ts').then((file) => file.renderSnapshotCreate),
  'snapshot list': () => import('./snapshots.ts').then((file) => file.renderSnapshotList),
  'snapshot gc': () => import('./snapshots.ts').then((file) => file.renderSnapshotGc),
  watch: () => import('./watch.ts').then((file) => file.renderWatchEnd),
  produce: () => import('./stream-records.ts').then((file) => file.renderProduce),
  consume: () => import('./stream-records.ts').then((file) => file.renderConsume),
  'stream create': () => import('./streams.ts').then((file) => file.renderStreamCreate),
  'stream list': () => import('./streams.ts').then((file) => file.renderStreamList),
  'stream show': () => import('./streams.ts').then((file) => file.renderStreamShow),
  'stream append': () => import('./stream-records.ts').then((file) => file.renderStreamAppend),
  'stream read': () => import('./stream-records.ts').then((file) => file.renderStreamRead),
  'stream tail': () => import('./stream-records.ts').then((file) => file.renderStreamTail),
  'stream branch': () => import('./streams.ts').then((file) => file.renderStreamBranch),
  'stream seal': () => import('./streams.ts').then((file) => file.renderStreamSeal),
  'stream merge': () => import('./stream-acts.ts').then((file) => file.renderStreamMerge),
  'stream checkpoint create': () => import('./stream-acts.ts').then((file) => file.renderStreamCheckpointCreate),
  'stream checkpoint list': () => import('./stream-acts.ts').then((file) => file.renderStreamCheckpointList),
  'stream checkpoint verify': () => import('./stream-acts.ts').then((file) => file.renderStreamCheckpointVerify),
  'stream proof': () => import('./stream-acts.ts').then((file) => file.renderStreamProof),
  'stream verify-proof': () => import('./stream-acts.ts').then((file) => file.renderStreamVerifyProof),
  'stream verify': () => import('./stream-acts.ts').then((file) => file.renderStreamVerify),
  'stream takeover': () => import('./stream-acts.ts').then((file) => file.renderStreamTakeover),
  'stream retain': () => import('./stream-acts.ts').then((file) => file.renderStreamRetain),
  'stream delete': () => import('./stream-acts.ts').then((file) => file.renderStreamDelete),
  'stream purge': () => import('./stream-acts.ts').then((file) => file.renderStreamPurge),
  'stream lineage': () => import('./streams.ts').then((file) => file.renderStreamLineage),
  'stream graph': () => import('./stream-graph.ts').then((file) => file.renderStreamGraph),
  'stream diff': () => import('./stream-records.ts').then((file) => file.renderStreamDiff),
  'stream publish': () => import('./stream-remotes.ts').then((file) => file.renderStreamPublish),
  'stream fetch': () => import('./stream-remotes.ts').then((file) => file.renderStreamFetch),
  'stream export': () => import('./stream-remotes.ts').then((file) => file.renderStreamExport),
  'stream import': () => import('./stream-remotes.ts').then((file) => file.renderStreamImport),
  'stream follow': () => import('./stream-remotes.ts').then((file) => file.renderStreamFollow),
  'stream unfollow': () => import('./stream-remotes.ts').then((file) => file.renderStreamUnfollow),
  'stream rescue': () => import('./stream-remotes.ts').then((file) => file.renderStreamRescue),
  'stream probe': () => import('./stream-remotes.ts').then((file) => file.renderStreamProbe),
  'stream cursor create': () => import('./stream-cursors.ts').then((file) => file.renderStreamCursorAct),
  'stream cursor get': () => import('./stream-cursors.ts').then((file) => file.renderStreamCursorGet),
  'stream cursor list': () => import('./stream-cursors.ts').then((file) => file.renderStreamCursorList),
  'stream cursor advance': () => import('./stream-cursors.ts').then((file) => file.renderStreamCursorAct),
  'stream cursor ack': () => import('./stream-cursors.ts').then((file) => file.renderStreamCursorAct),
  'stream cursor delete': () => import('./stream-cursors.ts').then((file) => file.renderStreamCursorAct),
  prime: () => import('./prime.ts').then((file) => file.renderPrime),
  'context index': () => import('./context.ts').then((file) => file.renderContextIndex),
  'context query': () => import('./context.ts').then((file) => file.renderContextQuery),
  'context show': () => import('./context.ts').then((file) => file.renderContextShow),
  'context stale': () => import('./context.ts').then((file) => file.renderContextStale),
  'context project': () => import('./context.ts').then((file) => file.renderContextProject),
  'context set': () => import('./context.ts').then((file) => file.renderContextSet),
  'context unset': () => import('./context.ts').then((file) => file.renderContextUnset),
  remember: () => import('./memories.ts').then((file) => file.renderRemember),
  recall: () => import('./memories.ts').then((file) => file.renderRecall),
  forget: () => import('./memories.ts').then((file) => file.renderForget),
  doctor: () => import('./doctor.ts').then((file) => file.renderDoctor),
  schema: () => import('./schema.ts').then((file) => file.renderSchema),
  'install-skill': () => import('./install-skill.ts').then((file) => file.renderInstallSkill),
  'daemon start': () => import('./daemon.ts').then((file) => file.renderDaemonStart),
  'daemon stop': () => import('./daemon.ts').then((file) => file.renderDaemonStop),
  'daemon status': () => import('./daemon.ts').then((file) => file.renderDaemonStatus),
  'daemon logs': () => import('./daemon.ts').then((file) => file.renderDaemonLogs),
  'daemon install-launcher': () => import('./daemon.ts').then((file) => file.renderLauncher),
  mcp: () => import('./mcp.ts').then((file) => file.renderMcp),
  completion: () => import('./completion.ts').then((file) => file.renderCompletion),
}

export const renderers: RendererTable = everyRenderer

/** Renderers for the items of feeds; each item is one or more lines. */
export const itemRenderers: RendererTable = {
  watch: () => import('./watch.ts').then((file) => file.renderWatchedEvent),
  'stream tail': () => import('./stream-records.ts').then((file) => file.renderStreamItem),
  consume: () => import('./stream-records.ts').then((file) => file.renderStreamItem),
}
