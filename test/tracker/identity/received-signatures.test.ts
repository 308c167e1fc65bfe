/** Signatures of received events, by policy: before a sync applies them, and after plain git fetched them. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type ActorId, beadsImportActor, deriveActorId, type Event } from '../../../src/model/index.ts'
import type { Warning } from '../../../src/tracker/effects.ts'
import {
  applySignaturePolicy,
  type BadSignature,
  judgeReceived,
} from '../../../src/tracker/identity/received-signatures.ts'
import { batchOfEvents, walRef } from '../../../src/wal/index.ts'
import { cardEvent, garbage, signed, signerOf } from '../../support/cards.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'
import { batchOf, issueId, makeEvent, writeBatch } from '../../support/log.ts'

const [bo, eve, cy] = [signerOf(31), signerOf(32), signerOf(33)]
const [boActor, cyActor] = [deriveActorId(bo.publicKey), deriveActorId(cy.publicKey)]
const free = '0f'.repeat(16) as ActorId
const issue = issueId('a0')

let number = 0
const comment = (actor: ActorId, ts = 1000): Event =>
  makeEvent(issue, { type: 'CommentAdded', body: `${number++}` }, { actor, ts })

function setUp(t: TestContext) {
  const sandbox = createCommandSandbox(t)
  const { withRepository, path } = sandbox
  const configure = (policy: string) => {
    mkdirSync(join(path, '.git/grite'), { recursive: true })
    writeFileSync(join(path, '.git/grite/config.toml'), `verify_signatures = "${policy}"\n`)
  }
  return {
    ...sandbox,
    configure,
    append: (...events: readonly Event[]) =>
      withRepository(async (repository) => {
        await repository.view()
        return repository.appendBatch(batchOfEvents({ actor: free, events, nowUnixMs: 1 }), events)
      }),
    /** Verdicts of bad events, by their index among the received ones. */
    judge: (...events: readonly Event[]) =>
      withRepository(async (repository) => {
        const bad = await judgeReceived(repository, await repository.view(), events)
        return bad.map(({ event_id, verdict }) => [events.findIndex((each) => each.eventId === event_id), verdict])
      }),
    /** Moves the log forward as `git fetch` would. */
    fetch: (...events: readonly Event[]) =>
      withRepository(async ({ git }) => {
        const head = await git.readRef(walRef)
        const commit = await writeBatch(git, batchOf(events), head)
        sandbox.git(path, 'update-ref', walRef, commit)
      }),
  }
}

describe('events fetched by a sync', { concurrency: 2 }, () => {
  it('received events are judged by keys anywhere in the batch', async (t) => {
    const { judge } = setUp(t)
    const events = [
      signed(comment(boActor), bo),
      signed(comment(boActor), eve),
      comment(boActor),
      cardEvent({ actor: boActor, key: bo, ts: 9000 }),
      signed(comment(cyActor), cy),
      comment(free),
      comment(beadsImportActor),
      { ...comment(boActor), sig: garbage(3) },
    ]
    assert.deepEqual(await judge(...events), [
      [1, 'invalid'],
      [2, 'missing'],
      [7, 'invalid'],
    ])
  })

  it('a received card cannot replace a known first key', async (t) => {
    const { judge, append } = setUp(t)
    await append(cardEvent({ actor: free, key: bo, ts: 5000 }))
    const forged = cardEvent({ actor: free, key: eve, ts: 1 })
    const events = [forged, signed(comment(free, 6000), eve), signed(comment(free, 6000), bo)]
    assert.deepEqual(await judge(...events), [
      [0, 'invalid'],
      [1, 'invalid'],
    ])
  })

  it('a received card may rotate a known key', async (t) => {
    const { judge, append } = setUp(t)
    await append(cardEvent({ actor: boActor, key: bo, ts: 10 }))
    const events = [
      signed(comment(boActor, 3000), cy),
      cardEvent({ actor: boActor, key: cy, previous: bo, ts: 2000 }),
      signed(comment(boActor, 1000), bo),
      signed(comment(boActor, 3000), bo),
    ]
    assert.deepEqual(await judge(...events), [[3, 'invalid']])
  })

  it('a received card proves the true first key of an actor', async (t) => {
    const { judge, append } = setUp(t)
    await append(cardEvent({ actor: boActor, key: eve, ts: 1 }))
    const events = [cardEvent({ actor: boActor, key: bo, ts: 2000 }), signed(comment(boActor), bo)]
    assert.deepEqual(await judge(...events), [])
  })

  it('a received card cannot claim a keyless actor of this clone', async (t) => {
    const { judge, run } = setUp(t)
    const { actor_id } = (await run('actor init', { label: 'me' })) as { actor_id: ActorId }
    const events = [cardEvent({ actor: actor_id, key: eve, ts: 1 }), comment(actor_id), signed(comment(actor_id), eve)]
    assert.deepEqual(await judge(...events), [])
  })
})

