/** A missing, empty or garbage commit of the log hides nothing readable, and no write buries it. */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { readReflog } from '../../src/git/reflog.ts'
import { lockPrefix, snapshotPrefix, trackingRef, walRef } from '../../src/wal/index.ts'
import { whyGitLacks } from '../git/git-features.ts'
import { looseFile, loseObject, waysToLose } from '../support/broken-objects.ts'
import { createClones, type Member } from '../sync/clones.ts'

interface Check {
  readonly id: string
  readonly status: string
  readonly message: string
}

/** A clone with a remote, and three issues not yet pushed. */
async function cloneWithLog(t: TestContext) {
  const setup = createClones(t)
  const ann = setup.clone('ann')
  for (const title of ['one', 'two', 'three']) await ann.create(title)
  return { ...setup, ann }
}

const commitAt = (member: Member, back: number) => member.git('rev-parse', `${walRef}~${back}`)

/** Runs doctor and returns its failed checks. */
async function diagnose(member: Member, fix = false) {
  const { data, exitStatus } = await member.outcome('doctor', { fix })
  const { checks, applied } = data as { checks: Check[]; applied: string[] }
  return { exitStatus, applied, found: checks.filter(({ status }) => status === 'error') }
}

const dropReflog = ({ path }: Member) => rmSync(join(path, '.git/logs/refs/grite'), { recursive: true })
const dropViews = ({ path }: Member) => {
  const actors = join(path, '.git/grite/actors')
  for (const actor of readdirSync(actors)) rmSync(join(actors, actor, 'level'), { recursive: true, force: true })
}

