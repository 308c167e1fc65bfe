/** Weaknesses 7.1 of the reference (compat spec, items 1-16 and 18): what holds here in their place. */
import assert from 'node:assert/strict'
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Disk, nodeDisk } from '../../src/git/durable/disk.ts'
import type { Oid } from '../../src/git/index.ts'
import { looseObjectPath, looseRefPath } from '../../src/git/ref-paths.ts'
import type { Event, EventBody } from '../../src/model/index.ts'
import {
  issueLog,
  listSnapshots,
  lockRefOf,
  openSnapshot,
  publishBatch,
  readSnapshot,
  trackingRef,
  walRef,
} from '../../src/wal/index.ts'
import { boundActor, cardEvent, garbage, signerOf } from '../support/cards.ts'
import { type CommandRunner, commandRunner, createCommandSandbox } from '../support/command-runner.ts'
import { statedId, strangeRecord, withWrongId } from '../support/damage.ts'
import { createFakeGit } from '../support/fake-git.ts'
import {
  batchOf,
  comment,
  creation,
  filesOf,
  idsOnChain,
  issueId,
  makeEvent,
  recordOf,
  segmentsOf,
  writeBatch,
  writeCommit,
} from '../support/log.ts'
import { writeLog } from '../support/snapshots.ts'
import { startGrite } from '../support/start-command-child.ts'
import { createCrew, type Member } from '../sync/crew.ts'

interface Created {
  readonly issue_id: string
  readonly event_id: string
}

function createPair(t: TestContext) {
  const crew = createCrew(t)
  return { ...crew, ann: crew.clone('ann'), bo: crew.clone('bo') }
}

/** The same folder with other facts, such as standard input or moments of a publish. */
const again = ({ path }: { path: string }, env: Readonly<Record<string, string>>, more = {}): CommandRunner =>
  commandRunner({ cwd: path, env, ...more })

const titlesOf = async ({ run }: Pick<CommandRunner, 'run'>) =>
  ((await run('issue list')) as { issues: { title: string }[] }).issues.map(({ title }) => title).sort()

const codesOf = ({ warnings }: CommandRunner) => warnings.splice(0).map(({ code }) => code)

const statusOf = async ({ run }: Pick<CommandRunner, 'run'>, id: string) =>
  ((await run('doctor')) as { checks: { id: string; status: string }[] }).checks.find((check) => check.id === id)
    ?.status

test('7.1 item 1: what a pull or a plain fetch brings is listed at once', async (t) => {
  const { ann, bo } = createPair(t)
  await ann.create('one')
  await ann.sync()
  assert.equal((await bo.sync({ pull: true })).pull_events, 1)
  assert.deepEqual(await bo.titles(), ['one'])
  await ann.create('two')
  await ann.sync()
  bo.git('fetch', '-q', 'origin', 'refs/grite/*:refs/grite/*')
  assert.deepEqual(await bo.titles(), ['one', 'two'])
})

test('7.1 item 2: logs that grew apart become one that holds both, by a fast-forward of the remote', async (t) => {
  const { ann, bo, originHead, inOrigin } = createPair(t)
  const ids = [await ann.create('base')]
  await ann.sync()
  await bo.sync()
  ids.push(await ann.create('of ann'), await bo.create('of bo'))
  await ann.sync()
  const before = originHead()
  assert.deepEqual([(await bo.sync()).push_success, (await ann.sync()).push_success], [true, true])
  inOrigin('merge-base', '--is-ancestor', before, walRef)
  for (const clone of [ann, bo]) {
    assert.deepEqual(await clone.ids(), [...ids].sort())
    assert.deepEqual(await clone.titles(), ['base', 'of ann', 'of bo'])
    assert.equal(clone.head(), originHead())
  }
})

