import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type GitPort, type Oid, openRepository, type RefName } from '../../src/git/index.ts'
import type { ChunkEvent } from '../../src/model/index.ts'
import { ConflictError, limits, RefMovedError } from '../../src/model/index.ts'
import {
  type AppendTarget,
  append,
  type IssueBatch,
  issueLog,
  issueStream,
  noQueue,
  publishBatch,
  walRef,
} from '../../src/wal/index.ts'
import { createTempRepository } from '../git/temp-repository.ts'
import { assertLogHolds, batchOf, creation, issueId, segmentsOf, writeBatch } from '../support/log.ts'

async function setUp(t: TestContext) {
  const repository = await createTempRepository(t)
  const git = openRepository(repository.layout, { environment: repository.environment })
  t.after(() => git.close())
  const target: AppendTarget<IssueBatch, ChunkEvent> = {
    git,
    stream: issueLog,
    queue: noQueue,
    clock: { nowUnixMs: Date.now },
    jitter: () => 0,
  }
  return { ...repository, git, target }
}

let count = 0
function newBatch(): IssueBatch {
  count += 1
  return batchOf([creation(issueId(`${count}`))])
}

/** Returns a batch after checking the head. */
const expecting = (expected: Oid | null | undefined) => async (head: Oid | null) => {
  assert.equal(head, expected)
  return newBatch()
}

async function publishForeign(git: GitPort): Promise<Oid> {
  const head = await git.readRef(walRef)
  const batch = newBatch()
  return publishBatch({ git, stream: issueLog }, batch, head)
}

