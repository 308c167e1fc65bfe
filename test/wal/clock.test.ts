import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Oid } from '../../src/git/index.ts'
import type { Event, IssueId } from '../../src/model/index.ts'
import type { IssueRow } from '../../src/view/index.ts'
import { issueLog, publishBatch, walRef } from '../../src/wal/index.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { batchOf, makeEvent } from '../support/log.ts'

function setUp(t: TestContext) {
  let nowUnixMs = 1_700_000_000_000
  const sandbox = createCommandSandbox(t, { nowUnixMs: () => nowUnixMs })
  const { run, withRepository } = sandbox
  return {
    ...sandbox,
    setClock: (ms: number) => {
      nowUnixMs = ms
    },
    create: async (title: string) => ((await run('issue create', { title })) as { issue_id: IssueId }).issue_id,
    eventsOf: (id: IssueId): Promise<Event[]> =>
      withRepository(async (repository) => (await repository.view()).eventsOf(id)),
  }
}

const timesOf = (events: readonly Event[]) => events.map(({ tsUnixMs }) => tsUnixMs)

describe('event times', { concurrency: 2 }, () => {
  it('an event is dated by the clock when that is ahead', async (t) => {
    const log = setUp(t)
    const issue = await log.create('a')
    log.setClock(1_700_000_009_000)
    await log.run('issue comment', { issue, body: 'x' })
    assert.deepEqual(timesOf(await log.eventsOf(issue)), [1_700_000_000_000, 1_700_000_009_000])
  })

  it('an event is dated after its issue when the clock is behind', async (t) => {
    const log = setUp(t)
    const issue = await log.create('a')
    log.setClock(1_000)
    await log.run('issue comment', { issue, body: 'x' })
    await log.run('issue close', { issue: [issue] })
    assert.deepEqual(timesOf(await log.eventsOf(issue)), [1_700_000_000_000, 1_700_000_000_001, 1_700_000_000_002])
    const { issues } = (await log.run('issue list')) as { issues: IssueRow[] }
    assert.equal(issues[0]?.state, 'closed')
  })

  it('events of one batch have increasing times in plan order', async (t) => {
    const log = setUp(t)
    const issue = await log.create('a')
    await log.run('issue label add', { issue: [issue], label: ['z', 'a', 'm'] })
    const events = await log.eventsOf(issue)
    assert.deepEqual(
      timesOf(events),
      [0, 1, 2, 3].map((after) => 1_700_000_000_000 + after),
    )
    assert.deepEqual(
      events.slice(1).map(({ body }) => 'label' in body && body.label),
      ['z', 'a', 'm'],
    )
  })

  it('a future event on one issue does not date another', async (t) => {
    const log = setUp(t)
    log.setClock(1_800_000_000_000)
    await log.create('future')
    log.setClock(1_700_000_000_000)
    const issue = await log.create('present')
    await log.run('issue comment', { issue, body: 'x' })
    assert.deepEqual(timesOf(await log.eventsOf(issue)), [1_700_000_000_000, 1_700_000_000_001])
  })

  it('an event is dated again after a lost race', async (t) => {
    const log = setUp(t)
    const issue = await log.create('a')
    let turns = 0
    const written = await log.withRepository((repository) =>
      repository.write(async (draft) => {
        turns += 1
        await draft.requireIssue(issue)
        if (turns === 1) {
          const head = (await repository.git.readRef(walRef)) as Oid
          const ahead = makeEvent(issue, { type: 'LabelAdded', label: 'first' }, { ts: 1_700_000_005_000 })
          await publishBatch({ git: repository.git, stream: issueLog }, batchOf([ahead]), head)
        }
        return draft.add(issue, { type: 'LabelRemoved', label: 'first' })
      }),
    )
    assert.equal(turns, 2)
    assert.deepEqual(timesOf(written.events), [1_700_000_005_001])
    assert.deepEqual(((await log.run('issue list')) as { issues: IssueRow[] }).issues[0]?.labels, [])
  })

  it('a plan sees fresh state after a lost race', async (t) => {
    const log = setUp(t)
    const issue = await log.create('a')
    let turns = 0
    const written = await log.withRepository((repository) =>
      repository.write(async (draft) => {
        turns += 1
        const state = await draft.requireIssue(issue)
        if (turns === 1) {
          const head = (await repository.git.readRef(walRef)) as Oid
          const theirs = makeEvent(issue, { type: 'StateChanged', state: 'closed' }, { ts: 1_700_000_005_000 })
          await publishBatch({ git: repository.git, stream: issueLog }, batchOf([theirs]), head)
        }
        if (state.state?.value === 'closed') return null
        return draft.add(issue, { type: 'StateChanged', state: 'closed' })
      }),
    )
    assert.equal(turns, 2)
    assert.deepEqual([written.head, written.events.length], [null, 0])
    assert.equal((await log.eventsOf(issue)).length, 2)
  })
})
