/** Syncing over real git servers: smart HTTP and `git daemon`. What they do to a push, paths do not. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { RefName } from '../../src/git/index.ts'
import { ConflictError, RemoteError } from '../../src/model/index.ts'
import { noQueue, syncLog, syncRoundsMax, walRef } from '../../src/wal/index.ts'
import { type Crew, createCrew, type Member } from './crew.ts'
import {
  type GitRequest,
  type HttpOptions,
  type RunningServer,
  serveDaemon,
  serveHttp,
  whyNoServers,
} from './servers.ts'

const kinds = {
  'smart HTTP': (t: TestContext, crew: Crew) => serveHttp(t, crew, crew.origin, {}),
  'git daemon': (t: TestContext, crew: Crew) => serveDaemon(t, crew, crew.origin),
}

/** The last one is turned away only after some rounds. */
const hidings = {
  'smart HTTP': ['receive.hideRefs', 'transfer.hideRefs', 'uploadpack.hideRefs'],
  'git daemon': ['receive.hideRefs', 'transfer.hideRefs'],
}

/** A script that the server runs in the middle of a push. */
function hook(crew: Crew, name: string, ...lines: readonly string[]): void {
  mkdirSync(join(crew.origin, 'hooks'), { recursive: true })
  const path = join(crew.origin, 'hooks', name)
  writeFileSync(path, `#!/bin/sh\n${lines.join('\n')}\n`)
  chmodSync(path, 0o755)
}

/** Writers of a hook must leave the quarantine that a push is in. */
const outside = 'unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES'

const refsOf = (clone: Member): string => clone.git('for-each-ref')