test('7.1 item 3a: of processes at once, each that says created has its event in the log', async (t) => {
  const { path, environment, withRepository } = createCommandSandbox(t)
  const titles = Array.from({ length: 6 }, (_, index) => `--title=${index}`)
  const ends = await Promise.all(
    titles.map((title) => startGrite({ cwd: path, environment }, 'issue', 'create', title, '--json')),
  )
  assert.deepEqual(
    ends.map(({ exitStatus }) => exitStatus),
    titles.map(() => 0),
  )
  const acknowledged = ends.map(({ stdout }) => (JSON.parse(stdout) as { data: Created }).data.event_id)
  const ids = await withRepository(async ({ git }) => idsOnChain(git, await git.readRef(walRef)))
  assert.deepEqual(acknowledged.sort(), ids)
})

test('7.1 item 3b: a write that the log does not take fails, and is nowhere', async (t) => {
  const place = createCommandSandbox(t)
  const { path, environment, run } = place
  await run('issue create', { title: 'first' })
  const lock = join(path, '.git/refs/grite/wal.lock')
  writeFileSync(lock, '')
  const hurried = again(place, environment, { gitOptions: { lockWaitMs: 50 } })
  await assert.rejects(hurried.run('issue create', { title: 'second' }), { code: 'conflict' })
  const full = () => {
    throw Object.assign(new Error('simulated'), { code: 'ENOSPC' })
  }
  rmSync(lock)
  const disk = again(place, environment, { gitOptions: { disk: { ...nodeDisk, createFile: full } } })
  await assert.rejects(disk.run('issue create', { title: 'third' }), { code: 'io_error' })
  assert.deepEqual(await titlesOf(place), ['first'])
})

test('7.1 item 4: an append that loses races is made again until it wins', async (t) => {
  const place = createCommandSandbox(t)
  const { run, path, environment, withRepository } = place
  await run('issue create', { title: 'first' })
  let lost = 0
  const at = async (point: string) => {
    if (point !== 'started' || lost === 3) return
    lost += 1
    const event = creation(issueId(`a${lost}`), `other ${lost}`)
    await withRepository(async ({ git }) =>
      publishBatch({ git, stream: issueLog }, batchOf([event]), await git.readRef(walRef)),
    )
  }
  await commandRunner({ cwd: path, env: environment, gitOptions: { hooks: { at } } }).run('issue create', {
    title: 'mine',
  })
  assert.equal(lost, 3)
  assert.deepEqual(await titlesOf(place), ['first', 'mine', 'other 1', 'other 2', 'other 3'])
})

test('7.1 item 5a: a view that was deleted, or is rebuilt, comes from the log', async (t) => {
  const place = createCommandSandbox(t)
  const { run, path } = place
  const { issue_id: issue } = (await run('issue create', { title: 'one' })) as Created
  await run('issue close', { issue: [issue] })
  const exported = async () =>
    ((await run('export', { format: 'json' })) as { content: { issues: unknown[] } }).content.issues
  const before = await exported()
  rmSync(join(path, '.git/grite'), { recursive: true })
  assert.deepEqual(await exported(), before)
  assert.equal(((await run('rebuild')) as { event_count: number }).event_count, 2)
  assert.deepEqual(await exported(), before)
})

test('7.1 item 5b: doctor sees a view that is not what the log says', async (t) => {
  const place = createCommandSandbox(t)
  await place.run('issue create', { title: 'one' })
  await titlesOf(place)
  assert.equal(await statusOf(place, 'view_matches_log'), 'ok')
  await place.withRepository(async (repository) => {
    await repository.changeView(async ({ store }) => {
      const [key] = (await store.keys().all()).filter((each) => each.toString('latin1').startsWith('issue_row/'))
      await store.del(key as Buffer)
    })
  })
  assert.equal(await statusOf(place, 'view_matches_log'), 'error')
  await place.run('rebuild')
  assert.equal(await statusOf(place, 'view_matches_log'), 'ok')
})

