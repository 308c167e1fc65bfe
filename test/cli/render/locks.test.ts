import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderers } from '../../../src/cli/render/index.ts'
import type { RenderView } from '../../../src/cli/render/renderer.ts'
import { plainStyle } from '../../../src/cli/render/style.ts'
import { textOf } from './text-of.ts'

const view: RenderView = { width: 80, style: plainStyle, nowUnixMs: 1_800_000_000_000, quiet: false }

async function render(name: string, data: unknown, over: Partial<RenderView> = {}): Promise<string> {
  return textOf(((await renderers[name]?.()) ?? assert.fail(name))(data as never, { ...view, ...over }))
}

const held = { resource: 'path:src', outcome: 'acquired', ttl_seconds: 900, level: 'local', remote: null }
const claimed = {
  ...{ issue_id: '3f2a91c0'.repeat(4), short_id: '3f2a91c', title: 'Crash \u001b[31m', outcome: 'claimed' },
  ...{ removed_assignees: ['bo'], ttl_seconds: 5400, remote: 'origin' },
}
const lines: readonly (readonly [name: string, data: unknown, text: string])[] = [
  ['lock acquire', held, 'Acquired path:src for 15 min, in this clone\n'],
  ['lock renew', { ...held, outcome: 'renewed', remote: 'origin' }, 'Renewed path:src for 15 min, on origin\n'],
  ['lock acquire', { ...held, outcome: 'taken-over', ttl_seconds: 90 }, 'Took over path:src for 90 s, in this clone\n'],
  ['lock acquire', { ...held, resource: 'a\u202e' }, 'Acquired a\\u202e for 15 min, in this clone\n'],
  ['lock release', { resource: 'plain', outcome: 'released', remote: null }, 'Released plain in this clone\n'],
  [
    'lock release',
    { resource: 'plain', outcome: 'unchanged', remote: null },
    'Nothing to release: you do not hold plain\n',
  ],
  ['lock gc', { removed: 2, kept: 1, remote: null }, 'Removed 2 locks in this clone, kept 1\n'],
  [
    'issue claim',
    claimed,
    'Claimed 3f2a91c Crash \\x1b[31m for 1 h 30 min, on origin (instead of bo, whose claim had ended)\n',
  ],
  [
    'issue claim',
    { ...claimed, outcome: 'renewed', removed_assignees: [], ttl_seconds: 3600, remote: null },
    'Renewed 3f2a91c Crash \\x1b[31m for 1 h, in this clone\n',
  ],
  ['issue unclaim', { ...claimed, outcome: 'unclaimed' }, 'Released 3f2a91c Crash \\x1b[31m\n'],
  [
    'issue unclaim',
    { ...claimed, outcome: 'unchanged' },
    'Nothing to release: you have not claimed 3f2a91c Crash \\x1b[31m\n',
  ],
]

for (const [name, data, text] of lines) {
  test(`${name} prints: ${text.trimEnd()}`, async () => {
    assert.equal(await render(name, data), text)
    assert.equal(await render(name, data, { quiet: true }), '')
  })
}

const lock = {
  ...{ resource: 'path:src', owner: '0a'.repeat(16), owner_label: 'ann', is_own: true, state: 'live', kind: 'lock' },
  ...{ expires_unix_ms: 1_800_000_060_000, time_remaining_seconds: 60, remote: null },
}
const status = {
  locks: [
    lock,
    { ...lock, resource: 'plain', owner_label: null, is_own: false, state: 'expired', kind: 'lease', remote: 'origin' },
    { ...lock, resource: 'issue:x', state: 'released', remote: 'origin', short_id: 'ab', title: 'Crash' },
  ],
  malformed: [{ ref: 'refs/grite/locks/0', remote: null, problem: 'lock.json is not JSON' }],
}

test('lock status shows holder, expiry and place, and damaged lock refs', async () => {
  assert.equal(
    await render('lock status', status),
    [
      'Resource  Holder     Ends      Where                     Title',
      'path:src  ann (you)  in 60 s   this clone',
      'plain     0a0a0a0a   expired   origin',
      'issue:ab  ann (you)  released  origin, by the Rust tool  Crash',
      'Damaged refs/grite/locks/0: lock.json is not JSON',
      '',
    ].join('\n'),
  )
  assert.equal(await render('lock status', { locks: [], malformed: [] }), 'No locks.\n')
})

test('lock status written to a pipe prints full values', async () => {
  const text = await render('lock status', status, { width: null })
  const [first, second, , damaged] = text.split('\n').map((line) => line.split('\t'))
  assert.deepEqual(first, ['path:src', '0a'.repeat(16), '2027-01-15T08:01:00.000Z', 'this clone', ''])
  assert.deepEqual(second?.slice(2), ['2027-01-15T08:01:00.000Z', 'origin', ''])
  assert.deepEqual(damaged, ['refs/grite/locks/0', '', 'damaged: lock.json is not JSON'])
})

test('issue claim --next prints the issue, with the text of others indented', async () => {
  const at = Date.UTC(2026, 3, 5, 14, 35)
  const text = await render('issue claim', {
    ...claimed,
    removed_assignees: [],
    issue: {
      labels: ['parent:ab', 'ui'],
      body: 'Do this.\n\nThen that.',
      parent: { short_id: 'eeeeeee', title: 'Epic', state: 'open' },
      depends_on: [{ short_id: 'ddddddd', title: 'First\u202e', state: 'closed' }],
      needed_by: [],
      related_to: [],
      comments: [{ by: 'bo', ts_unix_ms: at, body: 'Seen' }],
      memories: [{ key: 'ask', text: 'Ask bo first' }],
      left_out: { characters: 1200, comments: 1, issues: 0, memories: 2 },
    },
  })
  assert.deepEqual(text.split('\n').slice(1), [
    '',
    'Labels: ui',
    '',
    '  Do this.',
    '',
    '  Then that.',
    '',
    'Part of: eeeeeee Epic (open)',
    'Depends on: ddddddd First\\u202e (closed)',
    '',
    'bo 2026-04-05 14:35 UTC',
    '  Seen',
    '',
    'Memory: ask',
    '  Ask bo first',
    '',
    'Not shown: 1,200 characters, 1 comment. `grite issue show 3f2a91c` shows all.',
    '2 more memories: `grite recall --about 3f2a91c`',
    '',
  ])
})

test('issue close prints the issue claimed next', async () => {
  const closed = { issue_id: 'ab'.repeat(16), short_id: 'abababa', title: 'Done', event_id: 'cd' }
  const nothing = await render('issue close', {
    ...closed,
    claimed: null,
    not_claimed: { reason: 'all_taken', open_count: 3, taken_count: 2, blocked_count: 1, set_aside_count: 0 },
  })
  const why = 'every open issue is taken or waits (2 taken, 1 blocked)'
  assert.equal(nothing, `Closed abababa Done\nNothing to claim: ${why}\n`)
  const next = await render('issue close', { ...closed, claimed: { ...claimed, removed_assignees: [] } })
  assert.match(next, /^Closed abababa Done\nClaimed 3f2a91c Crash .* for 1 h 30 min, on origin\n$/)
  assert.equal(await render('issue close', closed), 'Closed abababa Done\n')
  assert.equal(await render('issue close', { ...closed, claimed: null, claim_failed: true }), 'Closed abababa Done\n')
  const sent = { ...closed, remote: 'origin', sent: true }
  assert.equal(await render('issue close', sent), 'Closed abababa Done\nPushed to origin\n')
})
