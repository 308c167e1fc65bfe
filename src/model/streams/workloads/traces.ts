/**
 * The trace of an agent's task. The plan is a root stream; a retry or a critique is a branch; tool calls, decisions and
 * checkpoints are records; a merge adopts the branch that won, and an artifact describes what it decided.
 */
import { InvalidArgsError } from '../../errors/index.ts'
import { isMergePolicy } from '../acts.ts'
import { type Artifact, type ArtifactFacts, artifactWithRole, joinLabels } from './artifact.ts'
import { checkFacts, type Fields, labels, oneOf, optional, type TextLabels, text, whole } from './fields.ts'
import {
  type Anchor,
  type BranchPlan,
  branchPlan,
  formatAnchor,
  labelTexts,
  type MergePlanFacts,
  type StreamPlan,
  streamPlan,
} from './plans.ts'

/** What every part of a trace states. The actor is named in the words of the task: a model, an agent, a person. */
export interface TraceFacts {
  readonly taskId: string
  readonly actorId: string
  readonly reason: string
}

const traceFields: Fields<TraceFacts> = { taskId: text, actorId: text, reason: text }

/** Plans the root stream of a task. @throws {InvalidArgsError} naming the field */
export function taskRoot(facts: TraceFacts & { readonly streamId: string; readonly labels?: TextLabels }): StreamPlan {
  checkFacts({ ...traceFields, streamId: text }, facts)
  const { streamId, reason } = facts
  return streamPlan(streamId, reason, joinLabels(traceLabels(facts, 'root'), facts.labels))
}

export interface TraceBranchFacts extends TraceFacts {
  readonly streamId: string
  /** The last record that the branch inherits. */
  readonly parent: Anchor
  readonly labels?: TextLabels | undefined
}

/** Plans a branch that tries the same step again. */
export function retryBranch(facts: TraceBranchFacts): BranchPlan {
  return traceBranch(facts, 'retry')
}

/** Plans a branch that examines what its parent did. */
export function critiqueBranch(facts: TraceBranchFacts): BranchPlan {
  return traceBranch(facts, 'critique')
}

/** Plans a branch of any kind, such as `tool-path`. @throws {InvalidArgsError} naming the field */
export function traceBranch(facts: TraceBranchFacts, kind: string): BranchPlan {
  checkFacts({ ...traceFields, streamId: text, kind: text }, { ...facts, kind })
  const { streamId, reason } = facts
  const parent = formatAnchor(facts.parent)
  const own = {
    ...traceLabels(facts, kind),
    branch_kind: kind,
    parent_stream_id: facts.parent.streamId,
    fork_offset: `${facts.parent.offset}`,
    branch_anchor_ref: parent,
  }
  return branchPlan(facts.parent, streamPlan(streamId, reason, joinLabels(own, facts.labels)))
}

interface TraceRecord extends TraceFacts {
  readonly createdTs: number
  readonly labels?: TextLabels | undefined
}

const recordFields: Fields<TraceRecord> = { ...traceFields, createdTs: whole, labels: optional(labels) }

export interface ToolCallFacts extends TraceRecord {
  readonly toolName: string
  /** The same in the request and in its result. */
  readonly toolCallId: string
  readonly toolPhase: 'request' | 'result'
  /** Of a result. */
  readonly toolStatus?: 'success' | 'failure' | 'timeout' | 'partial' | undefined
}

/** A tool was called, or has answered. */
export interface ToolCall extends ToolCallFacts {
  readonly type: 'agent.tool_call'
}

export const toolCallFields: Fields<Omit<ToolCall, 'type'>> = {
  ...recordFields,
  toolName: text,
  toolCallId: text,
  toolPhase: oneOf(['request', 'result']),
  toolStatus: optional(oneOf(['success', 'failure', 'timeout', 'partial'])),
}

/** Builds the record of a tool call. @throws {InvalidArgsError} naming the field */
export function toolCall(facts: ToolCallFacts): ToolCall {
  checkFacts(toolCallFields, facts)
  if ((facts.toolPhase === 'result') !== (facts.toolStatus !== undefined)) {
    throw new InvalidArgsError('toolStatus is that of a result: required there, and absent in a request', {
      details: { field: 'toolStatus', value: facts.toolStatus ?? null },
    })
  }
  return { type: 'agent.tool_call', ...facts }
}

export interface EvaluatorDecisionFacts extends TraceRecord {
  readonly evaluatorId: string
  /** What was judged: a stream, a position, an artifact. */
  readonly subjectRef: string
  readonly decision: 'selected' | 'rejected' | 'passed' | 'failed' | 'scored' | 'classified'
}

