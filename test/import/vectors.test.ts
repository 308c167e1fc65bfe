import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  beadsImportActor,
  beadsImportCard,
  compareVersions,
  deriveBeadsIssueId,
  type Event,
  eventKinds,
  foldIssue,
  identifyEvent,
  originalIdOf,
  readCard,
} from '../../src/model/index.ts'
import { importFile, makeLog } from './import-file.ts'

/** Written by make_vectors.py, which shares no code with src/. Frozen: a change here duplicates every imported issue. */
const vectors = JSON.parse(readFileSync(new URL('../vectors/import-beads.json', import.meta.url), 'utf8')) as {
  actor: string
  card: string
  memory: { line: string; event_id: string }
  issues: { line: string; issue_id: string; events: { ts_unix_ms: number; kind_tag: number; event_id: string }[] }[]
}

test('the import actor has its published id', () => {
  assert.equal(beadsImportActor, vectors.actor)
})

test('the import actor has exactly its published card', () => {
  const card = beadsImportCard()
  assert.equal(card.eventId, vectors.card)
  const reading = readCard(card, () => false)
  assert.ok('card' in reading)
  assert.deepEqual([reading.card.label, reading.card.publicKey], ['beads', null])
  const { eventId: _id, sig: _sig, ...facts } = card
  for (const other of [
    { ...facts, tsUnixMs: 1 },
    { ...facts, body: { ...facts.body, value: '{"label":"Linus"}' } as Event['body'] },
  ]) {
    assert.ok('problem' in readCard(identifyEvent(other), () => true))
  }
})

test('beads lines make the published events', async () => {
  const log = makeLog()
  await importFile(log, [...vectors.issues.map(({ line }) => line), vectors.memory.line].join('\n'))
  const context = log.events.filter(({ body }) => body.type === 'ProjectContextUpdated')
  assert.deepEqual(
    context.map(({ eventId }) => eventId),
    [vectors.card, vectors.memory.event_id],
  )
  for (const { issue_id, events } of vectors.issues) {
    const made = log.events.filter(({ issueId }) => issueId === issue_id).sort(compareVersions)
    assert.deepEqual(
      made.map(({ eventId, tsUnixMs, body }) => ({
        ts_unix_ms: tsUnixMs,
        kind_tag: eventKinds[body.type].tag,
        event_id: eventId,
      })),
      events,
    )
  }
})

const created: Event = identifyEvent({
  issueId: deriveBeadsIssueId('bd-1', 5),
  actor: beadsImportActor,
  tsUnixMs: 5,
  parent: null,
  body: { type: 'IssueCreated', title: 'bd-1', body: '', labels: [] },
})

test('reads the original id from an imported creation', () => {
  assert.equal(originalIdOf(foldIssue(created.issueId, [created])), 'bd-1')
})

const otherCreations: Record<string, Event> = {
  'another actor': { ...created, actor: '0'.repeat(32) as Event['actor'] },
  'another time': { ...created, tsUnixMs: 6 },
  'another issue': { ...created, issueId: '0'.repeat(32) as Event['issueId'] },
  'a body': { ...created, body: { type: 'IssueCreated', title: 'bd-1', body: 'x', labels: [] } },
  'a label': { ...created, body: { type: 'IssueCreated', title: 'bd-1', body: '', labels: ['x'] } },
  'another kind': { ...created, body: { type: 'IssueUpdated', title: 'bd-1', body: null } },
}
for (const [difference, event] of Object.entries(otherCreations)) {
  test(`a creation with ${difference} has no original id`, () =>
    assert.equal(originalIdOf(foldIssue(event.issueId, [event])), undefined))
}
