/** Weaknesses 7.3 of the reference (compat spec, items 28-36): what holds here in their place. */
import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { collectLocal } from '../../src/tracker/locks/collect.ts'
import { lockRefOf, trackingRef } from '../../src/wal/index.ts'
import { commandRunner } from '../support/command-runner.ts'
import { createScene, createTeamScene, type Data, type Hand } from '../tracker/locks/lock-clones.ts'

const minute = 60_000

async function setUp(t: TestContext, policy = 'warn') {
  const scene = await createScene(t)
  const { path, environment, clock, git } = scene
  appendFileSync(join(path, '.git/grite/config.toml'), `lock_policy = "${policy}"\n`)
  return {
    ...scene,
    cy: await scene.handIn(path, 'cy'),
    head: () => git(path, 'for-each-ref', '--format=%(objectname)', 'refs/grite/wal'),
    /** Who has a lock by now; null for nobody. */
    async holder(resource: string): Promise<string | null> {
      const { locks } = await scene.ann.run('lock status', { resource })
      return locks.find((lock: Data) => lock.resource === resource && lock.state === 'live')?.owner ?? null
    },
    /** The same actor, to whom something happens between looking at a lock and moving it. */
    interrupted({ id }: Hand, happen: () => Promise<unknown>) {
      let isFirst = true
      const at = async (point: string) => {
        if (point !== 'started' || !isFirst) return
        isFirst = false
        await happen()
      }
      const nowUnixMs = () => clock.nowUnixMs
      return commandRunner({ cwd: path, env: environment, actor: id, nowUnixMs, gitOptions: { hooks: { at } } })
    },
    /** Leaves a lock that is none. */
    spoil(ref: string) {
      const tree = scene.gitWith('', path, 'mktree')
      git(path, 'update-ref', ref, git(path, 'commit-tree', '-m', 'x', tree))
    },
  }
}

test('7.3 item 28a: of two clones that reach for one lock on their remote, one has it', async (t) => {
  const { clones, leases } = await createTeamScene(t, 'ann', 'bo')
  const [ann, bo] = clones
  const held = await ann.run('lock acquire', { resource: 'release', remote: 'origin' })
  assert.deepEqual([held.outcome, held.level, leases().length], ['acquired', 'remote', 1])
  const failure = await bo.fail('lock acquire', { resource: 'release', remote: 'origin' })
  assert.deepEqual([failure.code, failure.owner], ['conflict', ann.id])
  await ann.run('lock release', { resource: 'release', remote: 'origin' })
  assert.equal((await bo.run('lock acquire', { resource: 'release', remote: 'origin' })).outcome, 'acquired')
})

test('7.3 item 28b: claims that two clones made apart are settled by their syncs', async (t) => {
  const { clones, share, clock } = await createTeamScene(t, 'ann', 'bo')
  const [ann, bo] = clones
  const id = await share()
  await ann.run('issue claim', { issue: id, local: true })
  clock.nowUnixMs += 1
  await bo.run('issue claim', { issue: id, local: true })
  await ann.run('sync')
  assert.deepEqual((await bo.run('sync')).claims.lost, [id])
  for (const clone of [bo, ann]) await clone.run('sync')
  for (const clone of clones) assert.deepEqual((await clone.run('issue show', { issue: id })).issue.assignees, ['ann'])
})

test('7.3 item 29a: of two who take over what has ended, one gets it', async (t) => {
  const { ann, bo, cy, clock, interrupted, holder } = await setUp(t)
  await ann.run('lock acquire', { resource: 'plain' })
  clock.nowUnixMs += 5 * minute
  const late = interrupted(bo, () => cy.run('lock acquire', { resource: 'plain' }))
  await assert.rejects(late.run('lock acquire', { resource: 'plain' }), { code: 'conflict' })
  assert.equal(await holder('plain'), cy.id)
})

