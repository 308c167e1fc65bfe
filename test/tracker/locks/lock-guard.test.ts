import assert from 'node:assert/strict'
import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { IssueId } from '../../../src/model/index.ts'
import { addComment } from '../../../src/tracker/issues/changes.ts'
import { lockRefOf, moveLock } from '../../../src/wal/index.ts'
import { commandRunner } from '../../support/command-runner.ts'
import { createActors, type Data } from './lock-clones.ts'

type Policy = 'off' | 'warn' | 'require'

async function setUp(t: TestContext, policy?: Policy) {
  const setup = await createActors(t)
  const id = await setup.create()
  if (policy !== undefined) {
    appendFileSync(join(setup.path, '.git/grite/config.toml'), `lock_policy = "${policy}"\n`)
  }
  return { ...setup, id, head: () => setup.git(setup.path, 'rev-parse', 'refs/grite/wal') }
}

const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

/** Every command that writes to an issue. */
const writes: readonly (readonly [name: string, input: (id: string) => Readonly<Record<string, unknown>>])[] = [
  ['issue update', (id) => ({ issue: [id], title: 'two' })],
  ['issue comment', (id) => ({ issue: id, body: 'x' })],
  ['issue close', (id) => ({ issue: [id] })],
  ['issue reopen', (id) => ({ issue: [id], comment: 'x' })],
  ['issue label add', (id) => ({ issue: [id], label: ['x'] })],
  ['issue label remove', (id) => ({ issue: [id], label: ['there'] })],
  ['issue assignee add', (id) => ({ issue: [id], user: ['x'] })],
  ['issue assignee remove', (id) => ({ issue: [id], user: ['there'] })],
  ['issue link add', (id) => ({ issue: id, url: 'https://example.org' })],
  ['issue attachment add', (id) => ({ issue: id, name: 'a', mime: 'a/b', sha256: 'ab'.repeat(32) })],
]

