/** Reports of a write when a step fails after its ref moved: never that nothing was written. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type Disk, nodeDisk } from '../../src/git/durable/disk.ts'
import { openNative, openRepository, parseRefName } from '../../src/git/index.ts'
import { looseRefPath } from '../../src/git/ref-paths.ts'
import { AfterWriteError, GriteError } from '../../src/model/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { createGriteSandbox, gritePath } from '../contract/grite-process.ts'
import { planOf, publishChain, sampleCommit } from '../git/sample-commits.ts'
import { createTempRepository } from '../git/temp-repository.ts'
import { commandRunner, createCommandSandbox } from '../support/command-runner.ts'
import { createClones } from '../sync/clones.ts'

function failure(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${syscall}`), { code, syscall })
}

/** A disk on which one step always fails for some paths. */
function failingDisk(step: 'flushDirectories' | 'remove' | 'rename', fails: (path: string) => boolean): Disk {
  return {
    ...nodeDisk,
    async flushDirectories(paths) {
      // Flushes before the ref move include object folders.
      const isAfterMove = paths.every((path) => !path.includes('/objects'))
      if (step === 'flushDirectories' && isAfterMove && paths.some(fails)) throw failure('EIO', 'fsync')
      await nodeDisk.flushDirectories(paths)
    },
    remove(path) {
      if (step === 'remove' && fails(path)) throw failure('EIO', 'unlink')
      nodeDisk.remove(path)
    },
    rename(from, to) {
      if (step === 'rename' && fails(to)) throw failure('EIO', 'rename')
      nodeDisk.rename(from, to)
    },
  }
}

const isRefFolder = (path: string) => path.endsWith('/refs/grite')

interface Created {
  readonly issue_id: string
  readonly event_id: string
}

async function createSandboxWith(t: TestContext, disk: Disk) {
  const sandbox = createCommandSandbox(t)
  await sandbox.run('issue create', { title: 'warm' })
  const failing = commandRunner({ cwd: sandbox.path, env: sandbox.environment, gitOptions: { disk } })
  const titles = async () =>
    ((await sandbox.run('issue list')) as { issues: { title: string }[] }).issues.map(({ title }) => title).sort()
  return { ...sandbox, failing, titles }
}

