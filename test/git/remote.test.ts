/** Remotes accessed by path with real git; test/sync tests servers. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
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

interface Scene extends Sandbox {
  readonly clone: string
  readonly origin: string
  readonly remotes: RemotePort
  /** Creates a commit with the given parent and returns its id. */
  commit(message: string, parent?: Oid): Oid
  /** Returns the object id of a ref in the remote or the clone. */
  at(place: string, ref: string): string
}

const log = 'refs/grite/wal' as RefName

async function createScene(t: CleanUp): Promise<Scene> {
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

const push = (scene: Scene, ...updates: Parameters<RemotePort['push']>[0]['updates']) =>
  scene.remotes.push({ remote: 'origin', updates, atomic: false, runHooks: false })

test('a push creates and fast-forwards a ref but never forces it', async (t) => {
  const scene = await createScene(t)
  const first = scene.commit('1')
  const second = scene.commit('2', first)
  const aside = scene.commit('aside', first)
  const outcomes = []
  for (const next of [first, second, second, aside, first]) outcomes.push(await push(scene, { ref: log, next }))
  assert.deepEqual(
    outcomes.flat().map(({ outcome }) => outcome),
    ['ok', 'ok', 'up-to-date', 'stale', 'stale'],
  )
  assert.equal(scene.at(scene.origin, log), second)
})

test('a push deletes a ref only from its expected value', async (t) => {
  const scene = await createScene(t)
  const [first, other] = [scene.commit('1'), scene.commit('other')]
  await push(scene, { ref: log, next: first })
  const [stale] = await push(scene, { ref: log, next: null, expected: other })
  assert.deepEqual([stale?.outcome, scene.at(scene.origin, log)], ['stale', first])
  const [done] = await push(scene, { ref: log, next: null, expected: first })
  assert.deepEqual([done?.outcome, scene.at(scene.origin, log)], ['ok', ''])
})

test('an atomic push moves either all refs or none', async (t) => {
  const scene = await createScene(t)
  const other = 'refs/grite-leases/00' as RefName
  const first = scene.commit('1')
  await push(scene, { ref: log, next: first })
  const updates = [
    { ref: log, next: scene.commit('2', first) },
    { ref: other, next: scene.commit('a') },
  ]
  const atomically = () => scene.remotes.push({ remote: 'origin', updates, atomic: true, runHooks: false })
  assert.deepEqual(
    (await atomically()).map(({ outcome }) => outcome),
    ['ok', 'ok'],
  )
  updates[0] = { ref: log, next: scene.commit('3', first) }
  updates[1] = { ref: other, next: scene.commit('b', updates[1]?.next) }
  assert.deepEqual(
    (await atomically()).map(({ outcome }) => outcome),
    ['stale', 'stale'],
  )
  assert.notEqual(scene.at(scene.origin, other), updates[1].next)
})

test('a remote hook may reject a push; local hooks run on request', async (t) => {
  const scene = await createScene(t)
  const next = scene.commit('1')
  hook(scene.clone, '.git/hooks/pre-push')
  assert.equal((await push(scene, { ref: log, next }))[0]?.outcome, 'ok')
  const asked = scene.remotes.push({
    remote: 'origin',
    updates: [{ ref: log, next: scene.commit('2', next) }],
    atomic: false,
    runHooks: true,
  })
  assert.deepEqual(
    (await asked).map(({ outcome, reason }) => [outcome, reason]),
    [['rejected', 'pre-push hook of this clone declined']],
  )
  hook(scene.origin, 'hooks/pre-receive')
  const [refused] = await push(scene, { ref: log, next: scene.commit('2', next) })
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
    const scene = await createScene(t)
    const theirs = scene.commit('theirs')
    scene.git(scene.clone, 'push', '-q', 'origin', `${theirs}:${log}`, `${theirs}:refs/heads/main`)
    scene.git(scene.clone, 'config', '--replace-all', 'remote.origin.fetch', refspec)
    scene.git(scene.clone, 'config', 'remote.origin.mirror', 'true')
    const ours = scene.commit('ours')
    scene.git(scene.clone, 'update-ref', log, ours)
    await scene.remotes.fetch({ remote: 'origin', refspecs: ['+refs/grite/wa*:refs/tracked/wa*'] })
    assert.equal(scene.at(scene.clone, 'refs/tracked/wal'), theirs)
    assert.equal(scene.at(scene.clone, log), ours)
    assert.equal(scene.at(scene.clone, 'refs/heads/main'), '')
    const [pushed] = await push(scene, { ref: 'refs/grite/snapshots/1' as RefName, next: ours })
    assert.equal(pushed?.outcome, 'ok')
    assert.equal(scene.at(scene.origin, log), theirs)
  })
}

