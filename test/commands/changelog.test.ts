/** `changelog`: which issues it lists, and since when. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, describe, test } from 'node:test'
import { renderChangelog } from '../../src/cli/render/changelog.ts'
import { plainStyle } from '../../src/cli/render/style.ts'
import type { GriteError } from '../../src/model/index.ts'
import { commandRunner, createCommandSandbox } from '../support/command-runner.ts'

const dayMs = 86_400_000
const start = Date.UTC(2026, 2, 1)
let nowUnixMs = start

const place = createCommandSandbox({ after }, { nowUnixMs: () => nowUnixMs })

// biome-ignore lint/suspicious/noExplicitAny: answers are read like JSON
const run = (name: string, input: object = {}): Promise<any> => place.run(name, { ...input })

const at = (day: number) => {
  nowUnixMs = start + day * dayMs
}

/** Commits and tags, dated now. */
function tag(name: string, ...options: readonly string[]): void {
  const date = `@${nowUnixMs / 1000} +0000`
  const env = { ...place.environment, GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date }
  execFileSync('git', ['commit', '-q', '--allow-empty', '-m', name], { cwd: place.path, env })
  execFileSync('git', ['tag', ...options, name], { cwd: place.path, env })
}

async function close(title: string, input: object = {}): Promise<string> {
  nowUnixMs += 1000
  const { issue_id } = await run('issue create', { title, ...input })
  await run('issue close', { issue: [issue_id] })
  return issue_id
}

/** Titles by type. */
async function listed(input: object = {}) {
  const { groups } = await run('changelog', input)
  type Group = { readonly type: string | null; readonly issues: readonly { readonly title: string }[] }
  return Object.fromEntries(
    groups.map(({ type, issues }: Group) => [type ?? 'none', issues.map(({ title }) => title).join(', ')]),
  )
}

describe('a changelog', () => {
  test('lists everything closed while there is no tag', async () => {
    await close('first', { type: 'task' })
    const { since, until, total } = await run('changelog')
    assert.deepEqual(
      [since, until.kind, total],
      [{ kind: 'start', name: null, commit: null, ts_unix_ms: null }, 'now', 1],
    )
  })

  test('begins after the newest tag, and groups by type', async () => {
    at(1)
    tag('v1.0', '-a', '-m', 'text')
    at(2)
    await close('typed', { type: 'Zeta' })
    await close('plain')
    await close('feature', { type: 'feature' })
    await close('crash', { type: 'bug', assignee: ['ann'] })
    await close('fall', { type: 'Bug' })
    await run('issue create', { title: 'still open' })
    const { since, groups } = await run('changelog')
    assert.deepEqual([since.kind, since.name, since.ts_unix_ms], ['tag', 'v1.0', start + dayMs + 999])
    assert.deepEqual(
      groups.map(({ type }: { type: string | null }) => type),
      ['bug', 'feature', 'zeta', null],
    )
    assert.deepEqual(await listed(), { bug: 'crash, fall', feature: 'feature', zeta: 'typed', none: 'plain' })
    assert.deepEqual(groups[0].issues[0].assignees, ['ann'])
  })

  test('of the time up to a tag begins after the tag before it', async () => {
    at(3)
    tag('v1.1')
    at(4)
    const again = await close('closed twice', { type: 'bug' })
    assert.deepEqual(await listed(), { bug: 'closed twice' })
    assert.deepEqual(await listed({ until: 'v1.1' }), await listed({ since: 'v1.0', until: 'v1.1' }))
    assert.equal((await listed({ until: 'v1.1' })).bug, 'crash, fall')
    assert.deepEqual(await listed({ until: 'v1.0' }), { task: 'first' })
    at(5)
    await run('issue reopen', { issue: [again] })
    assert.deepEqual(await listed(), {})
    at(6)
    await run('issue close', { issue: [again] })
    assert.deepEqual(await listed({ since: '2026-03-06' }), { bug: 'closed twice' })
  })

  test('takes days, ages, branches and commits', async () => {
    assert.deepEqual(await listed({ until: '2026-02-28' }), {})
    assert.deepEqual(await listed({ since: '2026-03-01', until: '2026-03-01' }), { task: 'first' })
    assert.deepEqual(await listed({ since: '1d' }), { bug: 'closed twice' })
    assert.deepEqual(await listed({ since: '2026-03-08', until: '2026-03-08' }), {})
    const { since } = await run('changelog', { since: 'main' })
    assert.deepEqual([since.kind, since.commit], ['commit', place.git(place.path, 'rev-parse', 'main').trim()])
    tag('2026-03-02')
    assert.equal((await run('changelog', { since: '2026-03-02' })).since.kind, 'tag')
  })

  test('refuses what is neither a moment nor a revision', async () => {
    const refused = (input: object, code: string, message: RegExp) =>
      assert.rejects(run('changelog', input), (error: GriteError) => {
        assert.equal(error.code, code)
        assert.match(error.message, message)
        return true
      })
    await refused({ since: 'v9' }, 'not_found', /^--since: 'v9' is no tag, branch or commit/)
    await refused({ until: '--all' }, 'not_found', /^--until: '--all' is no tag/)
    await refused({ since: 'v1.0..v1.1' }, 'not_found', /^--since: 'v1\.0\.\.v1\.1' is no tag/)
    await refused({ since: '' }, 'not_found', /^--since: '' is no tag/)
    await refused({ since: 'v1.1', until: 'v1.0' }, 'invalid_args', /--since v1\.1 is later than --until v1\.0/)
    await refused({ since: '2062-01-01' }, 'invalid_args', /--since 2062-01-01 is later than now/)
  })

  test('of a repository without commits is empty', async () => {
    place.git(place.dir, 'init', '-q', 'empty')
    const empty = commandRunner({ cwd: `${place.dir}/empty`, env: place.environment })
    assert.equal(((await empty.run('changelog')) as { total: number }).total, 0)
  })
})

test('a changelog is a page of Markdown', () => {
  const issue = {
    issue_id: 'ab'.repeat(16),
    short_id: 'abababa',
    title: 'Crash *now*\x1b',
    type: 'bug',
    priority: null,
    labels: [],
    assignees: ['ann', 'bo'],
    closed_ts: start,
  }
  const data = {
    since: { kind: 'tag', name: 'v1', commit: 'c', ts_unix_ms: start },
    until: { kind: 'now', name: null, commit: null, ts_unix_ms: start + dayMs },
    groups: [
      { type: 'bug', issues: [issue] },
      { type: 'zeta', issues: [{ ...issue, assignees: [] }] },
      { type: null, issues: [issue] },
    ],
    total: 3,
    wal_head: null,
  } as const
  const view = { width: 80, style: plainStyle, nowUnixMs, quiet: false }
  assert.equal(
    renderChangelog(data, view),
    `# Changes since v1

3 issues closed from 2026-03-01 to 2026-03-02.

## Bug fixes

- Crash \\*now\\*\\x1b (\`abababa\`, ann, bo)

## Zeta

- Crash \\*now\\*\\x1b (\`abababa\`)

## Other

- Crash \\*now\\*\\x1b (\`abababa\`, ann, bo)
`,
  )
  const until = { kind: 'time', name: '2026-03-02', commit: null, ts_unix_ms: start + dayMs } as const
  const none = { kind: 'start', name: null, commit: null, ts_unix_ms: null } as const
  assert.equal(
    renderChangelog({ ...data, since: none, until, groups: [], total: 0 }, view),
    '# Changes up to 2026-03-02\n\nNo issue was closed up to 2026-03-02.\n',
  )
})
