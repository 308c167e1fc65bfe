/** Claims among actors of one clone. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { describeNoneReady } from '../../../src/tracker/claims/why-none.ts'
import { createActors, type Data, type TestActor } from '../locks/lock-clones.ts'

const hour = 3_600_000

async function setUp(t: TestContext) {
  const setup = await createActors(t)
  const id = await setup.create()
  const { ann, clock } = setup
  return {
    ...setup,
    id,
    shown: async () => (await ann.run('issue show', { issue: id })).issue,
    lockOf: async () => (await ann.run('lock status', { resource: `issue:${id}` })).locks[0],
    passMs(ms: number) {
      clock.nowUnixMs += ms
    },
  }
}

const claimOf = (actor: TestActor, issue: string, more = {}): Promise<Data> =>
  actor.run('issue claim', { issue, ...more })

describe('issue claim', { concurrency: 4 }, () => {
  it('claim assigns and locks the issue for an hour', async (t) => {
    const { ann, id, clock, shown, lockOf } = await setUp(t)
    const claimed = await claimOf(ann, id.slice(0, 8))
    assert.deepEqual(
      [claimed.issue_id, claimed.outcome, claimed.assignee, claimed.owner, claimed.resource],
      [id, 'claimed', 'ann', ann.id, `issue:${id}`],
    )
    assert.deepEqual([claimed.ttl_seconds, claimed.level, claimed.removed_assignees], [3600, 'local', []])
    assert.deepEqual((await shown()).assignees, ['ann'])
    const { state, owner, expires_unix_ms, claim, fence } = await lockOf()
    assert.deepEqual([state, owner, expires_unix_ms, claim], ['live', ann.id, clock.nowUnixMs + hour, true])
    assert.equal(fence, claimed.fence)
  })

  it('a claimed issue is a conflict naming holder and expiry', async (t) => {
    const { ann, bo, id, clock } = await setUp(t)
    await claimOf(ann, id)
    const failure = await bo.fail('issue claim', { issue: id })
    assert.deepEqual([failure.code, failure.exit, failure.reason], ['conflict', 4, 'held'])
    assert.deepEqual([failure.holder, failure.owner], ['ann', ann.id])
    assert.equal(failure.expires_unix_ms, clock.nowUnixMs + hour)
  })

  it('claiming your own claim again is a conflict', async (t) => {
    const { ann, id, clock } = await setUp(t)
    const first = await claimOf(ann, id)
    const failure = await ann.fail('issue claim', { issue: id })
    assert.deepEqual([failure.exit, failure.reason, failure.owner], [4, 'held-by-you', ann.id])
    assert.equal(failure.expires_unix_ms, clock.nowUnixMs + hour)
    assert.equal((await claimOf(ann, id, { renew: true })).nonce, first.nonce)
  })

  it('renewing a claim extends it without a log entry', async (t) => {
    const { ann, id, passMs, clock, git, path } = await setUp(t)
    const first = await claimOf(ann, id)
    const head = git(path, 'rev-parse', 'refs/grite/wal')
    passMs(hour / 2)
    const again = await claimOf(ann, id, { ttl: '2h', renew: true })
    assert.deepEqual([again.outcome, again.event_id, again.nonce], ['renewed', null, first.nonce])
    assert.equal(again.expires_unix_ms, clock.nowUnixMs + 2 * hour)
    assert.equal(git(path, 'rev-parse', 'refs/grite/wal'), head)
  })

  it('an expired claim is taken over with its assignee in one commit', async (t) => {
    const { ann, bo, id, passMs, shown, git, path } = await setUp(t)
    const first = await claimOf(ann, id)
    passMs(hour)
    const before = Number(git(path, 'rev-list', '--count', 'refs/grite/wal'))
    const taken = await claimOf(bo, id)
    assert.deepEqual([taken.outcome, taken.removed_assignees, taken.event_ids.length], ['claimed', ['ann'], 2])
    assert.equal(taken.fence, first.fence + 1)
    assert.deepEqual((await shown()).assignees, ['bo'])
    assert.equal(Number(git(path, 'rev-list', '--count', 'refs/grite/wal')), before + 1)
    assert.equal((await ann.fail('issue claim', { issue: id })).holder, 'bo')
  })

  it('claim refuses a manually assigned issue', async (t) => {
    const { ann, bo, id, passMs } = await setUp(t)
    await ann.run('issue assignee add', { issue: [id], user: ['cy'] })
    passMs(hour)
    const failure = await bo.fail('issue claim', { issue: id })
    assert.deepEqual([failure.exit, failure.reason, failure.holder], [4, 'assigned', 'cy'])
    assert.deepEqual((await ann.run('lock status')).locks, [], 'nothing was locked')
    await bo.run('issue assignee add', { issue: [id], user: ['bo'] })
    assert.equal((await claimOf(bo, id)).outcome, 'claimed')
  })

  it('claim refuses a closed issue', async (t) => {
    const { ann, id } = await setUp(t)
    await ann.run('issue close', { issue: [id] })
    const { exit, reason } = await ann.fail('issue claim', { issue: id })
    assert.deepEqual([exit, reason], [4, 'closed'])
    assert.deepEqual((await ann.run('lock status')).locks, [])
  })

  it('claim refuses an issue under a repository lock', async (t) => {
    const { ann, bo, id } = await setUp(t)
    await ann.run('lock acquire', { resource: 'repo:release' })
    assert.equal((await bo.fail('issue claim', { issue: id })).held_resource, 'repo:release')
    assert.equal((await bo.fail('issue claim', { next: true })).held_resource, 'repo:release')
    assert.equal((await claimOf(ann, id)).outcome, 'claimed')
  })

  it('claim needs either an issue or --next', async (t) => {
    const { ann, id } = await setUp(t)
    for (const input of [{}, { issue: id, next: true }, { issue: id, label: ['x'] }]) {
      assert.equal((await ann.fail('issue claim', input)).code, 'invalid_args')
    }
    for (const ttl of ['0', 'x']) assert.equal((await ann.fail('issue claim', { issue: id, ttl })).field, 'ttl')
  })
})

describe('issue unclaim', { concurrency: 4 }, () => {
  it('unclaim releases lock and assignee', async (t) => {
    const { ann, bo, id, shown, lockOf } = await setUp(t)
    await claimOf(ann, id)
    const back = await ann.run('issue unclaim', { issue: id })
    assert.deepEqual([back.outcome, back.released, back.event_ids.length], ['unclaimed', true, 1])
    assert.deepEqual((await shown()).assignees, [])
    assert.equal((await lockOf()).state, 'released')
    assert.equal((await claimOf(bo, id)).outcome, 'claimed')
  })

  it('unclaim keeps an assignee from before the claim', async (t) => {
    const { ann, bo, id, shown } = await setUp(t)
    await bo.run('issue assignee add', { issue: [id], user: ['ann'] })
    await claimOf(ann, id)
    assert.equal((await ann.run('issue unclaim', { issue: id })).event_id, null)
    assert.deepEqual((await shown()).assignees, ['ann'])
  })

  it('unclaiming an issue you do not hold is a no-op', async (t) => {
    const { ann, bo, id } = await setUp(t)
    assert.equal((await ann.run('issue unclaim', { issue: id })).outcome, 'unchanged')
    await claimOf(ann, id)
    assert.equal((await bo.fail('issue unclaim', { issue: id })).holder, 'ann')
    await ann.run('issue unclaim', { issue: id })
    assert.equal((await ann.run('issue unclaim', { issue: id })).outcome, 'unchanged')
  })

  it('an assignment after unclaim blocks other claims', async (t) => {
    const { ann, bo, id, passMs } = await setUp(t)
    await claimOf(ann, id)
    await ann.run('issue unclaim', { issue: id })
    await ann.run('issue assignee add', { issue: [id], user: ['ann'] })
    passMs(hour)
    assert.equal((await bo.fail('issue claim', { issue: id })).reason, 'assigned')
  })
})

describe('claim --next', { concurrency: 4 }, () => {
  it('claim --next takes ready issues by priority, then age', async (t) => {
    const { ann, bo, id, create } = await setUp(t)
    const late = await create('late')
    const urgent = (await ann.run('issue create', { title: 'urgent', priority: 'P0' })).issue_id
    const got: string[] = []
    for (const actor of [ann, bo, ann]) got.push((await actor.run('issue claim', { next: true })).issue_id)
    assert.deepEqual(got, [urgent, id, late])
    const { code, exit } = await bo.fail('issue claim', { next: true })
    assert.deepEqual([code, exit], ['not_found', 3])
  })

  it('claim --next takes only issues with all labels', async (t) => {
    const { ann, create } = await setUp(t)
    const bug = (await ann.run('issue create', { title: 'bug', label: ['bug'] })).issue_id
    await create('other')
    assert.equal((await ann.run('issue claim', { next: true, label: ['bug'] })).issue_id, bug)
    assert.match((await ann.fail('issue claim', { next: true, label: ['bug'] })).message, /with bug/)
  })

  it('claim --next skips assigned issues, not those of expired claims', async (t) => {
    const { ann, bo, id, create, passMs } = await setUp(t)
    const given = await create('given')
    await ann.run('issue assignee add', { issue: [given], user: ['cy'] })
    await claimOf(ann, id)
    assert.equal((await bo.fail('issue claim', { next: true })).code, 'not_found')
    passMs(hour)
    const taken = await bo.run('issue claim', { next: true })
    assert.deepEqual([taken.issue_id, taken.removed_assignees], [id, ['ann']])
  })

  it('claim --next takes an expired claim after lock gc, too', async (t) => {
    const { ann, bo, id, passMs, refs } = await setUp(t)
    await claimOf(ann, id)
    await ann.run('lock acquire', { resource: 'plain' })
    passMs(hour)
    const { removed, kept } = await ann.run('lock gc')
    assert.deepEqual([removed, kept], [1, 1])
    assert.equal((await bo.run('issue claim', { next: true })).issue_id, id)
    await bo.run('issue unclaim', { issue: id })
    assert.equal((await ann.run('lock gc')).removed, 1)
    assert.deepEqual(refs('refs/grite/locks'), [])
  })
})

describe('closing a claimed issue', { concurrency: 4 }, () => {
  it('closing a claimed issue releases its lock and keeps the assignee', async (t) => {
    const { ann, id, shown, lockOf } = await setUp(t)
    await claimOf(ann, id)
    await ann.run('issue close', { issue: [id] })
    assert.equal((await lockOf()).state, 'released')
    assert.deepEqual((await shown()).assignees, ['ann'])
  })

  it('closing keeps a plain lock and another actor’s claim', async (t) => {
    const { ann, bo, id, lockOf, create } = await setUp(t)
    await ann.run('lock acquire', { resource: `issue:${id}` })
    await ann.run('issue close', { issue: [id] })
    assert.equal((await lockOf()).state, 'live')
    const other = await create('other')
    await claimOf(ann, other)
    await bo.run('issue close', { issue: [other] })
    assert.equal((await ann.run('lock status', { resource: `issue:${other}` })).locks[0].state, 'live')
  })

  it('close --claim-next claims the next issue', async (t) => {
    const { ann, id, create } = await setUp(t)
    const next = await create('next')
    await claimOf(ann, id)
    const closed = await ann.run('issue close', { issue: [id], claimNext: true })
    assert.deepEqual([closed.state, closed.claimed.issue_id, closed.claimed.assignee], ['closed', next, 'ann'])
    assert.equal((await ann.run('issue close', { issue: [next], claimNext: true })).claimed, null)
    assert.equal('claimed' in (await ann.run('issue reopen', { issue: [next] })), false)
  })

  it('an issue stays closed when no next claim is possible', async (t) => {
    const { ann, bo, id, create, shown } = await setUp(t)
    await create('next')
    await bo.run('lock acquire', { resource: 'repo:all' })
    const closed = await ann.run('issue close', { issue: [id], claimNext: true })
    assert.deepEqual([closed.state, closed.claimed, closed.claim_failed], ['closed', null, true])
    assert.deepEqual(ann.warned(), ['locked', 'claim-failed'])
    assert.equal((await shown()).state, 'closed')
  })
})

describe('renewal by the holder’s writes', () => {
  it('your own writes renew your claim', async (t) => {
    const { ann, id, passMs, lockOf, clock } = await setUp(t)
    const { nonce, fence } = await claimOf(ann, id)
    for (let turn = 0; turn < 3; turn++) {
      passMs(0.6 * hour)
      await ann.run('issue comment', { issue: id, body: 'still at it' })
    }
    const lock = await lockOf()
    assert.deepEqual([lock.nonce, lock.fence, lock.expires_unix_ms], [nonce, fence, clock.nowUnixMs + hour])
  })
})

describe('the issue that --next claims', { concurrency: 4 }, () => {
  it('claim --next answers with text, relations and last comments', async (t) => {
    const { ann, create } = await createActors(t)
    const [before, after, epic] = [await create('before'), await create('after'), await create('epic')]
    const { issue_id: issue } = await ann.run('issue create', {
      title: 'now',
      body: 'What to do\n',
      priority: 'P0',
      label: ['ui'],
      parent: epic,
    })
    await ann.run('issue dep add', { issue, target: before, type: 'depends_on' })
    await ann.run('issue dep add', { issue, target: after, type: 'blocks' })
    for (const body of ['one', 'two', 'three', 'four']) await ann.run('issue comment', { issue, body })
    await ann.run('issue close', { issue: [before] })
    await ann.run('remember', { text: 'Ask bo first', key: 'ask', about: issue })
    await ann.run('remember', { text: 'Not about it', about: epic })
    const { issue: brief } = await ann.run('issue claim', { next: true })
    assert.deepEqual(brief.memories, [{ key: 'ask', text: 'Ask bo first' }])
    assert.deepEqual(brief.labels, [`parent:${epic}`, 'priority:P0', 'ui'])
    assert.equal(brief.body, 'What to do')
    assert.deepEqual(
      [brief.parent.title, brief.depends_on, brief.needed_by, brief.related_to],
      [
        'epic',
        [{ short_id: before.slice(0, 7), title: 'before', state: 'closed' }],
        [{ short_id: after.slice(0, 7), title: 'after', state: 'open' }],
        [],
      ],
    )
    assert.deepEqual(
      brief.comments.map(({ by, body }: Data) => [by, body]),
      [
        ['ann', 'two'],
        ['ann', 'three'],
        ['ann', 'four'],
      ],
    )
    assert.deepEqual(brief.left_out, { characters: 0, comments: 1, issues: 0, memories: 0 })
  })

  it('long texts are cut and counted, undone comments left out', async (t) => {
    const { ann } = await createActors(t)
    const { issue_id: issue } = await ann.run('issue create', { title: 'long', body: '\u{1f600}'.repeat(3000) })
    await ann.run('issue comment', { issue, body: `x${'\u{1f600}'.repeat(400)}` })
    await ann.run('issue comment', { issue, body: 'a mistake' })
    await ann.run('undo')
    const { issue: brief } = await ann.run('issue claim', { next: true })
    assert.equal(brief.comments.length, 1)
    assert.deepEqual([brief.body.length, brief.comments[0].body.length], [4000, 799])
    assert.deepEqual(brief.left_out, { characters: 2000 + 2, comments: 0, issues: 0, memories: 0 })
  })

  it('close --claim-next answers with the same, a claim of a given issue does not', async (t) => {
    const { ann, id, create } = await setUp(t)
    await create('two')
    assert.equal('issue' in (await claimOf(ann, id)), false)
    const { claimed } = await ann.run('issue close', { issue: [id], claimNext: true })
    assert.deepEqual([claimed.title, claimed.issue.body], ['two', ''])
  })
})

describe('nothing to claim', { concurrency: 4 }, () => {
  const nothing = async (actor: TestActor, more = {}) => {
    const failure = await actor.fail('issue claim', { next: true, ...more })
    const { code, reason, open_count, taken_count, blocked_count, set_aside_count } = failure
    assert.equal(code, 'not_found')
    return [reason, open_count, taken_count, blocked_count, set_aside_count]
  }

  it('an empty queue has nothing open, whatever the epics and memories', async (t) => {
    const { ann } = await createActors(t)
    assert.deepEqual(await nothing(ann), ['nothing_open', 0, 0, 0, 0])
    await ann.run('issue create', { title: 'epic', type: 'epic' })
    await ann.run('issue create', { title: 'note', label: ['memory'] })
    assert.deepEqual(await nothing(ann), ['nothing_open', 0, 0, 0, 0])
  })

  it('taken issues win over the issues that wait for them', async (t) => {
    const { ann, bo, id, create } = await setUp(t)
    await create('waits')
    const { issues } = await ann.run('ready')
    await ann.run('issue dep add', { issue: issues[1].issue_id, target: id, type: 'depends_on' })
    await claimOf(bo, id)
    assert.deepEqual(await nothing(ann), ['all_taken', 2, 1, 1, 0])
    const { message } = await ann.fail('issue claim', { next: true })
    assert.equal(message, 'nothing to claim: every open issue is taken or waits (1 taken, 1 blocked)')
  })

  it('issues that wait for each other are all blocked', async (t) => {
    const { ann, id, create } = await setUp(t)
    const other = await create('other')
    await ann.run('issue dep add', { issue: id, target: other, type: 'depends_on' })
    await ann.run('issue label add', { issue: [other], label: ['status:deferred'] })
    assert.deepEqual(await nothing(ann), ['all_blocked', 2, 0, 1, 1])
  })

  it('a status sets issues aside', async (t) => {
    const { ann, id } = await setUp(t)
    await ann.run('issue label add', { issue: [id], label: ['status:deferred'] })
    assert.deepEqual(await nothing(ann), ['set_aside', 1, 0, 0, 1])
  })

  it('the hint about issues set aside finds those that wait for a day', async (t) => {
    const { ann, id } = await setUp(t)
    await ann.run('issue update', { issue: [id], defer: '1w' })
    assert.deepEqual(await nothing(ann), ['set_aside', 1, 0, 0, 1])
    const failure = await ann.fail('issue claim', { next: true })
    const [, query = 'no hint'] = /`grite search '(.+?)'`/.exec(describeNoneReady(failure, []).hint) ?? []
    const { issues } = await ann.run('search', { query: [query] })
    assert.deepEqual(
      issues.map(({ issue_id }: { issue_id: string }) => issue_id),
      [id],
    )
  })

  it('counts are of issues with the labels', async (t) => {
    const { ann, bo, id } = await setUp(t)
    assert.deepEqual(await nothing(ann, { label: ['bug'] }), ['nothing_matches', 0, 0, 0, 0])
    await ann.run('issue label add', { issue: [id], label: ['bug'] })
    await ann.run('issue create', { title: 'no bug' })
    await claimOf(bo, id)
    assert.deepEqual(await nothing(ann, { label: ['bug'] }), ['all_taken', 1, 1, 0, 0])
  })

  it('close --claim-next says why nothing was claimed', async (t) => {
    const { ann, bo, id, create } = await setUp(t)
    await claimOf(bo, await create('other'))
    const closed = await ann.run('issue close', { issue: [id], claimNext: true })
    assert.deepEqual(
      [closed.claimed, closed.not_claimed.reason, closed.not_claimed.taken_count],
      [null, 'all_taken', 1],
    )
  })
})
