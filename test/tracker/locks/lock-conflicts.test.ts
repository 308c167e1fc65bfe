/** Conflicts between actors of one clone: lost races, the lock policy, unreadable locks. */
import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { collectLocal } from '../../../src/tracker/locks/collect.ts'
import { lockRefOf, trackingRef } from '../../../src/wal/index.ts'
import { commandRunner } from '../../support/command-runner.ts'
import { createActors, type Data, type TestActor } from './lock-clones.ts'

const minute = 60_000

async function setUp(t: TestContext, policy = 'warn') {
  const setup = await createActors(t)
  const { path, environment, clock, git } = setup
  appendFileSync(join(path, '.git/grite/config.toml'), `lock_policy = "${policy}"\n`)
  return {
    ...setup,
    cy: await setup.actorIn(path, 'cy'),
    head: () => git(path, 'for-each-ref', '--format=%(objectname)', 'refs/grite/wal'),
    /** Holder of a live lock; null when nobody holds it. */
    async holder(resource: string): Promise<string | null> {
      const { locks } = await setup.ann.run('lock status', { resource })
      return locks.find((lock: Data) => lock.resource === resource && lock.state === 'live')?.owner ?? null
    },
    /** Runs something between the moment the actor reads a lock and the moment it moves the ref. */
    interrupted({ id }: TestActor, happen: () => Promise<unknown>) {
      let isFirst = true
      const at = async (point: string) => {
        if (point !== 'started' || !isFirst) return
        isFirst = false
        await happen()
      }
      const nowUnixMs = () => clock.nowUnixMs
      return commandRunner({ cwd: path, env: environment, actor: id, nowUnixMs, gitOptions: { hooks: { at } } })
    },
    /** Points a lock ref at a commit without a lock.json. */
    spoil(ref: string) {
      const tree = setup.gitWith('', path, 'mktree')
      git(path, 'update-ref', ref, git(path, 'commit-tree', '-m', 'x', tree))
    },
  }
}

test('only one of two actors takes over an expired lock', async (t) => {
  const { ann, bo, cy, clock, interrupted, holder } = await setUp(t)
  await ann.run('lock acquire', { resource: 'plain' })
  clock.nowUnixMs += 5 * minute
  const late = interrupted(bo, () => cy.run('lock acquire', { resource: 'plain' }))
  await assert.rejects(late.run('lock acquire', { resource: 'plain' }), { code: 'conflict' })
  assert.equal(await holder('plain'), cy.id)
})

test('renew and release keep a lock taken by another actor', async (t) => {
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

test('lock gc keeps a lock that was re-acquired since its listing', async (t) => {
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

test('the lock policy covers every write to a locked issue', async (t) => {
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

test('a repository lock blocks snapshots, saved queries and syncs', async (t) => {
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

test('--lock holds the issue lock only during the write', async (t) => {
  const { ann, bo, create, path, git, holder } = await setUp(t, 'off')
  const [id, other] = [await create(), await create()]
  await ann.run('lock acquire', { resource: `issue:${id}` })
  assert.equal((await bo.fail('issue dep add', { issue: id, target: other, lock: true })).owner, ann.id)
  await ann.run('lock release', { resource: `issue:${id}` })
  await bo.run('issue close', { issue: [id], lock: true })
  // Acquired and released once more.
  assert.equal(git(path, 'rev-list', '--count', lockRefOf(`issue:${id}`)), '4')
  assert.equal(await holder(`issue:${id}`), null)
})

test('an unreadable lock blocks no other resource', async (t) => {
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
