/** A log fetched with a depth is not taken for the whole log, and a sync completes it; the user's branches do not change. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { trackingRef, walRef } from '../../src/wal/index.ts'
import { createClones, type Member, memberIn } from '../sync/clones.ts'

interface Check {
  readonly id: string
  readonly status: string
}

const wrongIn = (data: unknown) => (data as { checks: Check[] }).checks.filter(({ status }) => status === 'error')
const commitsOf = (member: Member, ref: string) => Number(member.git('rev-list', '--count', ref))
const fetchCut = (member: Member, ...more: readonly string[]) =>
  member.git('fetch', '-q', '--depth=1', ...more, 'origin', `+${walRef}:${walRef}`)

/** A remote with three commits on its branch and four issues in its log, and helpers to clone it as a build machine does. */
async function remoteWithLog(t: TestContext) {
  const setup = createClones(t)
  const { inOrigin, dir, origin, git } = setup
  const tree = setup.feedOrigin('', 'mktree')
  let tip = ''
  for (const message of ['a', 'b', 'c']) {
    tip = inOrigin('commit-tree', '-m', message, ...(tip === '' ? [] : ['-p', tip]), tree)
  }
  inOrigin('update-ref', 'refs/heads/main', tip)
  inOrigin('symbolic-ref', 'HEAD', 'refs/heads/main')
  const ann = setup.clone('ann')
  for (const title of ['one', 'two', 'three', 'four']) await ann.create(title)
  await ann.sync()
  const cloneFrom = (address: string, name: string, ...options: readonly string[]): Member => {
    const path = join(dir, name)
    git(dir, 'clone', '-q', ...options, address, path)
    return memberIn(setup, path)
  }
  return {
    ...setup,
    ann,
    cloneFrom,
    shallowClone: (name: string, ...options: readonly string[]) =>
      cloneFrom(`file://${origin}`, name, '--depth=1', ...options),
  }
}

const allTitles = ['four', 'one', 'three', 'two']

