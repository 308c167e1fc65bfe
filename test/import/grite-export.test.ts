import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ExportIndex, ExportIndexer, planRestore, RestoreTally, readExportedText } from '../../src/import/index.ts'
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

const nothing = { findKnown: async () => new Set<EventId>(), findCreated: async () => new Set<IssueId>() }

/** Indexes a text that arrives in pieces of this length. */
function indexOf(text: string | Uint8Array, pieceLength = 7): ExportIndex {
  const bytes = Buffer.from(text as Uint8Array)
  const indexer = new ExportIndexer()
  const buffer = Buffer.alloc(pieceLength)
  for (let start = 0; start < bytes.length; start += pieceLength) {
    const length = bytes.copy(buffer, 0, start, start + pieceLength)
    indexer.push(buffer.subarray(0, length))
    buffer.fill(0)
  }
  return indexer.finish()
}

async function planOf(text: string, baseline = nothing) {
  const bytes = Buffer.from(text)
  const tally = new RestoreTally()
  const steps: (readonly Event[])[] = []
  const readRange = async ({ start, end }: { start: number; end: number }) => bytes.subarray(start, end)
  for await (const step of planRestore(indexOf(text), readRange, baseline, tally)) steps.push(step)
  return { steps, events: steps.flat(), counts: tally.finish() }
}

/** Returns the skipped entries of an export and its events in version order. */
async function readExport(text: string) {
  const { skipped } = indexOf(text)
  return { skipped, events: (await planOf(text)).events }
}

