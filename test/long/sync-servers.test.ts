/** Syncing over real git servers: smart HTTP and `git daemon`. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { ConflictError } from '../../src/model/index.ts'
import { noQueue, syncLog, syncRoundsMax, walRef } from '../../src/wal/index.ts'
import { createClones, type Member } from '../sync/clones.ts'
import { pushFacts } from '../sync/push-facts.ts'
import {
  type GitRequest,
  type HttpOptions,
  type RunningServer,
  serveDaemon,
  serveHttp,
  whyNoServers,
} from '../sync/servers.ts'

const refsOf = (clone: Member): string => clone.git('for-each-ref')

pushFacts('smart HTTP')

const cuts = { request: 'before', answer: 'inside the answer of', after: 'before the answer of' }

describe('syncing over smart HTTP', { skip: whyNoServers }, () => {
  async function setUp(t: TestContext, options: HttpOptions) {
    const setup = createClones(t)
    const server = await serveHttp(t, setup, setup.origin, options)
    return { setup, server, ann: setup.clone('ann', server), bo: setup.clone('bo') }
  }
  const is = (request: GitRequest, service: GitRequest['service'], step: GitRequest['step']) =>
    request.service === service && request.step === step

  for (const [when, step] of [
    ['between fetch and push', 'refs'],
    ['when the push is under way', 'work'],
  ] as const) {
    it(`a push overtaken ${when} is repeated`, async (t) => {
      const options: Mutable<HttpOptions> = {}
      const { setup, ann, bo } = await setUp(t, options)
      await ann.create('of ann')
      let isDone = false
      options.before = async (request) => {
        if (isDone || !is(request, 'git-receive-pack', step)) return
        isDone = true
        await bo.create('of bo')
        await bo.sync()
      }
      const { rounds, pull_events } = await ann.sync()
      assert.deepEqual([isDone, rounds, pull_events], [true, 2, 1])
      assert.deepEqual([await ann.titles(), ann.head()], [['of ann', 'of bo'], setup.originHead()])
    })
  }

  it('a sync of an ever-moving remote gives up after bounded rounds', async (t) => {
    const options: Mutable<HttpOptions> = {}
    const { setup, ann } = await setUp(t, options)
    await ann.create('of ann')
    await ann.sync()
    await ann.create('more')
    let moves = 0
    options.before = (request) => {
      if (!is(request, 'git-receive-pack', 'refs')) return
      const commit = setup.inOrigin('commit-tree', '-m', `${moves++}`, '-p', walRef, `${walRef}^{tree}`)
      setup.inOrigin('update-ref', walRef, commit)
    }
    const failure = await ann.withRepository(async ({ git, remotes }) => {
      const target = { git, remotes, queue: noQueue, clock: { nowUnixMs: Date.now }, jitter: () => -0.5 }
      const request = { remote: 'origin', isHome: true, pull: true, push: true, runHooks: false }
      return syncLog(target, { ...request, mayRepeat: async () => false }).catch((error: unknown) => error)
    })
    assert.ok(failure instanceof ConflictError, String(failure))
    assert.deepEqual([failure.exitStatus, failure.details.reason, moves], [4, 'contended', syncRoundsMax])
    assert.deepEqual(await ann.titles(), ['more', 'of ann'])
    delete options.before
    await ann.sync()
    assert.deepEqual(await ann.titles(), ['more', 'of ann'])
  })

  const logins: readonly (readonly [
    title: string,
    address: (server: RunningServer) => string,
    reason: string | null,
  ])[] = [
    ['the right password', (server) => server.addressFor('ann:secret'), null],
    ['a wrong password', (server) => server.addressFor('ann:wrong'), 'denied'],
    ['a name without a password', (server) => server.addressFor('ann'), 'denied'],
    ['no login', (server) => server.address, 'denied'],
  ]
  for (const [title, address, reason] of logins) {
    it(`a server login with ${title} is ${reason ?? 'accepted'} without a prompt`, async (t) => {
      const { setup, server } = await setUp(t, { login: 'ann:secret' })
      const clone = setup.clone('clone', { address: address(server), env: { GIT_TERMINAL_PROMPT: '1' } })
      await clone.create('one')
      if (reason === null) {
        assert.equal((await clone.sync()).push_changed, true)
        return
      }
      const before = refsOf(clone)
      const failure = await clone.failSync()
      assert.deepEqual([failure.exit, failure.code, failure.details.reason], [5, 'remote_error', reason])
      assert.deepEqual([refsOf(clone), JSON.stringify(failure).includes('wrong')], [before, false])
    })
  }

  it('no lock or claim command prints a password in the address', async (t) => {
    const { setup, server } = await setUp(t, { login: 'ann:secret' })
    const clone = setup.clone('clone')
    await clone.run('issue create', { title: 'one' })
    const remote = server.addressFor('ann:secret')
    const { issues } = (await clone.run('issue list')) as { issues: { issue_id: string }[] }
    const answers = [
      await clone.run('lock acquire', { resource: 'path:src', remote }),
      await clone.run('issue claim', { issue: issues[0]?.issue_id, remote }),
      await clone.run('lock status', { remote }),
      await clone.run('issue unclaim', { issue: issues[0]?.issue_id, remote }),
      await clone.run('sync', { remote }),
      await clone.run('lock release', { resource: 'path:src', remote }),
      await clone.run('lock gc', { remote }),
    ]
    for (const answer of answers) assert.doesNotMatch(JSON.stringify(answer), /secret/)
    assert.match(JSON.stringify(answers[0]), /"level":"remote"/)
    assert.doesNotMatch(JSON.stringify(clone.warnings), /secret/)
  })

  for (const [service, where] of [
    ['git-upload-pack', 'request'],
    ['git-upload-pack', 'answer'],
    ['git-receive-pack', 'request'],
    ['git-receive-pack', 'after'],
  ] as const) {
    it(`a connection cut ${cuts[where]} ${service} is recovered by the next sync`, async (t) => {
      const options: Mutable<HttpOptions> = {}
      const { setup, ann, bo } = await setUp(t, options)
      for (let index = 0; index < 5; index++) await bo.create(`of bo ${index}`)
      await bo.sync()
      await ann.create('of ann')
      const before = ann.head()
      // A fetch first lists the refs, then sends their objects; curl asks once more.
      let works = service === 'git-upload-pack' ? 0 : 1
      options.cut = (request) => (is(request, service, 'work') && ++works >= 2 ? where : undefined)
      const failure = await ann.failSync()
      assert.deepEqual([failure.exit, failure.code, failure.details.reason], [5, 'remote_error', 'unreachable'])
      // A join is kept, whether or not the remote has accepted it.
      if (service === 'git-upload-pack') assert.equal(ann.head(), before)
      else assert.equal((await ann.titles()).length, 6)
      delete options.cut
      await ann.sync()
      assert.equal(ann.head(), setup.originHead())
      const ids = await ann.ids()
      assert.deepEqual([ids.length, new Set(ids).size, (await ann.titles()).length], [6, 6, 6])
      await ann.assertSound()
    })
  }
})

describe('syncing over git daemon', { skip: whyNoServers }, () => {
  it('a connection cut inside a fetch changes nothing', async (t) => {
    const setup = createClones(t)
    let left = Number.POSITIVE_INFINITY
    const server = await serveDaemon(t, setup, setup.origin, { cutAfterBytes: () => left })
    const [ann, bo] = [setup.clone('ann', server), setup.clone('bo')]
    for (let index = 0; index < 3; index++) await bo.create(`of bo ${index}`)
    await bo.sync()
    await ann.create('of ann')
    const before = refsOf(ann)
    for (left of [0, 10, 200, 600, 1500]) {
      const failure = await ann.failSync()
      assert.deepEqual(
        [failure.exit, failure.code, failure.details.reason],
        [5, 'remote_error', 'unreachable'],
        `${left}`,
      )
      assert.equal(refsOf(ann), before)
    }
    left = Number.POSITIVE_INFINITY
    assert.equal((await ann.sync()).pull_events, 3)
  })

  it('a server without receive-pack denies pushes and keeps fetches', async (t) => {
    const setup = createClones(t)
    const server = await serveDaemon(t, setup, setup.origin)
    const [ann, bo] = [setup.clone('ann', server), setup.clone('bo')]
    await bo.create('of bo')
    await bo.sync()
    setup.inOrigin('config', 'daemon.receivepack', 'false')
    await ann.create('of ann')
    const failure = await ann.failSync()
    assert.deepEqual([failure.exit, failure.code], [5, 'remote_error'])
    assert.deepEqual((await ann.sync({ pull: true })).success, true)
    assert.deepEqual(await ann.titles(), ['of ann', 'of bo'])
  })
})

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] }
