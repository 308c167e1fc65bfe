import { actorCurrent, actorInit, actorList, actorShow, actorUse } from './actor/actor.ts'
import { actorRotateKey } from './actor/rotate-key.ts'
import { installSkill } from './agents/install-skill.ts'
import { batch } from './batch.ts'
import { blocked } from './blocked.ts'
import { board } from './board.ts'
import { changelog } from './changelog.ts'
import { configGet, configList, configSet, configUnset } from './config/config.ts'
import { consume } from './consume.ts'
import { contextIndex } from './context/index-files.ts'
import { contextProject, contextSet, contextUnset } from './context/project.ts'
import { contextQuery } from './context/query.ts'
import { contextShow } from './context/show.ts'
import { contextStale } from './context/stale.ts'
import { dbCheck } from './db/check.ts'
import { dbStats } from './db/stats.ts'
import { dbVerify } from './db/verify.ts'
import type { AnyCommand } from './define-command.ts'
import { doctor } from './doctor/doctor.ts'
import { exportLog } from './export.ts'
import { importFile } from './import.ts'
import { init } from './init.ts'
import { issueAttachmentAdd, issueAttachmentGet, issueAttachmentList } from './issue/attachment.ts'
import { issueClaim, issueUnclaim } from './issue/claim.ts'
import { issueComment } from './issue/comment.ts'
import { issueCommentEdit, issueCommentHide, issueCommentUnhide } from './issue/comment-change.ts'
import { issueCreate } from './issue/create.ts'
import { issueDepAdd, issueDepRemove } from './issue/dependency-change.ts'
import { issueDepGraph } from './issue/dependency-graph.ts'
import { issueDepList } from './issue/dependency-list.ts'
import { issueDepTopo } from './issue/dependency-order.ts'
import { issueEdit } from './issue/edit.ts'
import { issueHistory } from './issue/history.ts'
import { issueAssigneeAdd, issueAssigneeRemove, issueLabelAdd, issueLabelRemove } from './issue/label.ts'
import { issueLinkAdd } from './issue/link.ts'
import { issueList } from './issue/list.ts'
import { issueShow } from './issue/show.ts'
import { issueClose, issueReopen } from './issue/state.ts'
import { issueUpdate } from './issue/update.ts'
import { lockAcquire, lockRenew } from './lock/acquire.ts'
import { lockGc } from './lock/gc.ts'
import { lockRelease } from './lock/release.ts'
import { lockStatus } from './lock/status.ts'
import { forget, recall, remember } from './memory/memory.ts'
import { prime } from './prime/prime.ts'
import { produce } from './produce.ts'
import { queryList, queryRemove, queryRun, querySave } from './query/query.ts'
import { ready } from './ready.ts'
import { rebuild } from './rebuild.ts'
import { schema } from './schema.ts'
import { search } from './search.ts'
import { snapshot, snapshotCreate } from './snapshot/create.ts'
import { snapshotGc } from './snapshot/gc.ts'
import { snapshotList } from './snapshot/list.ts'
import { streamAppend } from './stream/append.ts'
import { streamBranch } from './stream/branch.ts'
import { streamCheckpointCreate, streamCheckpointList, streamCheckpointVerify } from './stream/checkpoint.ts'
import { streamCreate } from './stream/create.ts'
import {
  streamCursorAck,
  streamCursorAdvance,
  streamCursorCreate,
  streamCursorDelete,
  streamCursorGet,
  streamCursorList,
} from './stream/cursor.ts'
import { streamDiff } from './stream/diff.ts'
import { streamDelete, streamPurge, streamRetain, streamTakeover } from './stream/ends.ts'
import { streamExport } from './stream/export.ts'
import { streamFetch } from './stream/fetch.ts'
import { streamFollow, streamUnfollow } from './stream/follow.ts'
import { streamGraph } from './stream/graph.ts'
import { streamImport } from './stream/import.ts'
import { streamLineage } from './stream/lineage.ts'
import { streamList } from './stream/list.ts'
import { streamMerge } from './stream/merge.ts'
import { streamProbe } from './stream/probe.ts'
import { streamProof, streamVerifyProof } from './stream/proof.ts'
import { streamPublish } from './stream/publish.ts'
import { streamRead } from './stream/read.ts'
import { streamRescue } from './stream/rescue.ts'
import { streamSeal } from './stream/seal.ts'
import { streamShow } from './stream/show.ts'
import { streamTail } from './stream/tail.ts'
import { streamVerify } from './stream/verify.ts'
import { sync } from './sync/sync.ts'
import { redo, undo } from './undo.ts'
import { watch } from './watch/watch.ts'