describe('shallow logs', { concurrency: 2 }, () => {
  it('every answer and check reports a shallow log as incomplete', async (t) => {
    const { shallowClone } = await remoteWithLog(t)
    const ci = shallowClone('ci')
    fetchCut(ci)
    await ci.run('rebuild')
    assert.deepEqual(ci.takeWarnings(), ['log-incomplete'])
    const cut = ci.git('rev-parse', walRef)
    for (const command of ['issue list', 'ready', 'blocked', 'prime', 'export', 'db stats', 'rebuild']) {
      await ci.run(command, command === 'export' ? { format: 'json', output: join(ci.path, 'out.json') } : {})
      const [warning, ...others] = ci.warnings.splice(0)
      assert.deepEqual([warning?.code, others], ['log-incomplete', []], command)
      const details = warning?.details as { gaps: { reason: string; commit: string }[] } | undefined
      assert.deepEqual(
        details?.gaps.map(({ reason, commit }) => [reason, commit]),
        [['shallow', cut]],
      )
    }
    const gate = await ci.outcome('issue list', { query: 'is:open label:release-blocker', exitStatus: true })
    assert.equal(gate.exitStatus, 1)
    assert.deepEqual(ci.takeWarnings(), ['gate-incomplete', 'log-incomplete'])
    ci.takeWarnings()
    const check = await ci.outcome('db check')
    assert.equal(check.exitStatus, 1)
    assert.deepEqual(ci.takeWarnings(), ['log-incomplete'])
    assert.match(JSON.stringify(check.data), new RegExp(`"events_checked":1,.*"reason":"shallow".*"commit":"${cut}"`))
    const doctor = await ci.outcome('doctor')
    assert.deepEqual([doctor.exitStatus, wrongIn(doctor.data).map(({ id }) => id)], [1, ['log_gaps']])
    // Commands without a view report it as well.
    await ci.create('five')
    assert.ok(ci.takeWarnings().includes('log-incomplete'))
    await assert.rejects(ci.run('import', { file: join(ci.path, 'out.json') }), { code: 'io_error' })
  })

  for (const how of ['sync --pull', 'init', 'doctor --fix'] as const) {
    it(`${how} completes a shallow log and keeps the branches shallow`, async (t) => {
      const { shallowClone, originHead } = await remoteWithLog(t)
      const ci = shallowClone('ci')
      fetchCut(ci)
      const before = commitsOf(ci, 'HEAD')
      assert.deepEqual(await ci.titles(), ['four'])
      ci.takeWarnings()
      const [command = '', option] = how.split(' --')
      const answer = await ci.run(command, option === undefined ? {} : { [option]: true })
      if (command === 'sync') assert.equal((answer as { pull_events: number }).pull_events, 3)
      assert.deepEqual(ci.takeWarnings(), [])
      assert.deepEqual(await ci.titles(), allTitles)
      assert.deepEqual([before, commitsOf(ci, 'HEAD'), commitsOf(ci, walRef)], [1, 1, 4])
      assert.equal(ci.git('rev-parse', '--is-shallow-repository'), 'true')
      assert.equal((await ci.outcome('issue list', { query: 'label:none', exitStatus: true })).exitStatus, 0)
      assert.deepEqual([(await ci.outcome('db check')).exitStatus, ci.head()], [0, originHead()])
      assert.deepEqual([wrongIn((await ci.outcome('doctor')).data), ci.takeWarnings()], [[], []])
    })
  }

  it('a log deepened by the user is complete without a rebuild', async (t) => {
    const { shallowClone } = await remoteWithLog(t)
    const ci = shallowClone('ci')
    fetchCut(ci)
    assert.deepEqual(await ci.titles(), ['four'])
    ci.git('fetch', '-q', '--depth=2', 'origin', `+${walRef}:${walRef}`)
    assert.deepEqual(await ci.titles(), ['four', 'three'])
    assert.deepEqual(ci.takeWarnings(), ['log-incomplete', 'log-incomplete'])
    ci.git('fetch', '-q', '--unshallow', 'origin', '+refs/heads/*:refs/remotes/origin/*', `+${walRef}:${walRef}`)
    assert.deepEqual(await ci.titles(), allTitles)
    ci.git('gc', '-q')
    assert.deepEqual([await ci.titles(), ci.takeWarnings()], [allTitles, []])
    await ci.assertSound()
  })

  it('a shallow log takes writes and pushes them once complete', async (t) => {
    const { shallowClone, ann, originHead } = await remoteWithLog(t)
    const ci = shallowClone('ci')
    fetchCut(ci)
    await ci.create('of ci')
    await ann.create('of ann')
    await ann.sync()
    await ci.sync()
    assert.deepEqual(await ci.titles(), ['four', 'of ann', 'of ci', 'one', 'three', 'two'])
    assert.deepEqual([ci.head(), (await ci.ids()).length], [originHead(), 6])
    await ci.assertSound()
  })

  it('a sync in a linked work tree completes a shallow log', async (t) => {
    const { shallowClone, dir, ...setup } = await remoteWithLog(t)
    const ci = shallowClone('ci')
    fetchCut(ci)
    const path = join(dir, 'linked')
    ci.git('worktree', 'add', '-q', '--detach', path)
    const linked = memberIn({ ...setup, dir }, path)
    assert.deepEqual(await linked.titles(), ['four'])
    assert.deepEqual(linked.takeWarnings(), ['log-incomplete'])
    await linked.sync()
    assert.deepEqual([await linked.titles(), linked.takeWarnings()], [allTitles, []])
  })

  it('a shallow fetch over a whole log hides and repeats nothing', async (t) => {
    const { cloneFrom, origin, ann } = await remoteWithLog(t)
    const bo = cloneFrom(`file://${origin}`, 'bo')
    await bo.sync()
    await bo.create('of bo')
    await bo.titles()
    for (const title of ['five', 'six']) await ann.create(title)
    await ann.sync()
    fetchCut(bo)
    const titles = ['four', 'of bo', 'one', 'six', 'three', 'two']
    for (const command of ['issue list', 'rebuild', 'issue list']) {
      await bo.run(command)
      assert.deepEqual(await bo.titles(), titles, command)
      assert.ok(bo.takeWarnings().includes('log-incomplete'))
    }
    await bo.create('later')
    await bo.sync()
    bo.takeWarnings()
    assert.deepEqual(await bo.titles(), ['five', 'four', 'later', 'of bo', 'one', 'six', 'three', 'two'])
    assert.equal(new Set(await bo.ids()).size, 8)
    assert.equal((await bo.ids()).length, 8)
    await bo.sync()
    await bo.assertSound()
    assert.equal((await ann.sync()).pull_events, 2)
  })

  it('a shallow log can be fetched again every day', async (t) => {
    const { shallowClone, ann } = await remoteWithLog(t)
    const ci = shallowClone('ci')
    for (const day of ['monday', 'tuesday', 'wednesday']) {
      await ann.create(day)
      await ann.sync()
      fetchCut(ci)
      assert.ok((await ci.titles()).includes(day))
      assert.ok(ci.takeWarnings().includes('log-incomplete'))
      assert.equal(commitsOf(ci, walRef), 1)
    }
    await ci.sync()
    assert.deepEqual(await ci.titles(), ['four', 'monday', 'one', 'three', 'tuesday', 'two', 'wednesday'])
    ci.takeWarnings()
    await ci.assertSound()
  })
})