test('7.1 item 6: a rebuild from a snapshot keeps what the snapshot does not hold', async (t) => {
  const { ann } = createPair(t)
  await ann.create('pushed')
  await ann.sync()
  const { snapshot_ref } = (await ann.run('snapshot create')) as { snapshot_ref: string }
  const ids = [...(await ann.ids()), await ann.create('only here'), await ann.create('later')]
  const rebuilt = (await ann.run('rebuild', { fromSnapshot: true })) as Record<string, unknown>
  assert.deepEqual([rebuilt.from_snapshot, rebuilt.snapshot_events, rebuilt.event_count], [snapshot_ref, 1, 3])
  assert.deepEqual(await ann.titles(), ['later', 'only here', 'pushed'])
  assert.deepEqual(await ann.ids(), ids.sort())
})

test('7.1 item 7: a lock that cannot be pushed as it is keeps no event from the remote', async (t) => {
  const { ann, originHead } = createPair(t)
  await ann.run('lock acquire', { resource: 'plain' })
  ann.git('push', '-q', 'origin', 'refs/grite/locks/*:refs/grite/locks/*')
  ann.git('update-ref', '-d', lockRefOf('plain'))
  rmSync(join(ann.path, '.git/grite'), { recursive: true })
  await ann.run('lock acquire', { resource: 'plain' })
  await ann.create('one')
  // As the reference pushes: all of its refs or nothing.
  assert.throws(() => ann.git('push', '-q', '--atomic', 'origin', 'refs/grite/*:refs/grite/*'), /non-fast-forward/)
  assert.equal((await ann.sync()).push_success, true)
  assert.equal(originHead(), ann.head())
})

test('7.1 item 8a: a fetch leaves the local log where it is until both sides are joined', async (t) => {
  const { ann, bo, originHead, environment } = createPair(t)
  await ann.create('of ann')
  await ann.sync()
  await bo.create('of bo')
  const before = bo.head()
  const seen: string[][] = []
  const atSync = (point: string) => {
    if (point === 'fetched') seen.push([bo.head(), bo.git('rev-parse', trackingRef('origin', walRef))])
  }
  const theirs = originHead()
  await again(bo, environment, { atSync }).run('sync', { pull: true })
  assert.deepEqual(seen, [[before, theirs]])
  assert.deepEqual(await bo.titles(), ['of ann', 'of bo'])
})

test('7.1 item 8b: what a remote puts in place of the log is looked at before it is taken', async (t) => {
  const { ann, bo, inOrigin, onOrigin, originHead, feedOrigin } = createPair(t)
  await ann.create('one')
  await ann.sync()
  await bo.sync()
  const [before, good] = [bo.head(), originHead()]
  inOrigin('update-ref', walRef, inOrigin('commit-tree', '-m', 'no log', feedOrigin('', 'mktree')))
  const failure = await bo.failSync()
  assert.deepEqual([failure.code, failure.details.reason, bo.head()], ['remote_error', 'corrupt', before])
  // A fast-forward, with an event that is not what its id says.
  const forged = withWrongId(recordOf(comment(issueId('aa'), 'forged')))
  const extra = creation(issueId('aa'), 'two')
  const next = await onOrigin((git) =>
    writeBatch(git, batchOf([extra], { records: [recordOf(extra), forged] }), good as Oid),
  )
  inOrigin('update-ref', walRef, next)
  assert.equal((await bo.sync()).pull_events, 1)
  assert.deepEqual([await bo.titles(), [...new Set(bo.takeWarnings())]], [['one', 'two'], ['log-problem']])
})

/** A repository whose log holds the issue aa. */
async function createLog(t: TestContext) {
  const place = createCommandSandbox(t)
  const { path, git, withRepository } = place
  const issue = issueId('aa')
  await withRepository(({ git: port }) => writeLog(port, [batchOf([creation(issue, 'good')])]))
  return {
    ...place,
    issue,
    head: () => git(path, 'rev-parse', walRef),
    append: (events: readonly Event[], records = events.map(recordOf)) =>
      withRepository(({ git: port }) => writeLog(port, [batchOf(events, { records })])),
    /** Appends a commit whose files are changed before they are written. */
    appendChanged: (change: (files: ReturnType<typeof filesOf>, chunk: string) => void) =>
      withRepository(async ({ git: port }) => {
        const head = (await port.readRef(walRef)) as Oid
        const files = filesOf(batchOf([creation(issueId('bb'), 'beside')]), head)
        change(files, [...files.keys()].find((name) => name.endsWith('.bin')) as string)
        git(path, 'update-ref', walRef, await writeCommit(port, files, [head]))
      }),
    check: async () =>
      (await place.run('db check')) as { corrupt_count: number; errors: { event_id: string | null; error: string }[] },
  }
}