test('7.3 item 29b: renewing and releasing change no lock that somebody else took meanwhile', async (t) => {
  const { ann, bo, clock, interrupted, holder } = await setUp(t)
  for (const command of ['lock renew', 'lock release']) {
    const resource = `of ${command}`
    await ann.run('lock acquire', { resource })
    const late = interrupted(ann, async () => {
      clock.nowUnixMs += 5 * minute
      await bo.run('lock acquire', { resource })
    })
    await assert.rejects(late.run(command, { resource }), { code: 'conflict' })
    assert.equal(await holder(resource), bo.id, command)
  }
})

test('7.3 item 29c: gc deletes no lock that was taken since it looked', async (t) => {
  const { ann, bo, clock, holder } = await setUp(t)
  await ann.run('lock acquire', { resource: 'plain' })
  clock.nowUnixMs += 5 * minute
  const { removed } = await ann.runner.withRepository(async (repository) => {
    const listRefs = repository.git.listRefs.bind(repository.git)
    Object.defineProperty(repository.git, 'listRefs', {
      async value(...args: Parameters<typeof listRefs>) {
        const rows = await listRefs(...args)
        await bo.run('lock acquire', { resource: 'plain' })
        return rows
      },
    })
    return collectLocal(repository, clock.nowUnixMs)
  })
  assert.deepEqual([removed, await holder('plain')], [0, bo.id])
})

test('7.3 item 30: what overlaps a lock of another is not to be had', async (t) => {
  const { ann, bo, clock, create } = await setUp(t)
  for (const [first, second] of [
    ['path:src', 'path:src/a'],
    ['path:lib/a', 'path:lib/'],
    ['repo:global', `issue:${await create()}`],
    ['plain', 'repo:global'],
  ] as const) {
    await ann.run('lock acquire', { resource: first })
    assert.equal((await bo.fail('lock acquire', { resource: second })).held_resource, first)
    clock.nowUnixMs += 5 * minute
  }
  await ann.run('lock acquire', { resource: 'path:src' })
  assert.equal((await bo.run('lock acquire', { resource: 'path:srcs' })).outcome, 'acquired')
})

test('7.3 item 31: who takes a lock again has it for longer, and is told for how long', async (t) => {
  const { ann, clock, git, path } = await setUp(t)
  const first = await ann.run('lock acquire', { resource: 'plain', ttl: '1m' })
  clock.nowUnixMs += 30_000
  const again = await ann.run('lock acquire', { resource: 'plain', ttl: '10m' })
  assert.deepEqual([again.nonce, again.ttl_seconds], [first.nonce, 600])
  assert.equal(again.expires_unix_ms, clock.nowUnixMs + 10 * minute)
  const stored = JSON.parse(git(path, 'show', `${lockRefOf('plain')}:lock.json`))
  assert.equal(stored.expires_unix_ms, again.expires_unix_ms)
})

test('7.3 item 32a: the policy binds every write on a locked issue, its edges included', async (t) => {
  const { ann, bo, create, head } = await setUp(t, 'require')
  const [id, other] = [await create(), await create()]
  await ann.run('issue dep add', { issue: id, target: other })
  await ann.run('lock acquire', { resource: `issue:${id}` })
  const before = head()
  for (const [command, input] of [
    ['issue close', { issue: [id] }],
    ['issue comment', { issue: id, body: 'x' }],
    ['issue dep add', { issue: id, target: other, type: 'related_to' }],
    ['issue dep remove', { issue: id, target: other }],
    ['issue claim', { issue: id }],
  ] as const) {
    const failure = await bo.fail(command, input)
    assert.deepEqual([failure.code, failure.held_resource], ['conflict', `issue:${id}`], command)
  }
  assert.equal(head(), before)
})

test('7.3 item 32b: a lock on the repository binds snapshots, saved queries and syncs as well', async (t) => {
  const { ann, bo, create, head, refs, dir, git, path } = await setUp(t, 'require')
  git(dir, 'init', '-q', '--bare', '--template=', 'origin.git')
  await create()
  await ann.run('snapshot create')
  git(path, 'remote', 'add', 'origin', '../origin.git')
  await ann.run('lock acquire', { resource: 'repo:global' })
  const before = [head(), ...refs('refs/grite/snapshots')]
  for (const [command, input] of [
    ['snapshot create', { local: true }],
    ['snapshot gc', { keep: 0 }],
    ['query save', { name: 'q', query: ['a'] }],
    ['sync', {}],
  ] as const) {
    const failure = await bo.fail(command, input)
    assert.deepEqual([failure.code, failure.held_resource], ['conflict', 'repo:global'], command)
  }
  assert.deepEqual([head(), ...refs('refs/grite/snapshots')], before)
  assert.equal((await ann.run('snapshot gc', { keep: 0 })).deleted, 1)
})

