/** Remotes accessed by path with real git; test/sync tests servers. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  findRepository,
  type Oid,
  openRemotes,
  openRepository,
  type RefName,
  type RemotePort,
} from '../../src/git/index.ts'
import { NotFoundError, RemoteError } from '../../src/model/index.ts'
import { type CleanUp, createSandbox, type Sandbox } from './temp-repository.ts'

interface Fixture extends Sandbox {
  readonly clone: string
  readonly origin: string
  readonly remotes: RemotePort
  /** Creates a commit with the given parent and returns its id. */
  commit(message: string, parent?: Oid): Oid
  /** Returns the object id of a ref in the remote or the clone. */
  at(place: string, ref: string): string
}

const log = 'refs/grite/wal' as RefName

async function createFixture(t: CleanUp): Promise<Fixture> {
  const sandbox = createSandbox(t)
  const [origin, clone] = [join(sandbox.dir, 'origin.git'), join(sandbox.dir, 'clone')]
  sandbox.git(sandbox.dir, 'init', '-q', '--bare', '--template=', origin)
  sandbox.git(sandbox.dir, 'init', '-q', '-b', 'main', '--template=', clone)
  sandbox.git(clone, 'remote', 'add', 'origin', '../origin.git')
  const layout = await findRepository({ cwd: clone, env: sandbox.environment })
  const remotes = openRemotes(openRepository(layout, { environment: sandbox.environment }), { isInteractive: false })
  const tree = sandbox.gitWith('', clone, 'mktree')
  return {
    ...sandbox,
    clone,
    origin,
    remotes,
    commit: (message, parent) =>
      sandbox.git(clone, 'commit-tree', ...(parent ? ['-p', parent] : []), '-m', message, tree) as Oid,
    at: (place, ref) => sandbox.git(place, 'for-each-ref', '--format=%(objectname)', ref),
  }
}

const push = (fixture: Fixture, ...updates: Parameters<RemotePort['push']>[0]['updates']) =>
  fixture.remotes.push({ remote: 'origin', updates, atomic: false, runHooks: false })

test('a push creates and fast-forwards a ref but never forces it', async (t) => {
  const fixture = await createFixture(t)
  const first = fixture.commit('1')
  const second = fixture.commit('2', first)
  const aside = fixture.commit('aside', first)
  const outcomes = []
  for (const next of [first, second, second, aside, first]) outcomes.push(await push(fixture, { ref: log, next }))
  assert.deepEqual(
    outcomes.flat().map(({ outcome }) => outcome),
    ['ok', 'ok', 'up-to-date', 'stale', 'stale'],
  )
  assert.equal(fixture.at(fixture.origin, log), second)
})

test('a push that creates a ref does not move one', async (t) => {
  const fixture = await createFixture(t)
  const first = fixture.commit('1')
  const outcomes = []
  for (const next of [first, first, fixture.commit('2', first)])
    outcomes.push(await push(fixture, { ref: log, next, isNew: true }))
  assert.deepEqual(
    outcomes.flat().map(({ outcome }) => outcome),
    ['ok', 'up-to-date', 'stale'],
  )
  assert.equal(fixture.at(fixture.origin, log), first)
})

test('a push deletes a ref only from its expected value', async (t) => {
  const fixture = await createFixture(t)
  const [first, other] = [fixture.commit('1'), fixture.commit('other')]
  await push(fixture, { ref: log, next: first })
  const [stale] = await push(fixture, { ref: log, next: null, expected: other })
  assert.deepEqual([stale?.outcome, fixture.at(fixture.origin, log)], ['stale', first])
  const [done] = await push(fixture, { ref: log, next: null, expected: first })
  assert.deepEqual([done?.outcome, fixture.at(fixture.origin, log)], ['ok', ''])
})

test('an atomic push moves either all refs or none', async (t) => {
  const fixture = await createFixture(t)
  const other = 'refs/grite-leases/00' as RefName
  const first = fixture.commit('1')
  await push(fixture, { ref: log, next: first })
  const updates = [
    { ref: log, next: fixture.commit('2', first) },
    { ref: other, next: fixture.commit('a') },
  ]
  const atomically = () => fixture.remotes.push({ remote: 'origin', updates, atomic: true, runHooks: false })
  assert.deepEqual(
    (await atomically()).map(({ outcome }) => outcome),
    ['ok', 'ok'],
  )
  updates[0] = { ref: log, next: fixture.commit('3', first) }
  updates[1] = { ref: other, next: fixture.commit('b', updates[1]?.next) }
  assert.deepEqual(
    (await atomically()).map(({ outcome }) => outcome),
    ['stale', 'stale'],
  )
  assert.notEqual(fixture.at(fixture.origin, other), updates[1].next)
})