test('7.1 item 9a: hashes of chunks and facts of meta.json are verified on reading', async (t) => {
  const log = await createLog(t)
  assert.deepEqual((await log.check()).errors, [])
  await log.appendChanged((files, chunk) => {
    const bytes = files.get(chunk) as Uint8Array
    files.delete(chunk)
    files.set(`events/2023/11/14/${'0'.repeat(64)}.bin`, bytes)
  })
  await log.appendChanged((files) => {
    const meta = JSON.parse(Buffer.from(files.get('meta.json') as Uint8Array).toString())
    files.set('meta.json', Buffer.from(JSON.stringify({ ...meta, chunk_hash: '0'.repeat(64) })))
  })
  const { errors } = await log.check()
  assert.equal(errors.length, 2)
  assert.match(errors[0]?.error ?? '', /has the hash/)
  assert.match(errors[1]?.error ?? '', /meta\.json/)
  await titlesOf(log)
  assert.deepEqual(codesOf(log), ['log-problem', 'log-problem'])
})

test('7.1 item 9b: an event counts only when its id is that of its content', async (t) => {
  const log = await createLog(t)
  const [note, forged] = [comment(log.issue, 'note'), withWrongId(recordOf(comment(log.issue, 'forged')))]
  await log.append([note], [recordOf(note), forged])
  const { issue } = (await log.run('issue show', { issue: log.issue })) as { issue: { comments: { body: string }[] } }
  assert.deepEqual(
    issue.comments.map(({ body }) => body),
    ['note'],
  )
  const { corrupt_count, errors } = await log.check()
  assert.deepEqual([corrupt_count, errors[0]?.event_id], [1, statedId(forged)])
})

test('7.1 item 9c: a signature that does not verify is shown for what it is', async (t) => {
  const log = await createLog(t)
  const key = signerOf(41)
  const actor = boundActor(key)
  const note = makeEvent(log.issue, { type: 'CommentAdded', body: 'note' }, { actor })
  await log.append([cardEvent({ actor, key, ts: 10 }), { ...note, sig: garbage(7) }])
  const { issue } = (await log.run('issue show', { issue: log.issue })) as {
    issue: { comments: { signature: string }[] }
  }
  assert.deepEqual(
    issue.comments.map(({ signature }) => signature),
    ['invalid'],
  )
  assert.equal((await log.outcome('db verify')).exitStatus, 1)
})

test('7.1 item 9d: an import takes no event that is not what its id says', async (t) => {
  const [source, target] = [await createLog(t), createCommandSandbox(t)]
  await source.append([creation(issueId('bb'), 'beside')])
  const { content } = (await source.run('export', { format: 'json' })) as { content: object }
  const file = join(source.dir, 'all.json')
  writeFileSync(file, JSON.stringify(content).replaceAll('"good"', '"evil"'))
  await target.run('import', { file })
  assert.deepEqual(await titlesOf(target), ['beside'])
})

test('7.1 item 10: an event of a kind from the future hides nothing else, and is reported', async (t) => {
  const log = await createLog(t)
  const strange = strangeRecord(log.issue, 99)
  const note = comment(log.issue, 'in the same chunk')
  await log.append([note], [strange, recordOf(note)])
  await log.append([creation(issueId('bb'), 'after')])
  assert.deepEqual(await titlesOf(log), ['after', 'good'])
  assert.equal(
    ((await log.run('issue show', { issue: log.issue })) as { issue: { comment_count: number } }).issue.comment_count,
    1,
  )
  assert.equal(await statusOf(log, 'log_integrity'), 'error')
  assert.equal((await log.check()).errors[0]?.event_id, statedId(strange))
})