describe('append', { concurrency: 2 }, () => {
  it('the first commit has no parent, each later one does', async (t) => {
    const { git, target, run } = await setUp(t)
    const first = await append(target, expecting(null))
    const second = await append(target, expecting(first?.head))
    assert.equal(await git.readRef(walRef), second?.head)
    assert.deepEqual([first?.parent, second?.parent], [null, first?.head])
    assert.equal(run('log', '--format=%an <%ae> %s', '-1', walRef), `grite <grit@local> WAL: 1 events from 0a0a0a0a`)
    assert.match(run('reflog', 'show', '--format=%gs', walRef), /^grite: WAL: 1 events/)
  })

  it('an empty plan appends no commit', async (t) => {
    const { git, target } = await setUp(t)
    assert.equal(await append(target, async () => null), null)
    assert.equal(await git.readRef(walRef), null)
  })

  it('a lost race re-plans the batch on the new head', async (t) => {
    const { git, target, path, run } = await setUp(t)
    const heads: (Oid | null)[] = []
    const made: IssueBatch[] = []
    const appended = await append(target, async (head) => {
      heads.push(head)
      if (heads.length <= 2) await publishForeign(git)
      const batch = newBatch()
      made.push(batch)
      return batch
    })
    assert.equal(heads.length, 3)
    assert.equal(new Set(heads).size, 3)
    assert.equal(appended?.parent, heads[2])
    assert.equal(appended?.batch, made[2])
    const segments = await segmentsOf(git, appended?.head as Oid)
    assert.equal(segments.length, 3)
    await assertLogHolds(
      path,
      run,
      git,
      segments.flatMap(({ items }) => items.map(({ event }) => event.eventId)),
    )
  })

  it('a re-plan after a lost race may append nothing', async (t) => {
    const { git, target } = await setUp(t)
    let turns = 0
    const appended = await append(target, async () => {
      turns += 1
      if (turns > 1) return null
      await publishForeign(git)
      return newBatch()
    })
    assert.equal(appended, null)
    assert.equal((await segmentsOf(git, (await git.readRef(walRef)) as Oid)).length, 1)
  })

  it('append fails with conflict after ten contended seconds', async (t) => {
    const { git, target } = await setUp(t)
    let nowUnixMs = 0
    const passTime = () => {
      nowUnixMs += 4000
      return nowUnixMs
    }
    const impatient = { ...target, clock: { nowUnixMs: passTime } }
    await assert.rejects(
      append(impatient, async () => {
        await publishForeign(git)
        return newBatch()
      }),
      (error) => error instanceof ConflictError && error.code === 'conflict' && error.details.reason === 'contended',
    )
  })

  it('an aborted append rejects with the signal’s reason', async (t) => {
    const { git, target } = await setUp(t)
    const controller = new AbortController()
    const reason = new TypeError('nobody waits any more')
    let turns = 0
    const appending = append({ ...target, signal: controller.signal }, async () => {
      turns += 1
      if (turns === 2) controller.abort(reason)
      await publishForeign(git)
      return newBatch()
    })
    await assert.rejects(appending, reason)
    assert.equal(turns, 2)
  })

  it('append leaves the queue on success and on failure', async (t) => {
    const { target } = await setUp(t)
    let inside = 0
    const queue = {
      async enter() {
        inside += 1
        return async () => {
          inside -= 1
        }
      },
    }
    await append({ ...target, queue }, async () => {
      assert.equal(inside, 1)
      return newBatch()
    })
    assert.equal(inside, 0)
    await assert.rejects(
      append({ ...target, queue }, async () => Promise.reject(new TypeError('a plan that fails'))),
      TypeError,
    )
    assert.equal(inside, 0)
  })

  it('publishing on a stale head fails with a conflict', async (t) => {
    const { git } = await setUp(t)
    const first = await publishForeign(git)
    await publishForeign(git)
    await assert.rejects(
      publishBatch({ git, stream: issueLog }, newBatch(), first),
      (error) => error instanceof RefMovedError && error.code === 'conflict',
    )
    assert.equal((await segmentsOf(git, (await git.readRef(walRef)) as Oid)).length, 2)
  })

  it('append can fork another stream and merge two heads', async (t) => {
    const { git, target, run } = await setUp(t)
    const base = (await append(target, expecting(null)))?.head as Oid
    const main = (await append(target, expecting(base)))?.head as Oid
    const fork = { ...target, stream: issueStream('refs/grite/forks/one' as RefName, 'a fork') }
    const branch = await append({ ...fork, parentsOf: () => [base] }, expecting(null))
    assert.deepEqual([branch?.parent, run('rev-parse', `${branch?.head}^`)], [null, base])
    const merge = await append({ ...fork, parentsOf: (_batch, head) => [head as Oid, main] }, expecting(branch?.head))
    assert.equal(run('log', '-1', '--format=%P', merge?.head as Oid), `${branch?.head} ${main}`)
    assert.equal((await segmentsOf(git, merge?.head as Oid)).length, 4)
    assert.equal(await git.readRef(walRef), main)
  })

  it('append refuses a file larger than readers accept', async (t) => {
    const { git } = await setUp(t)
    const extras = (bytes: number) => new Map([['ext/large', new Uint8Array(bytes)]])
    const stream = issueStream('refs/grite/test' as RefName, 'a test')
    const target = { git, stream }
    await assert.rejects(
      publishBatch(target, { ...newBatch(), extras: extras(limits.chunkReadBytesMax + 1) }, null),
      RangeError,
    )
    assert.equal(await git.readRef(stream.ref), null)
  })

  it('ten unqueued appends all succeed', async (t) => {
    const { git, target, path, run } = await setUp(t)
    const jittery = { ...target, jitter: Math.random }
    const batches = Array.from({ length: 10 }, newBatch)
    await Promise.all(batches.map((batch) => append(jittery, async () => batch)))
    const segments = await segmentsOf(git, (await git.readRef(walRef)) as Oid)
    await assertLogHolds(
      path,
      run,
      git,
      segments.flatMap(({ items }) => items.map(({ event }) => event.eventId)),
    )
    assert.equal(segments.length, 10)
  })

  it('append continues after a reset of the ref', async (t) => {
    const { git, target, run } = await setUp(t)
    const first = await publishForeign(git)
    await publishForeign(git)
    let turns = 0
    const appended = await append(target, async (head) => {
      turns += 1
      if (turns === 1) run('update-ref', walRef, first)
      else assert.equal(head, first)
      return newBatch()
    })
    assert.deepEqual([turns, appended?.parent], [2, first])
    assert.ok(await writeBatch(git, newBatch(), null))
  })
})
