/**
 * A conversation. The channel is a root stream, a thread a branch at one of its messages; messages and replies are records.
 * A backlink in the channel tells its readers of a thread. Evidence of a classifier stands on the branch that it led
 * to, or in an artifact. People overrule it by a further record, and never by a change.
 */
import { type Artifact, type ArtifactFacts, artifactWithRole, joinLabels } from './artifact.ts'
import { checkFacts, type Fields, labels, oneOf, optional, real, type TextLabels, text, whole } from './fields.ts'
import { type Anchor, type BranchPlan, branchPlan, type StreamPlan, streamPlan } from './plans.ts'

/** What every part of a conversation states. */
export interface ChannelFacts {
  readonly channelId: string
  readonly actorId: string
  readonly reason: string
}

const channelFields: Fields<ChannelFacts> = { channelId: text, actorId: text, reason: text }

/** Plans the root stream of a channel. @throws {InvalidArgsError} naming the field */
export function channelRoot(
  facts: ChannelFacts & { readonly streamId: string; readonly labels?: TextLabels },
): StreamPlan {
  checkFacts({ ...channelFields, streamId: text }, facts)
  const { streamId, reason } = facts
  return streamPlan(streamId, reason, joinLabels(channelLabels(facts, 'channel-root'), facts.labels))
}

export interface MessageFacts extends ChannelFacts {
  readonly authorId: string
  readonly createdTs: number
  readonly messageId: string
  /** `inline:` and the text, or a reference. */
  readonly bodyRef: string
  readonly labels?: TextLabels | undefined
}

/** A message in a channel. */
export interface ChannelMessage extends MessageFacts {
  readonly type: 'message.posted'
  readonly communicationKind: 'channel-message'
}

export interface ReplyFacts extends MessageFacts {
  readonly threadStreamId: string
}

/** A message in a thread. */
export interface ThreadReply extends ReplyFacts {
  readonly type: 'thread.reply'
  readonly communicationKind: 'thread-reply'
}

const messageFields: Fields<MessageFacts> = {
  ...channelFields,
  authorId: text,
  createdTs: whole,
  messageId: text,
  bodyRef: text,
  labels: optional(labels),
}

export const channelMessageFields: Fields<Omit<ChannelMessage, 'type'>> = {
  communicationKind: oneOf(['channel-message']),
  ...messageFields,
}

const replyFields: Fields<ReplyFacts> = { ...messageFields, threadStreamId: text }

export const threadReplyFields: Fields<Omit<ThreadReply, 'type'>> = {
  communicationKind: oneOf(['thread-reply']),
  ...replyFields,
}

/** Builds the record of a message. @throws {InvalidArgsError} naming the field */
export function channelMessage(facts: MessageFacts): ChannelMessage {
  checkFacts(messageFields, facts)
  return { type: 'message.posted', communicationKind: 'channel-message', ...facts }
}

/** Builds the record of a reply. @throws {InvalidArgsError} naming the field */
export function threadReply(facts: ReplyFacts): ThreadReply {
  checkFacts(replyFields, facts)
  return { type: 'thread.reply', communicationKind: 'thread-reply', ...facts }
}

export interface ThreadBranchFacts extends ChannelFacts {
  readonly streamId: string
  /** Where the message is that the thread is about: the last record that it inherits. */
  readonly anchor: Anchor
  readonly anchorMessageId: string
  readonly labels?: TextLabels | undefined
}

/** Plans a thread that a person opened. */
export function manualThread(facts: ThreadBranchFacts): BranchPlan {
  return threadBranch(facts, 'manual')
}

/** Plans a thread that a classifier opened, with its evidence as labels. */
export function classifierThread(facts: ThreadBranchFacts, evidence: ClassifierEvidence): BranchPlan {
  const given = joinLabels(evidenceLabels(evidence), facts.labels)
  return threadBranch({ ...facts, labels: given }, 'classifier')
}

/** Plans a thread of any kind, such as `system`. @throws {InvalidArgsError} naming the field */
export function threadBranch(facts: ThreadBranchFacts, threadKind: string): BranchPlan {
  checkFacts({ ...channelFields, streamId: text, anchorMessageId: text, threadKind: text }, { ...facts, threadKind })
  const { streamId, reason, anchorMessageId } = facts
  const own = {
    ...channelLabels(facts, 'thread-branch'),
    branch_kind: 'communication-thread',
    branch_anchor_ref: `message:${anchorMessageId}`,
    thread_stream_id: streamId,
    parent_stream_id: facts.anchor.streamId,
    anchor_message_id: anchorMessageId,
    fork_offset: `${facts.anchor.offset}`,
    thread_kind: threadKind,
  }
  return branchPlan(facts.anchor, streamPlan(streamId, reason, joinLabels(own, facts.labels)))
}

/** Why a classifier opened a thread, or did not. */
export interface ClassifierEvidence {
  readonly decisionId: string
  readonly classifierId: string
  readonly classifierVersion: string
  readonly anchorMessageId: string
  readonly anchorOffset: number
  /** `open-thread`, `suppress-thread`, or another word. */
  readonly decision: string
  readonly score?: number | undefined
  readonly threshold?: number | undefined
  /** What the decision was based on. */
  readonly evidenceRef?: string | undefined
  readonly decidedTs: number
}

