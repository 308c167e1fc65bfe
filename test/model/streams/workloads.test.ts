import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InvalidArgsError } from '../../../src/model/index.ts'
import {
  type Artifact,
  type ArtifactFacts,
  artifact,
  backlinkArtifact,
  type ClassifierEvidence,
  channelMessage,
  channelRoot,
  classifierThread,
  critiqueBranch,
  describeContent,
  evaluatorDecision,
  evidenceArtifact,
  humanOverride,
  inlineContent,
  labelTexts,
  manualThread,
  matchesArtifact,
  mergeArtifact,
  mergeOutcomeArtifact,
  parseWorkload,
  retryBranch,
  summaryArtifact,
  taskCheckpoint,
  taskRoot,
  threadBacklink,
  threadBranch,
  threadReply,
  threadSummary,
  toolCall,
  traceBranch,
  traceMerge,
  type WorkloadRecord,
  workloadDraft,
} from '../../../src/model/streams/workloads/index.ts'

const trace = { taskId: 'task-7', actorId: 'planner', reason: 'the build fails' }
const channel = { channelId: 'release', actorId: 'ann', reason: 'to plan the release' }
const thread = { ...channel, threadStreamId: 'chat/release/thread-1', anchorMessageId: 'm-3' }
const content: ArtifactFacts = {
  artifactId: 'a-1',
  artifactKind: 'patch',
  producerId: 'agent-2',
  createdTs: 1_700_000_000_000,
  subjectRef: 'task-7',
  ...inlineContent('three files'),
}
const evidence: ClassifierEvidence = {
  decisionId: 'd-1',
  classifierId: 'topics',
  classifierVersion: '3',
  anchorMessageId: 'm-3',
  anchorOffset: 2,
  decision: 'open-thread',
  score: 0.91,
  threshold: 0.8,
  decidedTs: 1_700_000_000_000,
}

const anyText = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => /\S/.test(text))
const anyTime = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const anyLabels = fc.dictionary(anyText, anyText, { maxKeys: 3 })
const anyTrace = { taskId: anyText, actorId: anyText, reason: anyText, createdTs: anyTime, labels: anyLabels }
const anyMessage = {
  ...{ channelId: anyText, actorId: anyText, reason: anyText, authorId: anyText },
  ...{ createdTs: anyTime, messageId: anyText, bodyRef: anyText },
}

const anyContent = fc.record(
  {
    ...{ artifactId: anyText, artifactKind: anyText, artifactRef: anyText, contentType: anyText, digest: anyText },
    ...{ byteLength: anyTime, producerId: anyText, createdTs: anyTime, subjectRef: anyText },
    ...{ contentEncoding: anyText, retentionClass: anyText, preview: anyText },
    labels: anyLabels,
  },
  {
    requiredKeys: [
      ...(['artifactId', 'artifactKind', 'artifactRef', 'contentType', 'digest', 'byteLength'] as const),
      ...(['producerId', 'createdTs', 'subjectRef'] as const),
    ],
  },
)

const anyWorkload: fc.Arbitrary<WorkloadRecord> = fc.oneof(
  anyContent.map(artifact),
  fc.tuple(anyContent, anyText).map(([facts, kind]) => summaryArtifact({ ...facts, labels: {} }, kind)),
  fc
    .record({ ...anyTrace, toolName: anyText, toolCallId: anyText })
    .map((facts) => toolCall({ ...facts, toolPhase: 'result', toolStatus: 'timeout' })),
  fc
    .record({ ...anyTrace, evaluatorId: anyText, subjectRef: anyText })
    .map((facts) => evaluatorDecision({ ...facts, decision: 'selected' })),
  fc
    .record({ ...anyTrace, checkpointId: anyText })
    .map((facts) => taskCheckpoint({ ...facts, checkpointKind: 'handoff', checkpointStatus: 'incomplete' })),
  fc.record(anyMessage).map(channelMessage),
  fc.record({ ...anyMessage, threadStreamId: anyText, labels: anyLabels }).map(threadReply),
)

