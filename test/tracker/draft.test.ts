/** Values for the whole project, as a draft writes them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { projectContextIssueId } from '../../src/model/index.ts'
import { verifySignature } from '../../src/wal/index.ts'
import { createCommandSandbox } from '../support/command-runner.ts'

const noon = Date.UTC(2026, 3, 5, 12)

test('a draft dates a project value after the values before', async (t) => {
  let nowUnixMs = noon
  const place = createCommandSandbox(t, { nowUnixMs: () => nowUnixMs })
  const set = (...values: string[]) =>
    place.withRepository((repository) =>
      repository.write(async (draft) => {
        for (const value of values) await draft.setProjectContext('k', value)
      }),
    )
  const first = (await set('one')).events
  assert.deepEqual(
    first.map(({ issueId, tsUnixMs, parent, body }) => ({ issueId, tsUnixMs, parent, body })),
    [
      {
        issueId: projectContextIssueId,
        tsUnixMs: noon,
        parent: null,
        body: { type: 'ProjectContextUpdated', key: 'k', value: 'one' },
      },
    ],
  )
  nowUnixMs = noon - 5000
  assert.deepEqual(
    (await set('two', 'three')).events.map(({ tsUnixMs }) => tsUnixMs - noon),
    [1, 2],
  )
  const kept = await place.withRepository(async (repository) => (await repository.view()).findProjectContext('k'))
  assert.equal(kept?.body.value, 'three')
})

test('a draft signs a project value if the actor has a key', async (t) => {
  const place = createCommandSandbox(t)
  const { public_key } = (await place.run('actor init', { generateKey: true })) as { public_key: string }
  const { events } = await place.withRepository((repository) =>
    repository.write((draft) => draft.setProjectContext('k', 'v')),
  )
  const [event] = events
  assert.ok(event?.sig instanceof Uint8Array)
  assert.equal(verifySignature(event.eventId, event.sig, public_key), true)
})
