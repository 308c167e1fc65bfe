/** Claims whose process is killed. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CommandOrder } from '../support/command-child.ts'
import { startCommandChild } from '../support/start-command-child.ts'
import { createActorClones, createActors } from '../tracker/locks/lock-clones.ts'

const hour = 3_600_000

async function setUp(t: Parameters<typeof createActors>[0]) {
  const setup = await createActors(t)
  const { clock, path, environment } = setup
  // The killed process uses the clock of the machine.
  clock.nowUnixMs = Date.now()
  const id = await setup.create()
  return {
    ...setup,
    id,
    async claimAndDie(actor: string, dieAt: NonNullable<CommandOrder['dieAt']>) {
      const commands = [{ name: 'issue claim', input: { issue: id } }]
      const order = { cwd: path, environment: { ...environment, GRITE_ACTOR: actor }, commands, dieAt }
      const end = await startCommandChild(order)
      assert.deepEqual([end.signal, end.answers], ['SIGKILL', []], end.stderr)
    },
    assignees: async () => (await setup.bo.run('issue show', { issue: id })).issue.assignees,
  }
}

/** The first publish writes the lease, the second the log. */
const moments = [
  { title: 'before the lease', dieAt: { publish: 'objects-written', nth: 1 }, isHeld: false, isAssigned: false },
  { title: 'between lease and log', dieAt: { publish: 'published', nth: 1 }, isHeld: true, isAssigned: false },
  {
    title: 'before the ref of the log moved',
    dieAt: { publish: 'objects-written', nth: 2 },
    isHeld: true,
    isAssigned: false,
  },
  { title: 'after the ref of the log moved', dieAt: { publish: 'ref-moved', nth: 2 }, isHeld: true, isAssigned: true },
] as const

describe('a killed local claim', { concurrency: 4 }, () => {
  for (const { title, dieAt, isHeld, isAssigned } of moments) {
    it(`a claim killed ${title} is completed by renewing it`, async (t) => {
      const { ann, bo, id, claimAndDie, assignees, git, path } = await setUp(t)
      await claimAndDie(ann.id, dieAt)
      assert.deepEqual(await assignees(), isAssigned ? ['ann'] : [])
      if (isHeld) assert.equal((await bo.fail('issue claim', { issue: id })).owner, ann.id)
      const again = await ann.run('issue claim', { issue: id, renew: true })
      assert.deepEqual([again.outcome, again.event_ids.length], [isHeld ? 'renewed' : 'claimed', isAssigned ? 0 : 1])
      assert.deepEqual(await assignees(), ['ann'])
      git(path, 'fsck', '--strict', '--no-dangling')
    })
  }

  it('a killed takeover leaves the stale assignee to the next takeover', async (t) => {
    const { ann, bo, id, claimAndDie, assignees, clock, actorIn, path } = await setUp(t)
    clock.nowUnixMs -= 2 * hour
    await bo.run('issue claim', { issue: id })
    clock.nowUnixMs += 2 * hour
    await claimAndDie(ann.id, { publish: 'published', nth: 1 })
    assert.deepEqual(await assignees(), ['bo'])
    const cy = await actorIn(path, 'cy')
    assert.equal((await cy.fail('issue claim', { next: true })).code, 'not_found')
    clock.nowUnixMs += 2 * hour
    const taken = await cy.run('issue claim', { next: true })
    assert.deepEqual([taken.removed_assignees, await assignees()], [['bo'], ['cy']])
  })
})

/** The publishes in order: the commits of log and lease, the push, the tracking refs, the ref of the log. */
const sharedMoments = [
  { title: 'before the push', dieAt: { publish: 'published', nth: 2 }, isPushed: false },
  { title: 'after the push', dieAt: { publish: 'started', nth: 3 }, isPushed: true },
  { title: 'before the local log moved', dieAt: { publish: 'objects-written', nth: 5 }, isPushed: true },
] as const

describe('a killed remote claim', { concurrency: 3 }, () => {
  for (const { title, dieAt, isPushed } of sharedMoments) {
    it(`a remote claim killed ${title} is completed by renewing it`, async (t) => {
      const { clones, share, environment, leases, clock, git } = await createActorClones(t, 'ann', 'bo')
      const [ann, bo] = clones
      clock.nowUnixMs = Date.now()
      const id = await share()
      const commands = [{ name: 'issue claim', input: { issue: id, remote: '' } }]
      const order = { cwd: ann.path, environment: { ...environment, GRITE_ACTOR: ann.id }, commands, dieAt }
      const end = await startCommandChild(order)
      assert.deepEqual([end.signal, end.answers], ['SIGKILL', []], end.stderr)
      assert.equal(leases().length, isPushed ? 1 : 0)
      if (isPushed) assert.equal((await bo.fail('issue claim', { issue: id, remote: '' })).owner, ann.id)
      const again = await ann.run('issue claim', { issue: id, remote: '', renew: true })
      assert.deepEqual([again.outcome, again.event_ids.length], isPushed ? ['renewed', 0] : ['claimed', 1])
      for (const clone of clones) {
        await clone.run('sync')
        const { issue, events } = await clone.run('issue show', { issue: id })
        assert.deepEqual([issue.assignees, events.length], [['ann'], 2])
        git(clone.path, 'fsck', '--strict', '--no-dangling')
      }
    })
  }
})
