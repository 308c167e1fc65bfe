import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { type Disk, nodeDisk } from '../../src/git/durable/disk.ts'
import { chooseFlushes } from '../../src/git/durable/flush-settings.ts'
import { findRepository, openNative, openRepository, writeLooseObjects } from '../../src/git/index.ts'
import { looseObjectPath, looseRefPath } from '../../src/git/ref-paths.ts'
import { StorageError } from '../../src/model/errors/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { childProgram } from '../support/child-program.ts'
import { planOf, publishChain, sampleCommit } from './sample-commits.ts'
import { createSandbox, createTempRepository } from './temp-repository.ts'

/** A disk that records every wave of flushes and every rename. */
function recordingDisk(): { disk: Disk; log: string[]; waves: string[][] } {
  const log: string[] = []
  const waves: string[][] = []
  const disk: Disk = {
    ...nodeDisk,
    flushFiles(files) {
      waves.push(files.map(({ path }) => path))
      return nodeDisk.flushFiles(files)
    },
    flushDirectories(paths) {
      waves.push([...paths])
      return nodeDisk.flushDirectories(paths)
    },
    rename(from, to) {
      log.push(`${waves.length} ${to}`)
      nodeDisk.rename(from, to)
    },
  }
  return { disk, log, waves }
}

describe('objects of another thread', () => {
  it('are written and flushed before a publish names them', async (t) => {
    const { layout, environment, git, path } = await createTempRepository(t)
    const port = openRepository(layout, { environment })
    const place = await port.objectPlace?.()
    assert.deepEqual(place, { layout, flushes: true })
    const { disk, waves } = recordingDisk()
    const { objects, oid } = sampleCommit('sha1', [], 'first')
    await writeLooseObjects({ layout, flushes: true }, objects, disk)
    assert.deepEqual(
      waves.map(({ length }) => length),
      [objects.length, new Set(objects.map((object) => object.oid.slice(0, 2))).size + 1],
    )
    const updates = [{ ref: walRef, expected: null, next: oid, reflogMessage: 'test' }]
    await port.publish({ objects: [], staged: objects, updates })
    assert.equal(git(path, 'rev-parse', walRef), oid)
    git(path, 'fsck', '--strict')
  })

  it('are left to the port where files have other modes, or the disk is not its own', async (t) => {
    const { layout, environment, git, path } = await createTempRepository(t)
    const { disk } = recordingDisk()
    assert.equal(await openRepository(layout, { environment, disk }).objectPlace?.(), null)
    git(path, 'config', 'core.sharedRepository', 'group')
    assert.equal(await openRepository(layout, { environment }).objectPlace?.(), null)
  })
})

describe('flushes of a publish', () => {
  it('flushes contents, then object directories, then the ref directory', async (t) => {
    const { layout, environment } = await createTempRepository(t)
    const { disk, log, waves } = recordingDisk()
    const port = openRepository(layout, { environment, disk })
    await publishChain(port, ['first'])
    waves.length = 0
    log.length = 0
    const head = await port.readRef(walRef)
    const commit = sampleCommit('sha1', head ? [head] : [], 'second')
    await port.publish(planOf(commit, head))
    assert.equal(waves.length, 3)
    const [contents = [], directories = [], ofRef = []] = waves
    assert.equal(contents.length, commit.objects.length + 1)
    const objectDirs = new Set(commit.objects.map(({ oid }) => dirname(looseObjectPath(layout, oid))))
    assert.deepEqual(new Set(directories.filter((path) => path !== layout.objectDir)), objectDirs)
    assert.ok(directories.includes(layout.objectDir), 'a new object directory is an entry of objects/')
    assert.deepEqual(ofRef, [dirname(looseRefPath(layout, walRef))])
    // Objects are renamed into place after the first wave, the ref after the second.
    assert.deepEqual(log, [
      ...commit.objects.map(({ oid }) => `1 ${looseObjectPath(layout, oid)}`),
      `2 ${looseRefPath(layout, walRef)}`,
    ])
  })

  it('flushes existing objects, which their writer may not have flushed', async (t) => {
    const { layout, environment } = await createTempRepository(t)
    const commit = sampleCommit('sha1', [], 'one')
    await openRepository(layout, { environment }).publish({ objects: commit.objects, updates: [] })
    const { disk, waves } = recordingDisk()
    await openRepository(layout, { environment, disk }).publish(planOf(commit, null))
    for (const { oid } of commit.objects) assert.ok(waves[0]?.includes(looseObjectPath(layout, oid)))
  })

  it('makes at most one flush per file and directory', {
    skip: hasStrace() ? false : 'strace is not installed',
  }, async (t) => {
    const { path, environment, dir } = await createTempRepository(t)
    const trace = join(dir, 'trace')
    const order = { cwd: path, environment, implementation: 'combined', name: 'traced', commits: 2 }
    const node = [process.execPath, ...childProgram('test/git/publishing-child.ts'), JSON.stringify(order)]
    const { status } = spawnSync('strace', ['-f', '-y', '-o', trace, '-e', 'trace=fsync,fdatasync', ...node])
    assert.equal(status, 0)
    const calls = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => /f(data)?sync\(/.test(line))
    const ofFiles = calls.filter((line) => line.includes('fdatasync('))
    // Twice five objects (two blobs, two trees, a commit) and the ref.
    assert.equal(ofFiles.length, 12)
    // At most: a directory per object, objects/ and the ref's; for the first publish also the parent of refs/grite.
    assert.ok(calls.length - ofFiles.length <= 2 * 7 + 1, `${calls.length - ofFiles.length} directories`)
  })

  it('flushes only the parts that core.fsync names', async (t) => {
    const repository = await createTempRepository(t)
    repository.run('config', 'core.fsync', 'none')
    const { disk, waves } = recordingDisk()
    await publishChain(openRepository(repository.layout, { environment: repository.environment, disk }), ['one'])
    assert.equal(waves.length, 0)
    repository.run('config', 'core.fsync', 'reference')
    await publishChain(openRepository(repository.layout, { environment: repository.environment, disk }), ['two'])
    assert.deepEqual(
      waves.map((wave) => wave.length),
      [1, 1],
    )
  })

  it('reads core.fsync from an included config file', async (t) => {
    const repository = await createTempRepository(t)
    writeFileSync(join(repository.dir, 'included'), '[core]\n\tfsync = none\n')
    writeFileSync(
      join(repository.dir, 'home', '.gitconfig'),
      `[include]\n\tpath = ${join(repository.dir, 'included')}\n`,
    )
    const { GIT_CONFIG_GLOBAL: _dropped, ...environment } = repository.environment
    const { disk, waves } = recordingDisk()
    await publishChain(openRepository(repository.layout, { environment, disk }), ['one'])
    assert.deepEqual(waves, [])
  })

  for (const [fsync, method, objects, references] of [
    [undefined, undefined, true, true],
    [undefined, 'batch', true, true],
    [undefined, 'writeout-only', false, false],
    ['none', undefined, false, false],
    ['all', undefined, true, true],
    ['committed', undefined, true, true],
    ['committed,-loose-object', undefined, false, true],
    ['default', undefined, false, false],
    ['loose-object', undefined, true, false],
    ['all,-reference', 'fsync', true, false],
  ] as const) {
    it(`core.fsync=${fsync} core.fsyncMethod=${method} flushes objects: ${objects}, refs: ${references}`, () => {
      const chosen = chooseFlushes(fsync, method)
      assert.deepEqual([chosen.objects, chosen.references], [objects, references])
    })
  }
})