describe('failures after the ref moved', () => {
  it('an unflushed write fails and is reported as written', async (t) => {
    const { failing, titles } = await createSandboxWith(t, failingDisk('flushDirectories', isRefFolder))
    await assert.rejects(failing.run('issue create', { title: 'once' }), (error) => {
      assert.ok(error instanceof AfterWriteError, String(error))
      assert.deepEqual([error.code, error.exitStatus, error.details.written], ['io_error', 5, true])
      assert.equal((error.details.event_ids as string[]).length, 1)
      assert.equal((error.details.issue_ids as string[]).length, 1)
      assert.match(error.message, /refs\/grite\/wal was written, but may not survive a power loss: EIO/)
      return true
    })
    assert.deepEqual(await titles(), ['once', 'warm'])
  })

  it('a write with a leftover temp file succeeds with a warning', async (t) => {
    const { failing, titles } = await createSandboxWith(
      t,
      failingDisk('remove', (path) => path.includes('/grite/tmp/')),
    )
    const created = (await failing.run('issue create', { title: 'once' })) as Created
    assert.match(created.event_id, /^[0-9a-f]{64}$/)
    assert.ok(failing.warnings.length > 0)
    for (const { code, message } of failing.warnings) {
      assert.equal(code, 'leftover-file')
      assert.match(message, /^could not remove .*\/grite\/tmp\/.*: EIO/)
    }
    assert.deepEqual(await titles(), ['once', 'warm'])
  })

  it('a claim with an unflushed write keeps its lease', async (t) => {
    const { failing, run, warnings } = await createSandboxWith(t, failingDisk('flushDirectories', isRefFolder))
    const { issue_id } = (await run('issue create', { title: 'to claim' })) as Created
    await assert.rejects(failing.run('issue claim', { issue: issue_id }), AfterWriteError)
    const { locks } = (await run('lock status')) as { locks: { resource: string }[] }
    assert.deepEqual(
      locks.map(({ resource }) => resource),
      [`issue:${issue_id}`],
    )
    assert.deepEqual(warnings, [])
  })

  it('an unflushed claim lock lets the claim proceed with a warning', async (t) => {
    const isLockFolder = (path: string) => path.endsWith('/refs/grite/locks')
    const { failing, run } = await createSandboxWith(t, failingDisk('flushDirectories', isLockFolder))
    const { issue_id } = (await run('issue create', { title: 'to claim' })) as Created
    await failing.run('issue claim', { issue: issue_id })
    assert.deepEqual(
      failing.warnings.map(({ code }) => code),
      ['lock-not-flushed'],
    )
    assert.match(failing.warnings[0]?.message ?? '', /refs\/grite\/locks\/.* was written, but may not survive/)
    const { issues } = (await run('issue list')) as { issues: { issue_id: string; assignees: string[] }[] }
    assert.equal(issues.find((issue) => issue.issue_id === issue_id)?.assignees.length, 1)
  })

  for (const [name, open] of [
    ['combined', openRepository],
    ['native', openNative],
  ] as const) {
    it(`an unflushed publish reports its written refs, ${name} port`, async (t) => {
      const { layout, environment, run } = await createTempRepository(t)
      const [first] = await publishChain(openRepository(layout, { environment }), ['one'])
      const port = open(layout, { environment, disk: failingDisk('flushDirectories', isRefFolder) })
      const commit = sampleCommit('sha1', first ? [first] : [], 'two')
      await assert.rejects(port.publish(planOf(commit, first ?? null)), (error) => {
        assert.ok(error instanceof AfterWriteError, String(error))
        assert.deepEqual(error.details.refs, [{ ref: walRef, object_id: commit.oid }])
        return true
      })
      assert.equal(run('rev-parse', walRef), commit.oid)
      await port.close()
    })
  }
})

describe('publishing several refs', () => {
  it('a partly moved publish names the moved refs', async (t) => {
    const { layout, environment } = await createTempRepository(t)
    const [first, second] = [parseRefName('refs/grite/a'), parseRefName('refs/grite/b')]
    const disk = failingDisk('rename', (path) => path === looseRefPath(layout, second))
    const port = openRepository(layout, { environment, disk })
    const commit = sampleCommit('sha1', [], 'one')
    const updates = [first, second].map((ref) => ({ ref, expected: null, next: commit.oid, reflogMessage: 'x' }))
    await assert.rejects(port.publish({ objects: commit.objects, updates }), (error) => {
      assert.ok(error instanceof AfterWriteError, String(error))
      assert.deepEqual([error.details.written, error.details.refs], ['partly', [{ ref: first, object_id: commit.oid }]])
      return true
    })
    assert.deepEqual([await port.readRef(first), await port.readRef(second)], [commit.oid, null])
    await openRepository(layout, { environment, lockWaitMs: 0 }).publish({ objects: [], updates: updates.slice(1) })
  })

  it('a publish that moved no ref is a plain error', async (t) => {
    const { layout, environment } = await createTempRepository(t)
    const ref = parseRefName('refs/grite/a')
    const disk = failingDisk('rename', (path) => path === looseRefPath(layout, ref))
    const port = openRepository(layout, { environment, disk })
    const commit = sampleCommit('sha1', [], 'one')
    await assert.rejects(
      port.publish(planOf(commit, null, ref)),
      (error) => error instanceof GriteError && !(error instanceof AfterWriteError) && error.code === 'io_error',
    )
    assert.equal(await port.readRef(ref), null)
  })

  it('a partly done deletion is reported as partly written', async (t) => {
    const { layout, environment, run } = await createTempRepository(t)
    const [first, second] = [parseRefName('refs/grite/locks/a'), parseRefName('refs/grite/locks/b')]
    for (const ref of [first, second]) run('update-ref', ref, 'HEAD')
    const oid = await openRepository(layout, { environment }).readRef(first)
    const disk = failingDisk('remove', (path) => path === looseRefPath(layout, second))
    const port = openRepository(layout, { environment, disk })
    const updates = [first, second].map((ref) => ({ ref, expected: oid, next: null, reflogMessage: 'x' }))
    await assert.rejects(
      port.publish({ objects: [], updates }),
      (error) => error instanceof AfterWriteError && error.details.written === 'partly',
    )
    assert.equal(dirname(looseRefPath(layout, first)), dirname(looseRefPath(layout, second)))
    assert.deepEqual([await port.readRef(first), await port.readRef(second)], [null, oid])
  })
})

