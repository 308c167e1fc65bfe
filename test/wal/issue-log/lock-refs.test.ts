import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type Oid, openRepository, type RefName } from '../../../src/git/index.ts'
import { type Lock, limits, RefMovedError } from '../../../src/model/index.ts'
import {
  deleteUnmovedRefs,
  leaseRefOf,
  listLocks,
  listSeenLocks,
  lockRefOf,
  moveLock,
  readLock,
  trackingRef,
} from '../../../src/wal/index.ts'
import { createTempRepository, type RepositoryKind } from '../../git/temp-repository.ts'

const now = 1_800_000_000_000

async function setUp(t: TestContext, kind: RepositoryKind = 'plain') {
  const repository = await createTempRepository(t, kind)
  const git = openRepository(repository.layout, { environment: repository.environment })
  t.after(() => git.close())
  const refOf = (resource: string, prefix = 'refs/grite/locks/') =>
    lockRefOf(resource).replace('refs/grite/locks/', prefix)
  return {
    ...repository,
    git,
    /** Makes a commit of files and points a ref at it. */
    plant(ref: string, files: Readonly<Record<string, string | Uint8Array>>): string {
      const rows = Object.entries(files).map(([name, content]) => {
        const blob = repository.gitWith(content, repository.path, 'hash-object', '-w', '--stdin')
        return `100644 blob ${blob}\t${name}\n`
      })
      const tree = repository.gitWith(rows.join(''), repository.path, 'mktree')
      const commit = repository.run('commit-tree', tree, '-m', 'x')
      repository.run('update-ref', ref, commit)
      return commit
    },
    refOf,
  }
}

const lockOf = (resource: string, over: Partial<Lock> = {}): Lock => ({
  owner: '0a'.repeat(16),
  nonce: 'n',
  expiresUnixMs: now + 60_000,
  resource,
  ttlMs: 60_000,
  fence: 1,
  claim: null,
  ...over,
})

describe('lock refs', { concurrency: 2 }, () => {
  it('a lock ref is named by the SHA-256 of its resource', () => {
    assert.equal(lockRefOf('issue:active'), 'refs/grite/locks/e2d5e197b848d7fb')
    assert.equal(lockRefOf('path:src/größe'), 'refs/grite/locks/3b3b617dca6f7c1a')
    assert.equal(leaseRefOf('plain'), 'refs/grite-leases/a116c9ed46d62077')
  })

  for (const kind of ['plain', 'sha256'] as const) {
    it(`a lock ref holds lock.json in a chain of commits, ${kind}`, async (t) => {
      const { git, run } = await setUp(t, kind)
      const ref = lockRefOf('plain')
      assert.equal(await readLock(git, ref), null)
      const first = await moveLock(git, { ref, expected: null, lock: lockOf('plain'), nowUnixMs: now })
      const second = await moveLock(git, {
        ref,
        expected: first,
        lock: lockOf('plain', { expiresUnixMs: 0 }),
        nowUnixMs: now,
      })
      assert.equal(run('rev-parse', `${second}^`), first)
      assert.equal(
        run('log', '-1', '--format=%an <%ae>|%cn <%ce>|%B|%ct', ref),
        'grite <grit@localhost>|grite <grit@localhost>|Lock: plain|1800000000',
      )
      assert.match(run('ls-tree', ref), /^100644 blob [0-9a-f]+\tlock\.json$/)
      const found = await readLock(git, ref)
      assert.deepEqual(found, {
        ref,
        oid: second,
        lock: lockOf('plain', { expiresUnixMs: 0 }),
        committedAtUnixMs: now,
        problem: null,
      })
      run('fsck', '--strict', '--no-dangling')
    })
  }

  it('a lock ref moves and is deleted only from its expected value', async (t) => {
    const { git } = await setUp(t)
    const ref = lockRefOf('plain')
    const move = (expected: Oid | null) =>
      moveLock(git, { ref, expected, lock: lockOf('plain', { nonce: String(Math.random()) }), nowUnixMs: now })
    const first = await move(null)
    const second = await move(first)
    for (const stale of [null, first]) await assert.rejects(move(stale), RefMovedError)
    assert.equal(await deleteUnmovedRefs(git, [{ ref, expected: first }]), 0)
    assert.equal(await deleteUnmovedRefs(git, [{ ref, expected: second }]), 1)
    assert.equal(await readLock(git, ref), null)
  })

  it('a lock commit follows every newest known commit', async (t) => {
    const { git, run } = await setUp(t)
    const ref = lockRefOf('plain')
    const base = await moveLock(git, { ref, expected: null, lock: lockOf('plain'), nowUnixMs: now })
    const local = await moveLock(git, { ref, expected: base, lock: lockOf('plain', { nonce: 'l' }), nowUnixMs: now })
    const foreign = trackingRef('origin', ref)
    const apart = await moveLock(git, {
      ref: foreign,
      expected: null,
      lock: lockOf('plain', { nonce: 'r' }),
      nowUnixMs: now,
    })
    const joined = await moveLock(git, {
      ref,
      expected: local,
      alsoAfter: [apart, base],
      lock: lockOf('plain'),
      nowUnixMs: now,
    })
    assert.equal(run('log', '-1', '--format=%P', ref), `${local} ${apart}`)
    const later = await moveLock(git, {
      ref: foreign,
      expected: apart,
      alsoAfter: [joined],
      lock: lockOf('plain'),
      nowUnixMs: now,
    })
    const last = await moveLock(git, {
      ref,
      expected: joined,
      alsoAfter: [later],
      lock: lockOf('plain'),
      nowUnixMs: now,
    })
    assert.equal(run('log', '-1', '--format=%P', ref), later)
    assert.equal(run('log', '-1', '--format=%H', ref), last)
  })
})

