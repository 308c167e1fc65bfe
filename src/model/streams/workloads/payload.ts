/** Records of workloads as payloads: JSON, with the type also in a header, by which readers select records. */
import { parseForeignJson } from '../../foreign/parse-json.ts'
import { shape } from '../../foreign/shapes.ts'
import { streamLimits } from '../stream-limits.ts'
import { type Artifact, artifactFields } from './artifact.ts'
import { type ChannelMessage, channelMessageFields, type ThreadReply, threadReplyFields } from './conversations.ts'
import { type Fields, jsonOf, readFacts } from './fields.ts'
import {
  type EvaluatorDecision,
  evaluatorDecisionFields,
  type TaskCheckpoint,
  type ToolCall,
  taskCheckpointFields,
  toolCallFields,
} from './traces.ts'

/** A record of a workload, told apart by its type. */
export type WorkloadRecord = Artifact | ChannelMessage | EvaluatorDecision | TaskCheckpoint | ThreadReply | ToolCall

/** What is appended: the draft of a record. */
export interface WorkloadDraft {
  readonly payload: Uint8Array
  readonly contentType: 'application/json'
  readonly headers: Readonly<Record<string, string>>
}

type FactsOfType<Type extends WorkloadRecord['type']> = Omit<Extract<WorkloadRecord, { readonly type: Type }>, 'type'>

const fieldsOfTypes: { readonly [Type in WorkloadRecord['type']]: Fields<FactsOfType<Type>> } = {
  artifact: artifactFields,
  'message.posted': channelMessageFields,
  'thread.reply': threadReplyFields,
  'agent.tool_call': toolCallFields,
  'agent.evaluator_decision': evaluatorDecisionFields,
  'agent.checkpoint': taskCheckpointFields,
}

const utf8 = new TextEncoder()
const payloadSource = { name: 'payload', sizeMax: streamLimits.recordBytesCeiling, valuesMax: 10_000 }

/** Encodes a record for an append. The same record gives the same bytes. @throws {InvalidArgsError} naming the field */
export function workloadDraft(record: WorkloadRecord): WorkloadDraft {
  const { type, ...facts } = record
  const json = { type, ...jsonOf(fieldsOfTypes[type] as Fields<typeof facts>, facts) }
  const role = type === 'artifact' ? record.labels.artifact_role : undefined
  const headers = { ...(role === undefined ? {} : { artifact_role: role }), type }
  return { payload: utf8.encode(JSON.stringify(json)), contentType: 'application/json', headers }
}

/** The record that a payload holds; null when it is none of a workload, or a field is missing or wrong. */
export function parseWorkload(payload: Uint8Array): WorkloadRecord | null {
  const { value: json } = parseForeignJson(payload, shape.anything, payloadSource)
  if (typeof json !== 'object' || json === null || !('type' in json)) return null
  const { type } = json
  if (typeof type !== 'string' || !Object.hasOwn(fieldsOfTypes, type)) return null
  const facts = readFacts<object>(fieldsOfTypes[type as WorkloadRecord['type']], json)
  return facts === null ? null : ({ type, ...facts } as WorkloadRecord)
}
