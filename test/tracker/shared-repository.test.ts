/** One open repository, shared by many requests of one process. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { nodeDisk } from '../../src/git/durable/disk.ts'
import { AfterWriteError, type GriteError, type IssueId } from '../../src/model/index.ts'
import { createIssue } from '../../src/tracker/issues/changes.ts'
import { gritePath } from '../contract/grite-process.ts'
import { newIssue, openSharedRequests } from '../support/shared-requests.ts'

const titlesOf = async (view: { allRows(): Promise<{ title: string }[]> }) =>
  (await view.allRows()).map(({ title }) => title).sort()

describe('concurrent requests', { concurrency: 2 }, () => {
  it('concurrent writes plan one at a time, in order, and share commits', async (t) => {
    const { request, createIssue: create, path, git } = await openSharedRequests(t)
    await create('first')
    let running = 0
    let most = 0
    const order: number[] = []
    const answers = await Promise.all(
      Array.from({ length: 32 }, (_, index) =>
        request((workspace) =>
          workspace.write(async (draft) => {
            running += 1
            most = Math.max(most, running)
            const view = await draft.view()
            await sleep(1)
            // Earlier plans are visible.
            order.push(index)
            assert.equal((await view.allRows()).length, 1 + index)
            running -= 1
            return createIssue(draft, newIssue(`${index}`))
          }),
        ),
      ),
    )
    assert.equal(most, 1)
    assert.deepEqual(
      order,
      Array.from({ length: 32 }, (_, index) => index),
    )
    assert.ok(answers.every(({ head, events }) => head !== null && events.length > 0))
    const commits = Number(git(path, 'rev-list', '--count', 'refs/grite/wal'))
    assert.ok(commits < 10, `${commits} commits`)
    await request(async (workspace) => assert.equal((await (await workspace.view()).allRows()).length, 33))
    git(path, 'fsck', '--strict', '--no-dangling')
  })

  it('requests sharing a commit are told apart in its meta.json', async (t) => {
    const { createIssue: create, path, git } = await openSharedRequests(t)
    await create('first')
    assert.equal(JSON.parse(git(path, 'show', 'refs/grite/wal:meta.json')).requests, undefined)
    const answers = await Promise.all(['a', 'b', 'c'].map((title) => create(title)))
    const heads = new Set(answers.map(({ head }) => head))
    const noted = [...heads].flatMap((head) => JSON.parse(git(path, 'show', `${head}:meta.json`)).requests ?? [])
    for (const { events } of answers.slice(1)) {
      const ids = events.map(({ eventId }) => eventId)
      assert.ok(noted.some((each) => JSON.stringify(each) === JSON.stringify({ key: null, events: ids })))
    }
  })

  it('writes in doubt look for their keys in the log together', async (t) => {
    const { createIssue: create, shared } = await openSharedRequests(t)
    const nowUnixMs = Date.now()
    const keyOf = (index: number) => `${nowUnixMs}-${`${index}`.padStart(32, '0')}`
    const inDoubt = (index: number) => create(`${index}`, { requestKey: keyOf(index), mayBeRepeated: () => true })
    const first = await inDoubt(0)
    for (let index = 1; index < 20; index++) await create(`${index}`, { requestKey: keyOf(index) })
    const read = t.mock.method(shared.git, 'readObject')
    await inDoubt(20)
    const alone = read.mock.callCount()
    read.mock.resetCalls()
    await Promise.all(Array.from({ length: 40 }, (_, index) => inDoubt(30 + index)))
    const together = read.mock.callCount()
    assert.ok(alone > 5 && together < 8 * alone, `${alone} reads for one, ${together} for 40`)
    const [again, other, last] = await Promise.all([inDoubt(0), inDoubt(100), inDoubt(69)])
    const idsOf = ({ events }: typeof first) => events.map(({ eventId }) => eventId)
    assert.deepEqual(idsOf(again).at(-1), idsOf(first).at(-1))
    assert.equal(new Set([again, other, last].flatMap(idsOf)).size, 3)
  })

  it('an idempotency key is stored in meta.json', async (t) => {
    const { createIssue: create, path, git } = await openSharedRequests(t)
    const { head, events } = await create('first', { requestKey: 'key 1' })
    const { requests } = JSON.parse(git(path, 'show', `${head}:meta.json`))
    assert.deepEqual(requests, [{ key: 'key 1', events: events.map(({ eventId }) => eventId) }])
    const answers = await Promise.all([create('a'), create('b', { requestKey: 'key 2' }), create('c')])
    const noted = JSON.parse(git(path, 'show', `${answers[1]?.head}:meta.json`)).requests as { key: string | null }[]
    assert.ok(noted.some(({ key }) => key === 'key 2'))
  })

  it('a failing plan leaves the other plans of its commit', async (t) => {
    const { request, createIssue: create } = await openSharedRequests(t)
    await create('first')
    const fail = request((workspace) =>
      workspace.write(async (draft) => {
        await draft.requireIssue('00'.repeat(16) as IssueId)
      }),
    )
    const results = await Promise.allSettled([create('a'), fail, create('b'), create('c')])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    )
    await request(async (workspace) => {
      assert.deepEqual(await titlesOf(await workspace.view()), ['a', 'b', 'c', 'first'])
    })
  })

  it('a plan sees earlier plans of its commit', async (t) => {
    const { request, createIssue: create } = await openSharedRequests(t)
    const first = await create('first')
    const issueId = first.events[0]?.issueId as IssueId
    const count = () =>
      request((workspace) =>
        workspace.write(async (draft) => {
          const state = await draft.requireIssue(issueId)
          const version = Number((state.title?.value ?? '').match(/\d+/)?.[0] ?? 0)
          await draft.add(issueId, { type: 'IssueUpdated', title: `count ${version + 1}`, body: null })
        }),
      )
    await Promise.all(Array.from({ length: 20 }, count))
    await request(async (workspace) => assert.deepEqual(await titlesOf(await workspace.view()), ['count 20']))
  })

  it('plans that do not fit in one commit go in the next', async (t) => {
    const { request, createIssue: create, path, git } = await openSharedRequests(t)
    await create('first')
    const many = (name: string) =>
      request((workspace) =>
        workspace.write(async (draft) => {
          for (let index = 0; index < 1500; index++) {
            draft.createIssue({ title: `${name} ${index}`, body: '', labels: [] })
          }
        }),
      )
    const answers = await Promise.all([create('x'), many('a'), many('b'), many('c'), create('y')])
    const heads = answers.map(({ head }) => head)
    assert.deepEqual([heads[1] === heads[2], heads[2] === heads[3], heads[3] === heads[4]], [true, false, true])
    await request(async (workspace) => assert.equal((await workspace.view()).issueCount, 4503))
    git(path, 'fsck', '--strict', '--no-dangling')
  })

  it('a failed flush is reported to each request with its own events', async (t) => {
    let fails = false
    const disk = {
      ...nodeDisk,
      flushDirectories(paths: readonly string[]) {
        if (fails && paths.some((each) => each.includes('refs'))) throw Object.assign(new Error('EIO'), { code: 'EIO' })
        return nodeDisk.flushDirectories(paths)
      },
    }
    const { createIssue: create } = await openSharedRequests(t, { gitOptions: { disk } })
    await create('first')
    const turn = create('second')
    fails = true
    const results = await Promise.allSettled([turn, create('a'), create('b')])
    const errors = results.slice(1).map((result) => (result as PromiseRejectedResult).reason as GriteError)
    for (const error of errors) assert.ok(error instanceof AfterWriteError, `${error}`)
    assert.equal(new Set(errors.map(({ details }) => JSON.stringify(details.event_ids))).size, 2)
    for (const { details } of errors) assert.deepEqual([details.written, details.event_count], [true, 1])
  })

  it('exclusive requests run one at a time', async (t) => {
    const { request, createIssue: create } = await openSharedRequests(t)
    let inside = 0
    const alone = () =>
      request((workspace) =>
        workspace.exclusively(async () => {
          inside += 1
          assert.equal(inside, 1)
          await workspace.write((draft) => createIssue(draft, newIssue('inside')))
          await sleep(5)
          inside -= 1
        }),
      )
    await Promise.all([alone(), create('beside'), alone(), alone(), create('beside'), alone()])
    await request(async (workspace) => assert.equal((await (await workspace.view()).allRows()).length, 6))
  })

  it('a reader keeps its snapshot during writes and rebuilds', async (t) => {
    const { request, createIssue: create } = await openSharedRequests(t)
    await create('first')
    await request(async (reader) => {
      const view = await reader.view()
      await create('second')
      await request((workspace) => workspace.rebuild())
      assert.deepEqual(await titlesOf(view), ['first'])
    })
    await request(async (workspace) => assert.deepEqual(await titlesOf(await workspace.view()), ['first', 'second']))
  })

  it('an unused view is free for other processes', async (t) => {
    const { request, createIssue: create, path, environment } = await openSharedRequests(t)
    await create('first')
    await request((workspace) => workspace.view())
    await sleep(200)
    const { spawnSync } = await import('node:child_process')
    const options = { cwd: path, env: { ...environment, GRITE_DEBUG: '1' }, encoding: 'utf8' } as const
    const { stdout, status } = spawnSync(process.execPath, [gritePath, 'issue', 'list', '--json'], options)
    assert.equal(status, 0)
    assert.equal(JSON.parse(stdout).data.total, 1)
  })
})

it('a commit is dated in the zone of the request', async (t) => {
  const heads = []
  for (const zone of ['UTC', 'Asia/Tokyo']) {
    const before = process.env.TZ
    process.env.TZ = zone
    try {
      const { createIssue: create, path, git } = await openSharedRequests(t)
      let count = 0
      const facts = {
        clock: { nowUnixMs: () => 1_790_000_000_000, offsetMinutesAt: () => 120 },
        random: { bytes: (length: number) => new Uint8Array(length).fill(++count) },
      }
      await create('x', facts)
      heads.push(git(path, 'log', '-1', '--format=%H %ci', 'refs/grite/wal'))
    } finally {
      if (before === undefined) delete process.env.TZ
      else process.env.TZ = before
    }
  }
  assert.equal(heads[0], heads[1])
  assert.match(heads[0] ?? '', /\+0200$/)
})
