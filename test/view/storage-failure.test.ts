import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { StorageError } from '../../src/model/index.ts'
import type { IssueRow } from '../../src/view/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { commandRunner, createCommandSandbox } from '../support/command-runner.ts'
import { pausesOf } from '../support/count-pauses.ts'

/** Runs mount; false where this user or machine may not. */
const mount = (...args: readonly string[]): boolean => spawnSync('mount', args, { stdio: 'ignore' }).status === 0

function whyNotMountable(): string | false {
  const folder = mkdtempSync(join(tmpdir(), 'grite-mount-'))
  const isMounted = mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder)
  if (isMounted) spawnSync('umount', [folder])
  rmSync(folder, { recursive: true, force: true })
  return isMounted ? false : 'this user may not mount a file system'
}

const skip = whyNotMountable()
const titlesOf = async (run: (name: string) => Promise<unknown>) =>
  ((await run('issue list')) as { issues: IssueRow[] }).issues.map(({ title }) => title).sort()
const isIoError = (error: unknown) => error instanceof StorageError && error.code === 'io_error'

/** Runs work while a mount covers a folder. `t.after` would run too late, after the folder is deleted. */
async function whileMounted(
  path: string,
  how: readonly (readonly string[])[],
  work: () => Promise<void>,
): Promise<void> {
  for (const args of how) mount(...args, path)
  try {
    await work()
  } finally {
    spawnSync('umount', [path])
  }
}

const readOnly = (path: string) => [
  ['--bind', path],
  ['-o', 'remount,ro,bind'],
]

describe('a read-only file system', { skip }, () => {
  it('a read-only file system allows reading and refuses writing', async (t) => {
    const { run, path, git, warnings } = createCommandSandbox(t)
    const first = (await run('issue create', { title: 'a' })) as { wal_head: string }
    await run('issue create', { title: 'b' })
    assert.deepEqual(await titlesOf(run), ['a', 'b'])
    git(path, 'update-ref', walRef, first.wal_head)
    await whileMounted(path, readOnly(path), async () => {
      assert.deepEqual(await titlesOf(run), ['a', 'b'])
      assert.deepEqual(
        warnings.splice(0).map(({ code }) => code),
        ['log-restored'],
      )
      const pausedMs = await pausesOf(async () => {
        await assert.rejects(run('issue create', { title: 'c' }), isIoError)
        await assert.rejects(run('rebuild'), isIoError)
      })
      assert.ok(pausedMs < 1500, 'without waiting for what cannot be')
      assert.equal(git(path, 'rev-parse', walRef), first.wal_head)
    })
    warnings.splice(0)
    assert.deepEqual(await titlesOf(run), ['a', 'b'])
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['log-restored'],
    )
    git(path, 'fsck', '--strict', '--no-dangling')
  })

  it('a log without a view is readable on a read-only file system', async (t) => {
    const { run, path } = createCommandSandbox(t)
    await run('issue create', { title: 'a' })
    await whileMounted(path, readOnly(path), async () => assert.deepEqual(await titlesOf(run), ['a']))
  })
})

describe('a full disk', { skip }, () => {
  it('a full disk fails writers and changes neither log nor view', async (t) => {
    const sandbox = createCommandSandbox(t)
    const disk = join(sandbox.dir, 'disk')
    mkdirSync(disk)
    await whileMounted(disk, [['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs']], async () => {
      sandbox.git(disk, 'init', '-q', 'repository')
      const path = join(disk, 'repository')
      const { run, withRepository } = commandRunner({ cwd: path, env: sandbox.environment })
      const first = (await run('issue create', { title: 'a' })) as { wal_head: string }
      assert.deepEqual(await titlesOf(run), ['a'])
      const level = await withRepository(async (repository) =>
        repository.paths.viewLevels((await repository.findActor())?.actor.id),
      )
      const before = readdirSync(level)
      assert.throws(() => writeFileSync(join(path, 'fill'), Buffer.alloc(2 << 20)))
      await assert.rejects(run('issue create', { title: 'b' }), isIoError)
      await assert.rejects(run('rebuild'), isIoError)
      assert.deepEqual(await titlesOf(run), ['a'])
      assert.deepEqual(readdirSync(level), before)
      assert.equal(sandbox.git(path, 'rev-parse', walRef), first.wal_head)
      rmSync(join(path, 'fill'))
      await run('issue create', { title: 'c' })
      assert.deepEqual(await titlesOf(run), ['a', 'c'])
      sandbox.git(path, 'fsck', '--strict', '--no-dangling')
    })
  })
})