describe('the lock policy', { concurrency: 4 }, () => {
  it('the require policy refuses every write on a locked issue', async (t) => {
    const { ann, bo, id, head } = await setUp(t, 'require')
    await ann.run('issue label add', { issue: [id], label: ['there'] })
    await ann.run('issue assignee add', { issue: [id], user: ['there'] })
    const { event_id: comment } = await ann.run('issue comment', { issue: id, body: 'x' })
    await ann.run('lock acquire', { resource: `issue:${id}` })
    const edge = { issue: id, target: (await ann.run('issue create', { title: 'other' })).issue_id }
    await ann.run('issue dep add', edge)
    const before = head()
    const edits = [
      ['issue comment edit', () => ({ comment, body: 'y' })],
      ['issue comment hide', () => ({ comment })],
    ] as const
    for (const [name, input] of [...writes, ['issue dep remove', () => edge] as const, ...edits]) {
      const failure = await bo.fail(name, input(id))
      assert.deepEqual([failure.exit, failure.reason, failure.policy], [4, 'held', 'require'], name)
      assert.deepEqual([failure.held_resource, failure.owner, failure.holder], [`issue:${id}`, ann.id, 'ann'], name)
    }
    assert.equal(head(), before)
    for (const [name, input] of writes) assert.notEqual((await ann.run(name, input(id))).wal_head, null, name)
  })

  it('the default policy warns once per lock and writes', async (t) => {
    const { ann, bo, id, git, path } = await setUp(t)
    await ann.run('lock acquire', { resource: `issue:${id}` })
    // As after a sync of the Rust tool: a copy from the remote, too.
    const copy = lockRefOf(`issue:${id}`).replace('refs/', 'refs/grite-remotes/x/')
    git(path, 'update-ref', copy, lockRefOf(`issue:${id}`))
    assert.equal((await bo.run('issue close', { issue: [id] })).outcome, 'changed')
    assert.deepEqual(bo.warned(), ['locked'])
    await ann.run('issue reopen', { issue: [id] })
    assert.deepEqual(ann.warned(), [])
  })

  it('the off policy neither warns nor refuses', async (t) => {
    const { ann, bo, id } = await setUp(t, 'off')
    await ann.run('lock acquire', { resource: `issue:${id}` })
    assert.equal((await bo.run('issue close', { issue: [id] })).outcome, 'changed')
    assert.deepEqual(bo.warned(), [])
  })

  it('a lock on one resource blocks no other writes', async (t) => {
    const { ann, bo, id, create } = await setUp(t, 'require')
    const other = await create('other')
    await ann.run('lock acquire', { resource: `issue:${other}` })
    await ann.run('lock acquire', { resource: 'path:src' })
    await ann.run('lock acquire', { resource: 'plain' })
    await bo.run('issue close', { issue: [id] })
    await bo.run('issue create', { title: 'new', assignee: ['bo'] })
    assert.equal((await bo.fail('issue close', { issue: [id, other], comment: 'x' })).held_resource, `issue:${other}`)
    assert.deepEqual(bo.warned(), [])
  })

  it('a repository lock blocks every write', async (t) => {
    const { ann, bo, id, path, environment, clock } = await setUp(t, 'require')
    await ann.run('lock acquire', { resource: 'repo:global', ttl: '1h' })
    assert.equal((await bo.fail('issue create', { title: 'new' })).held_resource, 'repo:global')
    assert.equal((await bo.fail('issue close', { issue: [id] })).held_resource, 'repo:global')
    const stdin = '{"op":"create","title":"x"}\n'
    const batch = commandRunner({ cwd: path, env: environment, actor: bo.id, stdin, nowUnixMs: () => clock.nowUnixMs })
    await assert.rejects(batch.run('batch'), { code: 'conflict' })
    const line = { id: 'bd-1', title: 'x', status: 'open', created_at: '2025-01-01T00:00:00Z' }
    const importing = commandRunner({
      ...{ cwd: path, env: environment, actor: bo.id, nowUnixMs: () => clock.nowUnixMs },
      stdin: `${JSON.stringify(line)}\n`,
    })
    await assert.rejects(importing.run('import', { file: '-' }), { code: 'conflict' })
    clock.nowUnixMs += 3_600_000
    assert.equal(((await importing.run('import', { file: '-' })) as Data).created, 1)
  })

  it('a repository lock blocks pushing, not fetching', async (t) => {
    const { ann, bo, git, path, dir } = await setUp(t, 'require')
    git(dir, 'init', '-q', '--bare', '--template=', 'origin.git')
    git(path, 'remote', 'add', 'origin', '../origin.git')
    await ann.run('lock acquire', { resource: 'path:src' })
    assert.equal((await bo.run('sync')).push_success, true)
    await ann.run('lock acquire', { resource: 'repo:release' })
    git(path, 'push', '-q', 'origin', `${git(path, 'commit-tree', '-m', 'theirs', emptyTree)}:refs/grite/snapshots/1`)
    const before = git(path, 'for-each-ref')
    assert.equal((await bo.fail('sync')).held_resource, 'repo:release')
    assert.equal(git(path, 'for-each-ref'), before, 'the fetch under way was cancelled')
    assert.deepEqual(readdirSync(join(path, '.git/grite/tmp')), [])
    assert.equal((await bo.run('sync', { pull: true })).success, true)
    assert.equal((await ann.run('sync')).success, true)
  })

  it('a repository lock blocks creating and deleting snapshots', async (t) => {
    const { ann, bo, refs } = await setUp(t, 'require')
    const { snapshot_ref } = await bo.run('snapshot create')
    await ann.run('lock acquire', { resource: 'repo:release' })
    assert.equal((await bo.fail('snapshot create')).held_resource, 'repo:release')
    assert.equal((await bo.fail('snapshot gc', { keep: 0 })).held_resource, 'repo:release')
    assert.deepEqual(refs('refs/grite/snapshots'), [snapshot_ref])
    assert.equal((await ann.run('snapshot gc', { keep: 0 })).deleted, 1)
  })

  it('a prefix lock of the Rust tool covers every matching issue', async (t) => {
    const { ann, bo, id, clock } = await setUp(t, 'require')
    const resource = `issue:${id.slice(0, 5)}`
    const lock = {
      owner: ann.id,
      nonce: 'n',
      expiresUnixMs: clock.nowUnixMs + 1000,
      resource,
      ttlMs: null,
      fence: null,
      claim: null,
    }
    await ann.runner.withRepository(({ git }) =>
      moveLock(git, { ref: lockRefOf(resource), expected: null, lock, nowUnixMs: clock.nowUnixMs }),
    )
    assert.equal((await bo.fail('issue close', { issue: [id] })).held_resource, resource)
    assert.equal((await bo.fail('lock acquire', { resource: `issue:${id}` })).held_resource, resource)
    assert.equal((await ann.run('lock release', { resource })).outcome, 'released')
    await bo.run('issue close', { issue: [id] })
  })

  it('the lock policy ignores writes that change nothing', async (t) => {
    const { ann, bo, id } = await setUp(t, 'require')
    await ann.run('lock acquire', { resource: `issue:${id}` })
    assert.equal((await bo.run('issue reopen', { issue: [id] })).outcome, 'unchanged')
  })
})

