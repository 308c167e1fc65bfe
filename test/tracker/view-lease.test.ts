import assert from 'node:assert/strict'
import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type GitPort, type Oid, openRepository } from '../../src/git/index.ts'
import { ViewLease } from '../../src/tracker/view-lease.ts'
import { openView, rebuildView, viewWaitMsMax } from '../../src/view/index.ts'
import { issueLog, walRef } from '../../src/wal/index.ts'
import { createTempRepository } from '../git/temp-repository.ts'
import { batchOf, creation, issueId, writeBatch } from '../support/log.ts'

/** A log that grows by one issue at a time, and a lease of its view. */
async function setUp(t: TestContext, idleMs: number | null = null) {
  const repository = await createTempRepository(t)
  const git: GitPort = openRepository(repository.layout, { environment: repository.environment })
  t.after(() => git.close())
  const lease = new ViewLease(idleMs)
  t.after(() => lease.close())
  const options = {
    git,
    stream: issueLog,
    directory: join(repository.path, 'level'),
    clock: { nowUnixMs: () => 1_700_000_000_000 },
    report: () => {},
    warn: () => {},
  }
  let head: Oid | null = null
  let count = 0
  return {
    lease,
    options,
    read: () => lease.read(options),
    rebuild: () => lease.replace(async (present) => ({ view: await rebuildView(options, present) })),
    async grow(): Promise<Oid> {
      count += 1
      head = await writeBatch(git, batchOf([creation(issueId(`a${count}`))]), head)
      repository.run('update-ref', '--create-reflog', '-m', 'grite: WAL', walRef, head)
      return head
    },
    /** Whether another opener gets the directory, as another process would. */
    async isFree(): Promise<boolean> {
      const other = await openView({ ...options, warn: () => assert.fail('the view is busy') }).catch(() => undefined)
      await other?.close()
      return other !== undefined
    },
  }
}

describe('ViewLease', () => {
  it('each read shows the head that the log has then', async (t) => {
    const { read, grow } = await setUp(t)
    for (let round = 0; round < 3; round++) {
      const head = await grow()
      const reader = await read()
      assert.equal(reader.view.head, head)
      assert.equal(reader.view.issueCount, round + 1)
      await reader.release()
    }
  })

  it('a reader keeps its state while later reads catch up', async (t) => {
    const { read, grow } = await setUp(t)
    const first = await grow()
    const early = await read()
    const second = await grow()
    const late = await read()
    assert.deepEqual([early.view.head, late.view.head], [first, second])
    assert.equal((await early.view.allRows()).length, 1)
    assert.equal((await late.view.allRows()).length, 2)
    await Promise.all([early.release(), late.release()])
  })

  it('a rebuild closes the replaced view only after its last reader', async (t) => {
    const { read, rebuild, grow } = await setUp(t)
    await grow()
    const early = await read()
    const rebuilt = await rebuild()
    assert.equal((await early.view.allRows()).length, 1)
    await early.release()
    assert.equal((await rebuilt.view.allRows()).length, 1)
    await rebuilt.release()
  })

  it('closeIfUnused leaves a view with readers open', async (t) => {
    const { lease, read, grow } = await setUp(t)
    await grow()
    const reader = await read()
    await lease.closeIfUnused()
    assert.equal((await reader.view.allRows()).length, 1)
    await reader.release()
    await lease.closeIfUnused()
    await assert.rejects(reader.view.allRows())
  })

  it('a view is yielded once its present readers are done, before the next one', async (t) => {
    const { lease, read, grow, isFree } = await setUp(t)
    await grow()
    const early = await read()
    const yielded = lease.yield()
    const late = read()
    assert.equal((await early.view.allRows()).length, 1)
    await early.release()
    assert.equal(await yielded, true)
    assert.equal(await isFree(), true)
    await (await late).release()
  })

  it('a view with a reader that takes long is not yielded', async (t) => {
    const { lease, read, grow } = await setUp(t)
    await grow()
    const early = await read()
    assert.equal(await lease.yield(), false)
    const late = await read()
    for (const reader of [early, late]) {
      assert.equal((await reader.view.allRows()).length, 1)
      await reader.release()
    }
  })

  it('the holder of a view is asked for it until it leaves', async (t) => {
    const { lease, options, read, grow } = await setUp(t)
    await grow()
    const reader = await read()
    let askedCount = 0
    const view = await openView({
      ...options,
      async onLocked() {
        askedCount += 1
        if (askedCount < 3) return
        await reader.release()
        await lease.closeIfUnused()
      },
    })
    assert.deepEqual([askedCount, view.store.isOnDisk], [3, true])
    await view.close()
  })

  it('a view is waited for as long as others take turns with it', async (t) => {
    const { lease, options, read, grow } = await setUp(t)
    await grow()
    const reader = await read()
    const file = join(options.directory, '1', 'CURRENT')
    let turns = 0
    const others = setInterval(() => {
      turns += 1
      utimesSync(file, turns, turns)
      if (turns === 4) void reader.release().then(() => lease.closeIfUnused())
    }, viewWaitMsMax / 2)
    t.after(() => clearInterval(others))
    const view = await openView(options)
    assert.deepEqual([turns >= 4, view.store.isOnDisk], [true, true])
    await view.close()
  })

  it('an idle view closes by itself, and opens again for the next read', async (t) => {
    const { read, grow, isFree } = await setUp(t, 1)
    await grow()
    const reader = await read()
    await reader.release()
    await reader.release()
    while (!(await isFree())) await sleep(5)
    const next = await read()
    assert.equal(next.view.issueCount, 1)
    await next.release()
  })

  it('a failed change leaves the lease usable', async (t) => {
    const { lease, options, read, grow } = await setUp(t)
    await grow()
    await assert.rejects(
      lease.change(options, () => Promise.reject(new Error('abandoned'))),
      /abandoned/,
    )
    await lease.change(options, (view) => view.writeMeta('noted', 'yes'))
    const reader = await read()
    assert.equal(await reader.view.readMeta('noted'), 'yes')
    await reader.release()
  })

  it('follow applies to a view at the parent, and skips any other', async (t) => {
    const { lease, read, grow } = await setUp(t)
    const first = await grow()
    const reader = await read()
    const applied: (string | null)[] = []
    const note = async (view: { readonly head: string | null }) => void applied.push(view.head)
    await lease.follow('0'.repeat(40), note)
    await lease.follow(first, note)
    assert.deepEqual(applied, [first])
    await reader.release()
  })

  it('follow drops a view that could not be brought along', async (t) => {
    const { lease, read, grow } = await setUp(t)
    const first = await grow()
    await (await read()).release()
    await lease.follow(first, () => Promise.reject(new Error('disk full')))
    const reader = await read()
    assert.equal(reader.view.head, first)
    await reader.release()
  })
})
