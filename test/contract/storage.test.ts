/** A full disk and a read-only repository: reading works; a write fails and changes nothing. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type CleanUp, createSandbox } from '../git/temp-repository.ts'
import { createGriteSandbox, gritePath, type Outcome, readFailure } from './grite-process.ts'

// Mounts are made in a separate namespace, so none outlives the test.
const mayMount = spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs none /mnt && umount /mnt']).status === 0
const skip = mayMount ? false : 'this user may not mount file systems'

interface Mounted {
  /** Runs a program that sees the mount. */
  run(cwd: string, program: string, ...words: readonly string[]): Outcome
  grite(...words: readonly string[]): Outcome
}

/** Starts a shell that mounts a file system and waits; programs run in its namespace. */
async function mounted(
  t: TestContext & CleanUp,
  script: string,
  path: string,
  env: NodeJS.ProcessEnv,
): Promise<Mounted> {
  const holder = spawn('unshare', ['-m', 'sh', '-c', `${script} && echo ready && exec sleep 120`], { env })
  t.after(() => void holder.kill('SIGKILL'))
  await once(holder.stdout, 'data')
  const run = (cwd: string, program: string, ...words: readonly string[]): Outcome =>
    spawnSync('nsenter', ['-t', String(holder.pid), '-m', 'sh', '-c', 'cd "$0" && exec "$@"', cwd, program, ...words], {
      env,
      encoding: 'utf8',
    })
  return { run, grite: (...words) => run(path, process.execPath, gritePath, ...words) }
}

test('grite survives a full disk', { skip }, async (t) => {
  const { dir, environment } = createSandbox(t)
  const disk = join(dir, 'disk')
  const path = join(disk, 'repository')
  mkdirSync(disk)
  const { run, grite } = await mounted(t, `mount -t tmpfs -o size=4m none '${disk}'`, path, environment)
  run(disk, 'git', 'init', '-q', path)
  for (const title of ['First', 'Second']) assert.equal(grite('issue', 'create', '--title', title).status, 0)
  assert.equal(grite('issue', 'list').status, 0)
  const head = run(path, 'git', 'rev-parse', 'refs/grite/wal').stdout
  const listed = grite('issue', 'list', '--json').stdout
  // Fills the disk until less than one block is free.
  run(disk, 'dd', 'if=/dev/zero', 'of=filler', 'bs=4k')

  await t.test('a write to a full disk fails with io_error', () => {
    const failure = readFailure(grite('issue', 'create', '--title', 'Third', '--body', 'x'.repeat(20_000), '--json'))
    assert.deepEqual([failure.code, failure.status], ['io_error', 5], failure.message)
    assert.match(failure.message, /ENOSPC|no space left/i)
  })
  await t.test('a failed write changes neither log nor list', () => {
    assert.equal(run(path, 'git', 'rev-parse', 'refs/grite/wal').stdout, head)
    const again = grite('issue', 'list', '--json')
    assert.equal(again.status, 0, again.stderr)
    assert.equal(again.stdout, listed)
  })
  await t.test('writing works again once the disk has space', () => {
    run(disk, 'rm', 'filler')
    const created = grite('issue', 'create', '--title', 'Third')
    assert.equal(created.status, 0, created.stderr)
    assert.equal(JSON.parse(grite('issue', 'list', '--json').stdout).data.total, 3)
    assert.equal(run(path, 'git', 'fsck', '--strict', '--no-dangling').status, 0)
  })
})

for (const hasView of [true, false]) {
  test(`a read-only repository ${hasView ? 'with a view' : 'without a view'} can be read but not written`, {
    skip,
  }, async (t) => {
    const place = createGriteSandbox(t)
    const id = place.create('Written before')
    if (hasView) place.data('issue', 'list')
    else place.git(place.path, 'config', 'gc.auto', '0')
    const head = place.head()
    const script = `mount --bind '${place.path}' '${place.path}' && mount -o remount,bind,ro '${place.path}'`
    const { grite } = await mounted(t, script, place.path, place.environment)

    for (const words of [
      ['issue', 'list'],
      ['issue', 'show', id],
      ['db', 'stats'],
      ['db', 'check'],
      ['export', '--format=json'],
    ]) {
      const { status, stdout, stderr } = grite(...words, '--json')
      assert.deepEqual([status, stderr], [0, ''], words.join(' '))
      assert.equal(JSON.parse(stdout).ok, true)
    }
    assert.equal(JSON.parse(grite('issue', 'list', '--json').stdout).data.total, 1)
    for (const words of [
      ['issue', 'create', '--title=x'],
      ['issue', 'close', id],
      ['actor', 'init'],
    ]) {
      const failure = readFailure(grite(...words, '--json'))
      assert.deepEqual([failure.code, failure.status], ['io_error', 5], `${words.join(' ')}: ${failure.message}`)
    }
    assert.equal(place.head(), head)
    assert.equal(place.data('issue', 'list').total, 1)
  })
}
