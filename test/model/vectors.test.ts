import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { encodePreimage } from '../../src/model/event-codec.ts'
import { type EventBody, eventKinds, findEventKind, type WireType } from '../../src/model/event-kinds.ts'
import {
  type ActorId,
  decodeChunk,
  deriveContextIssueId,
  type EventFacts,
  type EventId,
  encodeEventChunk,
  formatHex,
  hashChunk,
  type IssueId,
  identifyEvent,
  parseHex,
  projectContextIssueId,
} from '../../src/model/index.ts'

interface Vector {
  readonly n: number | string
  readonly ts_unix_ms: number
  readonly parent: EventId | null
  readonly kind_tag: number
  readonly kind_payload: readonly unknown[]
  readonly preimage_cbor: string
  readonly event_id: string
}

const vectors = JSON.parse(readFileSync(new URL('../vectors/hash-vectors.json', import.meta.url), 'utf8'))
const all = [...vectors.published, ...vectors.derived_event_ids] as readonly Vector[]

for (const vector of all) {
  test(`vector ${vector.n} has the published preimage and event id`, () => {
    const facts = factsOf(vector)
    assert.equal(formatHex(encodePreimage(facts)), vector.preimage_cbor)
    assert.equal(identifyEvent(facts).eventId, vector.event_id)
  })
}

for (const vector of vectors.derived_chunks as readonly {
  events: string[]
  sig: string | null
  chunk_hex: string
  chunk_hash_blake2b256: string
}[]) {
  test(`a chunk of ${vector.events.join(', ')} has the published bytes and hash`, () => {
    const bytes = parseHex(vector.chunk_hex) as Uint8Array
    const decoded = decodeChunk(bytes)
    assert.equal(decoded.problem, null)
    assert.deepEqual(decoded.damaged, [])
    assert.equal(decoded.events.length, vector.events.length)
    assert.equal(formatHex(encodeEventChunk(decoded.events.map(({ event }) => event))), vector.chunk_hex)
    assert.equal(hashChunk(bytes), vector.chunk_hash_blake2b256)
  })
}

test('context issue ids match the vectors', () => {
  for (const { path, issue_id } of vectors.derived_context_issue_ids) assert.equal(deriveContextIssueId(path), issue_id)
  assert.equal(projectContextIssueId, vectors.project_context_issue_id)
})

function factsOf(vector: Vector): EventFacts {
  const kind = findEventKind(vector.kind_tag)
  assert.ok(kind)
  const body: Record<string, unknown> = { type: kind }
  for (const [index, [name, type]] of Object.entries(eventKinds[kind].fields).entries()) {
    body[name] = fieldOf(type, vector.kind_payload[index])
  }
  return {
    issueId: ((vector as { issue_id?: string }).issue_id as IssueId) ?? (vectors.common.issue_id as IssueId),
    actor: vectors.common.actor as ActorId,
    tsUnixMs: vector.ts_unix_ms,
    parent: vector.parent,
    body: body as unknown as EventBody,
  }
}

function fieldOf(type: WireType, value: unknown): unknown {
  if (type === 'issueId' || type === 'sha256') return (value as { hex: string }).hex
  if (type !== 'sortedSymbols') return value
  return (value as [string, string, number, number][]).map(([name, kind, lineStart, lineEnd]) => ({
    name,
    kind,
    lineStart,
    lineEnd,
  }))
}