test('a fetch prunes the tracking ref of a deleted remote ref', async (t) => {
  const scene = await createScene(t)
  const fetch = () => scene.remotes.fetch({ remote: 'origin', refspecs: ['+refs/grite/wa*:refs/tracked/wa*'] })
  await push(scene, { ref: log, next: scene.commit('1') })
  await fetch()
  assert.notEqual(scene.at(scene.clone, 'refs/tracked/wal'), '')
  scene.git(scene.origin, 'update-ref', '-d', log)
  await fetch()
  assert.equal(scene.at(scene.clone, 'refs/tracked/wal'), '')
})

const unreachable: readonly (readonly [title: string, remote: string, says: RegExp])[] = [
  ['an unknown host', 'https://nowhere.invalid/x', /cannot reach .*nowhere\.invalid.*Could not resolve/],
  ['an unknown git server', 'git://nowhere.invalid/x', /cannot reach .*nowhere\.invalid/],
  ['a missing path', './nowhere', /cannot reach .*does not appear to be a git repository/],
  ['an unknown protocol', 'carrier-pigeon://x/y', /cannot reach .*carrier-pigeon/],
]
for (const [title, remote, says] of unreachable) {
  test(`${title} is a RemoteError with the reason unreachable`, async (t) => {
    const scene = await createScene(t)
    const works = await scene.remotes.fetch({ remote: 'origin', refspecs: [`+${log}*:refs/tracked/wal*`] })
    assert.deepEqual(works, [])
    for (const contact of [
      () => scene.remotes.fetch({ remote, refspecs: [`+${log}*:refs/tracked/wal*`] }),
      () =>
        scene.remotes.push({ remote, updates: [{ ref: log, next: scene.commit('1') }], atomic: true, runHooks: false }),
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
  const scene = await createScene(t)
  assert.deepEqual(await scene.remotes.listRemotes(), ['origin'])
  await assert.rejects(
    () => scene.remotes.fetch({ remote: 'upstream', refspecs: [`+${log}*:refs/tracked/wal*`] }),
    (error) => error instanceof NotFoundError && /no remote 'upstream'/.test(error.message),
  )
})

test('a remote name that looks like an option is not passed as one', async (t) => {
  const scene = await createScene(t)
  await assert.rejects(
    () => scene.remotes.fetch({ remote: '--upload-pack=touch x', refspecs: [`+${log}*:refs/tracked/wal*`] }),
    NotFoundError,
  )
})

test('missing objects of a partial clone are listed and fetched', async (t) => {
  const scene = await createScene(t)
  const blob = scene.gitWith('content', scene.clone, 'hash-object', '-w', '--stdin')
  const tree = scene.gitWith(`100644 blob ${blob}\tfile\n`, scene.clone, 'mktree')
  const head = scene.git(scene.clone, 'commit-tree', '-m', 'x', tree) as Oid
  await push(scene, { ref: log, next: head })
  for (const key of ['uploadpack.allowFilter', 'uploadpack.allowAnySHA1InWant'])
    scene.git(scene.origin, 'config', key, 'true')
  const partial = join(scene.dir, 'partial')
  scene.git(scene.dir, 'clone', '-q', '--filter=blob:none', '--no-checkout', `file://${scene.origin}`, partial)
  scene.git(partial, 'fetch', '-q', 'origin', `${log}:${log}`)
  const layout = await findRepository({ cwd: partial, env: scene.environment })
  const remotes = openRemotes(openRepository(layout, { environment: scene.environment }), { isInteractive: false })
  assert.deepEqual(await remotes.listMissing(head, []), [blob])
  await remotes.fetchObjects('origin', [blob as Oid])
  assert.deepEqual(await remotes.listMissing(head, []), [])
})