test('7.3 item 32c: --lock holds the issue for the time of the write', async (t) => {
  const { ann, bo, create, path, git, holder } = await setUp(t, 'off')
  const [id, other] = [await create(), await create()]
  await ann.run('lock acquire', { resource: `issue:${id}` })
  assert.equal((await bo.fail('issue dep add', { issue: id, target: other, lock: true })).owner, ann.id)
  await ann.run('lock release', { resource: `issue:${id}` })
  await bo.run('issue close', { issue: [id], lock: true })
  // Taken and given back once more.
  assert.equal(git(path, 'rev-list', '--count', lockRefOf(`issue:${id}`)), '4')
  assert.equal(await holder(`issue:${id}`), null)
})

test('7.3 item 33: a lock on one thing stops no other writes and no push', async (t) => {
  const { ann, bo, create, git, dir, path } = await setUp(t, 'require')
  git(dir, 'init', '-q', '--bare', '--template=', 'origin.git')
  git(path, 'remote', 'add', 'origin', '../origin.git')
  const [id, other] = [await create(), await create()]
  for (const resource of ['plain', 'path:src', `issue:${other}`]) await ann.run('lock acquire', { resource })
  assert.equal((await bo.run('issue create', { title: 'new' })).title, 'new')
  assert.equal((await bo.run('issue close', { issue: [id] })).outcome, 'changed')
  assert.equal((await bo.run('sync')).push_success, true)
  assert.deepEqual(bo.warned(), [])
})

test('7.3 item 34: an issue is one lock by whatever prefix it is named', async (t) => {
  const { ann, bo, create, refs } = await setUp(t, 'require')
  const id = await create()
  assert.equal((await ann.run('lock acquire', { resource: `issue:${id.slice(0, 6)}` })).resource, `issue:${id}`)
  assert.deepEqual(refs('refs/grite/locks'), [lockRefOf(`issue:${id}`)])
  for (const name of [id, id.slice(0, 8), id.toUpperCase()]) {
    assert.equal((await bo.fail('lock acquire', { resource: `issue:${name}` })).owner, ann.id)
    assert.equal((await bo.fail('issue close', { issue: [name], lock: true })).owner, ann.id)
  }
})

test('7.3 item 35: a lock that cannot be read, also one of a remote, stops nothing else', async (t) => {
  for (const policy of ['warn', 'require']) {
    const { ann, bo, clock, spoil, create } = await setUp(t, policy)
    const id = await create()
    const [local, pulled] = [lockRefOf('spoiled'), lockRefOf('spoiled too')]
    for (const ref of [local, trackingRef('origin', pulled)]) spoil(ref)
    await bo.run('lock acquire', { resource: 'ended', ttl: '1m' })
    clock.nowUnixMs += minute
    const { locks, malformed } = await ann.run('lock status')
    assert.deepEqual([locks.length, malformed.map(({ ref }: Data) => ref).sort()], [1, [local, pulled].sort()])
    assert.equal((await ann.run('lock gc')).removed, 1)
    assert.equal((await bo.run('issue close', { issue: [id] })).outcome, 'changed')
    assert.equal((await bo.run('issue create', { title: 'new' })).title, 'new')
  }
})

test('7.3 item 36: a lock cannot be taken for longer than a number holds', async (t) => {
  const { ann, refs } = await setUp(t)
  for (const ttl of ['18446744073709551615', '9007199254740993', '99999999999d'])
    assert.equal((await ann.fail('lock acquire', { resource: 'plain', ttl })).code, 'invalid_args')
  assert.deepEqual(refs('refs/grite/locks'), [])
})