describe('listing locks', { concurrency: 2 }, () => {
  it('listing locks of a fresh repository finds none', async (t) => {
    const { git } = await setUp(t)
    assert.deepEqual([await listLocks(git), await listSeenLocks(git)], [[], []])
  })

  it('listing finds local locks, and remote ones when asked', async (t) => {
    const { git, run } = await setUp(t)
    const lock = lockOf('plain')
    const oid = await moveLock(git, { ref: lockRefOf('plain'), expected: null, lock, nowUnixMs: now })
    const tracked = [trackingRef('origin', lockRefOf('plain')), trackingRef('other', leaseRefOf('plain'))].sort()
    for (const ref of [
      ...tracked,
      trackingRef('origin', 'refs/grite/wal'),
      trackingRef('origin', 'refs/grite/snapshots/5'),
    ]) {
      run('update-ref', ref, oid)
    }
    run('pack-refs', '--all')
    assert.deepEqual(
      (await listLocks(git)).map(({ ref }) => ref),
      [lockRefOf('plain')],
    )
    assert.deepEqual(
      (await listSeenLocks(git)).map(({ ref, lock: one }) => [ref, one]),
      [...tracked, lockRefOf('plain')].map((ref) => [ref, lock]),
    )
  })

  it('listing reports damaged locks and hides no sound one', async (t) => {
    const { git, plant, refOf, path, run } = await setUp(t)
    await moveLock(git, { ref: lockRefOf('good'), expected: null, lock: lockOf('good'), nowUnixMs: now })
    const json = JSON.stringify({ owner: 'o', nonce: 'n', expires_unix_ms: 1, resource: 'elsewhere' })
    plant(refOf('no json'), { 'lock.json': '{"owner":' })
    plant(refOf('no file'), { 'other.json': json })
    plant(refOf('of another'), { 'lock.json': json })
    plant(refOf('too large'), { 'lock.json': `${' '.repeat(limits.lockFileBytesMax)}${json}` })
    run('update-ref', refOf('a blob'), run('hash-object', '-w', 'README'))
    const folder = join(path, '.git/refs/grite/locks')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(path, '.git', refOf('no id')), 'rubbish\n')
    writeFileSync(join(path, '.git', refOf('gone')), `${'12'.repeat(20)}\n`)

    const found = await listLocks(git)
    const problems = Object.fromEntries(found.map(({ ref, problem }) => [ref, problem]))
    assert.deepEqual(problems, {
      [refOf('good')]: null,
      [refOf('no json')]: 'lock.json is not JSON',
      [refOf('no file')]: 'its commit holds no lock.json',
      [refOf('of another')]: 'its resource belongs to another ref',
      [refOf('too large')]: 'one of its objects is too large for a lock',
      [refOf('a blob')]: 'it is not a commit',
      [refOf('no id')]: 'the ref does not hold an object id',
      [refOf('gone')]: 'it is not a commit',
    })
    assert.equal((await readLock(git, refOf('no id') as RefName))?.oid, null)
  })

  it('a sound lock can follow a damaged one', async (t) => {
    const { git, plant, refOf, run } = await setUp(t)
    const ref = refOf('plain') as RefName
    const damaged = plant(ref, { 'lock.json': '[]' })
    await moveLock(git, { ref, expected: damaged as Oid, lock: lockOf('plain'), nowUnixMs: now })
    assert.equal(run('log', '-1', '--format=%P', ref), damaged)
    const blob = run('hash-object', '-w', 'README') as Oid
    run('update-ref', ref, blob)
    await moveLock(git, { ref, expected: blob, lock: lockOf('plain'), nowUnixMs: now })
    assert.equal(run('log', '-1', '--format=%P', ref), '')
  })
})