test('7.1 item 11: events keep the order in which they were written, through a join and a snapshot', async (t) => {
  const { ann, bo, environment } = createPair(t)
  await ann.create('of ann')
  await ann.sync()
  const words = ['delta', 'alpha', 'charlie', 'bravo']
  const lines = words.map((title) => JSON.stringify({ op: 'create', title }))
  await again(bo, environment, { stdin: lines.join('\n') }).run('batch')
  const titleOf = ({ event: { body } }: { event: { body: EventBody } }) =>
    body.type === 'IssueCreated' ? [body.title] : []
  const inLog = (clone: Member) =>
    clone.withRepository(async ({ git }) =>
      (await segmentsOf(git, (await git.readRef(walRef)) as Oid)).flatMap(({ items }) => items.flatMap(titleOf)),
    )
  assert.deepEqual(await inLog(bo), words)
  assert.equal((await bo.sync()).events_rebased, 4)
  await ann.sync()
  assert.deepEqual(await inLog(ann), ['of ann', ...words])
  await ann.run('snapshot create')
  const inSnapshot = await ann.withRepository(async ({ git }) => {
    const [row] = await listSnapshots(git, assert.fail)
    const titles: string[] = []
    for await (const segments of readSnapshot(git, await openSnapshot(git, row as never))) {
      titles.push(...segments.flatMap(({ items }) => items.flatMap(titleOf)))
    }
    return titles
  })
  assert.deepEqual(inSnapshot, ['of ann', ...words])
})

test('7.1 item 12a: a create answers when its objects and its ref are flushed', async (t) => {
  const place = createCommandSandbox(t)
  const { environment, withRepository } = place
  const layout = await withRepository(async (repository) => repository.layout)
  const done: string[] = []
  const disk: Disk = {
    ...nodeDisk,
    async flushFiles(files) {
      await nodeDisk.flushFiles(files)
      done.push(...files.map(({ path }) => `flushed ${path}`))
    },
    async flushDirectories(paths) {
      await nodeDisk.flushDirectories(paths)
      done.push(...paths.map((path) => `flushed ${path}`))
    },
    rename(from, to) {
      nodeDisk.rename(from, to)
      done.push(`named ${from} ${to}`)
    },
  }
  await place.run('init')
  await again(place, environment, { gitOptions: { disk } }).run('issue create', { title: 'one' })
  const answered = [...done]
  const placeOf = (step: string) => {
    assert.ok(answered.includes(step), step)
    return answered.indexOf(step)
  }
  const ref = looseRefPath(layout, walRef)
  const moved = answered.findIndex((step) => step.startsWith('named ') && step.endsWith(` ${ref}`))
  assert.notEqual(moved, -1)
  const objects = place.git(place.path, 'rev-list', '--objects', '--no-object-names', walRef).split('\n')
  assert.equal(objects.length, 8)
  for (const oid of objects as Oid[]) {
    const path = looseObjectPath(layout, oid)
    const named = answered.findIndex((step) => step.endsWith(` ${path}`))
    const [, draft = ''] = (answered[named] ?? '').split(' ')
    assert.ok(placeOf(`flushed ${draft}`) < named, `${oid} is flushed before it has its name`)
    assert.ok(placeOf(`flushed ${join(path, '..')}`) < moved, `the folder of ${oid} is flushed before the ref moves`)
  }
  assert.ok(answered.lastIndexOf(`flushed ${join(ref, '..')}`) > moved)
})

test('7.1 item 12b: configurations and exports are replaced whole, never written in place', async (t) => {
  const { run, path } = createCommandSandbox(t)
  await run('issue create', { title: 'one' })
  const { actor_id } = (await run('actor init', { label: 'second' })) as { actor_id: string }
  await run('export', { format: 'md', output: 'all.md' })
  const files = [join(path, '.git/grite/config.toml'), join(path, 'all.md')]
  // A second name of a file keeps its content as long as nobody writes into it.
  const old = files.map((file) => {
    linkSync(file, `${file}.old`)
    return readFileSync(file, 'utf8')
  })
  await run('actor use', { actor: actor_id })
  await run('issue create', { title: 'two' })
  await run('export', { format: 'md', output: 'all.md' })
  for (const [index, file] of files.entries()) {
    assert.notEqual(readFileSync(file, 'utf8'), old[index])
    assert.equal(readFileSync(`${file}.old`, 'utf8'), old[index])
  }
})

