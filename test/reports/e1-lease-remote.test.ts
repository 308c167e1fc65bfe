import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createActorClones } from '../tracker/locks/lock-clones.ts'

const onRemote = { remote: '' }

describe('init --lease-remote', { concurrency: 4 }, () => {
  it('init --lease-remote sets the claim remote and keeps other settings', async (t) => {
    const { clones, share } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    ann.configure('lock_policy = "off" # mine\n\n[sync]\nremote = "origin"\n')
    const id = await share()
    assert.equal((await ann.run('init', { leaseRemote: 'origin' })).lease_remote, 'origin')
    assert.equal((await ann.run('issue claim', { issue: id })).level, 'remote')
    assert.equal((await bo.fail('issue claim', { issue: id, ...onRemote })).holder, 'ann')
    assert.deepEqual(ann.warned(), [])
  })

  it('init --lease-remote refuses an unknown remote before any change', async (t) => {
    const { clones, refs } = await createActorClones(t, 'ann')
    const [ann] = clones
    const failure = await ann.fail('init', { leaseRemote: 'orign' })
    assert.deepEqual([failure.code, failure.field, failure.allowed], ['not_found', 'lease-remote', ['origin']])
    assert.deepEqual(refs('refs/grite-remotes', ann.path), [])
  })
})
