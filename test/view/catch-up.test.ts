import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type GitPort, type Oid, openRepository, type RefName } from '../../src/git/index.ts'
import { type Event, RefMovedError } from '../../src/model/index.ts'
import { catchUp, type View } from '../../src/view/index.ts'
import { append, type Gained, issueLog, issueStream, type LogProblem, noQueue, walRef } from '../../src/wal/index.ts'
import { readSegments } from '../../src/wal/join-ref.ts'
import { createTempRepository } from '../git/temp-repository.ts'
import {
  assertLogHolds,
  batchOf,
  comment,
  creation,
  dumpStore,
  filesOf,
  issueId,
  openTestView,
  writeBatch,
  writeCommit,
} from '../support/log.ts'

const a = issueId('a0')

async function setUp(t: TestContext) {
  const repository = await createTempRepository(t)
  const git = openRepository(repository.layout, { environment: repository.environment })
  t.after(() => git.close())
  const view = await openTestView()
  const problems: LogProblem[] = []
  const warnings: string[] = []
  const messages: string[] = []
  const options = {
    git,
    stream: issueLog,
    clock: { nowUnixMs: () => 1_700_000_000_000 },
    report: (problem: LogProblem) => void problems.push(problem),
    warn(code: string, message: string) {
      warnings.push(code)
      messages.push(message)
    },
  }
  return {
    ...repository,
    git,
    view,
    problems,
    warnings,
    messages,
    follow: (one: View = view, port: GitPort = git) => catchUp({ ...options, git: port, view: one }),
    /** Adds one commit per event on top of a parent, and moves the ref to the last. */
    async grow(parent: Oid | null, events: readonly Event[]): Promise<Oid> {
      let head = parent
      for (const event of events) head = await writeBatch(git, batchOf([event]), head)
      repository.run('update-ref', '--create-reflog', '-m', 'grite: WAL', walRef, head as string)
      return head as Oid
    },
    async assertSameAsFresh() {
      const fresh = await openTestView()
      await catchUp({ ...options, view: fresh })
      assert.deepEqual(await dumpStore(view.store), await dumpStore(fresh.store))
      assert.deepEqual([view.eventCount, view.issueCount, view.head], [fresh.eventCount, fresh.issueCount, fresh.head])
    },
  }
}

function countWalks(git: GitPort): [GitPort, () => number] {
  let walks = 0
  const isAncestor = (ancestor: Oid, descendant: Oid) => {
    walks += 1
    return git.isAncestor(ancestor, descendant)
  }
  return [{ ...git, isAncestor }, () => walks]
}

const comments = (count: number) => Array.from({ length: count }, (_, index) => comment(a, `comment ${index}`))