test('every record of a workload reads back from its payload', () => {
  fc.assert(
    fc.property(anyWorkload, (record) => {
      const { payload, contentType, headers } = workloadDraft(record)
      assert.equal(contentType, 'application/json')
      assert.equal(headers.type, record.type)
      const read = parseWorkload(payload)
      assert.deepEqual(read, JSON.parse(JSON.stringify(record)))
      assert.ok(read !== null)
      assert.deepEqual(workloadDraft(read).payload, payload)
    }),
  )
})

test('a payload has names in snake case and sorted labels', () => {
  const labels = { b: '2', a: '1' }
  const facts = { ...trace, createdTs: 5, toolName: 'bash', toolCallId: 'c-1', labels }
  const { payload } = workloadDraft(toolCall({ ...facts, toolPhase: 'request' }))
  assert.equal(
    new TextDecoder().decode(payload),
    '{"type":"agent.tool_call","task_id":"task-7","actor_id":"planner","reason":"the build fails","created_ts":5,' +
      '"labels":{"a":"1","b":"2"},"tool_name":"bash","tool_call_id":"c-1","tool_phase":"request"}',
  )
})

test('foreign and damaged payloads are no records of a workload', () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytes)), (payload) => {
      assert.equal(parseWorkload(payload), null)
    }),
  )
  const whole = new TextDecoder().decode(workloadDraft(channelMessage(message())).payload)
  assert.notEqual(parseWorkload(bytes(whole)), null)
  for (const [from, to] of [
    ['"author_id":"ann",', ''],
    ['"author_id":"ann"', '"author_id":" "'],
    ['"author_id":"ann"', '"author_id":7'],
    ['"created_ts":5', '"created_ts":-5'],
    ['channel-message', 'thread-reply'],
    ['message.posted', 'toString'],
  ] as const) {
    assert.ok(whole.includes(from))
    assert.equal(parseWorkload(bytes(whole.replace(from, to))), null, to)
  }
  assert.notEqual(parseWorkload(bytes(whole.replace('{', '{"later":1,'))), null)
})

function message(): Parameters<typeof channelMessage>[0] {
  return { ...channel, authorId: 'ann', createdTs: 5, messageId: 'm-1', bodyRef: 'inline:hello' }
}

const blank = (name: string) => ({ [name]: ' \n' })

