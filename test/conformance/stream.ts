/** Tests that every tenant of the engine passes, whatever its codec and divergence policy. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import {
  findRepository,
  type GitPort,
  type Oid,
  openRemotes,
  openRepository,
  type PublishPoint,
} from '../../src/git/index.ts'
import { ConflictError } from '../../src/model/index.ts'
import {
  append,
  findGaps,
  findLostHeads,
  findSoundHead,
  type HealTarget,
  healRef,
  leaveHead,
  noQueue,
  publishBatch,
  readLog,
  type Segment,
  type SyncPoint,
  type SyncRequest,
  syncRef,
  trackingRef,
} from '../../src/wal/index.ts'
import { createSandbox, createTempRepository, type Sandbox } from '../git/temp-repository.ts'
import { childProgram } from '../support/child-program.ts'
import type { StreamOrder } from '../wal/stream-child.ts'
import type { Tenant } from '../wal/tenants.ts'

/** Every point of a publish, and whether the batch counts as written from then on. */
const publishPoints = {
  started: false,
  'files-staged': false,
  'files-flushed': false,
  'objects-placed': false,
  'objects-written': false,
  'ref-locked': false,
  'ref-checked': false,
  'ref-moved': true,
  'ref-flushed': true,
  published: true,
} as const satisfies Record<PublishPoint, boolean>

const textKillPoints = { 'ref-checked': false, 'ref-moved': true } as const satisfies Partial<typeof publishPoints>

const syncPoints: readonly SyncPoint[] = ['fetched', 'staged', 'moved', 'pushed', 'tracked']
const textSyncPoints: readonly SyncPoint[] = ['pushed']

class Killed extends Error {}