for (const [kind, serve] of Object.entries(kinds)) {
  describe(`over ${kind}`, { skip: whyNoServers }, () => {
    async function setUp(t: TestContext) {
      const crew = createCrew(t)
      crew.inOrigin('config', 'http.receivepack', 'true')
      const { address } = await serve(t, crew)
      // Bo sits beside the repository and needs no server.
      return { crew, ann: crew.clone('ann', { address }), cy: crew.clone('cy', { address }), bo: crew.clone('bo') }
    }

    it('a first sync gives, another takes, and divergence is joined', async (t) => {
      const { crew, ann, cy } = await setUp(t)
      await ann.create('of ann')
      assert.equal((await ann.sync()).push_changed, true)
      assert.equal((await cy.sync()).pull_events, 1)
      await ann.create('more of ann')
      await cy.create('of cy')
      await ann.sync()
      const joined = await cy.sync()
      assert.deepEqual([joined.pull_events, joined.events_rebased, joined.rounds], [1, 1, 1])
      await ann.sync()
      for (const clone of [ann, cy]) {
        assert.deepEqual(await clone.titles(), ['more of ann', 'of ann', 'of cy'])
        assert.equal(clone.head(), crew.originHead())
      }
      await cy.assertSound()
      assert.equal(crew.inOrigin('for-each-ref', '--format=%(refname)'), walRef)
    })

    it('a push that another overtakes inside the server is done again', async (t) => {
      const { crew, ann, bo } = await setUp(t)
      await bo.create('of bo')
      await bo.sync()
      await ann.create('of ann')
      await bo.create('faster')
      bo.git('push', '-q', 'origin', `${walRef}:refs/heads/aside`)
      hook(crew, 'pre-receive', outside, 'git update-ref refs/grite/wal refs/heads/aside')
      const joined = await ann.sync()
      assert.deepEqual([joined.rounds, joined.pull_events, joined.events_rebased], [2, 2, 1])
      assert.deepEqual(await ann.titles(), ['faster', 'of ann', 'of bo'])
      assert.equal(ann.head(), crew.originHead())
      const ids = await ann.ids()
      assert.equal(new Set(ids).size, ids.length)
    })

    for (const name of ['pre-receive', 'update']) {
      it(`a push that its ${name} hook turns away is an error, and what came is kept`, async (t) => {
        const { crew, ann, bo } = await setUp(t)
        await bo.create('of bo')
        await bo.sync()
        const before = crew.originHead()
        hook(crew, name, 'echo "no issues here" >&2', 'exit 1')
        await ann.create('of ann')
        const failure = await ann.failSync()
        assert.deepEqual(
          [failure.exit, failure.code, failure.details.reason, failure.details.pull_events],
          [5, 'remote_error', 'rejected', 1],
        )
        assert.match(failure.message, /hook declined/)
        assert.deepEqual([await ann.titles(), crew.originHead()], [['of ann', 'of bo'], before])
        hook(crew, name, 'exit 0')
        assert.equal((await ann.sync()).push_changed, true)
      })
    }

    for (const setting of hidings[kind as keyof typeof kinds]) {
      it(`a server with ${setting} refuses, or does what was asked`, async (t) => {
        const { crew, ann, bo } = await setUp(t)
        await bo.create('of bo')
        await bo.sync()
        const before = crew.originHead()
        crew.inOrigin('config', setting, 'refs/grite')
        await ann.create('of ann')
        const failure = await ann.failSync()
        assert.deepEqual([failure.exit, failure.code, failure.details.reason], [5, 'remote_error', 'rejected'])
        assert.equal(crew.originHead(), before)
        assert.equal((await ann.titles()).includes('of bo'), setting === 'receive.hideRefs')
        crew.inOrigin('config', '--unset', setting)
        await ann.sync()
        assert.deepEqual(await ann.titles(), ['of ann', 'of bo'])
      })
    }

    it('a server that ends inside a push has it or has it not', async (t) => {
      const { crew, ann, bo } = await setUp(t)
      await bo.create('of bo')
      await bo.sync()
      await ann.create('of ann')
      const before = crew.originHead()
      for (const [name, line] of [
        ['pre-receive', 'kill -9 $PPID'],
        ['update', 'kill -9 $PPID'],
      ] as const) {
        hook(crew, name, line)
        const failure = await ann.failSync()
        assert.deepEqual([failure.exit, failure.code], [5, 'remote_error'])
        hook(crew, name, 'exit 0')
        assert.equal(crew.originHead(), before)
      }
      // Here the ref has moved, and nobody is told.
      hook(crew, 'post-update', 'kill -9 $PPID')
      await ann.sync().catch((error: unknown) => assert.ok(error instanceof RemoteError, String(error)))
      hook(crew, 'post-update', 'exit 0')
      await ann.sync()
      assert.equal(ann.head(), crew.originHead())
      assert.deepEqual([await ann.titles(), (await ann.ids()).length], [['of ann', 'of bo'], 2])
      await ann.assertSound()
    })

    it('a server that cannot push all at once takes the log, and says so of more', async (t) => {
      const { crew, ann } = await setUp(t)
      crew.inOrigin('config', 'receive.advertiseAtomic', 'false')
      await ann.create('of ann')
      assert.equal((await ann.sync()).push_changed, true)
      const updates = ['a', 'b'].map((name) => ({
        ref: `refs/grite-leases/${name}` as RefName,
        next: ann.head() as never,
      }))
      const push = (atomic: boolean) =>
        ann.withRepository(({ remotes }) => remotes.push({ remote: 'origin', updates, atomic, runHooks: false }))
      await assert.rejects(
        () => push(true),
        (error) => error instanceof RemoteError && error.details.reason === 'no-atomic',
      )
      assert.deepEqual(
        (await push(false)).map(({ outcome }) => outcome),
        ['ok', 'ok'],
      )
    })
  })
}

const cuts = { request: 'before', answer: 'inside the answer of', after: 'before the answer of' }