/** Builders by their text fields, which must not be blank. */
const builders: readonly (readonly [names: string, build: (wrong: object) => unknown])[] = [
  ['taskId actorId reason streamId', (wrong) => taskRoot({ ...trace, streamId: 's', ...wrong })],
  ['taskId actorId reason streamId', (wrong) => retryBranch({ ...branch(), ...wrong })],
  ['taskId actorId reason streamId', (wrong) => critiqueBranch({ ...branch(), ...wrong })],
  [
    'taskId actorId reason toolName toolCallId toolPhase',
    (wrong) =>
      toolCall({ ...trace, createdTs: 5, toolName: 't', toolCallId: 'c', toolPhase: 'request', labels: {}, ...wrong }),
  ],
  [
    'taskId actorId reason evaluatorId subjectRef decision',
    (wrong) =>
      evaluatorDecision({
        ...{ ...trace, createdTs: 5, evaluatorId: 'e', subjectRef: 's', decision: 'passed', ...wrong },
      }),
  ],
  [
    'taskId actorId reason checkpointId checkpointKind checkpointStatus',
    (wrong) =>
      taskCheckpoint({
        ...{ ...trace, createdTs: 5, checkpointId: 'c', checkpointKind: 'final', checkpointStatus: 'success' },
        ...wrong,
      }),
  ],
  ['taskId actorId reason target policy mergeReason', (wrong) => traceMerge({ ...merge(), ...wrong })],
  ['channelId actorId reason streamId', (wrong) => channelRoot({ ...channel, streamId: 's', ...wrong })],
  ['channelId actorId reason authorId messageId bodyRef', (wrong) => channelMessage({ ...message(), ...wrong })],
  [
    'channelId actorId reason authorId messageId bodyRef threadStreamId',
    (wrong) => threadReply({ ...message(), threadStreamId: 's', ...wrong }),
  ],
  ['channelId actorId reason streamId anchorMessageId', (wrong) => manualThread({ ...threadFork(), ...wrong })],
  [
    'decisionId classifierId classifierVersion anchorMessageId decision evidenceRef',
    (wrong) => classifierThread(threadFork(), { ...evidence, ...wrong }),
  ],
  ['channelId actorId reason', (wrong) => evidenceArtifact(content, { ...channel, ...wrong }, evidence)],
  [
    'channelId actorId reason threadStreamId anchorMessageId',
    (wrong) => threadBacklink(content, { ...thread, ...wrong }, 'status'),
  ],
  [
    'channelId actorId reason threadStreamId anchorMessageId',
    (wrong) => threadSummary(content, { ...thread, ...wrong }, 'human'),
  ],
  [
    'channelId actorId reason threadStreamId anchorMessageId overrideId overrideKind supersedesRef',
    (wrong) => humanOverride(content, { ...thread, overrideId: 'o-1', overrideKind: 'resolve-thread', ...wrong }),
  ],
  [
    'artifactId artifactKind artifactRef contentType contentEncoding digest producerId subjectRef retentionClass preview',
    (wrong) => artifact({ ...content, ...wrong }),
  ],
]

function branch(): Parameters<typeof retryBranch>[0] {
  return { ...trace, streamId: 'task-7/retry-1', parent: { streamId: 'task-7', offset: 4 } }
}

function merge(): Parameters<typeof traceMerge>[0] {
  const sources = [{ streamId: 'task-7/retry-1', offset: 9 }]
  return { ...trace, target: 'task-7', sources, policy: 'recursive', mergeReason: 'selected-retry' }
}

function threadFork(): Parameters<typeof manualThread>[0] {
  const anchor = { streamId: 'chat/release', offset: 2 }
  return { ...channel, streamId: thread.threadStreamId, anchor, anchorMessageId: 'm-3' }
}

test('builders refuse blank text and name the field', () => {
  for (const [names, build] of builders) {
    build({})
    for (const name of names.split(' ')) {
      assert.throws(
        () => build(blank(name)),
        (error) => {
          assert.ok(error instanceof InvalidArgsError, name)
          assert.equal(error.details.field, name)
          return true
        },
      )
    }
  }
})

test('builders refuse values outside a closed enumeration', () => {
  const wrong = 'perhaps' as never
  const refused = (build: () => unknown) => assert.throws(build, InvalidArgsError)
  refused(() => toolCall({ ...trace, createdTs: 5, toolName: 't', toolCallId: 'c', toolPhase: wrong }))
  refused(() => toolCall({ ...trace, createdTs: 5, toolName: 't', toolCallId: 'c', toolPhase: 'result' }))
  refused(() => evaluatorDecision({ ...trace, createdTs: 5, evaluatorId: 'e', subjectRef: 's', decision: wrong }))
  refused(() => threadSummary(content, thread, wrong))
  refused(() => humanOverride(content, { ...thread, overrideId: 'o-1', overrideKind: wrong }))
  refused(() => traceMerge({ ...merge(), policy: 'perhaps' }))
  refused(() => traceMerge({ ...merge(), sources: [] }))
  refused(() => mergeArtifact(content, { ...merge(), parents: [{ streamId: 'task-7', offset: 4 }] }))
  refused(() => artifact({ ...content, byteLength: -1 }))
  refused(() => artifact({ ...content, preview: 'x'.repeat(4097) }))
  refused(() => retryBranch({ ...branch(), parent: { streamId: 'task-7', offset: 1.5 } }))
})

