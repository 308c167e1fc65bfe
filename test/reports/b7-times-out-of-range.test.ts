/** Leases and snapshots with impossible times: they are reported and block nobody. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatLock, issueResource, type Lock, limits } from '../../src/model/index.ts'
import { leaseRefOf, lockRefOf, snapshotRef } from '../../src/wal/index.ts'
import { writeCommit } from '../support/log.ts'
import { createClones } from '../sync/clones.ts'

const never = limits.tsUnixMsMax
const dayMs = 86_400_000

interface Status {
  readonly locks: readonly {
    readonly state: string
    readonly fence: number | null
    readonly wrong_clock: string | null
  }[]
}

test('an endless lease is reported, excludes nobody and is taken over', async (t) => {
  const nowUnixMs = 1_900_000_000_000
  const setup = createClones(t)
  const bo = setup.clone('bo', { nowUnixMs: () => nowUnixMs })
  await bo.create('wanted')
  await bo.sync()
  const { issues } = (await bo.run('issue list')) as { issues: { issue_id: string }[] }
  const resource = issueResource(issues[0]?.issue_id as never)
  const lock: Lock = {
    owner: 'f'.repeat(32),
    nonce: 'n',
    expiresUnixMs: never,
    resource,
    ttlMs: never,
    fence: never,
    claim: null,
  }
  await setup.onOrigin(async (git) => {
    const commit = await writeCommit(git, new Map([['lock.json', Buffer.from(formatLock(lock))]]), [])
    setup.inOrigin('update-ref', leaseRefOf(resource), commit)
    setup.inOrigin('update-ref', lockRefOf(resource), commit)
  })

  const status = (await bo.run('lock status', { remote: 'origin' })) as Status
  assert.deepEqual(
    status.locks.map(({ state, fence }) => [state, fence]),
    [
      ['expired', null],
      ['expired', null],
    ],
  )
  for (const { wrong_clock } of status.locks) assert.match(wrong_clock ?? '', /so it is ignored$/)
  assert.deepEqual(new Set(bo.takeWarnings()), new Set(['wrong-clock']))

  const claimed = (await bo.run('issue claim', { issue: issues[0]?.issue_id, remote: 'origin' })) as { fence: number }
  assert.ok(claimed.fence < never)
  await bo.run('issue unclaim', { issue: issues[0]?.issue_id, remote: 'origin' })
  await bo.run('issue update', { issue: [issues[0]?.issue_id], title: 'changed' })
  assert.deepEqual(
    bo.takeWarnings().filter((code) => code === 'locked'),
    [],
  )
})

test('an endless local lock can be collected', async (t) => {
  const setup = createClones(t)
  const bo = setup.clone('bo', { nowUnixMs: () => 1_900_000_000_000 })
  await bo.create('one')
  const lock: Lock = {
    ...{ owner: 'f'.repeat(32), nonce: 'n', expiresUnixMs: never, resource: 'path:src' },
    ...{ ttlMs: null, fence: 2 ** 52, claim: null },
  }
  await bo.withRepository(async ({ git }) => {
    const commit = await writeCommit(git, new Map([['lock.json', Buffer.from(formatLock(lock))]]), [])
    bo.git('update-ref', lockRefOf('path:src'), commit)
  })
  const held = (await bo.run('lock acquire', { resource: 'path:src' })) as { fence: number }
  assert.equal(held.fence, 1_900_000_000_000)
  await bo.run('lock release', { resource: 'path:src' })
  assert.equal(((await bo.run('lock gc')) as { removed: number }).removed, 1)
})

test('a snapshot from the future does not replace others', async (t) => {
  const setup = createClones(t)
  let nowUnixMs = 1_900_000_000_000
  const bo = setup.clone('bo', { nowUnixMs: () => nowUnixMs })
  await bo.create('one')
  await bo.sync()
  await bo.run('snapshot create')
  const mine = bo.git('for-each-ref', '--format=%(objectname)', 'refs/grite/snapshots')
  for (let index = 1; index <= 6; index++) bo.git('update-ref', snapshotRef(nowUnixMs + index * 365 * dayMs), mine)
  bo.git('update-ref', 'refs/grite/snapshots/9007199254740993', mine)
  nowUnixMs += 1000
  await bo.run('snapshot create')
  await bo.run('snapshot gc', { keep: 2 })
  const left = bo.git('for-each-ref', '--format=%(refname)', 'refs/grite/snapshots').split('\n')
  assert.deepEqual(left, [snapshotRef(1_900_000_000_000), snapshotRef(1_900_000_001_000)])
})