test('7.1 item 13a: a deleted snapshot goes from the remote and every clone, and stays away', async (t) => {
  const { ann, bo, inOrigin } = createPair(t)
  const snapshots = 'refs/grite/snapshots'
  await ann.create('one')
  await ann.sync()
  await ann.run('snapshot create')
  await ann.sync()
  await bo.sync()
  assert.notEqual(bo.git('for-each-ref', snapshots), '')
  await ann.run('snapshot gc', { keep: 0 })
  for (const clone of [ann, bo, ann]) await clone.sync()
  for (const list of [ann.git, bo.git, inOrigin]) assert.equal(list('for-each-ref', snapshots), '')
})

test('7.1 item 13b: a deleted lock does not come back with a sync', async (t) => {
  const crew = createCrew(t)
  let now = Date.now()
  const [ann, bo] = ['ann', 'bo'].map((name) => crew.clone(name, { nowUnixMs: () => now })) as [Member, Member]
  const locks = 'refs/grite/locks'
  await ann.run('lock acquire', { resource: 'plain' })
  // As the reference does with every push.
  ann.git('push', '-q', 'origin', `${locks}/*:${locks}/*`)
  await bo.sync()
  await ann.run('lock release', { resource: 'plain' })
  assert.equal(((await ann.run('lock gc')) as { removed: number }).removed, 1)
  for (const clone of [ann, bo]) {
    await clone.sync()
    assert.equal(clone.git('for-each-ref', locks), '')
  }
  now += 3_600_000
  assert.equal(((await ann.run('lock gc', { remote: 'origin' })) as { removed: number }).removed, 1)
  for (const clone of [bo, ann]) await clone.sync()
  assert.equal(crew.inOrigin('for-each-ref', locks), '')
})

test('7.1 item 14: a push that is refused is a failure with a status of its own', async (t) => {
  const { ann, origin, environment } = createPair(t)
  await ann.create('one')
  mkdirSync(join(origin, 'hooks'), { recursive: true })
  writeFileSync(join(origin, 'hooks/update'), '#!/bin/sh\nexit 1\n')
  chmodSync(join(origin, 'hooks/update'), 0o755)
  const { exitStatus, stdout, stderr } = await startGrite({ cwd: ann.path, environment }, 'sync', '--json')
  const { ok, error } = JSON.parse(stderr)
  assert.deepEqual([exitStatus, stdout, ok, error.code], [5, '', false, 'remote_error'])
  assert.deepEqual([error.details.reason, error.details.push_success], ['rejected', false])
})

test('7.1 item 15a: a sync reads what is new on both sides, not the history below', async (t) => {
  const { ann, bo } = createPair(t)
  for (const title of ['one', 'two', 'three']) await bo.create(title)
  await bo.sync()
  await ann.sync()
  // Whatever read this again would find it missing.
  const old = bo.git('rev-list', '--objects', '--no-object-names', `${walRef}~1`).split('\n')
  const commits = bo.git('rev-list', `${walRef}~1`).split('\n')
  const unread = old.filter((oid) => !commits.includes(oid))
  assert.deepEqual([commits.length, unread.length > 4], [2, true])
  for (const oid of unread) rmSync(join(bo.path, '.git/objects', oid.slice(0, 2), oid.slice(2)))
  await ann.create('of ann')
  await ann.sync()
  assert.equal((await bo.sync()).pull_events, 1)
  await ann.create('more of ann')
  await ann.sync()
  await bo.create('of bo')
  assert.equal((await bo.sync()).events_rebased, 1)
  assert.deepEqual(await bo.titles(), ['more of ann', 'of ann', 'of bo', 'one', 'three', 'two'])
  assert.deepEqual(bo.takeWarnings(), [])
})

