import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  beadsImportActor,
  compareVersions,
  deriveBeadsIssueId,
  type Event,
  eventKinds,
  foldIssue,
  identifyEvent,
  originalIdOf,
} from '../../src/model/index.ts'
import { importFile, makeLog } from './import-file.ts'

/** Made by make_vectors.py, which shares no code with src/. Frozen: a change here doubles every imported issue. */
const vectors = JSON.parse(readFileSync(new URL('../vectors/import-beads.json', import.meta.url), 'utf8')) as {
  actor: string
  issues: { line: string; issue_id: string; events: { ts_unix_ms: number; kind_tag: number; event_id: string }[] }[]
}

test('import actor is the published one', () => {
  assert.equal(beadsImportActor, vectors.actor)
})

test('three lines make the published events', async () => {
  const log = makeLog()
  await importFile(log, vectors.issues.map(({ line }) => line).join('\n'))
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

test('original id is read from the creation of an import', () => {
  assert.equal(originalIdOf(foldIssue(created.issueId, [created])), 'bd-1')
})

const impostors: Record<string, Event> = {
  'another actor': { ...created, actor: '0'.repeat(32) as Event['actor'] },
  'another time': { ...created, tsUnixMs: 6 },
  'another issue': { ...created, issueId: '0'.repeat(32) as Event['issueId'] },
  'a body': { ...created, body: { type: 'IssueCreated', title: 'bd-1', body: 'x', labels: [] } },
  'a label': { ...created, body: { type: 'IssueCreated', title: 'bd-1', body: '', labels: ['x'] } },
  'another kind': { ...created, body: { type: 'IssueUpdated', title: 'bd-1', body: null } },
}
for (const [difference, event] of Object.entries(impostors)) {
  test(`creation with ${difference} has no original id`, () =>
    assert.equal(originalIdOf(foldIssue(event.issueId, [event])), undefined))
}
