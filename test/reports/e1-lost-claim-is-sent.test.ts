import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createActorClones } from '../tracker/locks/lock-clones.ts'

describe('lost claims', { concurrency: 4 }, () => {
  it('a sync pushes its record of a lost claim at once', async (t) => {
    const { clones, share, clock, git, origin } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    await ann.run('issue claim', { issue: id, local: true })
    clock.nowUnixMs += 1000
    await bo.run('issue claim', { issue: id, local: true })
    for (const clone of [bo, ann]) await clone.run('sync')
    const answer = await bo.run('sync')
    assert.deepEqual([answer.claims.lost, answer.pushed, answer.push_changed], [[id], true, true])
    assert.equal(git(origin, 'rev-parse', 'refs/grite/wal'), answer.wal_head)
    assert.equal(git(bo.path, 'rev-parse', 'refs/grite/wal'), answer.wal_head)
    await ann.run('sync', { pull: true })
    assert.deepEqual((await ann.run('issue show', { issue: id })).issue.assignees, ['ann'])
  })
})
