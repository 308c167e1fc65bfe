import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderDoctor as exactDoctor } from '../../../src/cli/render/doctor.ts'
import { plainStyle } from '../../../src/cli/render/style.ts'
import {
  renderWatchEnd as exactWatchEnd,
  renderWatchedEvent as exactWatchedEvent,
} from '../../../src/cli/render/watch.ts'
import { formatKindForExport } from '../../../src/model/event-json.ts'
import type { EventBody, IssueId, Sha256Hex } from '../../../src/model/index.ts'
import { onParts } from './text-of.ts'

const renderDoctor = onParts(exactDoctor)
const renderWatchEnd = onParts(exactWatchEnd)
const renderWatchedEvent = onParts(exactWatchedEvent)

const view = { width: 80, style: plainStyle, nowUnixMs: Date.UTC(2026, 3, 5), quiet: false }
const target = 'cd'.repeat(16) as IssueId
const sha256 = 'ef'.repeat(32) as Sha256Hex
const comment = `grite.comment.${'ef'.repeat(32)}`

const line = async (body: EventBody, more: object = {}, width: number | null = 80) =>
  renderWatchedEvent(
    {
      issue_id: 'ab'.repeat(16),
      short_id: 'abababa',
      title: 'Crash',
      actor: '12'.repeat(16),
      actor_label: 'Ann',
      ts_unix_ms: Date.UTC(2026, 3, 5, 14, 35, 2),
      kind: formatKindForExport(body) as never,
      ...more,
    },
    { ...view, width },
  )

const bodies: readonly (readonly [body: EventBody, what: string])[] = [
  [{ type: 'IssueCreated', title: 'Crash', body: '', labels: [] }, 'created'],
  [{ type: 'IssueUpdated', title: 'New', body: null }, 'renamed to "New"'],
  [{ type: 'IssueUpdated', title: null, body: 'x' }, 'changed the text'],
  [{ type: 'CommentAdded', body: 'one\ntwo' }, 'commented "one\\ntwo"'],
  [{ type: 'CommentAdded', body: 'x'.repeat(99) }, `commented "${'x'.repeat(59)}…"`],
  [{ type: 'LabelAdded', label: 'bug' }, '+bug'],
  [{ type: 'LabelRemoved', label: 'a\x1b[31m' }, '-a\\x1b[31m'],
  [{ type: 'StateChanged', state: 'closed' }, 'closed'],
  [{ type: 'StateChanged', state: 'open' }, 'reopened'],
  [{ type: 'LinkAdded', url: 'https://example.org', note: null }, 'linked https://example.org'],
  [{ type: 'AssigneeAdded', user: 'bo' }, 'assigned bo'],
  [{ type: 'AssigneeRemoved', user: 'bo' }, 'unassigned bo'],
  [{ type: 'AttachmentAdded', name: 'log', sha256, mime: 'text/plain' }, 'attached log'],
  [{ type: 'DependencyAdded', target, dep_type: 'blocks' }, '+blocks cdcdcdcd'],
  [{ type: 'DependencyRemoved', target, dep_type: 'depends_on' }, '-depends_on cdcdcdcd'],
  [
    { type: 'ContextUpdated', path: 'a.ts', language: 'ts', symbols: [], summary: '', content_hash: sha256 },
    'described a.ts',
  ],
  [{ type: 'ProjectContextUpdated', key: 'k', value: 'v' }, 'set k'],
  [{ type: 'ProjectContextUpdated', key: `grite.actor.${'ab'.repeat(16)}`, value: '{}' }, 'published an actor card'],
  [{ type: 'ProjectContextUpdated', key: comment, value: '{"body":"a\\u0007"}' }, 'edited comment efefefef "a\\x07"'],
  [{ type: 'ProjectContextUpdated', key: comment, value: '{"hidden":true}' }, 'hid comment efefefef'],
  [{ type: 'ProjectContextUpdated', key: comment, value: '' }, 'showed comment efefefef as it was written'],
]

for (const [body, what] of bodies) {
  test(`watch prints ${body.type} as: ${what}`, async () => {
    assert.equal(await line(body), `2026-04-05 14:35:02  abababa  Ann  ${what}  Crash\n`)
  })
}

test('watch written to a pipe prints tab-separated cells', async () => {
  const body = { type: 'StateChanged', state: 'closed' } as const
  assert.equal(await line(body, {}, null), '2026-04-05T14:35:02.000Z\tabababa\tAnn\tclosed\tCrash\n')
  const orphan = { short_id: null, title: null, actor_label: null }
  assert.equal(await line(body, orphan, null), '2026-04-05T14:35:02.000Z\tabababab\t12121212\tclosed\t\n')
})

test('watch prints its end only on a terminal', () => {
  assert.equal(renderWatchEnd({ events: 1, ended: 'count' }, view), '1 event told.\n')
  assert.equal(renderWatchEnd({ events: 0, ended: 'timeout' }, view), '0 events told, timed out.\n')
  assert.equal(renderWatchEnd({ events: 3, ended: 'interrupted' }, view), '')
  assert.equal(renderWatchEnd({ events: 3, ended: 'count' }, { ...view, width: null }), '')
})

test('doctor marks findings and prints the plan below them', () => {
  const data = {
    checks: [
      { id: 'config', status: 'ok', message: 'fine' },
      { id: 'leftovers', status: 'warn', message: 'a\x07', plan: ['do this', 'or that'] },
      { id: 'wal_ref', status: 'error', message: 'broken' },
    ],
    applied: ['rebuild', 'removed 2 leftovers'],
  } as const
  const rest = '[!!] leftovers: a\\x07\n     -> do this\n     -> or that\n[ERR] wal_ref: broken\n'
  const applied = 'Applied fixes: rebuild, removed 2 leftovers\n'
  assert.equal(renderDoctor(data, view), `[ok] config: fine\n${rest}${applied}`)
  assert.equal(renderDoctor({ ...data, applied: [] }, { ...view, quiet: true }), rest)
})
