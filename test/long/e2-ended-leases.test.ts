import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { lockRefOf } from '../../src/wal/index.ts'
import { makeClosedClaims, putLeases } from '../reports/claimed-issues.ts'
import { type ActorClones, createActorClones, createActors } from '../tracker/locks/lock-clones.ts'

const hour = 3_600_000
const day = 24 * hour
const onRemote = { remote: '' }

function refuseDeletions(origin: string): void {
  mkdirSync(join(origin, 'hooks'), { recursive: true })
  const script = '#!/bin/sh\ncase $1,$3 in refs/grite-leases/*,00000000*) echo no; exit 1;; esac\n'
  writeFileSync(join(origin, 'hooks/update'), script)
  chmodSync(join(origin, 'hooks/update'), 0o755)
}

describe('lock gc --remote', { concurrency: 4 }, () => {
  it('lock gc deletes a lease a day after release; fences keep growing', async (t) => {
    const { clones, share, clock, leases } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    const { fence } = await ann.run('issue claim', { issue: id, ...onRemote })
    await ann.run('issue close', { issue: [id], ...onRemote })
    clock.nowUnixMs += day - 1000
    assert.deepEqual([(await bo.run('lock gc', onRemote)).removed, leases().length], [0, 1])
    clock.nowUnixMs += 2000
    const { removed, kept, refused } = await bo.run('lock gc', onRemote)
    assert.deepEqual([removed, kept, refused, leases()], [1, 0, [], []])
    // ann has not fetched since then.
    await ann.run('issue reopen', { issue: [id] })
    assert.ok((await ann.run('issue claim', { issue: id, ...onRemote })).fence > fence)
    assert.equal((await bo.fail('issue claim', { issue: id, ...onRemote })).holder, 'ann')
  })

  it('lock gc keeps an expired lease of an open issue', async (t) => {
    const { clones, share, clock, leases } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    await ann.run('issue claim', { issue: id, ...onRemote })
    clock.nowUnixMs += 2 * day
    assert.deepEqual([(await bo.run('lock gc', onRemote)).removed, leases().length], [0, 1])
    assert.deepEqual((await bo.run('issue claim', { issue: id, ...onRemote })).removed_assignees, ['ann'])
    await bo.run('issue close', { issue: [id], ...onRemote })
    clock.nowUnixMs += 2 * day
    assert.deepEqual([(await ann.run('lock gc', onRemote)).removed, leases()], [1, []])
  })

  it('lock gc keeps leases with a future fence or an unknown issue', async (t) => {
    const setup = await createActorClones(t, 'ann')
    const [ann] = setup.clones
    const claim = { assignee: 'ann', sinceUnixMs: 1, beside: [], stale: [] }
    const released = { owner: ann.id, nonce: 'n', expiresUnixMs: 0, ttlMs: null, fence: 1, claim: null }
    await putLeases(setup, [
      { ...released, resource: 'ahead', fence: setup.clock.nowUnixMs + day },
      { ...released, resource: `issue:${'ab'.repeat(16)}`, claim },
      { ...released, resource: 'old' },
    ])
    setup.clock.nowUnixMs += 1.5 * day
    const { removed, kept } = await ann.run('lock gc', onRemote)
    assert.deepEqual([removed, kept], [1, 2])
  })

  it('lock gc keeps a lease that was renewed meanwhile', async (t) => {
    const { clones, clock, leaseFile, git, origin, leases } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    await ann.run('lock acquire', { resource: 'plain', ...onRemote })
    await ann.run('lock release', { resource: 'plain', ...onRemote })
    clock.nowUnixMs += 2 * day
    await bo.run('lock status', onRemote)
    const [ref = ''] = leases()
    // Another clone moves the lease between the fetch and the push of the deletion.
    const hook = `#!/bin/sh\nunset GIT_QUARANTINE_PATH\ngit update-ref ${ref} $(git commit-tree -p ${ref} -m x ${ref}^{tree})\n`
    mkdirSync(join(origin, 'hooks'), { recursive: true })
    writeFileSync(join(origin, 'hooks/pre-receive'), hook)
    chmodSync(join(origin, 'hooks/pre-receive'), 0o755)
    const { removed, refused } = await bo.run('lock gc', onRemote)
    assert.deepEqual([removed, refused, leases()], [0, [], [ref]])
    assert.equal(git(origin, 'rev-list', '--count', ref), '3')
    assert.equal(leaseFile(ref).expires_unix_ms, 0)
  })
})