/** Every command, in the order of the help. */
const commands: readonly Command[] = [
  init,
  issueCreate,
  issueList,
  issueShow,
  issueHistory,
  issueUpdate,
  issueEdit,
  issueComment,
  issueCommentEdit,
  issueCommentHide,
  issueCommentUnhide,
  issueClose,
  issueReopen,
  issueClaim,
  issueUnclaim,
  issueLabelAdd,
  issueLabelRemove,
  issueAssigneeAdd,
  issueAssigneeRemove,
  issueLinkAdd,
  issueDepAdd,
  issueDepRemove,
  issueDepList,
  issueDepTopo,
  issueDepGraph,
  issueAttachmentAdd,
  issueAttachmentList,
  issueAttachmentGet,
  board,
  ready,
  blocked,
  search,
  querySave,
  queryList,
  queryRun,
  queryRemove,
  undo,
  redo,
  batch,
  lockAcquire,
  lockRenew,
  lockRelease,
  lockStatus,
  lockGc,
  sync,
  watch,
  streamCreate,
  streamList,
  streamShow,
  streamAppend,
  streamRead,
  streamTail,
  streamBranch,
  streamSeal,
  streamMerge,
  streamCheckpointCreate,
  streamCheckpointList,
  streamCheckpointVerify,
  streamProof,
  streamVerifyProof,
  streamVerify,
  streamTakeover,
  streamRetain,
  streamDelete,
  streamPurge,
  streamLineage,
  streamGraph,
  streamDiff,
  streamPublish,
  streamFetch,
  streamExport,
  streamImport,
  streamFollow,
  streamUnfollow,
  streamRescue,
  streamProbe,
  streamCursorCreate,
  streamCursorGet,
  streamCursorList,
  streamCursorAdvance,
  streamCursorAck,
  streamCursorDelete,
  produce,
  consume,
  prime,
  contextIndex,
  contextQuery,
  contextShow,
  contextStale,
  contextSet,
  contextProject,
  contextUnset,
  remember,
  recall,
  forget,
  installSkill,
  actorInit,
  actorList,
  actorShow,
  actorCurrent,
  actorUse,
  actorRotateKey,
  configList,
  configGet,
  configSet,
  configUnset,
  exportLog,
  changelog,
  importFile,
  snapshot,
  snapshotCreate,
  snapshotList,
  snapshotGc,
  rebuild,
  doctor,
  dbStats,
  dbCheck,
  dbVerify,
  schema,
]

/** The same list with plain string names, for tables of commands. */
export const allCommands: readonly AnyCommand[] = commands

/** Written out so that the emitted declarations refer to each definition instead of repeating it. */
type Command =
  | typeof init
  | typeof issueCreate
  | typeof issueList
  | typeof issueShow
  | typeof issueHistory
  | typeof issueUpdate
  | typeof issueEdit
  | typeof issueComment
  | typeof issueCommentEdit
  | typeof issueCommentHide
  | typeof issueCommentUnhide
  | typeof issueClose
  | typeof issueReopen
  | typeof issueClaim
  | typeof issueUnclaim
  | typeof issueLabelAdd
  | typeof issueLabelRemove
  | typeof issueAssigneeAdd
  | typeof issueAssigneeRemove
  | typeof issueLinkAdd
  | typeof issueDepAdd
  | typeof issueDepRemove
  | typeof issueDepList
  | typeof issueDepTopo
  | typeof issueDepGraph
  | typeof issueAttachmentAdd
  | typeof issueAttachmentList
  | typeof issueAttachmentGet
  | typeof board
  | typeof ready
  | typeof blocked
  | typeof search
  | typeof querySave
  | typeof queryList
  | typeof queryRun
  | typeof queryRemove
  | typeof undo
  | typeof redo
  | typeof batch
  | typeof lockAcquire
  | typeof lockRenew
  | typeof lockRelease
  | typeof lockStatus
  | typeof lockGc
  | typeof sync
  | typeof watch
  | typeof streamCreate
  | typeof streamList
  | typeof streamShow
  | typeof streamAppend
  | typeof streamRead
  | typeof streamTail
  | typeof streamBranch
  | typeof streamSeal
  | typeof streamMerge
  | typeof streamCheckpointCreate
  | typeof streamCheckpointList
  | typeof streamCheckpointVerify
  | typeof streamProof
  | typeof streamVerifyProof
  | typeof streamVerify
  | typeof streamTakeover
  | typeof streamRetain
  | typeof streamDelete
  | typeof streamPurge
  | typeof streamLineage
  | typeof streamGraph
  | typeof streamDiff
  | typeof streamPublish
  | typeof streamFetch
  | typeof streamExport
  | typeof streamImport
  | typeof streamFollow
  | typeof streamUnfollow
  | typeof streamRescue
  | typeof streamProbe
  | typeof streamCursorCreate
  | typeof streamCursorGet
  | typeof streamCursorList
  | typeof streamCursorAdvance
  | typeof streamCursorAck
  | typeof streamCursorDelete
  | typeof produce
  | typeof consume
  | typeof prime
  | typeof contextIndex
  | typeof contextQuery
  | typeof contextShow
  | typeof contextStale
  | typeof contextSet
  | typeof contextProject
  | typeof contextUnset
  | typeof remember
  | typeof recall
  | typeof forget
  | typeof installSkill
  | typeof actorInit
  | typeof actorList
  | typeof actorShow
  | typeof actorCurrent
  | typeof actorUse
  | typeof actorRotateKey
  | typeof configList
  | typeof configGet
  | typeof configSet
  | typeof configUnset
  | typeof exportLog
  | typeof changelog
  | typeof importFile
  | typeof snapshot
  | typeof snapshotCreate
  | typeof snapshotList
  | typeof snapshotGc
  | typeof rebuild
  | typeof doctor
  | typeof dbStats
  | typeof dbCheck
  | typeof dbVerify
  | typeof schema

export type CommandName = Command['name']

export type CommandNamed<Name extends CommandName> = Extract<Command, { readonly name: Name }>