describe('over smart HTTP alone', { skip: whyNoServers }, () => {
  async function setUp(t: TestContext, options: HttpOptions) {
    const crew = createCrew(t)
    const server = await serveHttp(t, crew, crew.origin, options)
    return { crew, server, ann: crew.clone('ann', server), bo: crew.clone('bo') }
  }
  const is = (request: GitRequest, service: GitRequest['service'], step: GitRequest['step']) =>
    request.service === service && request.step === step

  for (const [when, step] of [
    ['between fetch and push', 'refs'],
    ['when the push is under way', 'work'],
  ] as const) {
    it(`a push overtaken ${when} is done again`, async (t) => {
      const options: Mutable<HttpOptions> = {}
      const { crew, ann, bo } = await setUp(t, options)
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
      assert.deepEqual([await ann.titles(), ann.head()], [['of ann', 'of bo'], crew.originHead()])
    })
  }

  it('a remote that always moves is given up after a bounded number of rounds', async (t) => {
    const options: Mutable<HttpOptions> = {}
    const { crew, ann } = await setUp(t, options)
    await ann.create('of ann')
    await ann.sync()
    await ann.create('more')
    let moves = 0
    options.before = (request) => {
      if (!is(request, 'git-receive-pack', 'refs')) return
      const commit = crew.inOrigin('commit-tree', '-m', `${moves++}`, '-p', walRef, `${walRef}^{tree}`)
      crew.inOrigin('update-ref', walRef, commit)
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
    it(`${title} is ${reason ?? 'let in'} at once, and nobody is asked`, async (t) => {
      const { crew, server } = await setUp(t, { login: 'ann:secret' })
      const clone = crew.clone('clone', { address: address(server), env: { GIT_TERMINAL_PROMPT: '1' } })
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

  it('the password of an address is shown by no lock and no claim', async (t) => {
    const { crew, server } = await setUp(t, { login: 'ann:secret' })
    const clone = crew.clone('clone')
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
    it(`a connection cut ${cuts[where]} ${service} is made good by the next sync`, async (t) => {
      const options: Mutable<HttpOptions> = {}
      const { crew, ann, bo } = await setUp(t, options)
      for (let index = 0; index < 5; index++) await bo.create(`of bo ${index}`)
      await bo.sync()
      await ann.create('of ann')
      const before = ann.head()
      // The first work of a fetch is to list the refs, the second to send what they reach; curl asks once more.
      let works = service === 'git-upload-pack' ? 0 : 1
      options.cut = (request) => (is(request, service, 'work') && ++works >= 2 ? where : undefined)
      const failure = await ann.failSync()
      assert.deepEqual([failure.exit, failure.code, failure.details.reason], [5, 'remote_error', 'unreachable'])
      assert.equal(ann.head(), before)
      delete options.cut
      await ann.sync()
      assert.equal(ann.head(), crew.originHead())
      const ids = await ann.ids()
      assert.deepEqual([ids.length, new Set(ids).size, (await ann.titles()).length], [6, 6, 6])
      await ann.assertSound()
    })
  }
})

describe('over git daemon alone', { skip: whyNoServers }, () => {
  it('a connection cut anywhere in a fetch changes nothing', async (t) => {
    const crew = createCrew(t)
    let left = Number.POSITIVE_INFINITY
    const server = await serveDaemon(t, crew, crew.origin, { cutAfterBytes: () => left })
    const [ann, bo] = [crew.clone('ann', server), crew.clone('bo')]
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

  it('a server that takes no pushes denies them, and what came is kept', async (t) => {
    const crew = createCrew(t)
    const server = await serveDaemon(t, crew, crew.origin)
    const [ann, bo] = [crew.clone('ann', server), crew.clone('bo')]
    await bo.create('of bo')
    await bo.sync()
    crew.inOrigin('config', 'daemon.receivepack', 'false')
    await ann.create('of ann')
    const failure = await ann.failSync()
    assert.deepEqual([failure.exit, failure.code], [5, 'remote_error'])
    assert.deepEqual((await ann.sync({ pull: true })).success, true)
    assert.deepEqual(await ann.titles(), ['of ann', 'of bo'])
  })
})

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] }
