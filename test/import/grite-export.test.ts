import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseGriteExport, planRestore } from '../../src/import/index.ts'
import {
  type ActorId,
  decodeRecord,
  type Event,
  type EventBody,
  type EventId,
  encodeRecord,
  formatHex,
  formatKindForExport,
  InvalidArgsError,
  type IssueId,
  identifyEvent,
  type Sha256Hex,
} from '../../src/model/index.ts'
import { anyEvent } from '../model/arbitraries.ts'

const issueId = '11'.repeat(16) as IssueId
const actor = '22'.repeat(16) as ActorId
const hash = '33'.repeat(32) as Sha256Hex
const bodies: readonly EventBody[] = [
  { type: 'IssueCreated', title: 't', body: 'b', labels: ['a', 'é', '😀', 'a'] },
  { type: 'IssueUpdated', title: null, body: 'é' },
  { type: 'CommentAdded', body: 'c' },
  { type: 'LabelAdded', label: 'l' },
  { type: 'LabelRemoved', label: 'l' },
  { type: 'StateChanged', state: 'closed' },
  { type: 'LinkAdded', url: 'u', note: null },
  { type: 'AssigneeAdded', user: 'ann' },
  { type: 'AssigneeRemoved', user: 'ann' },
  { type: 'AttachmentAdded', name: 'n', sha256: hash, mime: 'm' },
  { type: 'DependencyAdded', target: issueId, dep_type: 'blocks' },
  { type: 'DependencyRemoved', target: issueId, dep_type: 'related_to' },
  {
    type: 'ContextUpdated',
    path: 'p',
    language: 'l',
    symbols: [{ name: 's', kind: 'k', lineStart: 1, lineEnd: 4_294_967_295 }],
    summary: '',
    content_hash: hash,
  },
  { type: 'ProjectContextUpdated', key: 'k', value: 'v' },
]
const events: readonly Event[] = bodies.map((body, index) => ({
  ...identifyEvent({
    issueId,
    actor,
    tsUnixMs: 2 ** 33 + index,
    parent: index === 2 ? ('44'.repeat(32) as EventId) : null,
    body,
  }),
  sig: index % 2 === 0 ? null : new Uint8Array(64).fill(index),
}))

function entryOf({ eventId, tsUnixMs, parent, body, sig, ...ids }: Event): Record<string, unknown> {
  return {
    event_id: eventId,
    issue_id: ids.issueId,
    actor: ids.actor,
    ts_unix_ms: tsUnixMs,
    ...(parent === null ? {} : { parent }),
    kind: formatKindForExport(body),
    ...(sig === null ? {} : { sig: formatHex(sig) }),
  }
}

function exportOf(entries: readonly unknown[], more: object = {}): string {
  return JSON.stringify({ meta: { schema_version: 1 }, issues: [], events: entries, ...more })
}

test('events of every kind come back with id and signature', () => {
  const parsed = parseGriteExport(exportOf(events.map(entryOf)))
  assert.deepEqual(parsed.skipped, [])
  assert.deepEqual(
    parsed.events.map((event) => ({ ...event, body: null })),
    events.map((event) => ({ ...event, body: null })),
  )
  assert.deepEqual(
    parsed.events.map(({ body }) => body),
    bodies,
  )
})

test('any stored event comes back from its export', () => {
  fc.assert(
    fc.property(anyEvent, (event) => {
      const decoded = decodeRecord(encodeRecord(event))
      assert.ok('event' in decoded)
      const parsed = parseGriteExport(exportOf([entryOf(decoded.event)]))
      assert.deepEqual(parsed.skipped, [])
      assert.deepEqual(parsed.events, [decoded.event])
    }),
  )
})

const [created, updated] = events.map(entryOf) as [Record<string, unknown>, Record<string, unknown>]
const context = entryOf(events[12] as Event)
const broken: readonly (readonly [string, unknown, RegExp])[] = [
  ['null', null, /^not an object$/],
  ['another title', { ...updated, kind: { IssueUpdated: { title: 'x', body: 'é' } } }, /^event_id does not match/],
  ['another time', { ...updated, ts_unix_ms: 5 }, /^event_id does not match/],
  ['a time that is a text', { ...updated, ts_unix_ms: '5' }, /^ts_unix_ms is not/],
  ['a time beyond 2^53', { ...updated, ts_unix_ms: 2 ** 53 }, /^ts_unix_ms is not/],
  ['no id', { ...updated, event_id: undefined }, /^event_id is not a text$/],
  ['a short id', { ...updated, event_id: '00' }, /event id '00' is not/],
  ['a strange issue', { ...updated, issue_id: 'zz' }, /issue id 'zz' is not/],
  ['an unknown kind', { ...updated, kind: { IssueBurned: {} } }, /^unknown kind IssueBurned$/],
  ['a kind of the prototype', { ...updated, kind: { toString: {} } }, /^unknown kind toString$/],
  ['two kinds', { ...updated, kind: { A: {}, B: {} } }, /^kind is not one named object$/],
  ['no kind', { ...updated, kind: undefined }, /^kind is not one named object$/],
  [
    'labels that are numbers',
    { ...created, kind: { IssueCreated: { title: 't', body: 'b', labels: [1] } } },
    /^labels is not/,
  ],
  [
    'a strange state',
    { ...updated, kind: { StateChanged: { state: 'burning' } } },
    /^state is not one of open, closed$/,
  ],
  ['a strange signature', { ...updated, sig: 'xyz' }, /^sig is not hexadecimal$/],
  ['symbols counted only', { ...context, kind: withoutSymbols(context) }, /^symbols are not in the export$/],
]