describe('catching up with the log', { concurrency: 2 }, () => {
  it('catch-up of a missing log leaves the view empty', async (t) => {
    const { view, follow } = await setUp(t)
    assert.equal(await follow(), 'current')
    assert.deepEqual([view.head, view.eventCount], [null, 0])
  })

  for (const { what, isNew } of [
    { what: 'a new view', isNew: true },
    { what: 'a view of a lost commit', isNew: false },
  ]) {
    it(`${what} shows all that it restored, though the log is moved back again meanwhile`, async (t) => {
      const { git, view, run, follow, grow, assertSameAsFresh } = await setUp(t)
      const first = await grow(null, [creation(a, 'first')])
      const moveBack = () => run('update-ref', walRef, first)
      const second = await grow(first, [comment(a, 'second')])
      if (!isNew) await follow()
      moveBack()
      const third = await grow(first, [comment(a, 'third')])
      moveBack()
      const publish: GitPort['publish'] = async (request) => {
        await git.publish(request)
        moveBack()
      }
      await follow(view, { ...git, publish })
      assert.equal(view.eventCount, 3)
      assert.deepEqual([second, third].includes(view.head as Oid), false)
      await follow()
      await assertSameAsFresh()
    })
  }

  it('a view shows what the log held when it was read, though the log is moved back before lost events are restored', async (t) => {
    const { git, view, run, follow, grow, assertSameAsFresh } = await setUp(t)
    const first = await grow(null, [creation(a, 'first')])
    await grow(first, [comment(a, 'second')])
    await follow()
    run('update-ref', walRef, first)
    await grow(first, [comment(a, 'third')])
    let reads = 0
    const readRef: GitPort['readRef'] = (ref) => {
      reads += 1
      if (reads === 2) run('update-ref', walRef, first)
      return git.readRef(ref)
    }
    await follow(view, { ...git, readRef })
    assert.equal(view.eventCount, 3)
    await follow()
    await assertSameAsFresh()
  })

  it('an event counts once though it was restored again after a move to another chain', async (t) => {
    const { git, view, messages, run, follow, grow, assertSameAsFresh } = await setUp(t)
    const first = await grow(null, [creation(a, 'first')])
    for (const text of ['second', 'third']) {
      await grow(first, [comment(a, text)])
      run('update-ref', walRef, first)
    }
    const aside = await writeBatch(git, batchOf([comment(a, 'aside')]), first)
    let isMoved = false
    const publish: GitPort['publish'] = async (request) => {
      await git.publish(request)
      if (!isMoved) run('update-ref', walRef, aside)
      isMoved = true
    }
    await follow(view, { ...git, publish })
    assert.equal(view.eventCount, 4)
    assert.match(messages.join(), /restored 2 events$/)
    await follow()
    await assertSameAsFresh()
  })

  it('a view that forgot its states applies later commits in the same way', async (t) => {
    const { view, follow, grow, assertSameAsFresh } = await setUp(t)
    const repeated = comment(a, 'said twice')
    const head = await grow(null, [creation(a), repeated, creation(issueId('b0'))])
    await follow()
    await view.forgetStates()
    assert.deepEqual([view.eventCount, view.issueCount, view.head], [3, 2, head])
    await grow(head, [repeated, comment(a, 'another'), creation(issueId('c0'))])
    await follow()
    await view.forgetStates()
    await assertSameAsFresh()
  })

  it('catch-up at the same head does nothing', async (t) => {
    const { view, follow, grow } = await setUp(t)
    const head = await grow(null, [creation(a)])
    assert.equal(await follow(), 'replayed')
    assert.equal(view.head, head)
    assert.equal(await follow(), 'current')
  })

  for (const count of [1, 30, 70]) {
    it(`catch-up replays ${count} loose commits`, async (t) => {
      const { view, follow, grow, assertSameAsFresh } = await setUp(t)
      const head = await grow(null, [creation(a)])
      await follow()
      const next = await grow(head, comments(count))
      assert.equal(await follow(), 'replayed')
      assert.deepEqual([view.head, view.eventCount], [next, count + 1])
      await assertSameAsFresh()
    })
  }

  it('catch-up replays commits that gc packed', async (t) => {
    const { view, follow, grow, run, assertSameAsFresh } = await setUp(t)
    const head = await grow(null, [creation(a)])
    await follow()
    const next = await grow(head, comments(30))
    run('gc', '-q')
    assert.equal(await follow(), 'replayed')
    assert.deepEqual([view.head, view.eventCount], [next, 31])
    await assertSameAsFresh()
  })

  it('catch-up replays both sides of a merge commit', async (t) => {
    const { view, follow, grow, git, run, assertSameAsFresh, problems } = await setUp(t)
    const base = await grow(null, [creation(a)])
    await follow()
    const left = await writeBatch(git, batchOf([comment(a, 'left')]), base)
    const right = await writeBatch(git, batchOf([comment(a, 'right')]), base)
    const merge = await writeCommit(git, filesOf(batchOf([comment(a, 'merge')]), left), [left, right])
    run('update-ref', walRef, merge)
    assert.equal(await follow(), 'replayed')
    assert.deepEqual([view.head, view.eventCount], [merge, 4])
    assert.deepEqual(problems, [])
    await assertSameAsFresh()
  })

  it('catch-up applies what the caller has read of either kind of move', async (t) => {
    const { view, follow, grow, git, assertSameAsFresh } = await setUp(t)
    const start = await grow(null, [creation(a)])
    await follow()
    const own = comment(a, 'mine')
    const mine = await grow(start, [own])
    const gainedOf = async (from: Oid, to: Oid, how: 'extension' | 'join'): Promise<Gained> => {
      const segments = await readSegments(git, issueLog, to, [start])
      return { from, to, how, segments }
    }
    const readHistory = () => assert.fail('the log was read again')
    const options = { stream: issueLog, clock: { nowUnixMs: () => 0 }, report() {}, warn() {} }
    const gained = await gainedOf(start, mine, 'extension')
    await catchUp({ ...options, git: { ...git, readHistory }, view, gained })
    assert.deepEqual([view.head, view.eventCount], [mine, 2])
    const joined = await grow(start, [comment(a, 'theirs'), own])
    await catchUp({ ...options, git: { ...git, readHistory }, view, gained: await gainedOf(mine, joined, 'join') })
    assert.deepEqual([view.head, view.eventCount], [joined, 3])
    await assertSameAsFresh()
  })

  it('catch-up merges a diverged log that lost nothing', async (t) => {
    const { view, follow, grow, warnings, assertSameAsFresh, git } = await setUp(t)
    const base = await grow(null, [creation(a)])
    const mine = [comment(a, 'mine'), comment(a, 'also mine')]
    await grow(base, mine)
    await follow()
    const theirs = await grow(base, [comment(a, 'theirs'), ...mine])
    assert.equal(await follow(), 'merged')
    assert.deepEqual([view.head, view.eventCount], [theirs, 4])
    assert.deepEqual(warnings, [])
    assert.equal(await git.readRef(walRef), theirs)
    await assertSameAsFresh()
  })

  it('catch-up appends only the events that the other side lacks', async (t) => {
    const { view, follow, grow, warnings, assertSameAsFresh, git, ...repository } = await setUp(t)
    const base = await grow(null, [creation(a)])
    const mine = [comment(a, 'shared'), comment(a, 'mine alone')] as const
    await grow(base, mine)
    await follow()
    const theirs = await grow(base, [comment(a, 'theirs'), mine[0]])
    assert.equal(await follow(), 'healed')
    assert.deepEqual(warnings, ['log-restored'])
    assert.equal(repository.run('rev-list', '--count', `${theirs}..${walRef}`), '1')
    assert.equal(view.eventCount, 4)
    await assertSameAsFresh()
    assert.equal(await follow(), 'current')
  })

  it('catch-up restores many lost events in one commit', async (t) => {
    const { view, follow, grow, warnings, git, ...repository } = await setUp(t)
    const base = await grow(null, [creation(a)])
    const lost = comments(200)
    await grow(base, lost)
    await follow()
    const theirs = await grow(base, [comment(a, 'theirs')])
    assert.equal(await follow(), 'healed')
    assert.deepEqual(warnings, ['log-restored'])
    assert.equal(repository.run('rev-list', '--count', `${theirs}..${walRef}`), '1')
    assert.equal(view.eventCount, 202)
  })

  it('two concurrent heals restore each event once', async (t) => {
    const { view, follow, grow, git, ...repository } = await setUp(t)
    const first = creation(a)
    const base = await grow(null, [first])
    const mine = comments(5)
    await grow(base, mine)
    const other = await openTestView()
    await Promise.all([follow(), follow(other)])
    const theirs = comment(a, 'theirs')
    await grow(base, [theirs])
    await Promise.all([follow(), follow(other)])
    await follow()
    await follow(other)
    assert.deepEqual(await dumpStore(view.store), await dumpStore(other.store))
    await assertLogHolds(
      repository.path,
      repository.run,
      git,
      [first, theirs, ...mine].map(({ eventId }) => eventId),
    )
  })

  it('a fork of the log has a view of its own', async (t) => {
    const { git, grow, follow, view, run } = await setUp(t)
    const base = await grow(null, [creation(a)])
    await grow(base, [comment(a, 'in the log')])
    const fork = issueStream('refs/grite/forks/one' as RefName, 'the fork')
    const target = { git, stream: fork, queue: noQueue, clock: { nowUnixMs: () => 0 }, jitter: () => 0 }
    const parentsOf = (_batch: unknown, head: Oid | null) => [head ?? base]
    const write = (text: string) => append({ ...target, parentsOf }, async () => batchOf([comment(a, text)]))
    await write('in the fork')
    const lost = await write('lost')
    const forkView = await openTestView()
    const catchUpFork = () =>
      catchUp({ git, stream: fork, view: forkView, clock: { nowUnixMs: () => 0 }, report() {}, warn() {} })
    await catchUpFork()
    assert.deepEqual([forkView.head, forkView.eventCount], [lost?.head, 3])
    run('update-ref', '-m', 'reset', fork.ref, `${lost?.head}^`)
    assert.equal(await catchUpFork(), 'healed')
    assert.equal(await git.readRef(fork.ref), lost?.head)
    await follow()
    assert.equal(view.eventCount, 2)
  })

  it('catch-up fails when lost events cannot be restored', async (t) => {
    const { follow, git, grow, view } = await setUp(t)
    const base = await grow(null, [creation(a)])
    await grow(base, [comment(a, 'mine')])
    await follow()
    const ref = await grow(base, [comment(a, 'theirs')])
    const publish = async () => {
      throw new RefMovedError(walRef, ref, base)
    }
    const options = { view, stream: issueLog, clock: { nowUnixMs: () => 0 }, report() {}, warn() {} }
    await assert.rejects(catchUp({ ...options, git: { ...git, publish } }), { code: 'conflict' })
    assert.equal(await follow(), 'healed')
    assert.equal(view.eventCount, 3)
  })

  it('a foreign ref move is checked only once', async (t) => {
    const { follow, grow, git, run, view } = await setUp(t)
    const base = await grow(null, [creation(a)])
    const head = await grow(base, [comment(a, 'x')])
    run('update-ref', '-m', 'fetch: fast-forward', walRef, head, head)
    await follow()
    const [counting, walks] = countWalks(git)
    for (const event of comments(5)) {
      const next = await writeBatch(git, batchOf([event]), (await git.readRef(walRef)) as Oid)
      run('update-ref', '-m', 'grite: WAL', walRef, next)
      const options = { stream: issueLog, clock: { nowUnixMs: () => 0 }, report() {}, warn() {} }
      assert.equal(await catchUp({ ...options, git: counting, view }), 'replayed')
    }
    assert.equal(walks(), 0)
  })

  it('many foreign appends are recognised by their parents', async (t) => {
    const { grow, git, run } = await setUp(t)
    let head = await grow(null, [creation(a)])
    for (const event of comments(60)) {
      head = await writeBatch(git, batchOf([event]), head)
      run('update-ref', '-m', 'libgit2', walRef, head)
    }
    const [counting, walks] = countWalks(git)
    const view = await openTestView()
    await catchUp({ git: counting, stream: issueLog, view, clock: { nowUnixMs: () => 0 }, report() {}, warn() {} })
    assert.equal(view.eventCount, 61)
    assert.equal(walks(), 0)
  })
})