describe('cost of a write', { concurrency: 4 }, () => {
  for (const [policy, listings] of [
    ['off', []],
    ['warn', [['refs/grite/locks/', 'refs/grite-remotes/']]],
    ['require', [['refs/grite/locks/', 'refs/grite-remotes/']]],
  ] as const) {
    it(`a write lists the locks ${listings.length === 0 ? 'never' : 'once'} under policy ${policy}`, async (t) => {
      const { ann, id, clock } = await setUp(t, policy)
      await ann.run('lock acquire', { resource: `issue:${id}`, ttl: '10m' })
      const listed: unknown[] = []
      await ann.runner.withRepository(async (repository) => {
        const listRefs = repository.git.listRefs.bind(repository.git)
        repository.git.listRefs = (prefixes, onBroken) => {
          listed.push(prefixes)
          return listRefs(prefixes, onBroken)
        }
        await repository.write((draft) => addComment(draft, id as IssueId, 'x', null))
      })
      assert.deepEqual(listed, listings)
      clock.nowUnixMs += 6 * 60_000
      await ann.run('issue comment', { issue: id, body: 'x' })
      const { locks } = await ann.run('lock status')
      assert.equal(locks[0].time_remaining_seconds, 600, 'and its own has more time')
    })
  }
})

describe('--lock', { concurrency: 4 }, () => {
  it('--lock acquires the issue lock for the write and releases it', async (t) => {
    const { ann, id, git, path } = await setUp(t)
    for (const [name, input] of writes.slice(0, 3)) await ann.run(name, { ...input(id), lock: true })
    assert.equal(git(path, 'rev-list', '--count', lockRefOf(`issue:${id}`)), '6')
    const { locks } = await ann.run('lock status')
    assert.deepEqual([locks.length, locks[0].state, locks[0].resource], [1, 'released', `issue:${id}`])
  })

  it('--lock fails on a foreign lock under any policy', async (t) => {
    const { ann, bo, id, head } = await setUp(t, 'off')
    await ann.run('lock acquire', { resource: `issue:${id}` })
    const before = head()
    assert.equal((await bo.fail('issue close', { issue: [id.slice(0, 7)], lock: true })).owner, ann.id)
    assert.equal(head(), before)
  })

  it('--lock keeps a lock that its actor already holds', async (t) => {
    const { ann, id } = await setUp(t)
    const held = await ann.run('lock acquire', { resource: `issue:${id}` })
    await ann.run('issue close', { issue: [id], lock: true })
    const { locks } = await ann.run('lock status')
    assert.deepEqual([locks[0].state, locks[0].nonce], ['live', held.nonce])
  })

  it('--lock releases its locks when the write fails', async (t) => {
    const { ann, bo, id, create } = await setUp(t)
    const other = await create('other')
    await ann.run('lock acquire', { resource: `issue:${other}` })
    await bo.fail('issue close', { issue: [id, other], lock: true })
    const { locks } = await bo.run('lock status', { resource: `issue:${id}` })
    assert.equal(
      locks.every(({ state }: Data) => state === 'released'),
      true,
    )
    await ann.run('issue close', { issue: [id], lock: true })
  })
})

describe('interrupts', () => {
  it('an interrupt releases the locks of the running write', async (t) => {
    const { bo, id, path, environment, clock } = await setUp(t)
    let publishes = 0
    let interrupt = async () => {}
    // The first publish is the lock, the second the log.
    const at = async (point: string) => {
      if (point === 'started') publishes += 1
      if (point === 'objects-written' && publishes === 2) await interrupt()
    }
    const facts = { cwd: path, env: environment, actor: bo.id, nowUnixMs: () => clock.nowUnixMs }
    const states: string[] = []
    await commandRunner({ ...facts, gitOptions: { hooks: { at } } }).withRepository(async (repository) => {
      const state = async () => states.push((await bo.run('lock status')).locks[0].state)
      interrupt = async () => {
        await state()
        await repository.close()
        await state()
      }
      await repository.write((draft) => addComment(draft, id as IssueId, 'x', null), { lock: true })
    })
    assert.deepEqual(states, ['live', 'released'])
  })
})

describe('renewal by the holder’s writes', { concurrency: 4 }, () => {
  it('a write renews its own lock after half its time', async (t) => {
    const { ann, id, clock } = await setUp(t)
    await ann.run('lock acquire', { resource: `issue:${id}`, ttl: '10m' })
    const expiry = async () => (await ann.run('lock status')).locks[0].expires_unix_ms
    const first = await expiry()
    clock.nowUnixMs += 4 * 60_000
    await ann.run('issue comment', { issue: id, body: 'x' })
    assert.equal(await expiry(), first)
    clock.nowUnixMs += 2 * 60_000
    await ann.run('issue comment', { issue: id, body: 'x' })
    assert.equal(await expiry(), clock.nowUnixMs + 10 * 60_000)
    clock.nowUnixMs += 10 * 60_000
    await ann.run('issue comment', { issue: id, body: 'x' })
    assert.equal(await expiry(), clock.nowUnixMs, 'what is over stays over')
  })
})