describe('a lost head of the log', { concurrency: 2 }, () => {
  for (const way of waysToLose) {
    it(`a ${way} head moves the log back one commit with a warning`, async (t) => {
      const { ann } = await cloneWithLog(t)
      const [lost, before] = [commitAt(ann, 0), commitAt(ann, 1)]
      loseObject(ann.path, lost, way)
      assert.deepEqual(await ann.titles(), ['one', 'two'])
      const [warning, ...others] = ann.warnings.splice(0)
      assert.deepEqual([warning?.code, others], ['log-restored', []])
      assert.match(warning?.message ?? '', new RegExp(`${lost}.*not a readable commit.*${before.slice(0, 12)}`))
      assert.equal(ann.head(), before)
      await ann.create('later')
      assert.deepEqual(await ann.titles(), ['later', 'one', 'two'])
      assert.deepEqual(ann.takeWarnings(), [])
    })
  }

  it('a write goes on top of the commit before an empty head', async (t) => {
    const { ann } = await cloneWithLog(t)
    const [lost, before] = [commitAt(ann, 0), commitAt(ann, 1)]
    loseObject(ann.path, lost, 'empty')
    await ann.create('later')
    assert.deepEqual(ann.takeWarnings(), ['log-restored'])
    assert.equal(commitAt(ann, 1), before)
    assert.deepEqual(await ann.titles(), ['later', 'one', 'two'])
  })

  it('a write skips a missing head even if a view knows it', async (t) => {
    const { ann } = await cloneWithLog(t)
    assert.equal((await ann.titles()).length, 3)
    const [lost, before] = [commitAt(ann, 0), commitAt(ann, 1)]
    loseObject(ann.path, lost)
    await ann.create('later')
    assert.equal(commitAt(ann, 1), before)
    assert.deepEqual(await ann.titles(), ['later', 'one', 'two'])
    assert.ok(ann.takeWarnings().includes('log-restored'))
  })

  it('several missing commits fall back to the newest readable one', async (t) => {
    const { ann } = await cloneWithLog(t)
    for (const oid of [commitAt(ann, 0), commitAt(ann, 1)]) loseObject(ann.path, oid)
    assert.deepEqual(await ann.titles(), ['one'])
  })

  it('a missing head without a reflog falls back to the view’s head', async (t) => {
    const { ann } = await cloneWithLog(t)
    assert.equal((await ann.titles()).length, 3)
    const seen = commitAt(ann, 0)
    await ann.create('unseen')
    loseObject(ann.path, commitAt(ann, 0))
    dropReflog(ann)
    assert.deepEqual(await ann.titles(), ['one', 'three', 'two'])
    assert.equal(ann.head(), seen)
  })

  it('the fetched log replaces a missing head unless signatures decide', async (t) => {
    const { ann } = await cloneWithLog(t)
    await ann.sync()
    await ann.create('not sent')
    loseObject(ann.path, commitAt(ann, 0))
    dropReflog(ann)
    dropViews(ann)
    const config = join(ann.path, '.git/grite/config.toml')
    writeFileSync(config, 'verify_signatures = "reject"\n', { flag: 'a' })
    assert.deepEqual(await ann.titles(), [])
    assert.ok(ann.takeWarnings().includes('log-incomplete'))
    await assert.rejects(ann.create('later'), { code: 'io_error', exitStatus: 5 })
    ann.takeWarnings()
    writeFileSync(config, readFileSync(config, 'utf8').replace('reject', 'warn'))
    assert.deepEqual(await ann.titles(), ['one', 'three', 'two'])
    assert.ok(ann.takeWarnings().includes('log-restored'))
  })

  it('an unrecoverable head blocks writes until a sync fetches it', async (t) => {
    const { ann, originHead } = await cloneWithLog(t)
    await ann.sync()
    const lost = commitAt(ann, 0)
    loseObject(ann.path, lost)
    ann.git('update-ref', '-d', trackingRef('origin', walRef))
    dropReflog(ann)
    dropViews(ann)
    ann.takeWarnings()
    for (const _time of [1, 2]) {
      assert.deepEqual(await ann.titles(), [])
      assert.deepEqual(ann.takeWarnings(), ['log-incomplete'])
    }
    await assert.rejects(ann.create('later'), (error: { details?: { reason?: unknown } }) => {
      assert.equal(error.details?.reason, 'head-unreadable')
      return true
    })
    assert.deepEqual([ann.head(), (await ann.outcome('db check')).exitStatus], [lost, 1])
    assert.equal((await ann.outcome('issue list', { exitStatus: true })).exitStatus, 1)
    const { exitStatus, found } = await diagnose(ann)
    assert.deepEqual([exitStatus, found.map(({ id }) => id)], [1, ['wal_ref']])
    assert.match(found[0]?.message ?? '', new RegExp(lost))
    await ann.sync()
    assert.equal(ann.head(), originHead())
    assert.deepEqual(await ann.titles(), ['one', 'three', 'two'])
    ann.takeWarnings()
    await ann.assertSound()
    assert.deepEqual(ann.takeWarnings(), [])
  })

  it('a head missing everywhere yields to the remote log until found', async (t) => {
    const { clone, originHead } = createClones(t)
    const [ann, bo] = [clone('ann'), clone('bo')]
    await bo.create('theirs')
    await bo.sync()
    await ann.create('mine')
    const kept = join(ann.path, 'kept')
    const file = looseFile(ann.path, ann.head())
    copyFileSync(file, kept)
    loseObject(ann.path, ann.head(), 'empty')
    await assert.rejects(ann.create('later'), { code: 'io_error' })
    await ann.sync()
    assert.deepEqual([await ann.titles(), ann.head()], [['theirs'], originHead()])
    ann.takeWarnings()
    await ann.create('later')
    copyFileSync(kept, file)
    rmSync(kept)
    assert.deepEqual(await ann.titles(), ['later', 'mine', 'theirs'])
    assert.deepEqual(ann.takeWarnings(), ['log-restored'])
    await ann.assertSound()
  })

  it('a sync restores a missing head and keeps later writes', async (t) => {
    const { ann, originHead } = await cloneWithLog(t)
    await ann.sync()
    loseObject(ann.path, commitAt(ann, 0), 'empty')
    await ann.create('meanwhile')
    await ann.sync()
    assert.deepEqual(await ann.titles(), ['meanwhile', 'one', 'three', 'two'])
    assert.equal(ann.head(), originHead())
    assert.equal(new Set(await ann.ids()).size, (await ann.ids()).length)
    await ann.assertSound()
  })

  it('a head missing for a while returns with its events', async (t) => {
    for (const hasView of [true, false]) {
      const { ann } = await cloneWithLog(t)
      const lost = commitAt(ann, 0)
      const kept = join(ann.path, 'kept')
      copyFileSync(looseFile(ann.path, lost), kept)
      loseObject(ann.path, lost)
      assert.deepEqual(await ann.titles(), ['one', 'two'])
      await ann.create('later')
      ann.takeWarnings()
      assert.deepEqual([await ann.titles(), ann.takeWarnings()], [['later', 'one', 'two'], []])
      if (!hasView) dropViews(ann)
      copyFileSync(kept, looseFile(ann.path, lost))
      rmSync(kept)
      assert.deepEqual(await ann.titles(), ['later', 'one', 'three', 'two'])
      assert.deepEqual([ann.takeWarnings(), (await ann.ids()).length], [['log-restored'], 4])
      await ann.assertSound()
    }
  })

  it('doctor fails for a missing head, and its fix restores the log', async (t) => {
    const { ann } = await cloneWithLog(t)
    loseObject(ann.path, commitAt(ann, 0), 'empty')
    const before = await diagnose(ann)
    assert.deepEqual([before.exitStatus, before.found.map(({ id }) => id)], [1, ['wal_ref']])
    const { exitStatus, applied } = await diagnose(ann, true)
    assert.deepEqual([exitStatus, applied], [0, ['restored events that the log had lost']])
    assert.deepEqual(await ann.titles(), ['one', 'two'])
  })

  it('older heads are found in a reftable reflog', async (t) => {
    const { ann } = await cloneWithLog(t)
    const heads = [0, 1, 2].map((back) => commitAt(ann, back))
    loseObject(ann.path, heads[0] as string)
    const entries = await ann.withRepository(({ git }) =>
      readReflog({ ...git, layout: { ...git.layout, refStorage: 'reftable' } }, walRef, 100),
    )
    assert.deepEqual(
      entries.map(({ next }) => next),
      heads,
    )
  })
})