describe('sync of ended leases', { concurrency: 4 }, () => {
  const setUp = async (setup: ActorClones, count: number) => {
    const ids = await makeClosedClaims(setup, setup.clones[0], count)
    setup.clock.nowUnixMs += day + 1000
    return ids
  }

  it('sync deletes ended leases once there are a hundred', async (t) => {
    const setup = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = setup.clones
    await setUp(setup, 99)
    assert.deepEqual([(await bo.run('sync')).claims.collected, setup.leases().length], [0, 99])
    await setUp(setup, 2)
    assert.deepEqual([(await bo.run('sync', { pull: true })).claims.collected, setup.leases().length], [0, 101])
    assert.deepEqual([(await bo.run('sync')).claims.collected, setup.leases()], [101, []])
    assert.deepEqual(setup.refs('refs/grite-remotes', bo.path).length, 1, 'the log alone')
    assert.deepEqual([(await ann.run('sync')).claims.collected, ann.warned(), bo.warned()], [0, [], []])
  })

  it('sync waits a week after a host refused to delete leases', async (t) => {
    const setup = await createActorClones(t, 'ann')
    const [ann] = setup.clones
    await setUp(setup, 100)
    refuseDeletions(setup.origin)
    assert.deepEqual([(await ann.run('sync')).claims.collected, ann.warned()], [0, ['lock-kept']])
    setup.clock.nowUnixMs += 6 * day
    assert.deepEqual([(await ann.run('sync')).claims.collected, ann.warned()], [0, []])
    setup.clock.nowUnixMs += 2 * day
    assert.deepEqual([(await ann.run('sync')).claims.collected, ann.warned()], [0, ['lock-kept']])
    const { exitStatus } = await ann.runner.outcome('lock gc', onRemote)
    assert.deepEqual([exitStatus, ann.warned().length, setup.leases().length], [1, 6, 100])
  })

  it('sync deletes ended local locks once there are a hundred', async (t) => {
    const { clones, clock, refs, git } = await createActorClones(t, 'ann')
    const [ann] = clones
    await ann.run('lock acquire', { resource: 'one' })
    await ann.run('sync')
    const [ref = ''] = refs('refs/grite/locks', ann.path)
    const commit = git(ann.path, 'rev-parse', ref)
    // Copies of a lock under other refs count as damaged, so write a hundred real locks.
    await ann.runner.withRepository(async (repository) => {
      const { moveLock } = await import('../../src/wal/index.ts')
      for (let index = 0; index < 100; index++) {
        const resource = `lock ${index}`
        const lock = { owner: ann.id, nonce: 'n', expiresUnixMs: 0, resource, ttlMs: null, fence: 1, claim: null }
        const move = { ref: lockRefOf(resource), expected: null, lock, nowUnixMs: clock.nowUnixMs }
        await moveLock(repository.git, move)
      }
    })
    await ann.run('sync')
    assert.deepEqual(
      refs('refs/grite/locks', ann.path).map((name) => git(ann.path, 'rev-parse', name)),
      [commit],
      'the held lock is kept',
    )
  })
})

describe('lock gc', { concurrency: 4 }, () => {
  it('lock gc keeps the lock of a closed issue for a day', async (t) => {
    const { ann, bo, create, clock, refs } = await createActors(t)
    const id = await create()
    await ann.run('issue claim', { issue: id })
    await ann.run('issue close', { issue: [id] })
    assert.equal((await ann.run('lock gc')).removed, 0)
    await ann.run('issue reopen', { issue: [id] })
    assert.equal((await bo.run('issue claim', { issue: id })).outcome, 'claimed')
    await bo.run('issue close', { issue: [id] })
    clock.nowUnixMs += day + 1000
    assert.deepEqual([(await ann.run('lock gc')).removed, refs('refs/grite/locks')], [1, []])
  })
})
