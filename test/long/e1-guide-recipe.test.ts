import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatGuide } from '../../src/tracker/agents/guide.ts'
import { playGuide } from '../reports/guide-recipe.ts'
import { createActorClones, createActors, type Data } from '../tracker/locks/lock-clones.ts'

const onRemote = { remote: '' }

it('four agents in two clones following the guide never share an issue', async (t) => {
  const { workers, warnings } = await playGuide(t, 16)
  const twice = [...workers].filter(([, names]) => names.length > 1)
  const falseAlarms = warnings.filter((code) => code !== 'claim-failed')
  assert.deepEqual([workers.size, twice, falseAlarms], [16, [], []])
})

it('every claim in the guide uses --remote or --renew', () => {
  const claims = formatGuide(2).match(/grite issue (claim|close)[^`\n]+/g) ?? []
  const local = claims.filter((line) => !/--remote|--renew/.test(line))
  assert.deepEqual([claims.length > 3, local], [true, []])
})

describe('close --claim-next', { concurrency: 4 }, () => {
  it('close --claim-next claims on the remote of the closed claim', async (t) => {
    const { clones, share } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const [one, two] = [await share('one'), await share('two')]
    await ann.run('issue claim', { issue: one, ...onRemote })
    const { claimed } = await ann.run('issue close', { issue: [one], claimNext: true })
    assert.deepEqual([claimed.issue_id, claimed.level, claimed.remote], [two, 'remote', 'origin'])
    assert.equal((await bo.fail('issue claim', { issue: two, ...onRemote })).holder, 'ann')
    assert.deepEqual([...ann.warned(), ...bo.warned()], [])
  })

  it('close --claim-next after a local claim claims locally and warns', async (t) => {
    const { clones, share, leases } = await createActorClones(t, 'ann')
    const [ann] = clones
    const [one, two] = [await share('one'), await share('two')]
    ann.configure('[lease]\nremote = "origin"\n')
    await ann.run('issue claim', { issue: one, local: true })
    assert.deepEqual(ann.warned(), [])
    const { claimed } = await ann.run('issue close', { issue: [one], claimNext: true })
    assert.deepEqual([claimed.issue_id, claimed.level, leases()], [two, 'local', []])
    assert.deepEqual(ann.warned(), ['claim-local'])
  })

  it('close --claim-next without a claim follows the configuration', async (t) => {
    const { clones, share } = await createActorClones(t, 'ann')
    const [ann] = clones
    const [one, two, three] = [await share('one'), await share('two'), await share('three')]
    const first = await ann.run('issue close', { issue: [one], claimNext: true })
    assert.deepEqual([first.claimed.issue_id, first.claimed.level], [two, 'local'])
    await ann.run('issue unclaim', { issue: two })
    await ann.run('init', { leaseRemote: 'origin' })
    const second = await ann.run('issue close', { issue: [two], claimNext: true })
    assert.deepEqual([second.claimed.issue_id, second.claimed.level], [three, 'remote'])
  })

  it('close --claim-next prefers its own --remote or --local', async (t) => {
    const { clones, share } = await createActorClones(t, 'ann')
    const [ann] = clones
    const [one, two, three] = [await share('one'), await share('two'), await share('three')]
    await ann.run('issue claim', { issue: one, local: true })
    const first = await ann.run('issue close', { issue: [one], claimNext: true, ...onRemote })
    assert.deepEqual([first.claimed.issue_id, first.claimed.level, first.sent], [two, 'remote', true])
    const second = await ann.run('issue close', { issue: [two], claimNext: true, local: true })
    assert.deepEqual([second.claimed.issue_id, second.claimed.level], [three, 'local'])
    assert.deepEqual(ann.warned(), [])
    assert.equal((await ann.fail('issue close', { issue: [three], local: true })).field, 'local')
  })
})

describe('close --remote', { concurrency: 4 }, () => {
  it('close --remote pushes the close and releases the lease', async (t) => {
    const { clones, share, git, origin, leaseFile, leaseRefOf } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    await ann.run('issue claim', { issue: id, ...onRemote })
    const closed = await ann.run('issue close', { issue: [id], ...onRemote })
    assert.deepEqual([closed.remote, closed.sent, 'claimed' in closed], ['origin', true, false])
    assert.equal(git(origin, 'rev-parse', 'refs/grite/wal'), git(ann.path, 'rev-parse', 'refs/grite/wal'))
    assert.equal(leaseFile(leaseRefOf(id)).expires_unix_ms, 0)
    await bo.run('sync', { pull: true })
    assert.equal((await bo.run('issue show', { issue: id })).issue.state, 'closed')
  })

  it('close --remote closes locally when the remote is unreachable', async (t) => {
    const { clones, share, git, origin } = await createActorClones(t, 'ann')
    const [ann] = clones
    const id = await share()
    git(ann.path, 'remote', 'set-url', 'origin', `${origin}.gone`)
    const { data, exitStatus } = await ann.runner.outcome('issue close', { issue: [id], ...onRemote })
    const { outcome, sent } = data as Data
    assert.deepEqual([outcome, sent, exitStatus, ann.warned()], ['changed', false, 1, ['close-not-sent']])
  })
})

describe('a local claim', { concurrency: 4 }, () => {
  it('a local claim warns if a remote exists, except with --local', async (t) => {
    const { clones, share } = await createActorClones(t, 'ann')
    const [ann] = clones
    const id = await share()
    await ann.run('issue claim', { issue: id })
    const [warning, ...others] = ann.runner.warnings.splice(0)
    assert.deepEqual(
      [warning?.code, warning?.details, others.length],
      ['claim-local', { issue_id: id, level: 'local', remote: 'origin' }, 0],
    )
    await ann.run('issue claim', { issue: id, renew: true })
    await ann.run('issue unclaim', { issue: id })
    await ann.run('issue claim', { issue: id, local: true })
    assert.deepEqual(ann.warned(), [])
  })

  it('a local claim without any remote does not warn', async (t) => {
    const { ann, create } = await createActors(t)
    const id = await create()
    await ann.run('issue claim', { issue: id })
    await ann.run('issue close', { issue: [id], claimNext: true })
    assert.deepEqual(ann.warned(), [])
  })
})

it('the next sync releases the lease of an issue closed with --claim-next', async (t) => {
  const { clones, share, leaseFile, leaseRefOf } = await createActorClones(t, 'ann')
  const [ann] = clones
  const [one] = [await share('one'), await share('two')]
  await ann.run('issue claim', { issue: one, ...onRemote })
  await ann.run('issue close', { issue: [one], claimNext: true })
  assert.notEqual(leaseFile(leaseRefOf(one)).expires_unix_ms, 0)
  assert.deepEqual((await ann.run('sync')).claims.released, [one])
  assert.equal(leaseFile(leaseRefOf(one)).expires_unix_ms, 0)
})