describe('shallow clones', { concurrency: 2 }, () => {
  it('a shallow clone with a whole log gives no warning', async (t) => {
    const { shallowClone } = await remoteWithLog(t)
    const ci = shallowClone('ci')
    ci.git('fetch', '-q', 'origin', `${walRef}:${walRef}`)
    const file = join(ci.path, '.git/shallow')
    writeFileSync(file, `${'ab'.repeat(20)}\n${ci.git('rev-parse', `${walRef}~3`)}\n`, { flag: 'a' })
    assert.deepEqual(await ci.titles(), allTitles)
    assert.equal((await ci.outcome('issue list', { query: 'label:none', exitStatus: true })).exitStatus, 0)
    await ci.create('five')
    assert.equal((await ci.outcome('db check')).exitStatus, 0)
    assert.deepEqual(ci.takeWarnings(), [])
  })

  it('a sync with nothing to complete keeps the shallow file', async (t) => {
    const { shallowClone } = await remoteWithLog(t)
    const ci = shallowClone('ci')
    const file = join(ci.path, '.git/shallow')
    const before = readFileSync(file, 'utf8')
    await ci.sync()
    assert.deepEqual(await ci.titles(), allTitles)
    await ci.sync()
    assert.deepEqual([readFileSync(file, 'utf8'), ci.takeWarnings()], [before, []])
  })

  it('a shallow log does not start a remote’s log', async (t) => {
    const { shallowClone, dir, git } = await remoteWithLog(t)
    const ci = shallowClone('ci')
    fetchCut(ci)
    git(dir, 'init', '-q', '--bare', 'backup.git')
    git(join(dir, 'backup.git'), 'config', 'receive.shallowUpdate', 'true')
    const failure = await ci.failSync({ remote: join(dir, 'backup.git') })
    assert.deepEqual([failure.code, failure.exit, failure.details.reason], ['io_error', 5, 'log-incomplete'])
    assert.equal(git(join(dir, 'backup.git'), 'for-each-ref'), '')
  })
})

describe('shallow remotes', { concurrency: 2 }, () => {
  async function shallowRemote(t: TestContext) {
    const setup = await remoteWithLog(t)
    const address = `file://${join(setup.dir, 'cut.git')}`
    setup.git(setup.dir, 'clone', '-q', '--bare', '--depth=1', `file://${setup.origin}`, 'cut.git')
    setup.git(join(setup.dir, 'cut.git'), 'fetch', '-q', '--depth=2', 'origin', `+${walRef}:${walRef}`)
    return { ...setup, address }
  }

  it('a sync from a shallow remote fails and takes nothing', async (t) => {
    const { cloneFrom, address } = await shallowRemote(t)
    const bo = cloneFrom(address, 'bo')
    const failure = await bo.failSync()
    assert.deepEqual([failure.code, failure.details.reason], ['remote_error', 'shallow'])
    assert.match(failure.message, /cut off there: that repository is a shallow clone/)
    assert.deepEqual([bo.head(), await bo.titles()], ['', []])
  })

  it('a shallow remote that cannot complete a log is named', async (t) => {
    const { cloneFrom, address } = await shallowRemote(t)
    const bo = cloneFrom(address, 'bo', '--depth=1')
    fetchCut(bo)
    await bo.sync()
    assert.deepEqual(bo.takeWarnings(), ['log-not-completed', 'log-incomplete'])
    assert.deepEqual(await bo.titles(), ['four', 'three'])
  })

  it('a shallow remote does not make a whole log shallow', async (t) => {
    const { cloneFrom, address, origin, ann } = await shallowRemote(t)
    const bo = cloneFrom(`file://${origin}`, 'bo')
    await bo.sync()
    bo.git('remote', 'set-url', 'origin', address)
    await bo.create('of bo')
    await bo.sync()
    assert.deepEqual([await bo.titles(), bo.takeWarnings()], [['four', 'of bo', 'one', 'three', 'two'], []])
    assert.ok(!existsSync(join(bo.path, '.git/shallow')))
    assert.equal(bo.head(), bo.git('rev-parse', trackingRef('origin', walRef)))
    assert.ok(ann.head())
  })

  it('a bundle remote works, the log is completed elsewhere', async (t) => {
    const { shallowClone, ann, dir } = await remoteWithLog(t)
    const ci = shallowClone('ci')
    fetchCut(ci)
    await ann.create('five')
    const bundle = join(dir, 'log.bundle')
    ann.git('bundle', 'create', '-q', bundle, walRef)
    await ci.sync({ remote: bundle, pull: true })
    assert.ok((await ci.titles()).includes('five'))
    await ci.sync()
    assert.deepEqual(await ci.titles(), ['five', ...allTitles].sort())
  })
})