/** An evaluator has judged a part of the trace. */
export interface EvaluatorDecision extends EvaluatorDecisionFacts {
  readonly type: 'agent.evaluator_decision'
}

export const evaluatorDecisionFields: Fields<Omit<EvaluatorDecision, 'type'>> = {
  ...recordFields,
  evaluatorId: text,
  subjectRef: text,
  decision: oneOf(['selected', 'rejected', 'passed', 'failed', 'scored', 'classified']),
}

/** Builds the record of a decision. @throws {InvalidArgsError} naming the field */
export function evaluatorDecision(facts: EvaluatorDecisionFacts): EvaluatorDecision {
  checkFacts(evaluatorDecisionFields, facts)
  return { type: 'agent.evaluator_decision', ...facts }
}

export interface TaskCheckpointFacts extends TraceRecord {
  readonly checkpointId: string
  readonly checkpointKind: 'final' | 'intermediate' | 'handoff' | 'resume'
  readonly checkpointStatus: 'success' | 'incomplete' | 'failed' | 'superseded'
}

/** The task has reached a point from which it can be judged or continued. Not a checkpoint of the stream. */
export interface TaskCheckpoint extends TaskCheckpointFacts {
  readonly type: 'agent.checkpoint'
}

export const taskCheckpointFields: Fields<Omit<TaskCheckpoint, 'type'>> = {
  ...recordFields,
  checkpointId: text,
  checkpointKind: oneOf(['final', 'intermediate', 'handoff', 'resume']),
  checkpointStatus: oneOf(['success', 'incomplete', 'failed', 'superseded']),
}

/** Builds the record of a point of the task. @throws {InvalidArgsError} naming the field */
export function taskCheckpoint(facts: TaskCheckpointFacts): TaskCheckpoint {
  checkFacts(taskCheckpointFields, facts)
  return { type: 'agent.checkpoint', ...facts }
}

export interface TraceMergeFacts extends TraceFacts {
  readonly target: string
  readonly sources: readonly Anchor[]
  /** A policy of `stream merge`. */
  readonly policy: string
  /** What the merge decided, in a word: `selected-retry`, `combined`. */
  readonly mergeReason: string
}

/** Plans a merge of branches of a trace. @throws {InvalidArgsError} naming the field */
export function traceMerge(facts: TraceMergeFacts): MergePlanFacts {
  const { target, policy, reason } = facts
  checkFacts({ ...traceFields, target: text, policy: text, mergeReason: text }, facts)
  if (!isMergePolicy(policy)) {
    const allowed = 'fast-forward, recursive, interleave, ours, custom:<name>'
    throw new InvalidArgsError(`policy must be one of ${allowed}`, {
      details: { field: 'policy', value: policy, allowed },
    })
  }
  requireSources(facts.sources, 1)
  const evidence = mergeLabels(facts)
  const source = facts.sources.map(formatAnchor)
  return { input: { stream: target, source, policy, reason, evidence: labelTexts(evidence) }, evidence }
}

/**
 * Builds the artifact that describes what a merge of at least two streams decided.
 * @param parents - the merged streams, that of the target too
 */
export function mergeArtifact(
  facts: ArtifactFacts,
  merge: Omit<TraceMergeFacts, 'target' | 'sources'> & { readonly parents: readonly Anchor[] },
): Artifact {
  checkFacts({ ...traceFields, policy: text, mergeReason: text }, merge)
  requireSources(merge.parents, 2)
  const own = { merge_outcome_kind: merge.mergeReason, reason: merge.reason }
  return artifactWithRole(facts, 'ai-merge-artifact', { ...own, ...mergeLabels({ ...merge, sources: merge.parents }) })
}

function requireSources(sources: readonly Anchor[], countMin: number): void {
  if (sources.length >= countMin) return
  throw new InvalidArgsError(`a merge needs at least ${countMin} streams, not ${sources.length}`, {
    details: { field: countMin === 1 ? 'sources' : 'parents', value: sources.length, allowed: `${countMin} or more` },
  })
}

function mergeLabels(facts: Omit<TraceMergeFacts, 'target'>): TextLabels {
  return {
    ...traceLabels(facts, 'merge'),
    merge_policy: facts.policy,
    merge_reason: facts.mergeReason,
    merge_parents: facts.sources.map(formatAnchor).join(','),
  }
}

function traceLabels({ taskId, actorId }: TraceFacts, kind: string): TextLabels {
  return { task_id: taskId, trace_kind: kind, actor_id: actorId }
}
