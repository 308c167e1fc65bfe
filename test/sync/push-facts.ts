/** Pushes to real git servers, which fail in ways that paths do not. The suite runs one kind, test/long the other. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { RefName } from '../../src/git/index.ts'
import { RemoteError } from '../../src/model/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { type Clones, createClones } from './clones.ts'
import { serveDaemon, serveHttp, whyNoServers } from './servers.ts'

/** Servers that these facts hold for. */
export const serverKinds = {
  'smart HTTP': (t: TestContext, setup: Clones) => serveHttp(t, setup, setup.origin, {}),
  'git daemon': (t: TestContext, setup: Clones) => serveDaemon(t, setup, setup.origin),
}

/** The last setting is rejected only after some rounds. */
const hidings = {
  'smart HTTP': ['receive.hideRefs', 'transfer.hideRefs', 'uploadpack.hideRefs'],
  'git daemon': ['receive.hideRefs', 'transfer.hideRefs'],
}

/** A script that the server runs in the middle of a push. */
function hook(setup: Clones, name: string, ...lines: readonly string[]): void {
  mkdirSync(join(setup.origin, 'hooks'), { recursive: true })
  const path = join(setup.origin, 'hooks', name)
  writeFileSync(path, `#!/bin/sh\n${lines.join('\n')}\n`)
  chmodSync(path, 0o755)
}

/** A hook that writes must leave the push's quarantine. */
const outside = 'unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES'

/** Tests of pushes to one kind of server. */
export function pushFacts(kind: keyof typeof serverKinds): void {
  describe(`pushes over ${kind}`, { skip: whyNoServers }, () => {
    async function setUp(t: TestContext) {
      const setup = createClones(t)
      setup.inOrigin('config', 'http.receivepack', 'true')
      const { address } = await serverKinds[kind](t, setup)
      // Bo sits beside the repository and needs no server.
      return { setup, ann: setup.clone('ann', { address }), cy: setup.clone('cy', { address }), bo: setup.clone('bo') }
    }

    it('diverged clones converge over a server', async (t) => {
      const { setup, ann, cy } = await setUp(t)
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
        assert.equal(clone.head(), setup.originHead())
      }
      await cy.assertSound()
      assert.equal(setup.inOrigin('for-each-ref', '--format=%(refname)'), walRef)
    })

    it('a push overtaken inside the server is repeated', async (t) => {
      const { setup, ann, bo } = await setUp(t)
      await bo.create('of bo')
      await bo.sync()
      await ann.create('of ann')
      await bo.create('faster')
      bo.git('push', '-q', 'origin', `${walRef}:refs/heads/aside`)
      hook(setup, 'pre-receive', outside, 'git update-ref refs/grite/wal refs/heads/aside')
      const joined = await ann.sync()
      assert.deepEqual([joined.rounds, joined.pull_events, joined.events_rebased], [2, 2, 1])
      assert.deepEqual(await ann.titles(), ['faster', 'of ann', 'of bo'])
      assert.equal(ann.head(), setup.originHead())
      const ids = await ann.ids()
      assert.equal(new Set(ids).size, ids.length)
    })

    for (const name of ['pre-receive', 'update']) {
      it(`a push declined by a ${name} hook fails and keeps pulled events`, async (t) => {
        const { setup, ann, bo } = await setUp(t)
        await bo.create('of bo')
        await bo.sync()
        const before = setup.originHead()
        hook(setup, name, 'echo "no issues here" >&2', 'exit 1')
        await ann.create('of ann')
        const failure = await ann.failSync()
        assert.deepEqual(
          [failure.exit, failure.code, failure.details.reason, failure.details.pull_events],
          [5, 'remote_error', 'rejected', 1],
        )
        assert.match(failure.message, /hook declined/)
        assert.deepEqual([await ann.titles(), setup.originHead()], [['of ann', 'of bo'], before])
        hook(setup, name, 'exit 0')
        assert.equal((await ann.sync()).push_changed, true)
      })
    }

    for (const setting of hidings[kind]) {
      it(`a server hiding refs with ${setting} rejects the push`, async (t) => {
        const { setup, ann, bo } = await setUp(t)
        await bo.create('of bo')
        await bo.sync()
        const before = setup.originHead()
        setup.inOrigin('config', setting, 'refs/grite')
        await ann.create('of ann')
        const failure = await ann.failSync()
        assert.deepEqual([failure.exit, failure.code, failure.details.reason], [5, 'remote_error', 'rejected'])
        assert.equal(setup.originHead(), before)
        assert.equal((await ann.titles()).includes('of bo'), setting === 'receive.hideRefs')
        setup.inOrigin('config', '--unset', setting)
        await ann.sync()
        assert.deepEqual(await ann.titles(), ['of ann', 'of bo'])
      })
    }

    it('a push to a dying server arrives entirely or not at all', async (t) => {
      const { setup, ann, bo } = await setUp(t)
      await bo.create('of bo')
      await bo.sync()
      await ann.create('of ann')
      const before = setup.originHead()
      for (const [name, line] of [
        ['pre-receive', 'kill -9 $PPID'],
        ['update', 'kill -9 $PPID'],
      ] as const) {
        hook(setup, name, line)
        const failure = await ann.failSync()
        assert.deepEqual([failure.exit, failure.code], [5, 'remote_error'])
        hook(setup, name, 'exit 0')
        assert.equal(setup.originHead(), before)
      }
      // Here the ref has moved, but the client gets no answer.
      hook(setup, 'post-update', 'kill -9 $PPID')
      await ann.sync().catch((error: unknown) => assert.ok(error instanceof RemoteError, String(error)))
      hook(setup, 'post-update', 'exit 0')
      await ann.sync()
      assert.equal(ann.head(), setup.originHead())
      assert.deepEqual([await ann.titles(), (await ann.ids()).length], [['of ann', 'of bo'], 2])
      await ann.assertSound()
    })

    it('a server without atomic pushes takes the log, not several refs', async (t) => {
      const { setup, ann } = await setUp(t)
      setup.inOrigin('config', 'receive.advertiseAtomic', 'false')
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