describe('signature policies', () => {
  const bad: BadSignature[] = Array.from({ length: 5 }, (_, index) => ({
    event_id: `${index}`.repeat(64),
    actor: boActor,
    issue_id: issue,
    verdict: 'invalid',
  }))
  const apply = (policy: 'off' | 'warn' | 'reject', found: readonly BadSignature[]) => {
    const warnings: Warning[] = []
    applySignaturePolicy(policy, { from: { remote: 'origin' }, bad: found, warn: (warning) => warnings.push(warning) })
    return warnings
  }

  it('policy off reports nothing, and sound events are never reported', () => {
    assert.deepEqual(apply('off', bad), [])
    assert.deepEqual(apply('warn', []), [])
    assert.deepEqual(apply('reject', []), [])
  })

  it('policy warn names some bad events and counts all', () => {
    const [warning, ...others] = apply('warn', bad)
    assert.deepEqual([warning?.code, others], ['bad-signature', []])
    assert.match(
      warning?.message ?? '',
      /^5 events have an invalid or missing signature: 0{64} \(invalid\), .* and 2 more;/,
    )
  })

  it('policy reject fails with a remote error naming the events', () => {
    assert.throws(() => apply('reject', bad), {
      code: 'remote_error',
      message: /rejected all events from 'origin': 5 events/,
      details: { remote: 'origin', reason: 'signatures', event_count: 5, events: bad },
    })
  })
})

describe('events fetched by plain git', { concurrency: 2 }, () => {
  for (const policy of ['warn', 'reject']) {
    it(`events from plain git are reported once under ${policy}`, async (t) => {
      const { configure, run, fetch, warnings } = setUp(t)
      const told = () => warnings.map(({ code, details }) => [code, details?.event_count])
      configure(policy)
      const { issue_id } = (await run('issue create', { title: 'x' })) as { issue_id: string }
      await run('issue list')
      assert.deepEqual(told(), [])
      const onIssue = makeEvent(issueId(issue_id), { type: 'CommentAdded', body: 'hi' }, { actor: boActor })
      await fetch(cardEvent({ actor: boActor, key: bo, ts: 10 }), signed(onIssue, eve))
      const { issue: shown } = (await run('issue show', { issue: issue_id })) as {
        issue: { comments: { signature: string }[] }
      }
      assert.equal(shown.comments[0]?.signature, 'invalid')
      assert.deepEqual(told(), [['bad-signature', 1]])
      await run('issue list')
      assert.equal(warnings.length, 1)
    })
  }

  it('events are judged only with a policy and only once', async (t) => {
    const { configure, run, fetch, warnings, withRepository } = setUp(t)
    await fetch(cardEvent({ actor: boActor, key: bo, ts: 10 }), signed(comment(boActor), eve))
    await run('issue list')
    configure('warn')
    await fetch(signed(comment(boActor), eve))
    await withRepository(async (repository) => {
      repository.takeAsJudged()
      await repository.view()
    })
    assert.deepEqual(warnings, [])
    await fetch(signed(comment(boActor), eve))
    await run('issue list')
    assert.equal(warnings.length, 1)
  })
})

describe('importing a forged event', { concurrency: 2 }, () => {
  const rows = [
    ['off', null, []],
    ['warn', null, ['bad-signature']],
    ['reject', 'invalid_args', []],
  ] as const
  for (const [policy, refusal, told] of rows) {
    it(`an import with a forged event is ${refusal === null ? 'accepted' : 'refused whole'} under ${policy}`, async (t) => {
      const { run, append, path } = setUp(t)
      await append(cardEvent({ actor: boActor, key: bo, ts: 10 }), signed(comment(boActor), eve))
      await run('export', { format: 'json', output: 'all.json' })
      const other = setUp(t)
      other.configure(policy)
      const importing = other.run('import', { file: join(path, 'all.json') })
      if (refusal === null) await importing
      else await assert.rejects(importing, { code: refusal, message: /1 event has an invalid or missing signature/ })
      const count = await other.withRepository(async (repository) => (await repository.view()).eventCount)
      assert.equal(count, refusal === null ? 2 : 0)
      assert.deepEqual(
        other.warnings.map(({ code }) => code),
        told,
      )
    })
  }
})
