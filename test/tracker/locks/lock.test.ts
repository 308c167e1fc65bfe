import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { encodeNamePart } from '../../../src/model/index.ts'
import { lockRefOf, moveLock, trackingRef } from '../../../src/wal/index.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'
import { createActors, type Data } from './lock-clones.ts'

const minute = 60_000

describe('lock acquire', { concurrency: 4 }, () => {
  it('lock acquire grants a free resource for five minutes', async (t) => {
    const { ann, clock } = await createActors(t)
    const held = await ann.run('lock acquire', { resource: 'plain' })
    assert.match(held.nonce, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.deepEqual(
      { ...held, nonce: '' },
      {
        ...{ resource: 'plain', owner: ann.id, nonce: '', expires_unix_ms: clock.nowUnixMs + 5 * minute },
        ...{ ttl_seconds: 300, outcome: 'acquired', level: 'local', remote: null, fence: clock.nowUnixMs },
        lock: { resource: 'plain', owner: ann.id, nonce: held.nonce, expires_unix_ms: held.expires_unix_ms },
      },
    )
  })

  it('--ttl takes seconds or a number with a unit', async (t) => {
    const { ann } = await createActors(t)
    const times = { '90': 90, '45s': 45, '15m': 900, '2h': 7200, '1d': 86_400 }
    for (const [ttl, seconds] of Object.entries(times)) {
      assert.equal((await ann.run('lock acquire', { resource: ttl, ttl })).ttl_seconds, seconds)
    }
  })

  it('an invalid --ttl is refused and writes no lock', async (t) => {
    const { ann, refs } = await createActors(t)
    for (const ttl of ['0', '0m', '-1', '1.5h', 'soon', '', '9999999999999999999', '4000d']) {
      const { code, field, value } = await ann.fail('lock acquire', { resource: 'plain', ttl })
      assert.deepEqual([code, field, value], ['invalid_args', 'ttl', ttl])
    }
    assert.deepEqual(refs('refs/grite/locks'), [])
  })

  it('a held lock is refused with holder and expiry', async (t) => {
    const { ann, bo, clock } = await createActors(t)
    await ann.run('lock acquire', { resource: 'plain' })
    const failure = await bo.fail('lock acquire', { resource: 'plain' })
    assert.deepEqual([failure.code, failure.exit, failure.reason], ['conflict', 4, 'held'])
    assert.deepEqual(
      [failure.owner, failure.holder, failure.expires_unix_ms, failure.level],
      [ann.id, 'ann', clock.nowUnixMs + 5 * minute, 'local'],
    )
    assert.match(failure.message, /^plain is held by ann \([0-9a-f]{8}\) until 2027-01-15T08:05:00\.000Z$/)
  })

  it('overlapping locks of another actor are refused until they expire', async (t) => {
    const { ann, bo, clock } = await createActors(t)
    const overlapping = [
      ['path:src', 'path:src/a'],
      ['path:lib/a', 'path:lib'],
      ['repo:global', 'plain'],
      ['other', 'repo:any'],
    ] as const
    for (const [first, second] of overlapping) {
      await ann.run('lock acquire', { resource: first })
      const { reason, held_resource } = await bo.fail('lock acquire', { resource: second })
      assert.deepEqual([reason, held_resource], ['held', first])
      assert.equal((await ann.run('lock acquire', { resource: second })).outcome, 'acquired', 'one’s own go together')
      clock.nowUnixMs += 5 * minute
      assert.equal((await bo.run('lock acquire', { resource: second })).outcome, 'taken-over')
      clock.nowUnixMs += 5 * minute
    }
  })

  it('re-acquiring extends a lock and keeps nonce and fence', async (t) => {
    const { ann, clock } = await createActors(t)
    const held = await ann.run('lock acquire', { resource: 'plain' })
    clock.nowUnixMs += minute
    const again = await ann.run('lock acquire', { resource: 'plain', ttl: '10m' })
    assert.deepEqual([again.outcome, again.nonce, again.fence], ['renewed', held.nonce, held.fence])
    assert.equal(again.expires_unix_ms, clock.nowUnixMs + 10 * minute)
    const shorter = await ann.run('lock acquire', { resource: 'plain', ttl: '1m' })
    assert.deepEqual([shorter.expires_unix_ms, shorter.ttl_seconds], [again.expires_unix_ms, 600])
  })

  it('each new holder gets the next fence in one chain', async (t) => {
    const { ann, bo, clock, git, path } = await createActors(t)
    const fences: number[] = []
    for (const actor of [ann, bo, ann]) {
      fences.push((await actor.run('lock acquire', { resource: 'plain' })).fence)
      clock.nowUnixMs += 5 * minute
    }
    assert.deepEqual(fences, [fences[0], (fences[0] as number) + 1, (fences[0] as number) + 2])
    assert.equal(git(path, 'rev-list', '--count', lockRefOf('plain')), '3')
    await ann.run('lock gc')
    assert.ok((await bo.run('lock acquire', { resource: 'plain' })).fence > (fences[2] as number))
  })

  it('an issue lock is named by the full id', async (t) => {
    const { ann, bo, create } = await createActors(t)
    const id = await create()
    assert.equal((await ann.run('lock acquire', { resource: `issue:${id.slice(0, 6)}` })).resource, `issue:${id}`)
    assert.equal((await bo.fail('lock acquire', { resource: `issue:${id.toUpperCase()}` })).owner, ann.id)
    for (const other of ['ab'.repeat(16), 'not-an-id', 'beefbeef'])
      assert.equal((await bo.fail('lock acquire', { resource: `issue:${other}` })).code, 'not_found', other)
  })

  it('an unreadable lock blocks only its own resource', async (t) => {
    const { ann, bo, git, path, gitWith } = await createActors(t)
    const tree = gitWith(
      `100644 blob ${gitWith('{', path, 'hash-object', '-w', '--stdin')}\tlock.json\n`,
      path,
      'mktree',
    )
    git(path, 'update-ref', lockRefOf('plain'), git(path, 'commit-tree', '-m', 'x', tree))
    assert.equal((await ann.fail('lock acquire', { resource: 'plain' })).reason, 'damaged')
    await ann.run('lock acquire', { resource: 'other' })
    assert.equal((await bo.fail('lock acquire', { resource: 'other' })).reason, 'held')
    const { locks, malformed } = await ann.run('lock status')
    assert.deepEqual(
      [locks.length, malformed[0].ref, malformed[0].problem],
      [1, lockRefOf('plain'), 'lock.json is not JSON'],
    )
    assert.equal((await ann.run('issue create', { title: 'still writes' })).title, 'still writes')
    assert.equal((await ann.run('lock release', { resource: 'plain' })).outcome, 'released')
    assert.equal((await bo.run('lock acquire', { resource: 'plain' })).outcome, 'acquired')
  })
})

describe('lock renew and release', { concurrency: 4 }, () => {
  it('only the holder can renew or release a lock', async (t) => {
    const { ann, bo, clock } = await createActors(t)
    const held = await ann.run('lock acquire', { resource: 'plain' })
    assert.equal((await bo.fail('lock renew', { resource: 'plain' })).owner, ann.id)
    assert.equal((await bo.fail('lock release', { resource: 'plain' })).owner, ann.id)
    const renewed = await ann.run('lock renew', { resource: 'plain', ttl: '1m' })
    assert.deepEqual([renewed.nonce, renewed.fence, renewed.ttl_seconds], [held.nonce, held.fence, 60])
    clock.nowUnixMs += minute
    assert.equal((await bo.fail('lock renew', { resource: 'plain' })).owner, ann.id)
    assert.equal((await ann.run('lock renew', { resource: 'plain' })).nonce, held.nonce)
  })

  it('lock renew acquires a free lock', async (t) => {
    const { ann, bo } = await createActors(t)
    assert.equal((await ann.run('lock renew', { resource: 'plain' })).outcome, 'acquired')
    await ann.run('lock release', { resource: 'plain' })
    assert.equal((await bo.run('lock renew', { resource: 'plain' })).outcome, 'acquired')
  })

  it('renewing an expired lock checks for overlapping locks', async (t) => {
    const { ann, bo, clock } = await createActors(t)
    await ann.run('lock acquire', { resource: 'path:src' })
    clock.nowUnixMs += 5 * minute
    await bo.run('lock acquire', { resource: 'path:src/a' })
    assert.equal((await ann.fail('lock renew', { resource: 'path:src' })).held_resource, 'path:src/a')
  })

  it('releasing adds a commit and frees the lock', async (t) => {
    const { ann, bo, git, path } = await createActors(t)
    await ann.run('lock acquire', { resource: 'plain' })
    const before = git(path, 'rev-parse', lockRefOf('plain'))
    const released = await ann.run('lock release', { resource: 'plain' })
    assert.deepEqual([released.released, released.outcome, released.level], [true, 'released', 'local'])
    assert.equal(git(path, 'rev-parse', `${lockRefOf('plain')}^`), before)
    assert.equal(JSON.parse(git(path, 'show', `${lockRefOf('plain')}:lock.json`)).expires_unix_ms, 0)
    assert.equal((await bo.run('lock acquire', { resource: 'plain' })).outcome, 'acquired')
  })

  it('releasing a lock you do not hold is a no-op', async (t) => {
    const { ann, bo, clock } = await createActors(t)
    const unchanged = { released: true, outcome: 'unchanged' }
    const release = async () => {
      const { released, outcome } = await ann.run('lock release', { resource: 'plain' })
      return { released, outcome }
    }
    assert.deepEqual(await release(), unchanged)
    await bo.run('lock acquire', { resource: 'plain' })
    clock.nowUnixMs += 5 * minute
    assert.deepEqual(await release(), unchanged)
    await ann.run('lock acquire', { resource: 'plain' })
    assert.equal((await release()).outcome, 'released')
    assert.deepEqual(await release(), unchanged)
  })
})

describe('lock status and gc', { concurrency: 4 }, () => {
  it('lock status lists live, expired and released locks', async (t) => {
    const { ann, bo, clock } = await createActors(t)
    await ann.run('lock acquire', { resource: 'live', ttl: '1h' })
    await bo.run('lock acquire', { resource: 'expired', ttl: '1m' })
    await ann.run('lock acquire', { resource: 'released' })
    await ann.run('lock release', { resource: 'released' })
    clock.nowUnixMs += 1500 + minute
    const { locks, total, malformed } = await ann.run('lock status')
    assert.deepEqual([total, malformed], [3, []])
    const byName = Object.fromEntries(locks.map((lock: Data) => [lock.resource, lock]))
    const fact = (name: string) => {
      const { state, expired, time_remaining_seconds, owner_label, is_own } = byName[name]
      return [state, expired, time_remaining_seconds, owner_label, is_own]
    }
    assert.deepEqual(fact('live'), ['live', false, 3538, 'ann', true])
    assert.deepEqual(fact('expired'), ['expired', true, 0, 'bo', false])
    assert.deepEqual(fact('released'), ['released', true, 0, 'ann', true])
    assert.deepEqual((await ann.run('lock status', { resource: 'live' })).total, 1)
    assert.deepEqual((await ann.run('lock status', { resource: 'repo:x' })).total, 3)
    assert.deepEqual((await ann.run('lock status', { resource: 'path:x' })).locks, [])
  })

  it('lock status names the conflicting locks', async (t) => {
    const { ann, bo, clock } = await createActors(t)
    await ann.run('lock acquire', { resource: 'path:src' })
    const conflicts = async (actor: typeof ann, resource?: string) =>
      (await actor.run('lock status', { resource })).conflicts.map((row: Data) => row.resource)
    assert.deepEqual(await conflicts(ann, 'path:src/a'), [])
    assert.deepEqual(await conflicts(bo, 'path:src/a'), ['path:src'])
    assert.deepEqual(await conflicts(bo), [])
    // The Rust tool checks only the lock it acquires.
    const { nowUnixMs } = clock
    const theirs = { owner: bo.id, nonce: 'n', resource: 'repo:all', ttlMs: null, fence: null, claim: null }
    await ann.runner.withRepository(({ git }) =>
      moveLock(git, {
        ref: lockRefOf('repo:all'),
        expected: null,
        lock: { ...theirs, expiresUnixMs: nowUnixMs + 1000 },
        nowUnixMs,
      }),
    )
    assert.deepEqual((await conflicts(ann)).sort(), ['path:src', 'repo:all'])
  })

  it('lock status creates no actor', async (t) => {
    const { run, withRepository } = createCommandSandbox(t)
    assert.deepEqual(await run('lock status'), { locks: [], total: 0, conflicts: [], malformed: [] })
    assert.equal(await withRepository((repository) => repository.findActor()), undefined)
  })

  it('lock gc deletes only ended locks', async (t) => {
    const { ann, bo, clock, refs } = await createActors(t)
    await ann.run('lock acquire', { resource: 'live', ttl: '1h' })
    await bo.run('lock acquire', { resource: 'expired', ttl: '1m' })
    await ann.run('lock acquire', { resource: 'released' })
    await ann.run('lock release', { resource: 'released' })
    clock.nowUnixMs += minute
    const { removed, kept, level } = await ann.run('lock gc')
    assert.deepEqual([removed, kept, level], [2, 1, 'local'])
    assert.deepEqual(refs('refs/grite/locks'), [lockRefOf('live')])
    assert.equal((await ann.run('lock gc')).removed, 0)
  })

  it('lock status warns of a lock with impossible times', async (t) => {
    const { ann, clock } = await createActors(t)
    await ann.run('lock acquire', { resource: 'sound', ttl: '1h' })
    const { nowUnixMs } = clock
    const plain = { owner: ann.id, nonce: 'n', resource: 'plain', ttlMs: null, fence: null, claim: null }
    const lock = { ...plain, expiresUnixMs: nowUnixMs - 5000 }
    await ann.runner.withRepository(({ git }) =>
      moveLock(git, { ref: lockRefOf('plain'), expected: null, lock, nowUnixMs }),
    )
    const { locks } = await ann.run('lock status')
    const strange = Object.fromEntries(locks.map((row: Data) => [row.resource, row.wrong_clock]))
    assert.deepEqual(strange, { sound: null, plain: 'it expired before it was written' })
    assert.deepEqual(ann.warned(), ['wrong-clock'])
  })
})

describe('locks of the Rust tool', { concurrency: 2 }, () => {
  const folder = fileURLToPath(new URL('../../../fixtures/repos/locks/', import.meta.url))
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'))
  const asPrinted = ({ resource, owner, expires_unix_ms, time_remaining_seconds, expired }: Data) => ({
    ...{ resource, owner, expires_unix_ms, time_remaining_seconds, expired },
  })

  it('locks of the Rust tool are listed as it prints them', async (t) => {
    const { git, path, run, warnings } = createCommandSandbox(t, { nowUnixMs: () => expected.locks_at_ms })
    git(path, 'fetch', '-q', join(folder, 'repo.bundle'), 'refs/grite/*:refs/grite/*')
    const { locks, total } = (await run('lock status')) as Data
    assert.deepEqual(locks.map(asPrinted), expected.locks)
    assert.equal(total, expected.locks.length)
    const refs = Object.entries<Data>(expected.local_locks)
    assert.deepEqual(
      locks.map(({ ref, nonce, owner, resource, expires_unix_ms }: Data) => [
        ref,
        { owner, nonce, expires_unix_ms, resource },
      ]),
      refs.map(([ref, { lock }]) => [ref, lock]),
    )
    assert.deepEqual(warnings, [])
  })

  it('fetched locks of the Rust tool are listed and honoured', async (t) => {
    const { git, path, run, warnings } = createCommandSandbox(t, { nowUnixMs: () => expected.locks_at_ms })
    const into = `refs/grite-remotes/${encodeNamePart('origin')}/grite/locks/*`
    git(path, 'fetch', '-q', join(folder, 'remote.bundle'), `refs/grite/locks/*:${into}`)
    const { locks } = (await run('lock status')) as Data
    const refs = Object.entries<Data>(expected.remote_locks)
    assert.deepEqual(
      locks.map(({ ref, nonce, owner, resource, expires_unix_ms }: Data) => [
        ref,
        { owner, nonce, expires_unix_ms, resource },
      ]),
      refs.map(([ref, { lock }]) => [ref, lock]),
    )
    assert.deepEqual(
      new Set(locks.map(({ level, kind, remote }: Data) => `${level} ${kind} ${remote}`)),
      new Set(['remote lock origin']),
    )
    for (const resource of ['issue:active', 'plain', 'path:src/größe/a']) {
      await assert.rejects(run('lock acquire', { resource }), { code: 'conflict' })
    }
    assert.deepEqual(warnings, [])
    assert.equal(git(path, 'for-each-ref', 'refs/grite/locks'), '')
  })

  it('our locks follow those of the Rust tool in one chain', async (t) => {
    const now = expected.locks_at_ms + 60_000
    const { git, path, run } = createCommandSandbox(t, { nowUnixMs: () => now })
    const into = `refs/grite-remotes/${encodeNamePart('origin')}/grite/locks/*`
    git(path, 'fetch', '-q', join(folder, 'remote.bundle'), `refs/grite/locks/*:${into}`)
    // All other locks on that remote are live for years.
    const ended = ['repo:global', 'issue:taken-over'].map(lockRefOf)
    for (const ref of Object.keys(expected.remote_locks)) {
      if (!ended.includes(ref as never)) git(path, 'update-ref', '-d', trackingRef('origin', ref))
    }
    const held = (await run('lock acquire', { resource: 'issue:taken-over' })) as Data
    assert.deepEqual([held.outcome, held.fence], ['acquired', now])
    const theirs = expected.remote_locks[lockRefOf('issue:taken-over')].commit
    assert.equal(git(path, 'rev-parse', `${lockRefOf('issue:taken-over')}^`), theirs)
  })
})
