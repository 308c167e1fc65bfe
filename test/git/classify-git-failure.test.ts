import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { classifyGitFailure, type GitFailure } from '../../src/git/classify-git-failure.ts'
import { createGitRunner, type Oid, openRepository } from '../../src/git/index.ts'
import { looseObjectPath, looseRefPath } from '../../src/git/ref-paths.ts'
import {
  CorruptObjectError,
  GitError,
  GitNotFoundError,
  type GriteError,
  NotFoundError,
  RefLockedError,
  RefMovedError,
  RepositoryRefusedError,
  StorageError,
} from '../../src/model/errors/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { checksOwners, ownersAreNotChecked } from './git-features.ts'
import { publishChain } from './sample-commits.ts'
import { createTempRepository, type TempRepository } from './temp-repository.ts'

async function fixture(t: TestContext): Promise<{ repository: TempRepository; oids: readonly string[] }> {
  const repository = await createTempRepository(t)
  const oids = await publishChain(openRepository(repository.layout, { environment: repository.environment }), [
    'one',
    'two',
  ])
  return { repository, oids }
}

/** Makes real git fail and classifies the failure. */
function fail({ path, environment }: TempRepository, args: readonly string[], input = '', cwd = path): GriteError {
  const { status, stderr } = spawnSync('git', args, { cwd, env: environment, input, encoding: 'utf8' })
  assert.notEqual(status, 0, 'git fails')
  return classifyGitFailure({ args, exitStatus: status, signal: null, stderr })
}

