import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type ActorId,
  assignedToOthers,
  type Claim,
  type Event,
  findEarlierAssignment,
  foldIssue,
  hasLeftBehind,
  type IssueId,
  identifyEvent,
  isAssignedByClaim,
  type Lock,
  newClaim,
  planRelease,
  staleAssignees,
} from '../../src/model/index.ts'

const [ann, bo, cy] = ['0a'.repeat(16), '0b'.repeat(16), '0c'.repeat(16)] as [ActorId, ActorId, ActorId]
const issue = '3f2a91c0'.repeat(4) as IssueId

const event = (tsUnixMs: number, actor: ActorId, body: Event['body']): Event =>
  identifyEvent({ issueId: issue, actor, tsUnixMs, parent: null, body })
const created = event(1, cy, { type: 'IssueCreated', title: 't', body: '', labels: [] })
const assign = (ts: number, actor: ActorId, user: string) => event(ts, actor, { type: 'AssigneeAdded', user })
const unassign = (ts: number, actor: ActorId, user: string) => event(ts, actor, { type: 'AssigneeRemoved', user })
const stateOf = (...events: readonly Event[]) => foldIssue(issue, [created, ...events])

const lockOf = (owner: ActorId, claim: Partial<Claim> | null): Lock => ({
  owner,
  nonce: 'n',
  expiresUnixMs: 1,
  resource: `issue:${issue}`,
  ttlMs: 1,
  fence: 1,
  claim: claim === null ? null : { assignee: 'ann', sinceUnixMs: 100, beside: [], stale: [], ...claim },
})

describe('assignees', () => {
  const left = assign(100, ann, 'ann')

  test('an assignee of an ended claim is left behind', () => {
    const state = stateOf(left)
    assert.deepEqual(assignedToOthers(state, 'bo', []), ['ann'])
    assert.deepEqual(assignedToOthers(state, 'bo', [lockOf(ann, {})]), [])
    assert.equal(hasLeftBehind(state, [lockOf(ann, {})]), true)
    assert.equal(isAssignedByClaim(state, lockOf(ann, {})), true)
  })

  const cases: Readonly<Record<string, readonly [Event, Lock]>> = {
    'was there before the claim': [assign(99, ann, 'ann'), lockOf(ann, {})],
    'was added by somebody else': [assign(100, bo, 'ann'), lockOf(ann, {})],
    'has another name': [assign(100, ann, 'anna'), lockOf(ann, {})],
    'comes with a lock that is no claim': [left, lockOf(ann, null)],
  }
  for (const [title, [add, lock]] of Object.entries(cases)) {
    test(`an assignee that ${title} stays`, () => {
      const state = stateOf(add)
      assert.equal(assignedToOthers(state, 'bo', [lock]).length, 1)
      assert.equal(hasLeftBehind(state, [lock]), false)
      assert.equal(isAssignedByClaim(state, lock), false)
    })
  }

  test('a removed assignee is ignored', () => {
    const state = stateOf(left, unassign(101, bo, 'ann'))
    assert.deepEqual(assignedToOthers(state, 'bo', []), [])
    assert.equal(isAssignedByClaim(state, lockOf(ann, {})), false)
  })

  test('ignores your own assignment', () => {
    assert.deepEqual(assignedToOthers(stateOf(left), 'ann', []), [])
    assert.deepEqual(assignedToOthers(stateOf(left), null, []), ['ann'])
  })
})

describe('new claims', () => {
  const facts = { owner: bo, assignee: 'bo', nowUnixMs: 500, ended: [] as Lock[], events: [] as Event[] }

  test('a new claim removes assignees left by ended claims', () => {
    const left = assign(100, ann, 'ann')
    const claim = newClaim(stateOf(left), { ...facts, ended: [planRelease(lockOf(ann, {}))], events: [created, left] })
    assert.deepEqual(claim, { assignee: 'bo', sinceUnixMs: 500, beside: [], stale: [left.eventId] })
    assert.deepEqual(staleAssignees(stateOf(left), claim), ['ann'])
    assert.deepEqual(staleAssignees(stateOf(left, unassign(600, cy, 'ann')), claim), [])
  })

  test('a new claim takes over the removals of a crashed claim', () => {
    const left = assign(100, ann, 'ann')
    const crashed = lockOf(bo, { assignee: 'bo', sinceUnixMs: 400, stale: [left.eventId] })
    const claim = newClaim(stateOf(left), { ...facts, owner: cy, assignee: 'cy', ended: [crashed], events: [left] })
    assert.deepEqual(claim.stale, [left.eventId])
  })

  test('a new claim records earlier assignments of its user', () => {
    const given = assign(50, cy, 'bo')
    const claim = newClaim(stateOf(given), { ...facts, events: [created, given] })
    assert.deepEqual([claim.beside, claim.stale], [[given.eventId], []])
  })

  test('a new claim keeps its own user’s earlier assignment', () => {
    const left = assign(100, ann, 'ann')
    const claim = newClaim(stateOf(left), { ...facts, assignee: 'ann', ended: [lockOf(ann, {})], events: [left] })
    assert.deepEqual([claim.beside, claim.stale], [[left.eventId], []])
  })
})

describe('concurrent claims', () => {
  const [first, second] = [assign(200, ann, 'ann'), assign(300, bo, 'bo')]
  const [annLock, boLock] = [lockOf(ann, {}), lockOf(bo, { assignee: 'bo' })]
  const merged = [created, second, first]

  test('the claim with the smaller version wins in both clones', () => {
    assert.equal(findEarlierAssignment(merged, annLock), null)
    assert.deepEqual(findEarlierAssignment(merged, boLock), { user: 'ann', actor: ann, tsUnixMs: 200 })
  })

  test('the smaller actor wins between claims of one moment', () => {
    const same = [assign(200, ann, 'ann'), assign(200, bo, 'bo')]
    assert.equal(findEarlierAssignment(same, annLock), null)
    assert.equal(findEarlierAssignment(same, boLock)?.user, 'ann')
  })

  test('one of two claims of one name wins', () => {
    const both = [assign(200, ann, 'x'), assign(300, bo, 'x')]
    assert.equal(findEarlierAssignment(both, lockOf(ann, { assignee: 'x' })), null)
    assert.equal(findEarlierAssignment(both, lockOf(bo, { assignee: 'x' }))?.actor, ann)
  })

  test('a withdrawn claim no longer counts', () => {
    assert.equal(findEarlierAssignment([...merged, unassign(400, ann, 'ann')], boLock), null)
  })

  test('a claim is not beaten by an assignment it had seen', () => {
    assert.equal(findEarlierAssignment(merged, lockOf(bo, { assignee: 'bo', beside: [first.eventId] })), null)
    assert.equal(findEarlierAssignment(merged, lockOf(bo, { assignee: 'bo', stale: [first.eventId] })), null)
  })

  test('a claim counts from an earlier assignment of its user', () => {
    const given = assign(150, cy, 'bo')
    const lock = lockOf(bo, { assignee: 'bo', beside: [given.eventId] })
    assert.equal(findEarlierAssignment([created, given, first], lock), null)
    assert.equal(findEarlierAssignment([created, given, first], annLock)?.actor, cy)
  })

  test('a claim that never reached the log loses to one that did', () => {
    assert.equal(findEarlierAssignment([created, first], boLock)?.user, 'ann')
    assert.equal(findEarlierAssignment([created], boLock), null)
    assert.equal(findEarlierAssignment(merged, lockOf(bo, null)), null)
  })
})
