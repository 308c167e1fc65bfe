/** Claims and locks among clones, through a remote. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type IssueId, limits } from '../../../src/model/index.ts'
import { leaseRefOf, lockRefOf, trackingRef, walRef } from '../../../src/wal/index.ts'
import { batchOf, idsOnChain, makeEvent, writeBatch } from '../../support/log.ts'
import { type ActorClones, createActorClones, type Data } from '../locks/lock-clones.ts'

const hour = 3_600_000
const onRemote = { remote: '' }

/** Installs a hook in the remote. */
function hook(origin: string, name: string, script: string): void {
  mkdirSync(join(origin, 'hooks'), { recursive: true })
  writeFileSync(join(origin, 'hooks', name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(origin, 'hooks', name), 0o755)
}

describe('lock --remote', { concurrency: 4 }, () => {
  it('a remote lock excludes all clones until its release', async (t) => {
    const { clones, leases, leaseFile, refs, clock, origin, git } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const held = await ann.run('lock acquire', { resource: 'path:src', ...onRemote })
    assert.deepEqual([held.level, held.remote, held.outcome], ['remote', 'origin', 'acquired'])
    assert.deepEqual(leases(), [leaseRefOf('path:src')])
    assert.deepEqual(leaseFile(leaseRefOf('path:src')), {
      ...{ owner: ann.id, nonce: held.nonce, expires_unix_ms: clock.nowUnixMs + 300_000, resource: 'path:src' },
      ...{ ttl_ms: 300_000, fence: held.fence },
    })
    for (const resource of ['path:src', 'path:src/a', 'repo:all']) {
      const failure = await bo.fail('lock acquire', { resource, ...onRemote })
      assert.deepEqual([failure.exit, failure.owner, failure.level, failure.remote], [4, ann.id, 'remote', 'origin'])
      assert.equal(failure.expires_unix_ms, held.expires_unix_ms)
    }
    assert.equal((await bo.fail('lock acquire', { resource: 'path:src' })).reason, 'held', 'as of the last fetch')
    assert.equal((await bo.fail('lock release', { resource: 'path:src', ...onRemote })).owner, ann.id)
    assert.equal((await ann.run('lock renew', { resource: 'path:src', ttl: '10m' })).level, 'remote')
    assert.equal((await ann.run('lock release', { resource: 'path:src' })).level, 'remote')
    const next = await bo.run('lock acquire', { resource: 'path:src/a', ...onRemote })
    assert.equal(next.outcome, 'acquired')
    const taken = await bo.run('lock acquire', { resource: 'path:src', ...onRemote })
    assert.equal(taken.fence, held.fence + 1)
    assert.equal(git(origin, 'rev-list', '--count', leaseRefOf('path:src')), '4')
    for (const { path } of clones) assert.deepEqual(refs('refs/grite/', path), [])
  })

  it('a lease lasts half a minute longer for others', async (t) => {
    const { clones, clock } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const { fence } = await ann.run('lock acquire', { resource: 'plain', ttl: '60', ...onRemote })
    clock.nowUnixMs += 89_999
    assert.equal((await bo.fail('lock acquire', { resource: 'plain', ...onRemote })).reason, 'held')
    clock.nowUnixMs += 1
    const taken = await bo.run('lock acquire', { resource: 'plain', ...onRemote })
    assert.deepEqual([taken.outcome, taken.fence], ['taken-over', fence + 1])
    assert.equal((await ann.fail('lock renew', { resource: 'plain', ...onRemote })).owner, bo.id)
  })

  it('a configured lease remote is the default, --local overrides it', async (t) => {
    const { clones, leases, refs } = await createActorClones(t, 'ann')
    const [ann] = clones
    ann.configure('[lease]\nremote = "origin"\n')
    assert.equal((await ann.run('lock acquire', { resource: 'a' })).level, 'remote')
    assert.equal((await ann.run('lock acquire', { resource: 'b', local: true })).level, 'local')
    assert.deepEqual([leases(), refs('refs/grite/locks', ann.path)], [[leaseRefOf('a')], [lockRefOf('b')]])
    assert.equal((await ann.run('lock release', { resource: 'b' })).outcome, 'released')
    assert.equal((await ann.fail('lock acquire', { resource: 'c', local: true, ...onRemote })).field, 'local')
  })

  it('a remote lock lasts at most a day', async (t) => {
    const { clones, leases } = await createActorClones(t, 'ann')
    const [ann] = clones
    assert.equal((await ann.fail('lock acquire', { resource: 'a', ttl: '25h', ...onRemote })).max, '24h')
    assert.deepEqual(leases(), [])
    assert.equal((await ann.run('lock acquire', { resource: 'a', ttl: '25h' })).ttl_seconds, 90_000)
  })

  it('a remote lock fails without a network or when the host refuses', async (t) => {
    const { clones, leases, git, origin } = await createActorClones(t, 'ann')
    const [ann] = clones
    assert.equal((await ann.fail('lock acquire', { resource: 'a', remote: 'nowhere' })).code, 'not_found')
    hook(origin, 'update', 'case $1 in refs/grite-leases/*) exit 1;; esac')
    const refused = await ann.fail('lock acquire', { resource: 'a', ...onRemote })
    assert.deepEqual([refused.exit, refused.code, refused.reason], [5, 'remote_error', 'rejected'])
    git(ann.path, 'remote', 'set-url', 'origin', join(origin, 'gone'))
    assert.equal((await ann.fail('lock acquire', { resource: 'a', ...onRemote })).reason, 'unreachable')
    assert.deepEqual([leases(), (await ann.run('lock status')).locks], [[], []])
  })

  it('remote locks of the Rust tool are honoured, only ended ones deleted', async (t) => {
    const { clones, git, origin, clock, refs } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    // The Rust tool pushes the locks of its clone.
    await bo.run('lock acquire', { resource: 'live', ttl: '1h' })
    await bo.run('lock acquire', { resource: 'ended', ttl: '1m' })
    git(bo.path, 'push', '-q', 'origin', 'refs/grite/locks/*:refs/grite/locks/*')
    git(origin, 'update-ref', lockRefOf('damaged'), git(origin, 'hash-object', '-w', '--stdin'))
    await ann.run('lock acquire', { resource: 'lease', ttl: '1m', ...onRemote })
    clock.nowUnixMs += 120_000
    assert.equal((await ann.fail('lock acquire', { resource: 'live', ...onRemote })).owner, bo.id)
    const { locks, malformed } = await ann.run('lock status')
    const seen = locks.map(({ resource, state, kind, level }: Data) => [resource, state, kind, level].join(' '))
    assert.deepEqual(seen.sort(), ['ended expired lock remote', 'lease expired lease remote', 'live live lock remote'])
    assert.deepEqual([malformed.length, malformed[0].ref], [1, lockRefOf('damaged')])
    const { removed, kept, level, remote, refused } = await ann.run('lock gc', onRemote)
    assert.deepEqual([removed, kept, level, remote, refused], [1, 3, 'remote', 'origin', []])
    const left = [leaseRefOf('lease'), lockRefOf('damaged'), lockRefOf('live')]
    assert.deepEqual([...refs('refs/grite-leases', origin), ...refs('refs/grite/locks', origin)].sort(), left.sort())
    assert.equal((await ann.run('lock gc', onRemote)).removed, 0)
    await ann.run('sync')
    assert.deepEqual([...refs('refs/grite-leases', origin), ...refs('refs/grite/locks', origin)].sort(), left.sort())
  })

  it('lock gc reports refs that the host will not delete', async (t) => {
    const { clones, git, origin, clock } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    await bo.run('lock acquire', { resource: 'ended', ttl: '1m' })
    git(bo.path, 'push', '-q', 'origin', 'refs/grite/locks/*:refs/grite/locks/*')
    hook(origin, 'update', 'exit 1')
    clock.nowUnixMs += 120_000
    const { removed, kept, refused } = await ann.run('lock gc', onRemote)
    assert.deepEqual([removed, kept, refused[0].ref], [0, 1, lockRefOf('ended')])
    assert.deepEqual(ann.warned(), ['lock-kept'])
  })
})

describe('claim --remote', { concurrency: 4 }, () => {
  it('a remote claim pushes assignee and lease together', async (t) => {
    const { clones, share, leases, git, origin, refs } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    await ann.run('issue comment', { issue: id, body: 'only here so far' })
    const claimed = await ann.run('issue claim', { issue: id, ...onRemote })
    assert.deepEqual([claimed.outcome, claimed.level, claimed.remote], ['claimed', 'remote', 'origin'])
    assert.deepEqual(leases(), [leaseRefOf(`issue:${id}`)])
    assert.equal(git(origin, 'rev-parse', 'refs/grite/wal'), claimed.wal_head)
    assert.equal(git(ann.path, 'rev-parse', 'refs/grite/wal'), claimed.wal_head)
    assert.deepEqual(refs('refs/grite/locks', ann.path), [])
    const failure = await bo.fail('issue claim', { issue: id, ...onRemote })
    assert.deepEqual([failure.exit, failure.reason, failure.holder, failure.level], [4, 'held', 'ann', 'remote'])
    assert.equal(failure.expires_unix_ms, claimed.expires_unix_ms)
    const { issue } = await bo.run('issue show', { issue: id })
    assert.deepEqual([issue.assignees, issue.comment_count], [['ann'], 1], 'the loser sees why')
    assert.equal((await ann.run('issue claim', { issue: id, renew: true })).outcome, 'renewed', 'wherever it is')
  })

  it('a remote claim of the next issue sees all clones', async (t) => {
    const { clones, share, cloneOf } = await createActorClones(t, 'ann')
    const [ann] = clones
    const [one, two] = [await share('one'), await share('two')]
    const bo = await cloneOf('bo')
    assert.deepEqual((await bo.run('issue list')).issues, [], 'bo knows of nothing yet')
    assert.equal((await ann.run('issue claim', { next: true, ...onRemote })).issue_id, one)
    assert.equal((await bo.run('issue claim', { next: true, ...onRemote })).issue_id, two)
    assert.equal((await bo.fail('issue claim', { next: true, ...onRemote })).code, 'not_found')
  })

  it('an expired remote claim can be taken over', async (t) => {
    const { clones, share, clock } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    const { fence } = await ann.run('issue claim', { issue: id, ...onRemote })
    clock.nowUnixMs += hour
    assert.equal((await bo.fail('issue claim', { next: true, ...onRemote })).code, 'not_found')
    clock.nowUnixMs += 30_000
    const taken = await bo.run('issue claim', { next: true, ...onRemote })
    assert.deepEqual([taken.issue_id, taken.removed_assignees, taken.fence], [id, ['ann'], fence + 1])
    await ann.run('sync')
    assert.deepEqual((await ann.run('issue show', { issue: id })).issue.assignees, ['bo'])
  })

  it('unclaiming releases the lease for all clones', async (t) => {
    const { clones, share } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    await ann.run('issue claim', { issue: id, ...onRemote })
    assert.equal((await bo.fail('issue unclaim', { issue: id, ...onRemote })).holder, 'ann')
    const back = await ann.run('issue unclaim', { issue: id })
    assert.deepEqual([back.outcome, back.level, back.event_ids.length], ['unclaimed', 'remote', 1])
    const claimed = await bo.run('issue claim', { issue: id, ...onRemote })
    assert.deepEqual([claimed.outcome, claimed.removed_assignees], ['claimed', []])
  })

  it('a repository lock blocks remote claims and unclaims under require', async (t) => {
    const { clones, share, clock, git, origin, refs } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    ann.configure('lock_policy = "require"\n')
    const [id, other] = [await share('one'), await share('two')]
    const theirs = () => refs('refs', origin).map((ref) => git(origin, 'rev-parse', ref))
    for (const issue of [id, other]) await ann.run('issue claim', { issue, ttl: '1m', ...onRemote })
    // Releasing this one adds nothing to the log, but would push what the log already has.
    await ann.run('issue assignee remove', { issue: [other], user: ['ann'] })
    clock.nowUnixMs += 2 * 60_000
    await bo.run('lock acquire', { resource: 'repo:release', ...onRemote })
    const before = theirs()
    for (const issue of [id, other]) {
      const failure = await ann.fail('issue unclaim', { issue, ...onRemote })
      assert.deepEqual([failure.exit, failure.held_resource, failure.policy], [4, 'repo:release', 'require'], issue)
    }
    for (const input of [{ issue: id }, { issue: id, renew: true }, { next: true }])
      assert.equal((await ann.fail('issue claim', { ...input, ...onRemote })).held_resource, 'repo:release')
    assert.deepEqual(theirs(), before)
    await bo.run('lock release', { resource: 'repo:release', ...onRemote })
    for (const issue of [id, other])
      assert.equal((await ann.run('issue unclaim', { issue, ...onRemote })).outcome, 'unclaimed')
  })

  it('a remote claim pushes earlier events of the clone, too', async (t) => {
    const { clones, share, git, origin } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const heads = () => [ann.path, origin].map((at) => git(at, 'rev-parse', 'refs/grite/wal'))
    const id = await share()
    await ann.run('issue assignee add', { issue: [id], user: ['ann'] })
    assert.deepEqual((await ann.run('issue claim', { issue: id, ...onRemote })).event_ids, [])
    assert.equal(heads()[0], heads()[1], 'claimed')
    await ann.run('issue assignee remove', { issue: [id], user: ['ann'] })
    assert.deepEqual((await ann.run('issue unclaim', { issue: id })).event_ids, [])
    assert.equal(heads()[0], heads()[1], 'given back')
    assert.equal((await bo.run('issue claim', { issue: id, ...onRemote })).outcome, 'claimed')
  })

  for (const [how, prepare] of [
    ['in one push', () => {}],
    ['step by step', ({ git, origin }) => void git(origin, 'config', 'receive.advertiseAtomic', 'false')],
  ] as readonly (readonly [string, (setup: ActorClones) => void])[]) {
    it(`a slow remote claim keeps its assignee removable, ${how}`, async (t) => {
      const setup = await createActorClones(t, 'ann')
      const [ann] = setup.clones
      const id = await setup.share()
      prepare(setup)
      let nowUnixMs = setup.clock.nowUnixMs
      Object.defineProperty(setup.clock, 'nowUnixMs', { get: () => (nowUnixMs += 10) })
      await ann.run('issue claim', { issue: id, ...onRemote })
      assert.equal((await ann.run('issue unclaim', { issue: id })).event_ids.length, 1)
      assert.deepEqual((await ann.run('issue show', { issue: id })).issue.assignees, [])
    })
  }

  it('a claim of a closed issue holds until the next sync', async (t) => {
    const { clones, share, leaseFile } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    await ann.run('issue claim', { issue: id, ...onRemote })
    await ann.run('issue close', { issue: [id] })
    assert.equal((await bo.fail('issue claim', { issue: id, ...onRemote })).reason, 'held')
    const { claims } = await ann.run('sync')
    assert.deepEqual(claims, { lost: [], renewed: [], released: [id], shared: [], collected: 0 })
    assert.equal(leaseFile(leaseRefOf(`issue:${id}`)).expires_unix_ms, 0)
    assert.equal((await bo.fail('issue claim', { issue: id, ...onRemote })).reason, 'closed')
  })

  it('a sync renews its holder’s remote claims', async (t) => {
    const { clones, share, clock, leaseFile } = await createActorClones(t, 'ann')
    const [ann] = clones
    const id = await share()
    await ann.run('issue claim', { issue: id, ...onRemote })
    clock.nowUnixMs += 0.4 * hour
    assert.deepEqual((await ann.run('sync')).claims.renewed, [])
    clock.nowUnixMs += 0.2 * hour
    assert.deepEqual((await ann.run('sync')).claims.renewed, [id])
    assert.equal(leaseFile(leaseRefOf(`issue:${id}`)).expires_unix_ms, clock.nowUnixMs + hour)
  })

  it('a remote claim works without atomic pushes', async (t) => {
    const { clones, share, git, origin, leases } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    git(origin, 'config', 'receive.advertiseAtomic', 'false')
    assert.equal((await ann.run('issue claim', { issue: id, ...onRemote })).outcome, 'claimed')
    assert.equal(leases().length, 1)
    assert.equal((await bo.fail('issue claim', { issue: id, ...onRemote })).holder, 'ann')
    assert.deepEqual((await bo.run('issue show', { issue: id })).issue.assignees, ['ann'])
    assert.equal((await ann.run('issue unclaim', { issue: id })).outcome, 'unclaimed')
    assert.equal((await bo.run('issue claim', { issue: id, ...onRemote })).outcome, 'claimed')
  })

  it('a refused log is reported and the lease kept, step by step', async (t) => {
    const { clones, share, git, origin, leaseFile } = await createActorClones(t, 'ann')
    const [ann] = clones
    const id = await share()
    const lease = leaseRefOf(`issue:${id}`)
    git(origin, 'config', 'receive.advertiseAtomic', 'false')
    hook(origin, 'update', 'case $1 in refs/grite/wal) exit 1;; esac')
    assert.equal((await ann.run('issue claim', { issue: id, ...onRemote })).outcome, 'claimed')
    const [warning] = ann.runner.warnings
    assert.deepEqual([warning?.code, warning?.details?.remote], ['claim-not-sent', 'origin'])
    assert.match(warning?.message ?? '', /does not show it yet: .*hook declined/)
    const failure = await ann.fail('issue unclaim', { issue: id, ...onRemote })
    assert.deepEqual([failure.exit, failure.reason, failure.ref], [5, 'rejected', 'refs/grite/wal'])
    assert.notEqual(leaseFile(lease).expires_unix_ms, 0)
    rmSync(join(origin, 'hooks/update'))
    assert.equal((await ann.run('issue unclaim', { issue: id, ...onRemote })).outcome, 'unclaimed')
    assert.equal(leaseFile(lease).expires_unix_ms, 0)
    assert.equal(git(origin, 'rev-parse', 'refs/grite/wal'), git(ann.path, 'rev-parse', 'refs/grite/wal'))
  })

  it('a claim uses one view of the remote despite concurrent fetches', async (t) => {
    const { clones, share, git, origin, clock } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    const lease = leaseRefOf(`issue:${id}`)
    const tracking = trackingRef('origin', lease)
    await bo.run('issue claim', { issue: id, ...onRemote })
    const held = git(origin, 'rev-parse', lease)
    await bo.run('issue unclaim', { issue: id, ...onRemote })
    const free = git(origin, 'rev-parse', lease)
    await ann.run('sync', { pull: true })
    const nowUnixMs = clock.nowUnixMs
    let [looks, fetchAt] = [0, 0]
    // The reads of its clock are the only visible moments of a command.
    const look = () => {
      if (git(ann.path, 'rev-parse', tracking) === held) looks += 1
      if (looks === fetchAt) git(ann.path, 'update-ref', tracking, free)
      return nowUnixMs
    }
    git(origin, 'update-ref', lease, held)
    Object.defineProperty(clock, 'nowUnixMs', { get: look })
    do {
      fetchAt += 1
      looks = 0
      assert.equal((await ann.fail('issue claim', { issue: id, ...onRemote })).reason, 'held')
    } while (looks >= fetchAt)
    assert.ok(fetchAt > 2)
  })

  it('a claim works on a remote that is not the home remote', async (t) => {
    const { clones, share, git, dir, refs } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    git(dir, 'init', '-q', '--bare', '--template=', 'other.git')
    for (const { path } of [ann, bo]) git(path, 'remote', 'add', 'other', join(dir, 'other.git'))
    assert.equal((await ann.run('issue claim', { issue: id, remote: 'other' })).remote, 'other')
    assert.equal((await bo.fail('issue claim', { issue: id, remote: 'other' })).holder, 'ann')
    assert.deepEqual(refs('refs/grite-leases', join(dir, 'other.git')), [leaseRefOf(`issue:${id}`)])
  })

  it('a refused claim names the ref that the host refused', async (t) => {
    const { clones, share, origin, leases } = await createActorClones(t, 'ann')
    const [ann] = clones
    const id = await share()
    for (const [pattern, ref] of [
      ['refs/grite/wal', 'refs/grite/wal'],
      ['refs/grite-leases/*', leaseRefOf(`issue:${id}`)],
    ] as const) {
      hook(origin, 'update', `case $1 in ${pattern}) exit 1;; esac`)
      const failure = await ann.fail('issue claim', { issue: id, ...onRemote })
      assert.deepEqual([failure.exit, failure.reason, failure.ref], [5, 'rejected', ref])
      assert.ok(failure.message.includes(ref), failure.message)
    }
    assert.deepEqual(leases(), [])
  })

  it('an overlapping lease that arrives meanwhile wins', async (t) => {
    const { clones, share, git, origin, leaseFile } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    await bo.run('lock acquire', { resource: 'repo:all', ttl: '1h', ...onRemote })
    const rival = leaseRefOf('repo:all')
    const theirs = git(origin, 'rev-parse', rival)
    git(origin, 'update-ref', 'refs/heads/aside', theirs)
    // Nobody holds it when ann looks; it appears once her push is accepted.
    hook(origin, 'post-receive', `git update-ref ${rival} ${theirs}`)
    const reach = {
      'issue claim': { issue: id },
      'lock acquire': { resource: 'plain' },
    }
    // This policy blocks every write, and releasing the lease is one.
    ann.configure('lock_policy = "require"\n')
    for (const [name, input] of Object.entries(reach)) {
      git(origin, 'update-ref', '-d', rival)
      const failure = await ann.fail(name, { ...input, ...onRemote })
      assert.deepEqual([failure.reason, failure.held_resource, failure.owner], ['held', 'repo:all', bo.id], name)
    }
    assert.equal(leaseFile(leaseRefOf('plain')).expires_unix_ms, 0)
    assert.equal(leaseFile(leaseRefOf(`issue:${id}`)).expires_unix_ms, 0)
    assert.deepEqual((await ann.run('issue show', { issue: id })).issue.assignees, [])
    await bo.run('sync', { pull: true })
    assert.deepEqual((await bo.run('issue show', { issue: id })).issue.assignees, [])
  })

  it('an accepted lease stands when the remote then disappears', async (t) => {
    const { clones, share, origin, leaseFile, clock } = await createActorClones(t, 'ann')
    const [ann] = clones
    const id = await share()
    hook(origin, 'post-receive', 'mv HEAD away')
    const reach = [
      ['issue claim', { issue: id }, `issue:${id}`, 'claimed'],
      ['lock acquire', { resource: 'plain' }, 'plain', 'acquired'],
    ] as const
    for (const [name, input, resource, outcome] of reach) {
      const taken = await ann.run(name, { ...input, ...onRemote })
      const [warning, ...others] = ann.runner.warnings.splice(0)
      renameSync(join(origin, 'away'), join(origin, 'HEAD'))
      assert.equal(taken.outcome, outcome)
      assert.deepEqual([warning?.code, warning?.details?.resource, others], ['not-looked-again', resource, []], name)
      assert.match(warning?.message ?? '', /^acquired .*cannot reach 'origin'/)
      assert.equal(leaseFile(leaseRefOf(resource)).expires_unix_ms, taken.expires_unix_ms)
    }
    assert.ok(clock.nowUnixMs < leaseFile(leaseRefOf('plain')).expires_unix_ms)
  })

  it('an overlap is refused even when the lease cannot be released', async (t) => {
    const { clones, share, git, origin } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    await bo.run('lock acquire', { resource: 'repo:all', ttl: '1h', ...onRemote })
    const rival = leaseRefOf('repo:all')
    const theirs = git(origin, 'rev-parse', rival)
    git(origin, 'update-ref', 'refs/heads/aside', theirs)
    // The first push is accepted, no later one.
    const refuse = "printf '#!/bin/sh\nexit 1\n' > hooks/pre-receive; chmod +x hooks/pre-receive"
    hook(origin, 'post-receive', `git update-ref ${rival} ${theirs}; ${refuse}`)
    const reach = { 'issue claim': { issue: id }, 'lock acquire': { resource: 'plain' } }
    for (const [name, input] of Object.entries(reach)) {
      git(origin, 'update-ref', '-d', rival)
      rmSync(join(origin, 'hooks/pre-receive'), { force: true })
      const failure = await ann.fail(name, { ...input, ...onRemote })
      assert.deepEqual([failure.exit, failure.reason, failure.held_resource], [4, 'held', 'repo:all'], name)
      assert.deepEqual(ann.warned(), ['lock-not-moved'], name)
    }
  })

  it('an accepted claim stands when the local log cannot follow', async (t) => {
    const { clones, share, git, origin } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    await bo.run('issue comment', { issue: id, body: 'meanwhile' })
    git(ann.path, 'fetch', '-q', bo.path, 'refs/grite/wal:refs/heads/aside')
    // Another process of the clone writes during the push, then the network fails.
    const move = `git --git-dir="${ann.path}/.git" update-ref refs/grite/wal refs/heads/aside`
    hook(origin, 'post-receive', `unset GIT_DIR GIT_QUARANTINE_PATH; here=$PWD; ${move}; mv "$here/HEAD" "$here/away"`)
    assert.equal((await ann.run('issue claim', { issue: id, ...onRemote })).outcome, 'claimed')
    assert.deepEqual(ann.warned(), ['log-not-followed', 'not-looked-again'])
    renameSync(join(origin, 'away'), join(origin, 'HEAD'))
    rmSync(join(origin, 'hooks/post-receive'))
    await ann.run('sync')
    const { issue } = await ann.run('issue show', { issue: id })
    assert.deepEqual([issue.assignees, issue.comment_count], [['ann'], 1])
    assert.equal((await ann.run('issue unclaim', { issue: id })).event_ids.length, 1)
  })

  it('a contended claim fails and takes nothing', async (t) => {
    const { clones, share, git, origin, leases, clock } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    // Every push comes just after somebody else's.
    await bo.run('issue comment', { issue: id, body: 'x' })
    const head = git(bo.path, 'rev-parse', 'refs/grite/wal')
    git(bo.path, 'push', '-q', 'origin', `${head}:refs/heads/aside`)
    const moved = 'git commit-tree -p refs/grite/wal -m "$$ $(date +%N)" refs/grite/wal^{tree}'
    hook(origin, 'pre-receive', `unset GIT_QUARANTINE_PATH\ngit update-ref refs/grite/wal $(${moved})`)
    const ticking = setInterval(() => {
      clock.nowUnixMs += 2500
    }, 50)
    t.after(() => clearInterval(ticking))
    for (const input of [{ issue: id }, { next: true }]) {
      const failure = await ann.fail('issue claim', { ...input, ...onRemote })
      assert.deepEqual([failure.exit, failure.reason], [4, 'contended'], Object.keys(input)[0])
    }
    assert.deepEqual(leases(), [])
  })

  it('a claim ends when a remote ref stays locked', async (t) => {
    const { clones, share, origin, leases } = await createActorClones(t, 'ann')
    const [ann] = clones
    for (const title of ['one', 'two', 'three']) await share(title)
    writeFileSync(join(origin, 'refs/grite/wal.lock'), '')
    // The clock stands still, so the rounds run out.
    const failure = await ann.fail('issue claim', { next: true, ...onRemote })
    assert.deepEqual([failure.exit, failure.reason, failure.ref], [5, 'rejected', 'refs/grite/wal'])
    assert.ok(failure.message.includes(failure.remote_message) && failure.remote_message !== '', failure.message)
    assert.deepEqual(leases(), [])
    rmSync(join(origin, 'refs/grite/wal.lock'))
    assert.equal((await ann.run('issue claim', { next: true, ...onRemote })).outcome, 'claimed')
  })
})

describe('local claims in several clones', { concurrency: 4 }, () => {
  it('one of two local claims stands after both clones sync', async (t) => {
    const { clones, share, clock, git, origin } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    await ann.run('issue claim', { issue: id, local: true })
    clock.nowUnixMs += 1000
    await bo.run('issue claim', { issue: id, local: true })
    assert.deepEqual((await bo.run('sync')).claims.lost, [], 'nobody has said anything else yet')
    assert.deepEqual((await ann.run('sync')).claims.lost, [])
    assert.deepEqual(ann.warned(), [])
    assert.deepEqual((await bo.run('sync')).claims.lost, [id])
    assert.deepEqual(bo.warned(), ['claim-lost'])
    assert.equal((await bo.run('lock status')).locks[0].state, 'released')
    for (const clone of [bo, ann, bo]) assert.deepEqual((await clone.run('sync')).claims.lost, [])
    for (const clone of clones) {
      assert.deepEqual((await clone.run('issue show', { issue: id })).issue.assignees, ['ann'])
    }
    assert.equal((await ann.run('lock status')).locks[0].state, 'live')
    assert.equal(git(ann.path, 'rev-parse', 'refs/grite/wal'), git(origin, 'rev-parse', 'refs/grite/wal'))
    await ann.runner.withRepository(async ({ git: port }) => {
      const ids = await idsOnChain(port, await port.readRef('refs/grite/wal' as never))
      assert.equal(new Set(ids).size, ids.length)
    })
  })

  it('claims on an issue at the end of time are settled', async (t) => {
    const { clones, share } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    await ann.runner.withRepository(async ({ git: port }) => {
      const head = await port.readRef(walRef)
      const last = makeEvent(id as IssueId, { type: 'CommentAdded', body: 'x' }, { ts: limits.tsUnixMsMax })
      const next = await writeBatch(port, batchOf([last]), head)
      await port.publish({
        objects: [],
        updates: [{ ref: walRef, expected: head, next, reflogMessage: 'grite: x', keepsReflog: true }],
      })
    })
    for (const clone of [ann, bo]) await clone.run('sync')
    for (const clone of [ann, bo]) await clone.run('issue claim', { issue: id })
    for (const clone of [ann, bo, ann]) await clone.run('sync')
    assert.equal([...ann.warned(), ...bo.warned()].filter((code) => code === 'claim-lost').length, 1)
    for (const clone of [bo, ann, bo]) assert.deepEqual((await clone.run('sync')).claims.lost, [])
    assert.deepEqual([...ann.warned(), ...bo.warned()], [])
  })

  it('a local claim loses to a remote lease', async (t) => {
    const { clones, share, clock } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    // Under this policy the winner's lease would block the loser from unassigning itself.
    ann.configure('lock_policy = "require"\n')
    await ann.run('issue claim', { issue: id, local: true })
    clock.nowUnixMs += 1000
    await bo.run('issue claim', { issue: id, ...onRemote })
    assert.deepEqual((await ann.run('sync')).claims.lost, [id])
    const [warning] = ann.runner.warnings
    assert.equal(warning?.code, 'claim-lost')
    assert.match(warning?.message ?? '', /^lost the claim on issue [0-9a-f]{7} 'one': bo holds it until 2027-/)
    assert.deepEqual([warning?.details?.holder, warning?.details?.owner], ['bo', bo.id])
    assert.deepEqual((await ann.run('issue show', { issue: id })).issue.assignees, ['bo'])
  })

  it('a sync pushes local claims where leases are configured', async (t) => {
    const { clones, share, clock } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    for (const clone of [ann, bo]) clone.configure('[lease]\nremote = "origin"\n')
    const id = await share()
    await ann.run('issue claim', { issue: id, local: true })
    assert.deepEqual((await ann.run('sync')).claims, {
      lost: [],
      renewed: [],
      released: [],
      shared: [id],
      collected: 0,
    })
    const failure = await bo.fail('issue claim', { issue: id })
    assert.deepEqual([failure.holder, failure.level], ['ann', 'remote'])
    clock.nowUnixMs += hour + 30_000
    assert.deepEqual((await bo.run('issue claim', { issue: id })).removed_assignees, ['ann'])
  })

  it('claims and leases wait for a sync that pushes', async (t) => {
    const { clones, share, clock, git, origin, refs, leaseFile } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    ann.configure('[lease]\nremote = "origin"\n')
    const [local, due, closed, lost] = [await share('a'), await share('b'), await share('c'), await share('d')]
    for (const issue of [due, closed]) await ann.run('issue claim', { issue })
    await ann.run('issue close', { issue: [closed] })
    git(ann.path, 'push', '-q', 'origin', 'refs/grite/wal')
    assert.deepEqual((await ann.run('sync', { pull: true })).claims.released, [])
    assert.notEqual(leaseFile(leaseRefOf(`issue:${closed}`)).expires_unix_ms, 0)
    for (const issue of [local, lost]) await ann.run('issue claim', { issue, local: true })
    await bo.run('issue claim', { issue: lost, ...onRemote })
    clock.nowUnixMs += 0.6 * hour
    const theirs = () => refs('refs', origin).map((ref) => `${ref} ${git(origin, 'rev-parse', ref)}`)
    const before = theirs()
    assert.deepEqual((await ann.run('sync', { pull: true })).claims, {
      ...{ lost: [lost], renewed: [], released: [], shared: [], collected: 0 },
    })
    assert.deepEqual(ann.warned(), ['claim-lost'])
    assert.deepEqual(theirs(), before)
    assert.deepEqual((await ann.run('sync')).claims, {
      ...{ lost: [], renewed: [due], released: [closed], shared: [local], collected: 0 },
    })
    assert.equal(leaseFile(leaseRefOf(`issue:${closed}`)).expires_unix_ms, 0)
  })

  it('two claims of one name keep that assignee', async (t) => {
    const { clones, share, clock, actorIn } = await createActorClones(t, 'ann', 'bo')
    const id = await share()
    const twins = [await actorIn(clones[0].path, 'twin'), await actorIn(clones[1].path, 'twin')] as const
    for (const twin of twins) {
      await twin.run('issue claim', { issue: id })
      clock.nowUnixMs += 1000
    }
    await twins[0].run('sync')
    assert.deepEqual((await twins[1].run('sync')).claims.lost, [id])
    await twins[1].run('sync')
    assert.deepEqual((await twins[0].run('sync')).claims.lost, [])
    for (const twin of twins) assert.deepEqual((await twin.run('issue show', { issue: id })).issue.assignees, ['twin'])
  })
})