describe('classifyGitFailure', { concurrency: true }, () => {
  it('git outside a repository is a NotFoundError', async (t) => {
    const { repository } = await fixture(t)
    assert.ok(fail(repository, ['status'], '', repository.dir) instanceof NotFoundError)
  })

  it('an untrusted repository is refused with its path and a hint', async (t) => {
    const { repository } = await fixture(t)
    const { path, environment } = repository
    const asked = { ...repository, environment: { ...environment, GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' } }
    if (!checksOwners(path, environment)) return t.skip(ownersAreNotChecked)
    const foreign = fail(asked, ['status'])
    assert.ok(foreign instanceof RepositoryRefusedError)
    assert.equal(foreign.details.path, path)
    assert.deepEqual(foreign.hints, [`If you trust it: git config --global --add safe.directory ${path}`])
    const bare = join(path, 'bare')
    repository.git(path, 'init', '-q', '--bare', bare)
    // git before 2.38 does not know safe.bareRepository.
    const setting = ['-c', 'safe.bareRepository=explicit']
    if (spawnSync('git', [...setting, 'rev-parse', '--git-dir'], { cwd: bare, env: environment }).status === 0) return
    const refused = fail(repository, [...setting, 'status'], '', bare)
    assert.ok(refused instanceof RepositoryRefusedError)
    assert.deepEqual(refused.hints, [`If you trust it, set GIT_DIR=${bare}`])
  })

  it('a broken .git file is reported with its path or target', async (t) => {
    const { repository } = await fixture(t)
    const folder = join(repository.path, 'folder')
    mkdirSync(folder)
    const failWith = (content: string | Uint8Array) => {
      writeFileSync(join(folder, '.git'), content)
      return fail(repository, ['status'], '', folder)
    }
    for (const content of ['garbage\n', 'gitdir: \n', '', new Uint8Array(2 << 20)]) {
      const error = failWith(content)
      assert.ok(error instanceof RepositoryRefusedError, String(error))
      assert.match(error.message, /folder\/\.git is neither a git repository nor a valid \.git file/)
    }
    const leading = failWith('gitdir: ../none\n')
    assert.ok(leading instanceof NotFoundError)
    // git 2.55 prints a null pointer in place of the path.
    const isNamed = !String(leading.details.stderr).includes('(null)')
    if (isNamed) assert.match(String(leading.details.path), /\/none$/)
    else assert.equal(leading.details.path, null)
  })

  it('an unknown repository format is refused with its name', async (t) => {
    const { repository } = await fixture(t)
    for (const lines of [
      '\trepositoryformatversion = 9',
      '\trepositoryformatversion = 1\n[extensions]\n\tnovelty = x',
    ]) {
      writeFileSync(join(repository.layout.commonDir, 'config'), `[core]\n${lines}\n`)
      const error = fail(repository, ['status'])
      assert.ok(error instanceof RepositoryRefusedError)
      assert.match(error.message, /does not know the format of the repository: .*(9|novelty)/)
    }
  })

  it('a lost ref race is a RefMovedError with both values', async (t) => {
    const { repository, oids } = await fixture(t)
    const [first, second] = oids
    const error = fail(repository, ['update-ref', '--stdin'], `update ${walRef} ${first} ${first}\n`)
    assert.ok(error instanceof RefMovedError)
    assert.deepEqual([error.ref, error.expected, error.found], [walRef, first, second])
    assert.ok(fail(repository, ['update-ref', '--stdin'], `create ${walRef} ${first}\n`) instanceof RefMovedError)
    assert.ok(
      fail(repository, ['update-ref', '--stdin'], `update refs/none ${first} ${first}\n`) instanceof RefMovedError,
    )
  })

  it('a locked ref is a RefLockedError with the lock path', async (t) => {
    const { repository, oids } = await fixture(t)
    const lock = `${looseRefPath(repository.layout, walRef)}.lock`
    writeFileSync(lock, '')
    const error = fail(repository, ['update-ref', walRef, oids[0] ?? ''])
    assert.ok(error instanceof RefLockedError)
    assert.deepEqual([error.ref, error.details.lock_path], [walRef, lock])
  })

  it('a locked packed-refs file is a RefLockedError', async (t) => {
    const { repository } = await fixture(t)
    repository.run('pack-refs', '--all')
    writeFileSync(join(repository.layout.commonDir, 'packed-refs.lock'), '')
    assert.ok(
      fail(repository, ['-c', 'core.packedRefsTimeout=1', 'update-ref', '-d', walRef]) instanceof RefLockedError,
    )
  })

  it('a commit that a walk cannot read is a NotFoundError', async (t) => {
    const { repository, oids } = await fixture(t)
    const [first = '', second = ''] = oids
    rmSync(looseObjectPath(repository.layout, first as Oid))
    const { path, environment } = repository
    const args = ['merge-base', '--is-ancestor', first, second]
    const { stderr } = spawnSync('git', ['rev-list', second], { cwd: path, env: environment, encoding: 'utf8' })
    for (const said of [stderr, `error: Could not read ${first}\nerror: could not parse commit ${first}\n`]) {
      const error = classifyGitFailure({ args, exitStatus: 128, signal: null, stderr: said })
      assert.ok(error instanceof NotFoundError, said)
      assert.match(error.message, new RegExp(first))
    }
  })

  it('an unknown object is a NotFoundError', async (t) => {
    const { repository, oids } = await fixture(t)
    const unknown = 'de'.repeat(20)
    for (const args of [
      ['rev-list', unknown],
      ['rev-list', oids[0] ?? '', `^${unknown}`],
      ['merge-base', unknown, oids[0] ?? ''],
      ['merge-base', '--is-ancestor', unknown, oids[0] ?? ''],
      ['rev-parse', '--verify', 'none'],
    ]) {
      assert.ok(fail(repository, args) instanceof NotFoundError, args.join(' '))
    }
  })

  it('a damaged object is a CorruptObjectError', async (t) => {
    const { repository, oids } = await fixture(t)
    const path = looseObjectPath(repository.layout, oids[0] as never)
    chmodSync(path, 0o644)
    writeFileSync(path, 'garbage')
    assert.ok(fail(repository, ['rev-list', walRef]) instanceof CorruptObjectError)
    assert.ok(fail(repository, ['cat-file', 'commit', oids[0] ?? '']) instanceof Error)
  })

  it('a promised object that may not be fetched is a NotFoundError', async (t) => {
    const { repository } = await fixture(t)
    const { git, dir, path, environment } = repository
    git(path, 'config', 'uploadpack.allowFilter', 'true')
    git(dir, 'clone', '-q', '--no-checkout', '--filter=blob:none', `file://${path}`, 'partial')
    const blob = git(path, 'rev-parse', 'HEAD:README')
    const { status, stderr } = spawnSync('git', ['cat-file', 'blob', blob], {
      cwd: join(dir, 'partial'),
      env: { ...environment, GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: 'none' },
      encoding: 'utf8',
    })
    const error = classifyGitFailure({ args: ['cat-file'], exitStatus: status, signal: null, stderr })
    assert.ok(error instanceof NotFoundError || /bad file/.test(stderr), stderr)
  })

  it('a full or read-only disk is a StorageError', async (t) => {
    const { repository } = await fixture(t)
    const objects = join(repository.dir, 'small')
    mkdirSync(objects)
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', objects])
    if (mounted.status !== 0) return t.skip('no tmpfs can be mounted')
    const write = (input: string | Uint8Array) => {
      const env = { ...repository.environment, GIT_OBJECT_DIRECTORY: objects }
      const args = ['hash-object', '-w', '--stdin']
      const { status, stderr } = spawnSync('git', args, { cwd: repository.path, env, input, encoding: 'utf8' })
      assert.notEqual(status, 0)
      return classifyGitFailure({ args, exitStatus: status, signal: null, stderr })
    }
    try {
      assert.ok(write(crypto.getRandomValues(new Uint8Array(60_000))) instanceof StorageError)
      spawnSync('mount', ['-o', 'remount,ro', objects])
      assert.ok(write('x') instanceof StorageError)
    } finally {
      spawnSync('umount', [objects])
    }
  })

  it('an unclassified failure is a GitError with the stderr of git', () => {
    const failure: GitFailure = { args: ['fetch'], exitStatus: 1, signal: null, stderr: 'first\nsecond\n' }
    const error = classifyGitFailure(failure)
    assert.ok(error instanceof GitError)
    assert.equal(error.message, 'git fetch failed with status 1: first; second')
    assert.equal(
      classifyGitFailure({ ...failure, exitStatus: null, signal: 'SIGKILL', stderr: '' }).message,
      'git fetch was killed by SIGKILL',
    )
  })
})

describe('createGitRunner', () => {
  it('never runs a git found in the repository', async (t) => {
    const { repository } = await fixture(t)
    const { layout, environment, path } = repository
    const planted = join(path, 'bin')
    mkdirSync(planted)
    writeFileSync(join(planted, 'git'), '#!/bin/sh\necho planted\n')
    chmodSync(join(planted, 'git'), 0o755)
    const loop = join(path, 'loop')
    symlinkSync(loop, loop)
    // Unreadable PATH entries are skipped, as shells do.
    const PATH = `.:bin::${planted}:${loop}:/etc/passwd:${environment.PATH}`
    const { stdout } = await createGitRunner(layout, { ...environment, PATH }).run(['version'])
    assert.match(stdout.toString(), /^git version/)
    const none = createGitRunner(layout, { ...environment, PATH: `.:${planted}` })
    await assert.rejects(
      none.run(['version']),
      (error) => error instanceof GitNotFoundError && /not found/.test(error.message),
    )
  })

  it('stops git on abort and limits the size of its output', async (t) => {
    const { repository } = await fixture(t)
    const git = createGitRunner(repository.layout, repository.environment)
    const stop = new AbortController()
    const waiting = git.start(['cat-file', '--batch'], { signal: stop.signal })
    const { ended } = await waiting
    stop.abort()
    assert.equal((await ended).signal, 'SIGTERM')
    await assert.rejects(git.run(['rev-list', walRef], { stdoutBytesMax: 50 }), /more than 50 bytes/)
  })

  it('a git that ends before it has read a stream fails with what it said', async (t) => {
    const { layout, environment } = (await fixture(t)).repository
    const git = createGitRunner(layout, environment)
    const long = () => Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(64 * 1024)))
    for (const input of [long(), [...(await long().toArray())]]) {
      const failing = git.run(['no-such-command'], { input })
      await assert.rejects(failing, (error: GriteError) =>
        /'no-such-command' is not a git command/.test(`${error.details.stderr}`),
      )
    }
    const broken = Readable.from(
      (function* () {
        yield Buffer.alloc(10)
        throw new Error('the source is broken')
      })(),
    )
    await assert.rejects(git.run(['hash-object', '--stdin'], { input: broken }), /the source is broken/)
  })

  it('passes on the progress of git while it runs', async (t) => {
    const { repository } = await fixture(t)
    const seen: string[] = []
    const git = createGitRunner(repository.layout, repository.environment)
    await git.run(['fsck', '--progress'], { onStderr: (text) => seen.push(text) })
    assert.match(seen.join(''), /100%/)
  })

  it('reads stored objects regardless of replace refs', async (t) => {
    const { repository, oids } = await fixture(t)
    repository.run('replace', oids[0] ?? '', oids[1] ?? '')
    const { stdout } = await createGitRunner(repository.layout, repository.environment).run([
      'log',
      '-1',
      '--format=%s',
      oids[0] ?? '',
    ])
    assert.equal(stdout.toString(), 'one\n')
  })
})