test('a remote hook may reject a push; local hooks run on request', async (t) => {
  const fixture = await createFixture(t)
  const next = fixture.commit('1')
  hook(fixture.clone, '.git/hooks/pre-push')
  assert.equal((await push(fixture, { ref: log, next }))[0]?.outcome, 'ok')
  const asked = fixture.remotes.push({
    remote: 'origin',
    updates: [{ ref: log, next: fixture.commit('2', next) }],
    atomic: false,
    runHooks: true,
  })
  assert.deepEqual(
    (await asked).map(({ outcome, reason }) => [outcome, reason]),
    [['rejected', 'pre-push hook of this clone declined']],
  )
  hook(fixture.origin, 'hooks/pre-receive')
  const [refused] = await push(fixture, { ref: log, next: fixture.commit('2', next) })
  assert.deepEqual([refused?.outcome, refused?.reason], ['rejected', 'pre-receive hook declined'])
})

function hook(place: string, path: string): void {
  mkdirSync(join(place, path, '..'), { recursive: true })
  writeFileSync(join(place, path), '#!/bin/sh\nexit 1\n')
  chmodSync(join(place, path), 0o755)
}

const userRefspecs = ['+refs/*:refs/*', '+refs/heads/*:refs/remotes/origin/*', 'refs/grite/*:refs/grite/*']
for (const refspec of userRefspecs) {
  test(`a fetch moves only tracking refs despite the refspec ${refspec}`, async (t) => {
    const fixture = await createFixture(t)
    const theirs = fixture.commit('theirs')
    fixture.git(fixture.clone, 'push', '-q', 'origin', `${theirs}:${log}`, `${theirs}:refs/heads/main`)
    fixture.git(fixture.clone, 'config', '--replace-all', 'remote.origin.fetch', refspec)
    fixture.git(fixture.clone, 'config', 'remote.origin.mirror', 'true')
    const ours = fixture.commit('ours')
    fixture.git(fixture.clone, 'update-ref', log, ours)
    await fixture.remotes.fetch({ remote: 'origin', refspecs: ['+refs/grite/wa*:refs/tracked/wa*'] })
    assert.equal(fixture.at(fixture.clone, 'refs/tracked/wal'), theirs)
    assert.equal(fixture.at(fixture.clone, log), ours)
    assert.equal(fixture.at(fixture.clone, 'refs/heads/main'), '')
    const [pushed] = await push(fixture, { ref: 'refs/grite/snapshots/1' as RefName, next: ours })
    assert.equal(pushed?.outcome, 'ok')
    assert.equal(fixture.at(fixture.origin, log), theirs)
  })
}

test('a fetch prunes the tracking ref of a deleted remote ref', async (t) => {
  const fixture = await createFixture(t)
  const fetch = () => fixture.remotes.fetch({ remote: 'origin', refspecs: ['+refs/grite/wa*:refs/tracked/wa*'] })
  await push(fixture, { ref: log, next: fixture.commit('1') })
  await fetch()
  assert.notEqual(fixture.at(fixture.clone, 'refs/tracked/wal'), '')
  fixture.git(fixture.origin, 'update-ref', '-d', log)
  await fetch()
  assert.equal(fixture.at(fixture.clone, 'refs/tracked/wal'), '')
})

const unreachable: readonly (readonly [title: string, remote: string, says: RegExp])[] = [
  ['an unknown host', 'https://nowhere.invalid/x', /cannot reach .*nowhere\.invalid.*Could not resolve/],
  ['an unknown git server', 'git://nowhere.invalid/x', /cannot reach .*nowhere\.invalid/],
  ['a missing path', './nowhere', /cannot reach .*does not appear to be a git repository/],
  ['an unknown protocol', 'carrier-pigeon://x/y', /cannot reach .*carrier-pigeon/],
]
for (const [title, remote, says] of unreachable) {
  test(`${title} is a RemoteError with the reason unreachable`, async (t) => {
    const fixture = await createFixture(t)
    const works = await fixture.remotes.fetch({ remote: 'origin', refspecs: [`+${log}*:refs/tracked/wal*`] })
    assert.deepEqual(works, [])
    for (const contact of [
      () => fixture.remotes.fetch({ remote, refspecs: [`+${log}*:refs/tracked/wal*`] }),
      () =>
        fixture.remotes.push({
          remote,
          updates: [{ ref: log, next: fixture.commit('1') }],
          atomic: true,
          runHooks: false,
        }),
    ]) {
      await assert.rejects(contact, (error) => {
        assert.ok(error instanceof RemoteError, String(error))
        assert.match(error.message, says)
        assert.equal(error.details.reason, 'unreachable')
        return true
      })
    }
  })
}