describe('an accepted push', () => {
  /** Two clones that both wrote; the second has a disk that fails once `fail` is called. */
  async function setUp(t: TestContext, failing: Disk) {
    const setup = createClones(t)
    const ann = setup.clone('ann')
    await ann.create('base')
    await ann.sync()
    let isFailing = false
    const step = <Key extends keyof Disk>(key: Key): Disk[Key] =>
      ((...args: never[]) =>
        ((isFailing ? failing : nodeDisk)[key] as (...args: never[]) => unknown)(...args)) as unknown as Disk[Key]
    const disk = { ...nodeDisk, flushDirectories: step('flushDirectories'), rename: step('rename') }
    const bo = setup.clone('bo', { gitOptions: { disk } })
    await bo.sync()
    await ann.create('of ann')
    await ann.sync()
    const fail = () => {
      isFailing = true
    }
    return { ...setup, ann, bo, fail }
  }

  it('a sync that fails after its push reports the push', async (t) => {
    const { ann, bo, origin, fail } = await setUp(t, failingDisk('flushDirectories', isRefFolder))
    await bo.create('of bo')
    // With the home remote, nothing that may fail comes after the push.
    bo.git('remote', 'add', 'other', origin)
    fail()
    const { code, details } = await bo.failSync({ remote: 'other' })
    assert.deepEqual([code, details.written, details.pushed], ['io_error', true, true])
    await ann.sync()
    assert.deepEqual(await ann.titles(), ['base', 'of ann', 'of bo'])
  })

  it('a remote claim counts although this clone cannot record it', async (t) => {
    const failing = failingDisk('rename', (path) => path.endsWith('/refs/grite/wal'))
    const { ann, bo, fail } = await setUp(t, failing)
    await bo.sync()
    const { issues } = (await ann.run('issue list')) as { issues: { issue_id: string }[] }
    fail()
    const claimed = (await bo.run('issue claim', { issue: issues[0]?.issue_id, remote: '' })) as { remote: string }
    assert.equal(claimed.remote, 'origin')
    assert.deepEqual(bo.takeWarnings(), ['log-not-followed'])
    await ann.sync()
    const [issue] = ((await ann.run('issue list')) as { issues: { assignees: string[] }[] }).issues
    assert.equal(issue?.assignees.length, 1)
  })
})

describe('output errors after a write', () => {
  it('an output error after the write reports the written events', {
    skip: existsSync('/dev/full') ? false : 'no device is always full here',
  }, (t) => {
    const { path, environment, data } = createGriteSandbox(t)
    const words = `'${process.execPath}' '${gritePath}' issue create --title 'printed nowhere' --json > /dev/full`
    const { status, stderr } = spawnSync('sh', ['-c', words], { cwd: path, env: environment, encoding: 'utf8' })
    const { error } = JSON.parse(stderr)
    assert.deepEqual([status, error.code, error.details.written, error.details.event_count], [5, 'io_error', true, 1])
    assert.match(error.details.suggestions[0], /is already in the log: 1 event of [0-9a-f]{8}/)
    assert.equal(data('issue', 'list').issues.length, 1)
  })
})