const evidenceFields: Fields<ClassifierEvidence> = {
  decisionId: text,
  classifierId: text,
  classifierVersion: text,
  anchorMessageId: text,
  anchorOffset: whole,
  decision: text,
  score: optional(real),
  threshold: optional(real),
  evidenceRef: optional(text),
  decidedTs: whole,
}

/** The evidence as labels of the branch that it led to. @throws {InvalidArgsError} naming the field */
export function evidenceLabels(evidence: ClassifierEvidence): TextLabels {
  checkFacts(evidenceFields, evidence)
  const { score, threshold, evidenceRef } = evidence
  return {
    decision_id: evidence.decisionId,
    classifier_id: evidence.classifierId,
    classifier_version: evidence.classifierVersion,
    anchor_message_id: evidence.anchorMessageId,
    anchor_offset: `${evidence.anchorOffset}`,
    decision: evidence.decision,
    ...(score === undefined ? {} : { score: `${score}` }),
    ...(threshold === undefined ? {} : { threshold: `${threshold}` }),
    ...(evidenceRef === undefined ? {} : { evidence_ref: evidenceRef }),
    decided_ts: `${evidence.decidedTs}`,
  }
}

/** Builds the artifact of evidence that led to no branch, or is too long for labels. */
export function evidenceArtifact(facts: ArtifactFacts, channel: ChannelFacts, evidence: ClassifierEvidence): Artifact {
  return channelArtifact(facts, channel, 'classifier-evidence', evidenceLabels(evidence))
}

/** Which thread an artifact is about. */
export interface ThreadFacts extends ChannelFacts {
  readonly threadStreamId: string
  readonly anchorMessageId: string
}

const threadFields: Fields<ThreadFacts> = { ...channelFields, threadStreamId: text, anchorMessageId: text }

/**
 * Builds the record by which readers of the channel learn of a thread.
 * @param backlinkKind - `mention`, `status`, `resolution`, or another word
 */
export function threadBacklink(facts: ArtifactFacts, thread: ThreadFacts, backlinkKind: string): Artifact {
  checkFacts({ ...threadFields, backlinkKind: text }, { ...thread, backlinkKind })
  return channelArtifact(facts, thread, 'thread-backlink', {
    ...threadLabels(thread),
    artifact_role: 'backlink',
    backlink_kind: backlinkKind,
  })
}

export type SummaryKind = 'human' | 'model' | 'moderation' | 'system'

/** Builds the record that says what came of a thread. Its reference is that of the summary. */
export function threadSummary(facts: ArtifactFacts, thread: ThreadFacts, summaryKind: SummaryKind): Artifact {
  const kinds = oneOf(['human', 'model', 'moderation', 'system'])
  checkFacts({ ...threadFields, summaryKind: kinds }, { ...thread, summaryKind })
  return channelArtifact(facts, thread, 'thread-summary', {
    ...threadLabels(thread),
    artifact_role: 'summary',
    summary_kind: summaryKind,
    summary_ref: facts.artifactRef,
  })
}

export interface OverrideFacts extends ThreadFacts {
  readonly overrideId: string
  readonly overrideKind: 'confirm-thread' | 'suppress-thread' | 'reanchor-thread' | 'reopen-thread' | 'resolve-thread'
  /** The decision or the override that this one replaces. */
  readonly supersedesRef?: string | undefined
}

const overrideFields: Fields<OverrideFacts> = {
  ...threadFields,
  overrideId: text,
  overrideKind: oneOf(['confirm-thread', 'suppress-thread', 'reanchor-thread', 'reopen-thread', 'resolve-thread']),
  supersedesRef: optional(text),
}

/** Builds the record by which a person overrules a classifier or an earlier override. */
export function humanOverride(facts: ArtifactFacts, override: OverrideFacts): Artifact {
  checkFacts(overrideFields, override)
  const { supersedesRef } = override
  return channelArtifact(facts, override, 'human-override', {
    ...threadLabels(override),
    override_id: override.overrideId,
    override_kind: override.overrideKind,
    ...(supersedesRef === undefined ? {} : { supersedes_ref: supersedesRef }),
  })
}

function channelArtifact(facts: ArtifactFacts, channel: ChannelFacts, kind: string, own: TextLabels): Artifact {
  checkFacts(channelFields, channel)
  const labels = { artifact_role: kind, ...channelLabels(channel, kind), reason: channel.reason, ...own }
  return artifactWithRole(facts, labels.artifact_role, labels)
}

function threadLabels({ threadStreamId, anchorMessageId }: ThreadFacts): TextLabels {
  return { thread_stream_id: threadStreamId, anchor_message_id: anchorMessageId }
}

function channelLabels({ channelId, actorId }: ChannelFacts, kind: string): TextLabels {
  return { communication_kind: kind, channel_id: channelId, actor_id: actorId }
}