test('open enumerations take any word', () => {
  assert.equal(traceBranch(branch(), 'tool-path').labels.branch_kind, 'tool-path')
  assert.equal(threadBranch(threadFork(), 'imported').labels.thread_kind, 'imported')
  assert.equal(threadBacklink(content, thread, 'split').labels.backlink_kind, 'split')
  assert.equal(backlinkArtifact(content, 'duplicate').labels.artifact_role, 'backlink')
  assert.equal(mergeOutcomeArtifact(content, 'partial').labels.merge_outcome_kind, 'partial')
})

test('a retry is planned with its anchor and labels', () => {
  assert.deepEqual(retryBranch({ ...branch(), labels: { model: 'm-1' } }), {
    streamId: 'task-7/retry-1',
    parent: 'task-7@4',
    parentId: 'task-7',
    options: {
      at: 4,
      reason: 'the build fails',
      label: [
        ...['model=m-1', 'task_id=task-7', 'trace_kind=retry', 'actor_id=planner', 'branch_kind=retry'],
        ...['parent_stream_id=task-7', 'fork_offset=4', 'branch_anchor_ref=task-7@4'],
      ],
    },
    labels: {
      ...{ task_id: 'task-7', trace_kind: 'retry', actor_id: 'planner', branch_kind: 'retry', model: 'm-1' },
      ...{ parent_stream_id: 'task-7', fork_offset: '4', branch_anchor_ref: 'task-7@4' },
    },
  })
})

test('a thread carries the evidence of its classifier', () => {
  const { parent, labels } = classifierThread(threadFork(), evidence)
  assert.equal(parent, 'chat/release@2')
  assert.deepEqual(labelTexts(labels).toSorted(), [
    'actor_id=ann',
    'anchor_message_id=m-3',
    'anchor_offset=2',
    'branch_anchor_ref=message:m-3',
    'branch_kind=communication-thread',
    'channel_id=release',
    'classifier_id=topics',
    'classifier_version=3',
    'communication_kind=thread-branch',
    'decided_ts=1700000000000',
    'decision=open-thread',
    'decision_id=d-1',
    'fork_offset=2',
    'parent_stream_id=chat/release',
    'score=0.91',
    'thread_kind=classifier',
    'thread_stream_id=chat/release/thread-1',
    'threshold=0.8',
  ])
})

test('a merge is planned with its evidence', () => {
  const plan = traceMerge(merge())
  assert.deepEqual([plan.input.stream, plan.input.source], ['task-7', ['task-7/retry-1@9']])
  assert.equal(plan.evidence.merge_reason, 'selected-retry')
  const parents = [
    { streamId: 'task-7', offset: 4 },
    { streamId: 'task-7/retry-1', offset: 9 },
  ]
  const made: Artifact = mergeArtifact(content, { ...merge(), parents })
  assert.equal(made.labels.artifact_role, 'ai-merge-artifact')
  assert.equal(made.labels.merge_outcome_kind, 'selected-retry')
  assert.equal(made.labels.merge_parents, 'task-7@4,task-7/retry-1@9')
})

test('a label of the caller never replaces one of the builder', () => {
  assert.throws(() => retryBranch({ ...branch(), labels: { task_id: 'task-8' } }), InvalidArgsError)
  assert.throws(() => threadBacklink({ ...content, labels: { channel_id: 'x' } }, thread, 'status'), InvalidArgsError)
})

test('an artifact tells whether bytes are its content', () => {
  const bytes = new TextEncoder().encode('a patch')
  const described = describeContent(bytes, { artifactRef: 'blob:1', contentType: 'text/x-diff' })
  const made = artifact({ ...content, ...described })
  assert.equal(matchesArtifact(made, bytes), true)
  assert.equal(matchesArtifact(made, bytes.subarray(1)), false)
  assert.equal(matchesArtifact({ ...made, digest: 'blake3:00' }, bytes), null)
})