test('restores events of every kind with id and signature', async () => {
  const parsed = await readExport(exportOf(events.map(entryOf)))
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

test('any stored event is restored from its export', async () => {
  await fc.assert(
    fc.asyncProperty(anyEvent, async (event) => {
      const decoded = decodeRecord(encodeRecord(event))
      assert.ok('event' in decoded)
      const parsed = await readExport(exportOf([entryOf(decoded.event)]))
      assert.deepEqual(parsed.skipped, [])
      assert.deepEqual(parsed.events, [decoded.event])
    }),
  )
})

const [created, updated] = events.map(entryOf) as [Record<string, unknown>, Record<string, unknown>]
const context = entryOf(events[12] as Event)
const broken: readonly (readonly [string, unknown, RegExp])[] = [
  ['null in its place', null, /^not an object$/],
  ['a changed title', { ...updated, kind: { IssueUpdated: { title: 'x', body: 'é' } } }, /^event_id does not match/],
  ['a changed time', { ...updated, ts_unix_ms: 5 }, /^event_id does not match/],
  ['a time given as text', { ...updated, ts_unix_ms: '5' }, /^ts_unix_ms is not/],
  ['a time beyond 2^53', { ...updated, ts_unix_ms: 2 ** 53 }, /^ts_unix_ms is not/],
  ['no event id', { ...updated, event_id: undefined }, /^event_id is not a text$/],
  ['a short event id', { ...updated, event_id: '00' }, /event id '00' is not/],
  ['a malformed issue id', { ...updated, issue_id: 'zz' }, /issue id 'zz' is not/],
  ['an unknown kind', { ...updated, kind: { IssueBurned: {} } }, /^unknown kind IssueBurned$/],
  ['a prototype member as kind', { ...updated, kind: { toString: {} } }, /^unknown kind toString$/],
  ['two kinds', { ...updated, kind: { A: {}, B: {} } }, /^kind is not one named object$/],
  ['no kind', { ...updated, kind: undefined }, /^kind is not one named object$/],
  ['numeric labels', { ...created, kind: { IssueCreated: { title: 't', body: 'b', labels: [1] } } }, /^labels is not/],
  [
    'an unknown state',
    { ...updated, kind: { StateChanged: { state: 'burning' } } },
    /^state is not one of open, closed$/,
  ],
  ['a malformed signature', { ...updated, sig: 'xyz' }, /^sig is not hexadecimal$/],
  ['only a count of symbols', { ...context, kind: withoutSymbols(context) }, /^symbols are not in the export$/],
]

function withoutSymbols(entry: Record<string, unknown>): unknown {
  const { symbols, ...rest } = (entry.kind as { ContextUpdated: Record<string, unknown> }).ContextUpdated
  assert.ok(Array.isArray(symbols))
  return { ContextUpdated: rest }
}

for (const [what, entry, reason] of broken) {
  test(`an event with ${what} is skipped and the others are read`, async () => {
    const parsed = await readExport(exportOf([created, entry, context]))
    assert.equal(parsed.events.length, 2)
    assert.equal(parsed.skipped.length, 1)
    assert.equal(parsed.skipped[0]?.index, 1)
    assert.match(parsed.skipped[0]?.reason ?? '', reason)
  })
}

test('restores a file context with a symbol count of zero', async () => {
  const body: EventBody = {
    type: 'ContextUpdated',
    path: 'p',
    language: 'l',
    symbols: [],
    summary: '',
    content_hash: hash,
  }
  const entry = entryOf(identifyEvent({ issueId, actor, tsUnixMs: 1, parent: null, body }))
  const parsed = await readExport(exportOf([{ ...entry, kind: withoutSymbols(entry) }]))
  assert.deepEqual(
    parsed.events.map((event) => event.body),
    [body],
  )
})

const meta = '"meta":{"schema_version":1}'
const deep = `${'['.repeat(100)}${']'.repeat(100)}`
const shapes: readonly (readonly [string, string, RegExp])[] = [
  ['no content', '', /^export is not JSON|^export has no/],
  ['an unclosed object', '{', /^export is not JSON/],
  ['a truncated JSON text', `{${meta},"events":[{"a":1}`, /^export is not JSON/],
  ['two JSON texts', `{${meta},"events":[]}{}`, /^export is not JSON/],
  ['a surplus comma', `{${meta},"events":[1,]}`, /^export is not JSON/],
  ['a truncated literal', `{${meta},"events":[nul]}`, /^export is not JSON/],
  ['an array in place of the object', '[]', /^export has no/],
  ['no meta', '{"events":[]}', /^export has no/],
  ['no events', `{${meta}}`, /^export has no/],
  ['events other than a list', `{${meta},"events":{}}`, /^export has no/],
  ['nested events only', `{${meta},"a":{"events":[]}}`, /^export has no/],
  [
    'an unknown schema version',
    '{"meta":{"schema_version":2},"events":[]}',
    /^export has schema version 2; only 1 is supported$/,
  ],
  ['an object as schema version', '{"meta":{"schema_version":{}},"events":[]}', /schema version an object;/],
  ['deep nesting in its events', `{${meta},"events":[${deep}]}`, /^export is nested deeper than 64 levels$/],
  [
    'deep nesting outside its events',
    `{${meta},"other":[${deep}],"events":[]}`,
    /^export is nested deeper than 64 levels$/,
  ],
]
for (const [what, text, message] of shapes) {
  test(`rejects an export with ${what}`, () => {
    for (const pieceLength of [1, 7, 1000, 100_000]) {
      assert.throws(
        () => indexOf(text, pieceLength),
        (error) => error instanceof InvalidArgsError && message.test(error.message),
        `in pieces of ${pieceLength}`,
      )
    }
  })
}

test('rejects an export with a number of over 1000 characters', () => {
  const text = `{${meta},"events":[${'1'.repeat(5000)}`
  for (const pieceLength of [1, 7, 1000]) {
    assert.throws(() => indexOf(text, pieceLength), /^InvalidArgsError: export has a number of more than 1000 char/)
  }
})

test('rejects an export that is not valid UTF-8', () => {
  const bytes = Buffer.from(`{${meta},"events":["?"]}`)
  bytes[bytes.indexOf('?')] = 0xff
  assert.throws(() => indexOf(bytes), { name: 'InvalidArgsError', message: 'export is not valid UTF-8' })
})

test('rejects a text over the size limit before reading its end', () => {
  const indexer = new ExportIndexer()
  indexer.push(Buffer.from(`{${meta},"attachments":{"${hash}":"`))
  const piece = Buffer.alloc(8 * 1024 * 1024, 'a')
  assert.throws(() => {
    for (let count = 0; count < 20; count++) indexer.push(piece)
  }, /^InvalidArgsError: export has a value of more than \d+ bytes/)
})

test('rejects a list of too many values before reading its end', () => {
  const indexer = new ExportIndexer()
  indexer.push(Buffer.from(`{${meta},"events":[[`))
  const piece = Buffer.from('0,'.repeat(100_000))
  assert.throws(() => {
    for (let count = 0; count < 20; count++) indexer.push(piece)
  }, /or 2000000 tokens at byte/)
})

test('indexes the byte positions of events and attachments', () => {
  const entries = events.slice(0, 3).map(entryOf)
  const more = { issues: [{ title: 'é😀\u0000"\\' }], attachments: { [hash]: 'aGk=', [`${hash}0`]: 'aGk=', ab: 1 } }
  const text = JSON.stringify({ more: 'é', meta: { schema_version: 1, é: ['😀'] }, events: entries, ...more }, null, 3)
  for (const start of ['', '\ufeff', ' \n\t']) {
    for (const pieceLength of [1, 3, 64, 100_000]) {
      const bytes = Buffer.from(start + text)
      const index = indexOf(bytes, pieceLength)
      assert.deepEqual(
        index.events.map((event) => JSON.parse(bytes.toString('utf8', event.start, event.end))),
        entries,
      )
      assert.deepEqual(
        [...index.attachments].map(([name, { start, end }]) => [name, readExportedText(bytes.subarray(start, end))]),
        [[hash, 'aGk=']],
      )
      assert.equal(index.skippedAttachmentCount, 2)
    }
  }
})

test('a restore plan omits known events, copies and second creations', async () => {
  const late = identifyEvent({ issueId, actor, tsUnixMs: 2 ** 34, parent: null, body: bodies[0] as EventBody })
  const known = { ...nothing, findKnown: async () => new Set([(events[1] as Event).eventId]) }
  const shuffled = exportOf([late, ...[...events].reverse(), events[2] as Event, events[1] as Event].map(entryOf))
  const plan = await planOf(shuffled, known)
  assert.deepEqual(plan.counts, {
    created: 1,
    updated: 0,
    unchanged: 0,
    events: 13,
    duplicate: 1,
    secondCreations: 1,
  })
  assert.deepEqual(
    plan.events,
    events.filter((_, index) => index !== 1),
  )
  const all = {
    findKnown: async () => new Set(events.map(({ eventId }) => eventId)),
    findCreated: async () => new Set([issueId]),
  }
  const again = await planOf(exportOf(events.map(entryOf)), all)
  assert.deepEqual([again.events, again.counts.unchanged, again.counts.updated], [[], 1, 0])
})

test('a restore plan does not count project values as issues', async () => {
  const ids = Array.from({ length: 5 }, (_, index) => `${index}0`.repeat(16) as IssueId)
  const make = (id: number, body: EventBody) =>
    identifyEvent({ issueId: ids[id] as IssueId, actor, tsUnixMs: 5, parent: null, body })
  const create = (id: number) => make(id, bodies[0] as EventBody)
  const comment = (id: number) => make(id, { type: 'CommentAdded', body: 'c' })
  const set = make(4, { type: 'ProjectContextUpdated', key: 'k', value: 'v' })
  // Issue 0 is new; 1 is known and has a new comment; 2 is known; 3 has no creation; 4 is a project value.
  const file = [create(0), comment(0), create(1), comment(1), create(2), comment(3), set]
  const { counts, steps } = await planOf(exportOf(file.map(entryOf)), {
    findKnown: async () => new Set([create(1), create(2)].map(({ eventId }) => eventId)),
    findCreated: async () => new Set([ids[1], ids[2]] as IssueId[]),
  })
  assert.deepEqual(counts, { created: 1, updated: 1, unchanged: 1, events: 5, duplicate: 0, secondCreations: 0 })
  assert.deepEqual(
    steps.map((step) => new Set(step.map((event) => event.issueId)).size),
    [1, 1, 1, 1],
  )
})

test('rejects an export that changes between the two passes', async () => {
  const text = exportOf(events.map(entryOf))
  const readRange = async ({ start, end }: { start: number; end: number }) =>
    Buffer.from(text.replace('"t"', '"u"')).subarray(start, end)
  await assert.rejects(async () => {
    for await (const _ of planRestore(indexOf(text), readRange, nothing, new RestoreTally()));
  }, /^InvalidArgsError: the export changed while it was read/)
})

for (const name of ['small', 'signed', 'two-actors', 'diverged']) {
  const file = new URL(`../../../shared/fixtures/${name}/expected.json`, import.meta.url)
  const skip = existsSync(file) ? false : 'the fixtures in ../shared are missing'
  test(`reads the Rust tool's export of '${name}' except its symbols`, { skip }, async () => {
    const expected = JSON.parse(readFileSync(file, 'utf8'))
    const parsed = await readExport(JSON.stringify(expected.export))
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
