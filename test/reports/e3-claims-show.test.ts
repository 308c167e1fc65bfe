import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { renderIssueList } from '../../src/cli/render/issue-list.ts'
import { renderIssueShow } from '../../src/cli/render/issue-show.ts'
import { renderLockStatus } from '../../src/cli/render/lock.ts'
import { plainStyle } from '../../src/cli/render/style.ts'
import { textOf } from '../cli/render/text-of.ts'
import { createActorClones, createActors, type Data } from '../tracker/locks/lock-clones.ts'

const hour = 3_600_000
const onRemote = { remote: '' }

describe('shown claims', { concurrency: 4 }, () => {
  it('show, list, search, ready and blocked show a claim until it ends', async (t) => {
    const { ann, bo, clock, create } = await createActors(t)
    const [id, free] = [await create('one'), await create('two')]
    await ann.run('issue dep add', { issue: id, target: free, type: 'depends_on' })
    const { expires_unix_ms: until } = await ann.run('issue claim', { issue: id })
    const claim = { holder: 'ann', until, level: 'local' }
    assert.deepEqual((await bo.run('issue show', { issue: id })).issue.claim, claim)
    const claimsOf = ({ issues }: Data) => issues.map((issue: Data) => issue.claim)
    assert.deepEqual(claimsOf(await bo.run('issue list')), [claim, null])
    assert.deepEqual(claimsOf(await bo.run('issue list', { fields: 'title,claim' })), [claim, null])
    assert.deepEqual(claimsOf(await bo.run('search', { query: ['is:claimed'] })), [claim])
    assert.deepEqual(claimsOf(await bo.run('blocked')), [claim])
    assert.deepEqual(claimsOf(await bo.run('ready')), [null])
    await bo.run('issue close', { issue: [free] })
    assert.deepEqual(claimsOf(await bo.run('ready', { assignee: 'ann' })), [claim])
    clock.nowUnixMs += hour
    assert.deepEqual(claimsOf(await bo.run('issue list', { state: 'open' })), [null])
    assert.equal((await bo.run('issue show', { issue: id })).issue.claim, null)
  })

  it('a fetched lease is shown before a local claim', async (t) => {
    const { clones, share } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    await bo.run('issue claim', { issue: id, local: true })
    const { expires_unix_ms: until } = await ann.run('issue claim', { issue: id, ...onRemote })
    assert.equal((await bo.run('issue show', { issue: id })).issue.claim.level, 'local')
    await bo.run('lock status', onRemote)
    const { issue } = await bo.run('issue show', { issue: id })
    assert.deepEqual([issue.claim.level, issue.claim.until], ['remote', until])
  })

  it('is:claimed finds claimed issues', async (t) => {
    const { ann, create } = await createActors(t)
    const [id, other] = [await create('one'), await create('two')]
    await ann.run('lock acquire', { resource: `issue:${id}` })
    const idsOf = async (query: string) =>
      (await ann.run('issue list', { query })).issues.map(({ issue_id }: Data) => issue_id)
    assert.deepEqual([await idsOf('is:claimed'), await idsOf('is:open -is:claimed')], [[id], [other]])
    assert.equal((await ann.fail('issue list', { query: 'is:taken' })).code, 'invalid_args')
  })

  it('lists and show print the claim for people', async (t) => {
    const { ann, clock, create } = await createActors(t)
    const id = await create('one')
    await create('two')
    await ann.run('issue claim', { issue: id })
    const view = { width: 80, style: plainStyle, nowUnixMs: clock.nowUnixMs, quiet: false }
    const list = await textOf(renderIssueList(await ann.run('issue list'), view))
    assert.match(list, /Claimed by/)
    assert.match(list, /ann, 1 h/)
    const off = await textOf(renderIssueList(await ann.run('issue list'), { ...view, width: null }))
    assert.doesNotMatch(off, /1 h/, 'columns off a terminal stay as they were')
    const show = await textOf(renderIssueShow(await ann.run('issue show', { issue: id }), view))
    assert.match(show, /Claimed: +by ann in this clone, until 2027-01-15 09:00 UTC/)
  })
})

describe('lock status', { concurrency: 4 }, () => {
  it('lock status shows the title of a locked issue', async (t) => {
    const { ann, clock, create } = await createActors(t)
    const id = await create('Crash on start')
    await ann.run('issue claim', { issue: id })
    await ann.run('lock acquire', { resource: 'path:src' })
    const data = await ann.run('lock status')
    const titles = data.locks.map(({ resource, title, short_id }: Data) => [resource, title, short_id])
    assert.deepEqual(titles.sort(), [
      [`issue:${id}`, 'Crash on start', id.slice(0, 7)],
      ['path:src', null, null],
    ])
    const view = { width: 100, style: plainStyle, nowUnixMs: clock.nowUnixMs, quiet: false }
    const text = await renderLockStatus(data, view)
    assert.match(text, new RegExp(`issue:${id.slice(0, 7)} .*Crash on start`))
  })
})
