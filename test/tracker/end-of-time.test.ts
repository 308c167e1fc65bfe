/** Issues with an event at the greatest possible time: later events get that time as well. */

import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Oid } from '../../src/git/index.ts'
import { type ActorId, type Event, type EventBody, GriteError, type IssueId, limits } from '../../src/model/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { commandRunner, createCommandSandbox } from '../support/command-runner.ts'
import { actors, batchOf, idsOnChain, issueId, makeEvent, writeBatch } from '../support/log.ts'

interface Changed {
  readonly issue_id: IssueId
  readonly event_id: string | null
  readonly outcome: string
  readonly wal_head: string | null
}

interface Shown {
  readonly issue: { readonly state: string; readonly assignees: readonly string[] }
}

const [least, greatest] = ['00'.repeat(16), 'ff'.repeat(16)] as [ActorId, ActorId]
const end = limits.tsUnixMsMax

async function setUp(t: TestContext) {
  const place = createCommandSandbox(t)
  const { run, withRepository, git, path } = place
  const { issue_id: issue } = (await run('issue create', { title: 'x' })) as Changed
  const head = () => git(path, 'rev-parse', walRef) as Oid
  return {
    ...place,
    issue,
    head,
    change: async (name: string, input: object = {}) => (await run(name, { issue: [issue], ...input })) as Changed,
    comment: async (body: string) => (await run('issue comment', { issue, body })) as Changed,
    shown: async () => ((await run('issue show', { issue })) as Shown).issue,
    eventsOf: (id: IssueId): Promise<Event[]> =>
      withRepository(async (repository) => (await repository.view()).eventsOf(id)),
    /** Writes an event of another actor at the greatest time. */
    async write(body: EventBody, actor = greatest, id = issue) {
      const event = makeEvent(id, body, { actor, ts: end })
      const next = await withRepository(({ git: port }) => writeBatch(port, batchOf([event]), head()))
      git(path, 'update-ref', walRef, next)
    },
    async assertNoneRepeats() {
      const ids = await withRepository(({ git: port }) => idsOnChain(port, head()))
      assert.equal(new Set(ids).size, ids.length)
    },
  }
}

describe('an issue with an event at the greatest time', { concurrency: 2 }, () => {
  it('changes after the greatest time get that time', async (t) => {
    const { change, comment, write, eventsOf, issue, run, assertNoneRepeats } = await setUp(t)
    await write({ type: 'CommentAdded', body: 'the last word' })
    const changes = [
      await comment('really'),
      await change('issue close'),
      await change('issue label add', { label: ['a'] }),
      await change('issue update', { title: 'y' }),
      (await run('issue link add', { issue, url: 'u' })) as Changed,
    ]
    for (const { outcome } of changes) assert.equal(outcome, 'changed')
    assert.deepEqual(
      (await eventsOf(issue)).slice(1).map(({ tsUnixMs }) => tsUnixMs),
      [end, ...changes.map(() => end)],
    )
    await assertNoneRepeats()
  })

  for (const [actor, state] of [
    [least, 'closed'],
    [greatest, 'open'],
  ] as const) {
    it(`closing against an open event of actor ${actor.slice(0, 2)}… at the greatest time leaves the issue ${state}`, async (t) => {
      const { change, write, shown } = await setUp(t)
      await write({ type: 'StateChanged', state: 'open' }, actor)
      assert.equal((await change('issue close')).outcome, 'changed')
      assert.equal((await shown()).state, state)
    })
  }

  it('repeating a change at the greatest time is a no-op', async (t) => {
    const { change, comment, write, head, assertNoneRepeats } = await setUp(t)
    await write({ type: 'StateChanged', state: 'open' })
    for (const say of [() => comment('again'), () => change('issue close')]) {
      assert.equal((await say()).outcome, 'changed')
      const before = head()
      const { outcome, event_id, wal_head } = await say()
      assert.deepEqual([outcome, event_id, wal_head, head()], ['unchanged', null, null, before])
    }
    await assertNoneRepeats()
  })

  it('a batch with a repeated comment at the greatest time writes it once', async (t) => {
    const { write, issue, eventsOf, assertNoneRepeats, path, environment } = await setUp(t)
    await write({ type: 'CommentAdded', body: 'the last word' })
    const comment = JSON.stringify({ op: 'comment', issue, body: 'twice' })
    await commandRunner({ cwd: path, env: environment, stdin: `${comment}\n${comment}\n` }).run('batch')
    assert.equal((await eventsOf(issue)).length, 3)
    await assertNoneRepeats()
  })

  it('claims, unclaims and undos at the greatest time repeat no event', async (t) => {
    const { write, issue, run, change, shown, assertNoneRepeats } = await setUp(t)
    await write({ type: 'CommentAdded', body: 'the last word' })
    assert.equal(((await run('issue claim', { issue })) as Changed).outcome, 'claimed')
    assert.deepEqual((await shown()).assignees.length, 1)
    await run('issue unclaim', { issue })
    await change('issue close')
    // The event id decides between two contradictory events, so any of these commands may find nothing to do.
    for (let round = 0; round < 3; round++) {
      for (const name of ['undo', 'issue reopen', 'undo', 'issue claim', 'undo', 'issue unclaim', 'issue close']) {
        const takesList = name === 'issue reopen' || name === 'issue close'
        await run(name, name === 'undo' ? {} : { issue: takesList ? [issue] : issue }).catch(requireGriteError)
      }
    }
    await assertNoneRepeats()
  })

  it('an issue created at the greatest time rejects changes by lower actor ids', async (t) => {
    const { write, run, head } = await setUp(t)
    const [before, after] = [issueId('a0'), issueId('b0')]
    const creation = { type: 'IssueCreated', title: 'made', body: '', labels: [] } as const
    await write(creation, least, before)
    await write(creation, greatest, after)
    assert.equal(((await run('issue close', { issue: [before] })) as Changed).outcome, 'changed')
    const unmoved = head()
    await assert.rejects(run('issue close', { issue: [after] }), (error: GriteError) => {
      assert.deepEqual([error.code, error.details.reason, error.details.issue_id], ['conflict', 'end-of-time', after])
      return true
    })
    assert.equal(head(), unmoved)
  })

  it('setting a project value at the greatest time repeats no event', async (t) => {
    const { run, write, assertNoneRepeats } = await setUp(t)
    const key = 'grite.query.mine'
    await write({ type: 'ProjectContextUpdated', key, value: '' }, actors[0], 'ff'.repeat(16) as IssueId)
    for (let round = 0; round < 3; round++) {
      await run('query save', { name: 'mine', query: ['state:open'] })
      await run('query remove', { name: 'mine' }).catch(requireGriteError)
    }
    await assertNoneRepeats()
  })
})

function requireGriteError(error: unknown): void {
  assert.ok(error instanceof GriteError, String(error))
}