test('7.1 item 15b: events of one commit are read together, however many they are', async (t) => {
  const { issue, append, withRepository } = await createLog(t)
  const head = await append([...Array.from({ length: 300 }, (_, index) => comment(issue, `${index}`))])
  await withRepository(async ({ git }) => {
    let lookups = 0
    const counting = {
      ...git,
      async *readHistory(options: Parameters<typeof git.readHistory>[0]) {
        for await (const entries of git.readHistory(options)) {
          for (const { files } of entries) lookups += 2 + files.length
          yield entries
        }
      },
    }
    assert.equal((await segmentsOf(counting, head)).flatMap(({ items }) => items).length, 301)
    // Of each of the two commits: itself, its tree, its two files.
    assert.equal(lookups, 8)
  })
})

const objectCount = (text: string) => Number(/^count: (\d+)$/m.exec(text)?.[1]) + inPacks(text)
const inPacks = (text: string) => Number(/^in-pack: (\d+)$/m.exec(text)?.[1])

test('7.1 item 16a: a hundred events are one commit, of no more objects than one event', async (t) => {
  const place = createCommandSandbox(t)
  const { run, git, path, environment } = place
  const state = () => [objectCount(git(path, 'count-objects', '-v')), Number(git(path, 'rev-list', '--count', walRef))]
  await run('issue create', { title: 'first' })
  const [objects = 0, commits = 0] = state()
  const lines = Array.from({ length: 100 }, (_, index) => JSON.stringify({ op: 'create', title: `${index}` }))
  await again(place, environment, { stdin: lines.join('\n') }).run('batch')
  // The published format has five trees, a chunk, its meta.json and the commit.
  assert.deepEqual(state(), [objects + 8, commits + 1])
  assert.equal((await titlesOf(place)).length, 101)
})

test('7.1 item 16b: objects are packed, by git after much was written and by doctor on demand', async (t) => {
  const place = createCommandSandbox(t)
  const { run, git, path } = place
  for (let index = 0; index < 5; index++) await run('issue create', { title: `${index}` })
  git(path, 'config', 'gc.auto', '20')
  const before = git(path, 'count-objects', '-v')
  assert.ok(objectCount(before) > 20 && inPacks(before) === 0, before)
  await run('doctor', { fix: true })
  const after = git(path, 'count-objects', '-v')
  assert.deepEqual([inPacks(after), objectCount(after)], [objectCount(before), objectCount(before)])
  const fake = createFakeGit(place)
  const stdin = '{"id":"t-1","title":"Old","status":"open","created_at":"2025-01-01T00:00:00Z"}\n'
  await again(place, fake.environment, { stdin }).run('import', { file: '-' })
  assert.match((await fake.started()).words, /^maintenance run --auto/)
  await fake.release()
})

test('7.1 item 18: a bare repository, a git directory elsewhere and GIT_DIR are as good as any', async (t) => {
  const { dir, git, environment } = createCommandSandbox(t)
  git(dir, 'init', '-q', '--bare', 'bare.git')
  git(dir, 'init', '-q', '--separate-git-dir', join(dir, 'elsewhere'), 'apart')
  for (const [cwd, env, gitDir] of [
    ['bare.git', {}, 'bare.git'],
    ['apart', {}, 'elsewhere'],
    ['.', { GIT_DIR: join(dir, 'bare.git') }, 'bare.git'],
  ] as const) {
    const runner = commandRunner({ cwd: join(dir, cwd), env: { ...environment, ...env } })
    const { event_id } = (await runner.run('issue create', { title: cwd })) as Created
    const ids = await runner.withRepository(async (repository) => {
      assert.equal(repository.layout.gitDir, join(dir, gitDir))
      return idsOnChain(repository.git, await repository.git.readRef(walRef))
    })
    assert.ok(ids.includes(event_id))
  }
})
