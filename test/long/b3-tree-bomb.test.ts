/** A pushed commit with too many paths to walk, and a log that repeats one chunk. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  encodeObject,
  encodeTree,
  findRepository,
  type GitPort,
  type Oid,
  openRepository,
  type PendingObject,
} from '../../src/git/index.ts'
import { encodeEventChunk, hashChunk } from '../../src/model/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { createGriteSandbox } from '../contract/grite-process.ts'
import { comment, creation, issueId, segmentsOf, writeCommit } from '../support/log.ts'
import { createClones } from '../sync/clones.ts'

/** Writes a tree of ten levels, each naming the next ten times: 10^10 paths of one empty file. */
async function writeBomb(git: GitPort): Promise<Oid> {
  const objects: PendingObject[] = [encodeObject('sha1', 'blob', Buffer.alloc(0))]
  for (let level = 0; level < 10; level++) {
    const { oid, type } = objects.at(-1) as PendingObject
    const mode = type === 'tree' ? '40000' : '100644'
    const rows = Array.from({ length: 10 }, (_, index) => ({ mode, name: `d${index}`, oid }))
    objects.push(encodeTree('sha1', rows))
  }
  await git.publish({ objects, updates: [] })
  return (objects.at(-1) as PendingObject).oid
}

/** Makes a commit of this tree on top of the log, using git plumbing. */
function commitOf(git: (...args: string[]) => string, feed: (text: string, ...args: string[]) => string, bomb: Oid) {
  const meta = feed('{"schema_version":1}', 'hash-object', '-w', '--stdin')
  const root = feed(`100644 blob ${meta}\tmeta.json\n040000 tree ${bomb}\tevents\n`, 'mktree')
  return git('commit-tree', '-p', walRef, '-m', 'x', root)
}

describe('a commit with 10^10 paths', () => {
  it('commands and syncs survive a tree bomb and report its commit', async (t) => {
    const setup = createClones(t)
    const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
    await ann.create('good one')
    await ann.sync()
    const bomb = await setup.onOrigin(writeBomb)
    const commit = commitOf(setup.inOrigin, setup.feedOrigin, bomb)
    setup.inOrigin('update-ref', walRef, commit)

    assert.equal((await bo.sync()).pull_events, 1)
    await bo.create('mine')
    for (const name of ['issue list', 'rebuild', 'doctor', 'snapshot create']) await bo.outcome(name)
    assert.equal((await bo.sync()).success, true)
    assert.deepEqual(await bo.titles(), ['good one', 'mine'])
    const warnings = bo.warnings.filter(({ code }) => code === 'log-problem')
    assert.ok(warnings.length > 0)
    for (const { message, details } of warnings) {
      assert.match(message, /more than 8192 files; the others were skipped$/)
      assert.equal(details?.objectId, commit)
    }

    // When the remote loses the commit, a sync re-appends it within the limits, like any other.
    const before = setup.inOrigin('rev-parse', `${commit}~`)
    await ann.create('beside')
    setup.inOrigin('update-ref', walRef, before)
    await ann.sync()
    await bo.sync()
    await ann.sync()
    assert.deepEqual(await ann.titles(), ['beside', 'good one', 'mine'])
    assert.deepEqual(await ann.ids(), await bo.ids())
  })

  it('SIGTERM ends a rebuild over a tree bomb and its git process', async (t) => {
    if (!existsSync('/proc/self/stat')) return t.skip('this system has no /proc to find processes in')
    const place = createGriteSandbox(t)
    place.create('one')
    const git = (...args: string[]) => place.git(place.path, ...args)
    const feed = (text: string, ...args: string[]) => place.gitWith(text, place.path, ...args)
    const layout = await findRepository({ cwd: place.path, env: place.environment })
    const port = openRepository(layout, { environment: place.environment })
    git('update-ref', walRef, commitOf(git, feed, await writeBomb(port)))
    await port.close()
    const child = place.start('rebuild')
    const ended = once(child, 'close')
    const [export_] = await untilSome(() => childrenOf(child.pid as number))
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [143, null])
    await untilSome(() => (existsSync(`/proc/${export_}`) ? [] : ['gone']))
  })
})

/** Lists the child processes of a process. */
function childrenOf(parent: number): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return (
        Number(
          readFileSync(`/proc/${pid}/stat`, 'latin1')
            .replace(/^.*\)\s*/s, '')
            .split(' ')[1],
        ) === parent
      )
    } catch {
      return false
    }
  })
}

/** Polls until `look` finds something, for at most ten seconds. */
async function untilSome<Item>(look: () => readonly Item[]): Promise<readonly [Item, ...Item[]]> {
  for (let turn = 0; turn < 1000; turn++) {
    const found = look()
    if (found.length > 0) return found as [Item, ...Item[]]
    await sleep(10)
  }
  throw new Error('nothing was found for ten seconds')
}

describe('one chunk under many names', () => {
  const a = issueId('a0')
  const events = [creation(a), ...Array.from({ length: 3 }, () => comment(a, 'x'.repeat(40_000)))]
  const chunk = encodeEventChunk(events)
  const ids = events.map(({ eventId }) => eventId as string).sort()
  const names = Array.from({ length: 1500 }, (_, index) => `events/${index}/${hashChunk(chunk)}.bin`)

  it('1,500 copies of a chunk in a commit are read once', async (t) => {
    const setup = createClones(t)
    const segments = await setup.onOrigin(async (git) => {
      const head = await writeCommit(git, new Map(names.map((name) => [name, chunk])), [])
      return segmentsOf(git, head)
    })
    assert.deepEqual(segments.flatMap(({ items }) => items.map(({ event }) => event.eventId as string)).sort(), ids)
    assert.deepEqual(
      segments.flatMap(({ problems }) => problems.map(({ reason }) => reason)),
      ['meta.json is missing', '1499 chunk files are copies of others beside them'],
    )
  })

  it('a chunk repeated by many commits is decoded once', async (t) => {
    const setup = createClones(t)
    const bo = setup.clone('bo')
    await setup.onOrigin(async (git) => {
      let head: Oid | null = null
      for (const [index, name] of names.slice(0, 5).entries())
        head = await writeCommit(
          git,
          new Map([
            [name, chunk],
            ['meta.json', Buffer.from('{}')],
          ]),
          head === null ? [] : [head],
          `${index}`,
        )
      setup.inOrigin('update-ref', walRef, head as Oid)
      const segments = await segmentsOf(git, head as Oid)
      assert.deepEqual(
        segments.map(({ items, repeatsChunk }) => [items.length, repeatsChunk]),
        [[4, false], ...Array(4).fill([0, true])],
      )
    })
    await bo.sync()
    const mayRepeat = () => bo.withRepository(async (repository) => (await repository.view()).mayRepeat)
    assert.equal(await mayRepeat(), true)
    await bo.run('rebuild')
    assert.equal(await mayRepeat(), true)
    await bo.run('snapshot create')
    await bo.run('rebuild', { fromSnapshot: true })
    assert.equal(await mayRepeat(), true)
    const { events_checked } = (await bo.run('db check')) as { events_checked: number }
    assert.equal(events_checked, ids.length)
  })
})