describe('disk failures', () => {
  const failures = {
    createFile: 'ENOSPC',
    makeDirectory: 'EROFS',
    flushFiles: 'EIO',
    flushDirectories: 'EIO',
    link: 'ENOSPC',
    append: 'ENOSPC',
    rename: 'EACCES',
  } as const satisfies Partial<Record<keyof Disk, string>>
  for (const [step, code] of Object.entries(failures)) {
    it(`a publish moves no ref when ${step} fails with ${code}`, async (t) => {
      const repository = await createTempRepository(t)
      const { layout, environment } = repository
      const [first] = await publishChain(openRepository(layout, { environment }), ['one'])
      const fail = () => {
        throw Object.assign(new Error(`${code}: simulated`), { code, syscall: step })
      }
      const port = openRepository(layout, { environment, disk: { ...nodeDisk, [step]: fail } })
      const commit = sampleCommit('sha1', first ? [first] : [], 'two')
      await assert.rejects(port.publish(planOf(commit, first ?? null)), (error) => {
        assert.ok(error instanceof StorageError, String(error))
        assert.equal(error.code, 'io_error')
        assert.equal(error.details.errno, code)
        return true
      })
      assert.equal(repository.run('rev-parse', walRef), first)
      assert.equal(repository.run('count-objects', '-v').includes('garbage: 0'), true)
      await publishChain(openRepository(layout, { environment, lockWaitMs: 100 }), ['two'])
      repository.run('fsck', '--strict', '--no-dangling')
    })
  }
})

function hasStrace(): boolean {
  return spawnSync('strace', ['-V']).status === 0
}

describe('a full file system', () => {
  it('a publish on a full disk moves no ref and succeeds later', async (t) => {
    const { dir, environment, git } = createSandbox(t)
    const path = join(dir, 'small')
    mkdirSync(path)
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', path])
    if (status !== 0) return t.skip('no tmpfs can be mounted')
    try {
      git(path, '-c', 'init.defaultBranch=main', 'init', '-q', '--template=', '--bare')
      const layout = await findRepository({ cwd: path, env: environment })
      const port = openRepository(layout, { environment })
      const [first = null] = await publishChain(port, ['one'])
      const ballast = join(path, 'ballast')
      writeFileSync(ballast, '')
      assert.throws(() => writeFileSync(ballast, Buffer.alloc(1 << 20)))
      const commit = sampleCommit('sha1', first ? [first] : [], 'two')
      for (const attempt of [port, openNative(layout, { environment })]) {
        await assert.rejects(attempt.publish(planOf(commit, first)), StorageError)
        assert.equal(git(path, 'rev-parse', walRef), first)
      }
      rmSync(ballast)
      await port.publish(planOf(commit, first))
      git(path, 'fsck', '--strict', '--no-dangling')
    } finally {
      spawnSync('umount', [path])
    }
  })
})
