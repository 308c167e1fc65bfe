/** Locks and leases with an owner that is no actor id, as another tool may write them: they count and are shown as written. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatLock, issueResource, type Lock } from '../../src/model/index.ts'
import { leaseRefOf, lockRefOf } from '../../src/wal/index.ts'
import { writeCommit } from '../support/log.ts'
import { createClones } from '../sync/clones.ts'

const nowUnixMs = 1_900_000_000_000

for (const owner of ['ann@host', 'f'.repeat(28), 'f'.repeat(64), 'F'.repeat(32), '\u202ef']) {
  test(`a lock owner ${JSON.stringify(owner)} fails no command`, async (t) => {
    const setup = createClones(t)
    const bo = setup.clone('bo', { nowUnixMs: () => nowUnixMs })
    await bo.create('wanted')
    await bo.sync()
    const { issues } = (await bo.run('issue list')) as { issues: { issue_id: string }[] }
    const issue = issues[0]?.issue_id
    const resource = issueResource(issue as never)
    const lock: Lock = {
      ...{ owner, nonce: 'n', expiresUnixMs: nowUnixMs + 60_000, resource },
      ...{ ttlMs: 60_000, fence: 1, claim: null },
    }
    await setup.onOrigin(async (git) => {
      const commit = await writeCommit(git, new Map([['lock.json', Buffer.from(formatLock(lock))]]), [])
      for (const ref of [leaseRefOf(resource), lockRefOf(resource)]) setup.inOrigin('update-ref', ref, commit)
    })
    await bo.sync()
    const listed = (await bo.run('issue list')) as { issues: { claim: { holder: string } | null }[] }
    assert.equal(listed.issues[0]?.claim?.holder, owner)
    for (const name of ['ready', 'lock status', 'doctor', 'prime']) await bo.run(name)
    for (const name of ['issue show', 'issue history']) await bo.run(name, { issue })
    await bo.run('issue comment', { issue, body: 'all the same' })
    await assert.rejects(bo.run('issue claim', { issue, remote: 'origin' }), /^ConflictError/)
    await assert.rejects(bo.run('lock acquire', { resource, remote: 'origin' }), /^ConflictError/)
    assert.equal((await bo.sync()).success, true)
  })
}
