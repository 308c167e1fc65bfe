/** Signing by actors that have a key, and verification in other clones. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Oid } from '../../../src/git/index.ts'
import { type ActorId, deriveActorId, type Event, type IssueId } from '../../../src/model/index.ts'
import { batchOfEvents, verifySignature, walRef } from '../../../src/wal/index.ts'
import { cardEvent, signed, signerOf } from '../../support/cards.ts'
import type { CommandRunner } from '../../support/command-runner.ts'
import { issueMaker } from '../../support/issue-maker.ts'
import { makeEvent, segmentsOf } from '../../support/log.ts'
import { createClones } from '../../sync/clones.ts'

/** Ann, whose actor has a key, and a clone that learns of her only through syncs. */
async function setUp(t: TestContext) {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  const { actor_id: actor, public_key: publicKey } = (await ann.run('actor init', {
    label: 'ann',
    generateKey: true,
  })) as { actor_id: ActorId; public_key: string }
  await ann.run('actor use', { actor })
  return { ann, bo, actor, publicKey }
}

const verify = async ({ run }: CommandRunner) => {
  const data = (await run('db verify')) as Record<string, number>
  return [data.events_checked, data.signatures_valid, data.error_count]
}

test('an actor with a key signs every event it writes', async (t) => {
  const { ann, publicKey } = await setUp(t)
  const { create, add, remove } = issueMaker(ann)
  const [one, two] = [await create('one', { label: ['x'], assignee: ['ann'] }), await create('two')]
  await add(one, two)
  await remove(one, two)
  await ann.run('issue update', { issue: [one], title: 'first', priority: 'P1' })
  await ann.run('issue comment', { issue: one, body: 'x' })
  await ann.run('issue link add', { issue: one, url: 'https://example.org' })
  await ann.run('issue attachment add', { issue: one, name: 'a', mime: 'a/b', sha256: 'ab'.repeat(32) })
  await ann.run('issue claim', { issue: one })
  await ann.run('issue close', { issue: [one], comment: 'done' })
  await ann.run('undo')
  await ann.run('query save', { name: 'mine', query: ['assignee:me'] })
  const events = await ann.withRepository(async ({ git }) =>
    (await segmentsOf(git, (await git.readRef(walRef)) as Oid)).flatMap(({ items }) => items.map(({ event }) => event)),
  )
  const kinds = new Set(events.map(({ body }) => body.type))
  for (const kind of ['DependencyAdded', 'DependencyRemoved', 'ProjectContextUpdated', 'StateChanged'] as const)
    assert.ok(kinds.has(kind), kind)
  const unsigned = events.filter(({ sig, eventId }) => sig === null || !verifySignature(eventId, sig, publicKey))
  assert.deepEqual(
    unsigned.map(({ body }) => body.type),
    [],
  )
  assert.deepEqual(await verify(ann), [events.length, events.length, 0])
})

test('public keys travel with the log to other clones', async (t) => {
  const { ann, bo } = await setUp(t)
  await ann.create('one')
  await ann.sync()
  await bo.sync()
  // The creation and the card that states the key.
  assert.deepEqual(await verify(bo), [2, 2, 0])
  await ann.run('actor rotate-key')
  await ann.create('two')
  await ann.sync()
  await bo.sync()
  assert.deepEqual(await verify(bo), [4, 4, 0])
})

test('nobody else can sign for an actor derived from a key', async (t) => {
  const { ann, bo, actor, publicKey } = await setUp(t)
  assert.equal(actor, deriveActorId(publicKey))
  const issue = await issueMaker(ann).create('one')
  await ann.sync()
  await bo.sync()
  const eve = signerOf(77)
  const forged: Event = signed(makeEvent(issue as IssueId, { type: 'CommentAdded', body: 'forged' }, { actor }), eve)
  // Earlier than the genuine card, and under its actor's name.
  const card = cardEvent({ actor, key: eve, ts: 1 })
  await bo.withRepository(async (repository) => {
    await repository.view()
    await repository.appendBatch(batchOfEvents({ actor, events: [card, forged], nowUnixMs: 1 }), [card, forged])
  })
  const { issue: shown } = (await bo.run('issue show', { issue })) as { issue: { comments: { signature: string }[] } }
  assert.deepEqual(
    shown.comments.map(({ signature }) => signature),
    ['invalid'],
  )
  const { data, exitStatus } = await bo.outcome('db verify')
  const { signatures_valid, errors } = data as { signatures_valid: number; errors: { event_id: string }[] }
  assert.deepEqual([exitStatus, signatures_valid], [1, 2])
  assert.deepEqual(new Set(errors.map(({ event_id }) => event_id)), new Set([card.eventId, forged.eventId]))
})

test('db verify counts events of keyless actors as unsigned, not wrong', async (t) => {
  const { bo } = await setUp(t)
  await bo.create('one')
  const { data, exitStatus = 0 } = await bo.outcome('db verify')
  const { unsigned_count, error_count } = data as Record<string, number>
  assert.deepEqual([exitStatus, unsigned_count, error_count], [0, 1, 0])
})
