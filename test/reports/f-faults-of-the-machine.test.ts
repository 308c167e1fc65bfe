/** Machine faults: reported as such, with the path, and never taken for a bug in grite or damage to the log. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { describeFailure } from '../../src/commands/describe-failure.ts'
import { classifyGitFailure } from '../../src/git/classify-git-failure.ts'
import { openNative, openRepository } from '../../src/git/index.ts'
import { GriteError, StorageError } from '../../src/model/errors/index.ts'
import { createGriteSandbox, gritePath } from '../contract/grite-process.ts'
import { publishChain } from '../git/sample-commits.ts'
import { type CleanUp, createTempRepository, whyNotMakeable } from '../git/temp-repository.ts'
import { commandRunner } from '../support/command-runner.ts'

describe('machine faults', () => {
  const path = '/repository/.git/grite/actors/0a/level/1/000008.ldb'
  const level = (code: string, message: string) => Object.assign(new Error(message), { code })
  const errno = (code: string) => Object.assign(new Error(`${code}: message, open '${path}'`), { code, path })
  const faults: Readonly<Record<string, readonly [error: Error, code: string, path: string | undefined]>> = {
    'an unreadable file of the view': [
      level('LEVEL_IO_ERROR', `IO error: ${path}: Input/output error`),
      'io_error',
      path,
    ],
    'an unreadable file of the view without an error code': [
      new Error(`IO error: ${path}: Input/output error`),
      'io_error',
      path,
    ],
    'a damaged view': [level('LEVEL_CORRUPTION', 'Corruption: block checksum mismatch'), 'db_error', undefined],
    'a failing disk': [errno('EIO'), 'io_error', path],
    'a full memory': [errno('ENOMEM'), 'io_error', path],
    'too many open files': [errno('EMFILE'), 'io_error', path],
  }
  for (const [title, [error, code, shown]] of Object.entries(faults)) {
    it(`${title} is reported as ${code}`, () => {
      const failure = describeFailure(error)
      assert.deepEqual([failure.code, failure.exitStatus, failure.details.path], [code, 5, shown], failure.message)
      if (shown !== undefined) assert.match(failure.message, /^IO error: (?!IO error)/)
    })
  }

  it('an unexpected error is reported as internal_error', () => {
    const failure = describeFailure(new TypeError('x is not a function'))
    assert.deepEqual([failure.code, failure.exitStatus, failure.details], ['internal_error', 1, {}])
  })
})

describe('failing git processes', () => {
  it('a killed git or failed disk is a storage error', () => {
    const args = ['for-each-ref']
    const killed = classifyGitFailure({ args, exitStatus: null, signal: 'SIGKILL', stderr: '' })
    assert.ok(killed instanceof StorageError)
    assert.match(killed.message, /^git for-each-ref was killed by SIGKILL$/)
    const stderr = 'error: unable to open loose object 1234: Input/output error\nfatal: bad object 1234\n'
    assert.ok(classifyGitFailure({ args, exitStatus: 128, signal: null, stderr }) instanceof StorageError)
  })

  it('a git killed while reading makes no object corrupt', async (t) => {
    const { layout, environment, dir } = await createTempRepository(t)
    const [oid = ''] = await publishChain(openRepository(layout, { environment }), ['one'])
    const bin = join(dir, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'git'), '#!/bin/sh\nread line\nkill -9 $$\n')
    chmodSync(join(bin, 'git'), 0o755)
    const port = openNative(layout, { environment: { ...environment, PATH: `${bin}:${environment.PATH}` } })
    t.after(() => port.close())
    await assert.rejects(port.readObject(oid as never, 1000), StorageError)
  })
})

describe('a clock before 1970', () => {
  const writes: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'issue create': { title: 'two' },
    'issue claim': { next: true },
    'lock acquire': { resource: 'path:src' },
    'actor init': {},
    'snapshot create': {},
    import: { file: 'tracker.jsonl' },
  }

  it('a clock before 1970 refuses writes and hides nothing', async (t) => {
    const { path, environment } = await createTempRepository(t)
    const now = commandRunner({ cwd: path, env: environment })
    await now.run('issue create', { title: 'one' })
    writeFileSync(
      join(path, 'tracker.jsonl'),
      '{"id":"bd-1","title":"three","status":"open","created_at":"2026-01-01T00:00:00Z"}\n',
    )
    const past = commandRunner({ cwd: path, env: environment, nowUnixMs: () => -5000 })
    for (const [name, input] of Object.entries(writes)) {
      await assert.rejects(past.run(name, input), ioError(/the clock of this machine says 1969-12-31T23:59:55/), name)
    }
    const { issues } = (await past.run('issue list')) as { issues: { title: string }[] }
    assert.deepEqual(
      issues.map(({ title }) => title),
      ['one'],
    )
    const { actors } = (await now.run('actor list')) as { actors: unknown[] }
    assert.equal(actors.length, 1)
  })
})

describe('TMPDIR', () => {
  async function runDoctor(t: CleanUp, TMPDIR: string) {
    const { path, environment } = await createTempRepository(t)
    await commandRunner({ cwd: path, env: environment }).run('issue create', { title: 'one' })
    mkdirSync(join(path, 'relative'))
    const files = readdirSync(path, { recursive: true })
    const result = commandRunner({ cwd: path, env: { ...environment, TMPDIR } }).run('doctor')
    await result.catch(() => {})
    assert.deepEqual(readdirSync(path, { recursive: true }), files)
    return result
  }

  for (const place of ['/nonexistent/folder', '/proc']) {
    it(`an unusable TMPDIR ${place} is named`, async (t) => {
      await assert.rejects(
        runDoctor(t, place),
        ioError(new RegExp(`cannot create a temporary folder in ${place}`), place),
      )
    })
  }
  for (const place of ['', '.', 'relative']) {
    it(`TMPDIR '${place}' never puts files in the work tree`, async (t) => {
      await runDoctor(t, place)
    })
  }
})

describe('killed git processes', () => {
  const kinds = [
    ['reftable', 'for-each-ref'],
    ['reftable', 'update-ref'],
    ['reftable', 'rev-parse'],
    ['shared', 'cat-file'],
  ] as const
  for (const [kind, command] of kinds) {
    const skip = kind === 'reftable' ? (whyNotMakeable(kind) ?? false) : false
    it(`a killed ${command} leaves the snapshots of a ${kind} repository`, { skip }, async (t) => {
      const repository = await createTempRepository(t, kind === 'shared' ? 'plain' : kind)
      const { path, environment, dir, run: git } = repository
      const { run } = commandRunner({ cwd: path, env: environment })
      for (const title of ['one', 'two']) {
        await run('issue create', { title })
        await run('snapshot create')
      }
      if (kind === 'shared') {
        git('config', 'core.sharedRepository', 'group')
        git('gc', '-q')
        // Small objects in packs of the repository itself are read without git.
        const store = join(dir, 'store')
        renameSync(join(path, '.git/objects'), store)
        mkdirSync(join(path, '.git/objects/info'), { recursive: true })
        writeFileSync(join(path, '.git/objects/info/alternates'), `${store}\n`)
      }
      const snapshots = () => git('for-each-ref', '--format=%(refname)', 'refs/grite/snapshots').split('\n').length
      const bin = join(dir, 'bin')
      mkdirSync(bin)
      const script = `#!/bin/sh
case " $* " in *" ${command} "*) kill -9 $$ ;; esac
PATH='${environment.PATH}' exec git "$@"
`
      writeFileSync(join(bin, 'git'), script, { mode: 0o755 })
      const killing = commandRunner({ cwd: path, env: { ...environment, PATH: `${bin}:${environment.PATH}` } })
      await assert.rejects(
        killing.run('snapshot gc', { keep: 1 }),
        ioError(new RegExp(`${command} was killed by SIGKILL`)),
      )
      assert.equal(snapshots(), 2)
      await run('snapshot gc', { keep: 1 })
      assert.equal(snapshots(), 1)
    })
  }
})

describe('SIGTERM during an export', () => {
  const skip = process.platform !== 'linux' && 'only Linux opens a pipe again'
  it('SIGTERM ends an export at once, even with a waiting reader', { skip }, async (t) => {
    const place = createGriteSandbox(t)
    const body = 'x'.repeat(100_000)
    const issues = Array.from({ length: 20 }, (_, index) => ({ op: 'create', title: `${index}`, body }))
    place.griteWith({ stdin: issues.map((row) => `${JSON.stringify(row)}\n`).join('') }, 'batch')
    const pipe = join(place.dir, 'pipe')
    execFileSync('mkfifo', [pipe])
    const reader = await open(pipe, 'r+')
    t.after(() => reader.close())
    const child = spawn(process.execPath, [gritePath, 'export', '--format=json'], {
      cwd: place.path,
      env: place.environment,
      stdio: ['ignore', reader.fd, 'pipe'],
    })
    t.after(() => child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    const said = child.stderr?.toArray()
    // It waits for its reader, which takes only the first bytes.
    await reader.read(Buffer.alloc(10))
    child.kill('SIGTERM')
    const [status] = await ended
    const stderr = Buffer.concat((await said) ?? []).toString()
    assert.deepEqual([status, stderr, readdirSync(place.path)], [143, '', ['.git']])
  })
})

/** Matches a machine fault with a message and an optional path. */
function ioError(words: RegExp, path?: string) {
  return (error: unknown) => {
    assert.ok(error instanceof GriteError)
    assert.deepEqual([error.code, error.exitStatus, error.details.path], ['io_error', 5, path], error.message)
    assert.match(error.message, words)
    return true
  }
}