describe('a lost commit inside the log', { concurrency: 2 }, () => {
  for (const way of ['missing', 'empty'] as const) {
    it(`a ${way} commit is reported everywhere and fetched by a sync`, async (t) => {
      const { ann, originHead } = await cloneWithLog(t)
      await ann.sync()
      const lost = commitAt(ann, 1)
      loseObject(ann.path, lost, way)
      dropViews(ann)
      for (const command of ['issue list', 'ready', 'issue list']) {
        await ann.run(command)
        const [warning, ...others] = ann.warnings.splice(0)
        assert.deepEqual([warning?.code, others], ['log-incomplete', []], command)
        assert.deepEqual(warning?.details, {
          reason: 'log-incomplete',
          gap_count: 1,
          gaps: [{ reason: way === 'missing' ? 'missing' : 'corrupt', kind: 'commit', object_id: lost, commit: lost }],
        })
      }
      // The reflog names the commits below it.
      assert.deepEqual(await ann.titles(), ['one', 'three'])
      assert.equal((await ann.outcome('issue list', { exitStatus: true, query: 'label:none' })).exitStatus, 1)
      const check = await ann.outcome('db check')
      assert.equal(check.exitStatus, 1)
      assert.match(JSON.stringify(check.data), new RegExp(lost))
      const { exitStatus, found } = await diagnose(ann)
      assert.deepEqual([exitStatus, found.map(({ id }) => id)], [1, ['log_gaps']])
      assert.match(found[0]?.message ?? '', new RegExp(lost))
      ann.takeWarnings()
      await ann.sync()
      assert.ok(ann.takeWarnings().includes('log-completed'))
      assert.deepEqual(await ann.titles(), ['one', 'three', 'two'])
      assert.deepEqual([ann.takeWarnings(), ann.head()], [[], originHead()])
      assert.equal((await diagnose(ann)).exitStatus, 0)
      if (way !== 'missing') assert.ok(existsSync(join(ann.path, '.git/grite/corrupt', lost)))
      await ann.assertSound()
    })
  }

  const skip = whyGitLacks('fetch --refetch')
  it('a remote that serves no ids is fetched again as a whole', { skip }, async (t) => {
    const { ann } = await cloneWithLog(t)
    await ann.sync()
    ann.git('config', 'protocol.version', '0')
    loseObject(ann.path, commitAt(ann, 1))
    dropViews(ann)
    await ann.sync()
    assert.deepEqual(await ann.titles(), ['one', 'three', 'two'])
    await ann.assertSound()
  })

  it('a sync fetches a lost tree or chunk', async (t) => {
    const { ann } = await cloneWithLog(t)
    await ann.sync()
    loseObject(ann.path, ann.git('rev-parse', `${walRef}^{tree}`), 'garbage')
    const [row = ''] = ann.git('ls-tree', '-r', `${walRef}~1`).split('\n')
    loseObject(ann.path, row.split(/\s/)[2] as string, 'empty')
    dropViews(ann)
    assert.deepEqual(await ann.titles(), ['one'])
    assert.deepEqual(ann.takeWarnings(), ['log-incomplete'])
    await ann.sync()
    assert.deepEqual(await ann.titles(), ['one', 'three', 'two'])
    ann.takeWarnings()
    await ann.assertSound()
  })

  it('doctor re-appends the log around a commit missing everywhere', async (t) => {
    const { ann, originHead, clone } = await cloneWithLog(t)
    const lost = commitAt(ann, 1)
    const kept = join(ann.path, 'kept')
    copyFileSync(looseFile(ann.path, lost), kept)
    loseObject(ann.path, lost)
    assert.deepEqual(await ann.titles(), ['one', 'three'])
    const failure = await ann.failSync()
    assert.notEqual(failure.exit, 0)
    assert.equal(originHead(), '')
    ann.takeWarnings()
    const { exitStatus, applied, found } = await diagnose(ann, true)
    assert.deepEqual([applied, found, exitStatus], [['restored the log around the missing parts'], [], 0])
    assert.deepEqual(await ann.titles(), ['one', 'three'])
    await ann.sync()
    const bo = clone('bo')
    await bo.sync()
    assert.deepEqual(await bo.titles(), ['one', 'three'])
    // Its events return with it.
    ann.takeWarnings()
    copyFileSync(kept, looseFile(ann.path, lost))
    rmSync(kept)
    assert.deepEqual(await ann.titles(), ['one', 'three', 'two'])
    assert.deepEqual(ann.takeWarnings(), ['log-restored'])
    assert.equal(new Set(await ann.ids()).size, 3)
    await ann.assertSound()
  })

  it('an unsendable gap is reported by the sync and every later answer', async (t) => {
    for (const notice of ['sync', 'db check']) {
      const { ann } = await cloneWithLog(t)
      assert.equal((await ann.titles()).length, 3)
      loseObject(ann.path, commitAt(ann, 1))
      if (notice === 'sync') assert.match(JSON.stringify(await ann.failSync()), /remote_error/)
      else assert.equal((await ann.outcome(notice)).exitStatus, 1)
      ann.takeWarnings()
      assert.deepEqual(await ann.titles(), ['one', 'three', 'two'])
      assert.deepEqual(ann.takeWarnings(), ['log-incomplete'])
    }
  })

  it('a missing first commit hides only itself, and doctor restarts the log', async (t) => {
    const { ann } = await cloneWithLog(t)
    loseObject(ann.path, commitAt(ann, 2))
    assert.deepEqual(await ann.titles(), ['three', 'two'])
    assert.deepEqual(ann.takeWarnings(), ['log-incomplete'])
    assert.deepEqual((await diagnose(ann, true)).applied, ['restored the log around the missing parts'])
    assert.deepEqual(await ann.titles(), ['three', 'two'])
    await ann.sync()
  })

  it('a missing commit stops snapshots and imports', async (t) => {
    const { ann } = await cloneWithLog(t)
    const file = join(ann.path, 'export.json')
    await ann.run('export', { format: 'json', output: file })
    loseObject(ann.path, commitAt(ann, 1))
    await assert.rejects(ann.run('snapshot create', { local: true }), { code: 'io_error' })
    dropViews(ann)
    await assert.rejects(ann.run('import', { file }), { code: 'io_error' })
    assert.equal(ann.git('for-each-ref', snapshotPrefix), '')
  })

  it('a rebuild with a missing commit keeps the fuller view', async (t) => {
    const { ann } = await cloneWithLog(t)
    assert.equal((await ann.titles()).length, 3)
    loseObject(ann.path, commitAt(ann, 1))
    await assert.rejects(ann.run('rebuild'), { code: 'io_error' })
    assert.deepEqual(await ann.titles(), ['one', 'three', 'two'])
  })
})