test('an unknown remote name is a NotFoundError', async (t) => {
  const fixture = await createFixture(t)
  assert.deepEqual(await fixture.remotes.listRemotes(), ['origin'])
  await assert.rejects(
    () => fixture.remotes.fetch({ remote: 'upstream', refspecs: [`+${log}*:refs/tracked/wal*`] }),
    (error) => error instanceof NotFoundError && /no remote 'upstream'/.test(error.message),
  )
})

test('a remote name that looks like an option is not passed as one', async (t) => {
  const fixture = await createFixture(t)
  await assert.rejects(
    () => fixture.remotes.fetch({ remote: '--upload-pack=touch x', refspecs: [`+${log}*:refs/tracked/wal*`] }),
    NotFoundError,
  )
})

test('missing objects of a partial clone are listed and fetched', async (t) => {
  const fixture = await createFixture(t)
  const blob = fixture.gitWith('content', fixture.clone, 'hash-object', '-w', '--stdin')
  const tree = fixture.gitWith(`100644 blob ${blob}\tfile\n`, fixture.clone, 'mktree')
  const head = fixture.git(fixture.clone, 'commit-tree', '-m', 'x', tree) as Oid
  await push(fixture, { ref: log, next: head })
  for (const key of ['uploadpack.allowFilter', 'uploadpack.allowAnySHA1InWant'])
    fixture.git(fixture.origin, 'config', key, 'true')
  const partial = join(fixture.dir, 'partial')
  fixture.git(fixture.dir, 'clone', '-q', '--filter=blob:none', '--no-checkout', `file://${fixture.origin}`, partial)
  fixture.git(partial, 'fetch', '-q', 'origin', `${log}:${log}`)
  const layout = await findRepository({ cwd: partial, env: fixture.environment })
  const remotes = openRemotes(openRepository(layout, { environment: fixture.environment }), { isInteractive: false })
  assert.deepEqual(await remotes.listMissing(head, []), [blob])
  await remotes.fetchObjects('origin', [blob as Oid])
  assert.deepEqual(await remotes.listMissing(head, []), [])
})

test('a fetch moves no ref before it may', async (t) => {
  const fixture = await createFixture(t)
  const head = fixture.commit('1')
  fixture.git(fixture.clone, 'push', '-q', 'origin', `${head}:${log}`)
  let allow = () => {}
  const mayMove = new Promise<void>((resolve) => {
    allow = resolve
  })
  let hasStarted = false
  const onStart = () => {
    hasStarted = true
  }
  const refspecs = ['+refs/grite/wa*:refs/tracked/wa*']
  const fetched = fixture.remotes.fetch({ remote: 'origin', refspecs, mayMove, onStart })
  // Another fetch from start to end: the first had as much time.
  await fixture.remotes.fetch({ remote: 'origin', refspecs: ['+refs/grite/wa*:refs/elsewhere/wa*'] })
  assert.equal(fixture.at(fixture.clone, 'refs/elsewhere/wal'), head)
  assert.equal(hasStarted, true)
  assert.equal(fixture.at(fixture.clone, 'refs/tracked/wal'), '')
  allow()
  await fetched
  assert.equal(fixture.at(fixture.clone, 'refs/tracked/wal'), head)
})

test('a fetch that may not move refs ends a slow git, moves nothing and leaves no files', async (t) => {
  const fixture = await createFixture(t)
  const slow = join(fixture.dir, 'slow-upload-pack')
  writeFileSync(slow, '#!/bin/sh\nexec sleep 600\n')
  chmodSync(slow, 0o755)
  fixture.git(fixture.clone, 'config', 'remote.origin.uploadpack', slow)
  let refuse: (reason: Error) => void = () => {}
  const mayMove = new Promise<void>((_, reject) => {
    refuse = reject
  })
  let onStart = () => {}
  const started = new Promise<void>((resolve) => {
    onStart = resolve
  })
  const refspecs = ['+refs/grite/wa*:refs/tracked/wa*']
  const rejected = assert.rejects(fixture.remotes.fetch({ remote: 'origin', refspecs, mayMove, onStart }))
  await started
  refuse(new Error('not wanted'))
  await rejected
  assert.equal(fixture.at(fixture.clone, 'refs/tracked/'), '')
  assert.deepEqual(readdirSync(join(fixture.clone, '.git/grite/tmp')), [])
})
