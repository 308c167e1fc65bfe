import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  renderActorList as exactActorList,
  renderActorRotateKey as exactActorRotateKey,
  renderActorShow as exactActorShow,
} from '../../../src/cli/render/actors.ts'
import { renderDbVerify as exactDbVerify } from '../../../src/cli/render/checks.ts'
import { renderIssueShow as exactIssueShow } from '../../../src/cli/render/issue-show.ts'
import type { RenderView } from '../../../src/cli/render/renderer.ts'
import { plainStyle } from '../../../src/cli/render/style.ts'
import { onParts, textOf } from './text-of.ts'

const renderActorList = onParts(exactActorList)
const renderActorRotateKey = onParts(exactActorRotateKey)
const renderActorShow = onParts(exactActorShow)
const renderDbVerify = onParts(exactDbVerify)
const renderIssueShow = onParts(exactIssueShow)

const ts = Date.UTC(2026, 3, 5, 12, 0, 0)
const view: RenderView = { width: 80, style: plainStyle, nowUnixMs: ts + 3_600_000, quiet: false }
const actor = 'ab'.repeat(16)
const key = 'c0ffee'.padEnd(64, '0')

test('issue show marks comments and events without a valid signature', async () => {
  const event = (name: string, signature: string) => ({
    actor,
    actor_label: 'ann\x07',
    ts_unix_ms: ts,
    kind: { [name]: {} },
    signature,
  })
  const comment = (signature: string) => ({ event_id: 'e', actor, ts_unix_ms: ts, body: 'text', signature })
  const issue = {
    issue_id: '4f'.repeat(16),
    title: 'Crash',
    state: 'open',
    labels: [],
    assignees: [],
    created_ts: ts,
    updated_ts: ts,
    comment_count: 5,
    comments: ['valid', 'invalid', 'unsigned', 'missing', 'unknown-key'].map(comment),
  }
  const events = [event('IssueCreated', 'valid'), event('LabelAdded', 'missing'), event('CommentAdded', 'invalid')]
  const shown = await textOf(renderIssueShow({ issue, events }, view))
  const [, ...comments] = shown.split('\nabababab ')
  assert.equal(
    `abababab ${comments.join('\nabababab ')}`,
    `abababab 1 h ago (2026-04-05 12:00 UTC) e
  text

abababab 1 h ago (2026-04-05 12:00 UTC) e [signature does not verify]
  text

abababab 1 h ago (2026-04-05 12:00 UTC) e
  text

abababab 1 h ago (2026-04-05 12:00 UTC) e [not signed, though this actor signs]
  text

abababab 1 h ago (2026-04-05 12:00 UTC) e [signed with an unknown key]
  text

Signatures
  not signed, though this actor signs: LabelAdded by ann\\x07, 1 h ago (2026-04-05 12:00 UTC)
`,
  )
})

test('db verify lists bad signatures and ineffective actor cards', async () => {
  const counts = { events_checked: 9, signatures_checked: 4, signatures_valid: 3, unsigned_count: 4, error_count: 2 }
  const data = {
    ...counts,
    errors: [
      { event_id: 'e1', actor_id: actor, error: 'the signature does not verify' },
      { event_id: 'e2', actor_id: actor, error: 'it is not signed, though this actor signs' },
    ],
    card_problem_count: 12,
    card_problems: [
      { actor, event_id: 'e3', reason: 'is signed by \x1b' },
      { actor, event_id: null, reason: 'is odd' },
    ],
  }
  assert.equal(
    await renderDbVerify(data, view),
    `Some signatures are bad: 3 of 4 signatures verified; 4 events are not signed.
  event e1 of actor abababab: the signature does not verify
  event e2 of actor abababab: it is not signed, though this actor signs
Invalid: 12 actor cards
  actor abababab, event e3: is signed by \\x1b
  actor abababab: is odd
  and 10 more
`,
  )
})

test('actor list prints key prefixes; actor show prints previous keys', async () => {
  const actors = [
    { actor_id: actor, label: 'ann', data_dir: '/x', public_key: key },
    { actor_id: 'cd'.repeat(16), label: null, data_dir: null, public_key: null },
  ]
  assert.equal(
    await renderActorList({ actors }, { ...view, width: null }),
    `${actor}\tann\t/x\t${key.slice(0, 16)}\n${'cd'.repeat(16)}\t\tin the log\t\n`,
  )
  assert.match(
    await renderActorShow(
      { actor: { actor_id: actor, public_key: key, previous_keys: ['k1', 'k2'], local: false } },
      view,
    ),
    /Previous keys: k1, k2\nKnown: +by its card in the log\n/,
  )
})

test('actor rotate-key prints the old and the new key', async () => {
  const data = { actor_id: actor, label: 'ann', public_key: key, previous_key: 'b'.repeat(64), event_id: 'e' }
  const rows = [
    [data, `Rotated the key of abababab ann: ${'b'.repeat(16)} -> c0ffee0000000000\n`],
    [{ ...data, previous_key: null }, 'Created the first key of abababab ann: c0ffee0000000000\n'],
    [
      { ...data, event_id: null },
      'Completed an interrupted rotation: abababab ann now signs with key c0ffee0000000000\n',
    ],
  ] as const
  for (const [row, text] of rows) assert.equal(await renderActorRotateKey(row, view), text)
  assert.equal(await renderActorRotateKey(data, { ...view, quiet: true }), '')
})