export function streamConformance<Batch, Item, Sealed extends Segment<Item>>(
  tenant: Tenant<Batch, Item, Sealed>,
): void {
  const { stream, textsOf, batchOf } = tenant
  const unites = stream.divergence.kind === 'union'
  // Publish and sync are the same for all; a stream of texts proves that they suit other codecs.
  const killPoints = tenant.isOfTests ? textKillPoints : publishPoints
  const clock = { nowUnixMs: () => 1_700_000_000_000 }

  const appending = (git: GitPort) => ({ git, stream, queue: noQueue, clock, jitter: () => 0 })
  const write = async (git: GitPort, ...texts: readonly string[]): Promise<Oid> =>
    (await append(appending(git), async () => batchOf(texts)))?.head as Oid

  async function segmentsOf(git: GitPort, head: Oid | null, exclude: readonly Oid[] = []): Promise<Sealed[]> {
    const all: Sealed[] = []
    if (head === null) return all
    for await (const segments of readLog(git, stream, { head, exclude })) all.push(...segments)
    return all
  }
  const textsAt = async (git: GitPort, head: Oid | null, exclude: readonly Oid[] = []): Promise<string[]> =>
    (await segmentsOf(git, head, exclude)).flatMap(textsOf)
  const texts = async (git: GitPort): Promise<string[]> => textsAt(git, await git.readRef(stream.ref))

  async function setUp(t: TestContext) {
    const repository = await createTempRepository(t)
    const git = openRepository(repository.layout, { environment: repository.environment })
    t.after(() => git.close())
    return { ...repository, git }
  }

  describe(`${tenant.name}: append`, { concurrency: 2 }, () => {
    it('appends each batch on top of the previous head', async (t) => {
      const { git, run } = await setUp(t)
      const first = await write(git, 'one')
      const second = await write(git, 'two', 'three')
      assert.equal(run('rev-parse', `${second}^`), first)
      assert.equal(run('rev-list', '--count', stream.ref), '2')
      assert.deepEqual(await texts(git), ['one', 'two', 'three'])
      assert.equal(run('reflog', 'show', '--format=%H', stream.ref), `${second}\n${first}`)
    })

    it('rebuilds its batch on the new head after a lost race', async (t) => {
      const { git } = await setUp(t)
      const heads: (Oid | null)[] = []
      await append(appending(git), async (head) => {
        heads.push(head)
        if (heads.length <= 2) await publishBatch({ git, stream }, batchOf([`theirs ${heads.length}`]), head)
        return batchOf([`ours, try ${heads.length}`])
      })
      assert.equal(new Set(heads).size, 3)
      assert.deepEqual(await texts(git), ['theirs 1', 'theirs 2', 'ours, try 3'])
    })

    it('loses no batch of concurrent writers', async (t) => {
      const { git } = await setUp(t)
      const names = Array.from({ length: 6 }, (_value, index) => `writer ${index}`)
      const jitter = () => Math.random()
      await Promise.all(names.map((name) => append({ ...appending(git), jitter }, async () => batchOf([name]))))
      assert.deepEqual((await texts(git)).sort(), names)
    })
  })

  describe(`${tenant.name}: read`, { concurrency: 2 }, () => {
    it('reads the items since a commit, oldest first', async (t) => {
      const { git } = await setUp(t)
      const first = await write(git, 'one')
      await write(git, 'two')
      const head = await write(git, 'three')
      assert.deepEqual(await textsAt(git, head, [first]), ['two', 'three'])
      assert.deepEqual(await textsAt(git, head, [head]), [])
    })

    for (const way of ['missing', 'corrupt'] as const) {
      it(`reports a ${way} object by its id and reads the rest`, async (t) => {
        const { git, path, run } = await setUp(t)
        await write(git, 'one')
        const damaged = await write(git, 'two')
        const head = await write(git, 'three')
        const rows = run('ls-tree', '-r', damaged)
          .split('\n')
          .map((row) => row.split(/\s/))
        const oid = rows.find(([, , , name]) => tenant.holdsItems(name as string))?.[2] as string
        damage(join(path, '.git/objects', oid.slice(0, 2), oid.slice(2)), way)
        assert.deepEqual(await textsAt(git, head), ['one', 'three'])
        const problems = (await segmentsOf(git, head)).flatMap((segment) => segment.problems)
        const found = problems.filter(({ unread }) => unread !== undefined)
        assert.deepEqual(
          found.map(({ commit, objectId, unread }) => ({ commit, objectId, unread })),
          [{ commit: damaged, objectId: oid, unread: way }],
        )
        assert.deepEqual((await findGaps(git, stream, head)).count, 1)
      })
    }
  })

  describe(`${tenant.name}: heal`, { concurrency: 2 }, () => {
    async function heal(git: GitPort, heads: readonly Oid[]) {
      const ref = await git.readRef(stream.ref)
      const known = { heads, passedOver: new Set<string>(), retry: [], reflogMark: '' }
      const lost = await findLostHeads(git, stream, known, ref, new Set())
      const target: HealTarget<Batch, Item, Sealed> = { git, stream, clock, mayRepeat: false }
      return { lost, healed: await healRef(target, lost, ref) }
    }

    it('heal restores a deleted ref', async (t) => {
      const { git, run } = await setUp(t)
      const head = await write(git, 'one', 'two')
      run('update-ref', '-d', stream.ref)
      const { healed } = await heal(git, [head])
      assert.equal(healed.restored, 2)
      assert.equal(await git.readRef(stream.ref), head)
    })

    it('heal finds the commits lost by a reset in the reflog', async (t) => {
      const { git, run } = await setUp(t)
      const first = await write(git, 'one')
      const head = await write(git, 'two')
      run('update-ref', '-m', 'reset', stream.ref, first)
      const { lost, healed } = await heal(git, [])
      assert.deepEqual([lost, healed.restored], [[head], 1])
      assert.equal(await git.readRef(stream.ref), head)
    })

    it('heal leaves a complete stream unchanged', async (t) => {
      const { git } = await setUp(t)
      const first = await write(git, 'one')
      const head = await write(git, 'two')
      assert.deepEqual((await heal(git, [first, head])).lost, [])
    })

    it('an unreadable head is replaced by the newest readable commit', async (t) => {
      const { git, path } = await setUp(t)
      const first = await write(git, 'one')
      const head = await write(git, 'two')
      damage(join(path, '.git/objects', head.slice(0, 2), head.slice(2)), 'missing')
      const found = await findSoundHead(git, stream, { heads: [], trustsRemotes: false })
      assert.equal(found, first)
      await leaveHead(git, stream, { from: head, to: first })
      assert.deepEqual(await texts(git), ['one'])
    })

    it(unites ? 'heal appends the items of a replaced chain' : 'heal refuses to join a replaced chain', async (t) => {
      const { git, run } = await setUp(t)
      const first = await write(git, 'one')
      const lost = await write(git, 'two')
      run('update-ref', '-m', 'reset', stream.ref, first)
      const other = await write(git, 'three')
      const { healed } = await heal(git, [lost])
      assert.deepEqual(healed.refused, unites ? [] : [lost])
      assert.equal(healed.restored, unites ? 1 : 0)
      if (!unites) assert.equal(await git.readRef(stream.ref), other)
      assert.deepEqual(await texts(git), unites ? ['one', 'three', 'two'] : ['one', 'three'])
    })

    it('heal reports an unavailable head as gone', async (t) => {
      const { git } = await setUp(t)
      await write(git, 'one')
      const gone = 'ab'.repeat(20) as Oid
      const { healed } = await heal(git, [gone])
      assert.deepEqual([healed.gone, healed.restored], [[gone], 0])
    })
  })

  describe(`${tenant.name}: sync`, { concurrency: 2 }, () => {
    async function clones(t: TestContext) {
      const sandbox = createSandbox(t)
      const original = join(sandbox.dir, 'origin.git')
      sandbox.git(sandbox.dir, 'init', '-q', '--bare', '--template=', original)
      const [one, two] = [await openClone(t, sandbox, 'one'), await openClone(t, sandbox, 'two')]
      return { one, two }
    }

    async function openClone(t: TestContext, sandbox: Sandbox, name: string) {
      const path = join(sandbox.dir, `${name}.git`)
      cpSync(join(sandbox.dir, 'origin.git'), path, { recursive: true })
      writeFileSync(join(path, 'config'), '[remote "origin"]\n\turl = ../origin.git\n', { flag: 'a' })
      const { environment } = sandbox
      const git = openRepository(await findRepository({ cwd: path, env: environment }), { environment })
      const remotes = openRemotes(git, { isInteractive: false })
      t.after(() => git.close())
      return { git, remotes }
    }

    type Clone = Awaited<ReturnType<typeof openClone>>
    const request: SyncRequest<Sealed> = {
      ...{ remote: 'origin', isHome: true, pull: true, push: true, runHooks: false },
      mayRepeat: async () => false,
    }
    const sync = ({ git, remotes }: Clone, at?: (point: SyncPoint) => void) =>
      syncRef({ git, remotes, stream, queue: noQueue, clock, jitter: () => 0, at }, request)

    it('sync brings the items of each clone to the other', async (t) => {
      const { one, two } = await clones(t)
      await write(one.git, 'one')
      assert.equal((await sync(one)).pushed, true)
      assert.equal((await sync(two)).after, await one.git.readRef(stream.ref))
      const head = await write(two.git, 'two')
      await sync(two)
      const { before, after, pushed } = await sync(one)
      assert.deepEqual([after, pushed], [head, false])
      assert.notEqual(before, after)
      assert.deepEqual(await texts(one.git), ['one', 'two'])
    })

    it(unites ? 'sync joins diverged streams' : 'sync refuses diverged streams and names both heads', async (t) => {
      const { one, two } = await clones(t)
      await write(one.git, 'base')
      await sync(one)
      await sync(two)
      const theirs = await write(one.git, 'theirs')
      await sync(one)
      const ours = await write(two.git, 'ours')
      if (unites) {
        const { rejoined, after } = await sync(two)
        assert.equal(rejoined, 1)
        assert.equal((await sync(one)).after, after)
        assert.deepEqual(await texts(one.git), ['base', 'theirs', 'ours'])
        return
      }
      for (let turn = 0; turn < 2; turn++) {
        await assert.rejects(sync(two), (error) => {
          assert.ok(error instanceof ConflictError)
          assert.deepEqual(error.details, {
            ...{ remote: 'origin', ref: stream.ref, reason: 'diverged', object_ids: [ours, theirs] },
          })
          return true
        })
        assert.equal(await two.git.readRef(stream.ref), ours)
        assert.equal(await two.git.readRef(trackingRef('origin', stream.ref)), theirs)
      }
    })

    if (unites) {
      it('sync relates small changes without a search for their base', async (t) => {
        const { one, two } = await clones(t)
        await write(one.git, 'base')
        await sync(one)
        await sync(two)
        const searches: string[] = []
        const searching: GitPort = {
          ...two.git,
          findMergeBase(left, right) {
            searches.push('merge base')
            return two.git.findMergeBase(left, right)
          },
        }
        const observed = { ...two, git: searching }
        for (const text of ['theirs 1', 'theirs 2']) await write(one.git, text)
        await sync(one)
        const { gained } = await sync(observed)
        assert.deepEqual([gained?.how, gained?.segments.length], ['extension', 2])
        await write(one.git, 'theirs 3')
        await sync(one)
        for (const text of ['ours 1', 'ours 2']) await write(two.git, text)
        const joined = await sync(observed)
        assert.deepEqual([joined.rejoined, joined.gained?.how, joined.gained?.segments.length], [2, 'join', 1])
        assert.deepEqual(searches, [])
        await sync(one)
        const all = ['base', 'theirs 1', 'theirs 2', 'theirs 3', 'ours 1', 'ours 2']
        assert.deepEqual([await texts(one.git), await texts(two.git)], [all, all])
      })

      it('sync joins streams that share more than the last known head', async (t) => {
        const { one, two } = await clones(t)
        await write(one.git, 'base')
        await sync(one)
        await sync(two)
        const known = await write(one.git, 'shared')
        await sync(one)
        // The commit arrives by another way than a sync.
        await two.remotes.fetch({ remote: 'origin', refspecs: [`+${stream.ref.slice(0, -1)}*:refs/elsewhere/*`] })
        const update = {
          ref: stream.ref,
          expected: await two.git.readRef(stream.ref),
          next: known,
          reflogMessage: 'move',
        }
        await two.git.publish({ objects: [], updates: [update] })
        await write(two.git, 'ours')
        await write(one.git, 'theirs')
        await sync(one)
        assert.equal((await sync(two)).rejoined, 1)
        await sync(one)
        const all = ['base', 'shared', 'theirs', 'ours']
        assert.deepEqual([await texts(one.git), await texts(two.git)], [all, all])
      })
    }

    it('sync interrupted at any point loses no item', async (t) => {
      const { one, two } = await clones(t)
      await write(one.git, 'base')
      await sync(one)
      await sync(two)
      const all = ['base']
      for (const point of tenant.isOfTests ? textSyncPoints : syncPoints) {
        all.push(`theirs ${point}`, `ours ${point}`)
        await write(one.git, `theirs ${point}`)
        await sync(one)
        // A stream that refuses divergence must fetch the other side's items before it writes.
        if (!unites) await sync(two)
        await write(two.git, `ours ${point}`)
        const cut = sync(two, (now) => {
          if (now === point) throw new Killed()
        })
        // A stream that refuses divergence never reaches these points.
        const isReached = unites || !['staged', 'moved'].includes(point)
        if (isReached) await assert.rejects(cut, Killed)
        else await cut
        await sync(two)
        await sync(one)
        assert.deepEqual([await texts(one.git), await texts(two.git)], [all, all], point)
      }
    })
  })

  it(`${tenant.name}: an append killed at any point has written its batch, or not`, async (t) => {
    const { git, path, environment, run } = await setUp(t)
    await write(git, 'one')
    const all = ['one']
    for (const [point, counts] of Object.entries(killPoints) as [PublishPoint, boolean][]) {
      const order: StreamOrder = { cwd: path, environment, tenant: tenant.name, text: `at ${point}`, dieAt: point }
      const program = childProgram('test/wal/stream-child.ts')
      const end = spawnSync(process.execPath, [...program, JSON.stringify(order)], { encoding: 'utf8' })
      assert.equal(end.signal, 'SIGKILL', end.stderr)
      await write(git, `after ${point}`)
      all.push(...(counts ? [`at ${point}`] : []), `after ${point}`)
      assert.deepEqual(await texts(git), all, point)
    }
    run('fsck', '--strict', '--no-dangling')
  })
}

function damage(file: string, way: 'missing' | 'corrupt'): void {
  if (way === 'missing') {
    rmSync(file)
    return
  }
  chmodSync(file, 0o644)
  writeFileSync(file, 'x\x9c no object')
}