function withoutSymbols(entry: Record<string, unknown>): unknown {
  const { symbols, ...rest } = (entry.kind as { ContextUpdated: Record<string, unknown> }).ContextUpdated
  assert.ok(Array.isArray(symbols))
  return { ContextUpdated: rest }
}

for (const [what, entry, reason] of broken) {
  test(`event with ${what} is skipped and the others are read`, () => {
    const parsed = parseGriteExport(exportOf([created, entry, context]))
    assert.equal(parsed.events.length, 2)
    assert.equal(parsed.skipped.length, 1)
    assert.equal(parsed.skipped[0]?.index, 1)
    assert.match(parsed.skipped[0]?.reason ?? '', reason)
  })
}

test('file context without any symbol comes back from the count', () => {
  const body: EventBody = {
    type: 'ContextUpdated',
    path: 'p',
    language: 'l',
    symbols: [],
    summary: '',
    content_hash: hash,
  }
  const entry = entryOf(identifyEvent({ issueId, actor, tsUnixMs: 1, parent: null, body }))
  const parsed = parseGriteExport(exportOf([{ ...entry, kind: withoutSymbols(entry) }]))
  assert.deepEqual(
    parsed.events.map((event) => event.body),
    [body],
  )
})

const shapes: readonly (readonly [string, string, RegExp])[] = [
  ['no JSON', '{', /^export is not JSON/],
  ['no object', '[]', /^export has no/],
  ['no meta', '{"events":[]}', /^export has no/],
  ['no events', '{"meta":{"schema_version":1}}', /^export has no/],
  ['another version', '{"meta":{"schema_version":2},"events":[]}', /^export has schema version 2; 1 is understood$/],
]
for (const [what, text, message] of shapes) {
  test(`file with ${what} is refused`, () => {
    assert.throws(
      () => parseGriteExport(text),
      (error) => error instanceof InvalidArgsError && message.test(error.message),
    )
  })
}

test('attachments come back as bytes, strange ones are named', () => {
  const more = { attachments: { [hash]: 'aGk=', [`${hash}0`]: 'aGk=', [hash.replace('3', '4')]: '!' } }
  const parsed = parseGriteExport(exportOf([], more))
  assert.deepEqual([...parsed.attachments], [[hash, Uint8Array.of(104, 105)]])
  assert.equal(parsed.skippedAttachments.length, 2)
})

test('restore plan leaves out what is known, copies and second creations', () => {
  const late = identifyEvent({ issueId, actor, tsUnixMs: 2 ** 34, parent: null, body: bodies[0] as EventBody })
  const known = new Set([(events[1] as Event).eventId])
  const plan = planRestore([late, ...[...events].reverse(), events[2] as Event], known, new Set())
  assert.equal(plan.unchanged, 1)
  assert.equal(plan.duplicate, 1)
  assert.deepEqual(
    plan.skipped.map(({ eventId }) => eventId),
    [late.eventId],
  )
  assert.deepEqual(
    plan.events,
    events.filter((_, index) => index !== 1),
  )
  const again = planRestore(events, new Set(events.map(({ eventId }) => eventId)), new Set([issueId]))
  assert.deepEqual(again, { events: [], unchanged: 14, duplicate: 0, skipped: [] })
})

for (const name of ['small', 'signed', 'two-actors', 'diverged']) {
  const file = new URL(`../../../shared/fixtures/${name}/expected.json`, import.meta.url)
  const skip = existsSync(file) ? false : 'the fixtures of ../shared are not here'
  test(`export of the Rust tool for ${name} is read but for its symbols`, { skip }, () => {
    const expected = JSON.parse(readFileSync(file, 'utf8'))
    const parsed = parseGriteExport(JSON.stringify(expected.export))
    const counted = expected.export.events.filter(
      ({ kind }: { kind: { ContextUpdated?: { symbol_count: number } } }) =>
        (kind.ContextUpdated?.symbol_count ?? 0) > 0,
    )
    assert.deepEqual(
      parsed.skipped.map(({ eventId, reason }) => [eventId, reason]),
      counted.map(({ event_id }: { event_id: string }) => [event_id, 'symbols are not in the export']),
    )
    assert.equal(parsed.events.length, expected.event_ids.length - counted.length)
    for (const { eventId } of parsed.events) assert.ok(expected.event_ids.includes(eventId))
  })
}