describe('refs to lost objects', { concurrency: 2 }, () => {
  it('doctor names refs to lost objects, and a sync still works', async (t) => {
    const { ann, originHead, clone } = await cloneWithLog(t)
    await ann.sync()
    await ann.run('lock acquire', { resource: 'path:docs', ttl: '1h' })
    await ann.run('snapshot create')
    const bo = clone('bo')
    await bo.sync()
    await bo.create('of bo')
    await bo.sync()
    const refs = [lockPrefix, snapshotPrefix].map((prefix) => ann.git('for-each-ref', '--format=%(refname)', prefix))
    for (const ref of refs) loseObject(ann.path, ann.git('rev-parse', ref), 'empty')
    const tracking = trackingRef('origin', walRef)
    const stray = ann.git('commit-tree', '-m', 'x', `${walRef}^{tree}`)
    ann.git('update-ref', tracking, stray)
    loseObject(ann.path, stray, 'empty')
    const { exitStatus, found } = await diagnose(ann)
    assert.deepEqual([exitStatus, found.map(({ id }) => id)], [1, ['unread_refs']])
    for (const ref of [...refs, tracking]) assert.match(found[0]?.message ?? '', new RegExp(ref))
    ann.takeWarnings()
    // Refs that do not block git from fetching stay until doctor deletes them.
    const areInTheWay = !whyGitLacks('GIT_REF_PARANOIA by default')
    await ann.sync()
    assert.deepEqual(await ann.titles(), ['of bo', 'one', 'three', 'two'])
    assert.equal(ann.head(), originHead())
    const deleted = ann.takeWarnings().filter((code) => code === 'ref-deleted')
    assert.equal(deleted.length, areInTheWay ? refs.length : 0)
    if (!areInTheWay) assert.equal((await diagnose(ann, true)).exitStatus, 0)
    ann.git('gc', '-q')
    assert.equal((await diagnose(ann)).exitStatus, 0)
  })
})
