import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import fc from 'fast-check'
import {
  type ActorId,
  compareVersions,
  deriveContextIssueId,
  type Event,
  type IssueId,
  identifyEvent,
  isSnapshotDue,
  type Sha256Hex,
  SnapshotSieve,
} from '../../src/model/index.ts'
import { issueEvent } from './arbitraries.ts'

const a = 'aa'.repeat(16) as IssueId
const b = 'bb'.repeat(16) as IssueId
const actor = '0a'.repeat(16) as ActorId

const at = (tsUnixMs: number, body: Event['body'], issueId = a) =>
  identifyEvent({ issueId, actor, tsUnixMs, parent: null, body })
const create = (ts: number, title = 't', issueId = a) =>
  at(ts, { type: 'IssueCreated', title, body: '', labels: [] }, issueId)
const say = (ts: number, body = 'x', issueId = a) => at(ts, { type: 'CommentAdded', body }, issueId)
const signed = (event: Event, byte: number): Event => ({ ...event, sig: new Uint8Array([byte]) })

/** Places of a log's events, read again when the first pass was overturned. */
function placesOf(events: readonly Event[]) {
  let sieve = new SnapshotSieve()
  let places = events.map((event) => sieve.place(event))
  const readings = sieve.isOverturned ? 2 : 1
  if (sieve.isOverturned) {
    sieve = sieve.again()
    places = events.map((event) => sieve.place(event))
    assert.equal(sieve.isOverturned, false)
  }
  return { places, readings, hasRepeats: sieve.hasRepeats }
}

describe('places in a snapshot', () => {
  const context = at(
    1,
    {
      type: 'ContextUpdated',
      path: 'p',
      language: '',
      symbols: [],
      summary: '',
      content_hash: 'c'.repeat(64) as Sha256Hex,
    },
    deriveContextIssueId('p'),
  )
  const first = create(10)
  const cases: readonly (readonly [string, readonly Event[], readonly string[], number])[] = [
    ['a snapshot keeps an issue in order as events', [first, say(11), say(12)], ['events', 'events', 'events'], 1],
    ['a snapshot keeps file context without a creation as an event', [context], ['events'], 1],
    [
      'a snapshot keeps an event as old as its creation as an orphan',
      [first, say(10), say(9)],
      ['events', 'orphans', 'orphans'],
      1,
    ],
    ['a snapshot keeps an event without a creation as an orphan', [first, say(11, 'x', b)], ['events', 'orphans'], 1],
    [
      'a snapshot keeps a later creation as an orphan',
      [first, create(12), say(13)],
      ['events', 'orphans', 'events'],
      1,
    ],
    ['a snapshot keeps an event logged before its creation as an event', [say(11), first], ['events', 'events'], 2],
    [
      'a snapshot keeps only the smallest creation as an event',
      [create(12), say(11), first],
      ['orphans', 'events', 'events'],
      2,
    ],
    [
      'a snapshot keeps an event that an earlier creation precedes',
      [create(12), say(12), first],
      ['orphans', 'events', 'events'],
      2,
    ],
    [
      'a snapshot keeps a repeated event once',
      [first, say(11), say(11), first],
      ['events', 'events', 'nowhere', 'nowhere'],
      2,
    ],
    [
      'a snapshot keeps copies with other signatures as orphans',
      [first, say(11), signed(say(11), 1), signed(say(11), 2), signed(say(11), 1)],
      ['events', 'events', 'orphans', 'orphans', 'nowhere'],
      2,
    ],
    ['a snapshot keeps a repeated orphan once', [say(11, 'x', b), say(11, 'x', b)], ['orphans', 'nowhere'], 2],
  ]
  for (const [title, events, places, readings] of cases) {
    it(title, () => {
      const found = placesOf(events)
      assert.deepEqual(found.places, places)
      assert.equal(found.readings, readings)
      assert.equal(found.hasRepeats, new Set(events.map(({ eventId }) => eventId)).size < events.length)
    })
  }

  it('a snapshot keeps an unknown record once, as an orphan', () => {
    const sieve = new SnapshotSieve()
    const records = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(1)]
    assert.deepEqual(
      records.map((record) => sieve.placeOpaque(record)),
      ['orphans', 'orphans', 'nowhere'],
    )
  })
})

const issues = [a, b]
const history = fc.array(
  fc
    .tuple(issueEvent, fc.constantFrom(...issues), fc.option(fc.constantFrom(1, 2)))
    .map(([{ eventId: _eventId, sig: _sig, ...facts }, issueId, sig]) => {
      const event = identifyEvent({ ...facts, issueId })
      return sig === null ? event : signed(event, sig)
    }),
  { maxLength: 30 },
)

test('orphans hold every copy that the Rust tool rejects', (t) => {
  const seed = Number(process.env.FC_SEED ?? Date.now() % 0x7fff_ffff)
  t.diagnostic(`seed ${seed}`)
  const copyOf = ({ eventId, sig }: Event) => `${eventId} ${sig?.[0] ?? ''}`
  fc.assert(
    fc.property(history, fc.array(fc.nat()), (once, again) => {
      const log = [...once, ...again.flatMap((index) => once[index % Math.max(1, once.length)] ?? [])]
      const { places } = placesOf(log)
      const at = (place: string) => log.filter((_, index) => places[index] === place)
      const kept = [...at('events'), ...at('orphans')].map(copyOf)
      assert.deepEqual(kept.sort(), [...new Set(log.map(copyOf))].sort())

      const taken = at('events')
      assert.equal(new Set(taken.map(({ eventId }) => eventId)).size, taken.length)
      for (const issue of issues) {
        const own = taken.filter(({ issueId }) => issueId === issue).sort(compareVersions)
        assert.ok(own.length === 0 || own[0]?.body.type === 'IssueCreated')
        const creations = log.filter(({ issueId, body }) => issueId === issue && body.type === 'IssueCreated')
        const [counts] = creations.sort(compareVersions)
        assert.equal(own[0]?.eventId, counts?.eventId)
        assert.ok(
          own
            .slice(1)
            .every(({ body, tsUnixMs }) => body.type !== 'IssueCreated' && tsUnixMs > (own[0]?.tsUnixMs ?? 0)),
        )
      }
    }),
    { numRuns: 300, seed },
  )
})

describe('due snapshots', () => {
  const day = 86_400_000
  const settings = { maxEvents: 1000, maxAgeDays: 7 }
  const cover = { createdTs: 0, eventCount: 500 }
  const cases: readonly (readonly [string, typeof cover | null, number, number, boolean])[] = [
    ['the first snapshot is due after maxEvents', null, 1000, 0, true],
    ['the first snapshot is not due earlier, however old the log', null, 999, 99 * day, false],
    ['another snapshot is due after maxEvents more', cover, 1500, 0, true],
    ['another snapshot is not due with fewer events', cover, 1499, 7 * day, false],
    ['an old snapshot with a tenth of new events is due', cover, 600, 7 * day + 1, true],
    ['an old snapshot with less than a tenth of new events is not due', cover, 599, 70 * day, false],
    ['a snapshot is not due when the log is smaller', cover, 10, 70 * day, false],
    ['a snapshot from the future is not due by age', { ...cover, createdTs: 90 * day }, 1499, 0, false],
  ]
  for (const [title, newest, eventCount, nowUnixMs, due] of cases) {
    it(title, () => assert.equal(isSnapshotDue(newest, { eventCount, nowUnixMs }, settings), due))
  }
})
