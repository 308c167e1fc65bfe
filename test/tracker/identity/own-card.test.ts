/** Keys in use: signing events, publishing cards, rotating keys, and crashes during a rotation. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { PublishPoint } from '../../../src/git/index.ts'
import { type ActorId, deriveActorId, type Event, isCardEvent } from '../../../src/model/index.ts'
import { findCardProblems } from '../../../src/tracker/identity/card-problems.ts'
import { batchOfEvents, walRef } from '../../../src/wal/index.ts'
import { jsonContract, keyFaults } from '../../contract/json-contract.ts'
import { schemaFaults } from '../../contract/schemas.ts'
import { cardEvent, garbage, signed, signerOf } from '../../support/cards.ts'
import { commandRunner, createCommandSandbox } from '../../support/command-runner.ts'
import { checkBytes, issueId, makeEvent, segmentsOf } from '../../support/log.ts'

interface Shown {
  readonly issue: {
    readonly author: ActorId
    readonly author_label: string | null
    readonly signatures: Readonly<Record<string, number>>
    readonly comments: readonly { readonly actor_label: string | null; readonly signature: string }[]
  }
  readonly events: readonly { readonly signature: string }[]
}

interface Rotated {
  readonly public_key: string
  readonly previous_key: string | null
  readonly event_id: string | null
}

/** Creates a repository whose actor has a key, or none with `keyless`. */
async function setUp(t: TestContext, { keyless = false } = {}) {
  const sandbox = createCommandSandbox(t)
  const { run, path, environment, withRepository } = sandbox
  const made = (await run('actor init', { label: 'ann', generateKey: !keyless })) as {
    actor_id: ActorId
    data_dir: string
    public_key?: string
  }
  await run('actor use', { actor: made.actor_id })
  return {
    ...sandbox,
    ...made,
    create: async (title = 'issue') => ((await run('issue create', { title })) as { issue_id: string }).issue_id,
    show: async (issue: string) => (await run('issue show', { issue })) as Shown,
    verify: async () => {
      const { events_checked, signatures_valid, error_count } = (await run('db verify')) as Record<string, number>
      return { events_checked, signatures_valid, error_count }
    },
    events: () =>
      withRepository(async ({ git }) => {
        const head = await git.readRef(walRef)
        return (head === null ? [] : await segmentsOf(git, head)).flatMap(({ items }) =>
          items.map(({ event }) => event),
        )
      }),
    /** Appends events of other actors, as a fetch would. */
    receive: (...events: readonly Event[]) =>
      withRepository((repository) => {
        const [first] = events as [Event]
        return repository.appendBatch(batchOfEvents({ actor: first.actor, events, nowUnixMs: 1 }), events)
      }),
    problems: () => withRepository(async (repository) => findCardProblems(repository, await repository.view())),
    keys: async () =>
      withRepository(async (repository) =>
        ((await (await repository.view()).findActor(made.actor_id))?.keys ?? []).map(({ publicKey }) => publicKey),
      ),
    /** Runs a command and crashes it at a given point of its publish. */
    crash: (point: PublishPoint, name: string, input = {}) =>
      assert.rejects(
        commandRunner({
          cwd: path,
          env: environment,
          gitOptions: {
            hooks: {
              at(reached) {
                if (reached === point) throw new TypeError('the process crashed')
              },
            },
          },
        }).run(name, input),
        /crashed/,
      ),
  }
}

describe('an actor with a key', { concurrency: 2 }, () => {
  it('the id of an actor is derived from its first key', async (t) => {
    const { actor_id, public_key, data_dir } = await setUp(t)
    assert.equal(actor_id, deriveActorId(public_key as string))
    assert.equal(statSync(join(data_dir, 'signing_key')).mode & 0o777, 0o600)
  })

  it('the first write of an actor publishes its card in the same commit', async (t) => {
    const { create, events, path, keys, public_key, withRepository } = await setUp(t)
    await create()
    await create()
    const cards = (await events()).filter(isCardEvent)
    assert.equal(cards.length, 1)
    assert.deepEqual(JSON.parse(cards[0]?.body.value ?? ''), {
      label: 'ann',
      public_key,
      key_scheme: 'ed25519',
    })
    assert.deepEqual(await keys(), [public_key])
    const commits = await withRepository(async ({ git }) => segmentsOf(git, (await git.readRef(walRef)) as never))
    assert.deepEqual(
      commits.map(({ items }) => items.length),
      [2, 1],
    )
    checkBytes(path)
  })

  it('an actor with a key signs every event', async (t) => {
    const { run, create, show, verify } = await setUp(t)
    const issue = await create()
    await run('issue comment', { issue, body: 'x' })
    await run('issue label add', { issue: [issue], label: ['a', 'priority:P1'] })
    await run('issue close', { issue: [issue] })
    const shown = await show(issue)
    assert.deepEqual([...new Set(shown.events.map(({ signature }) => signature))], ['valid'])
    assert.deepEqual(shown.issue.signatures, {
      valid: shown.events.length,
      invalid: 0,
      unsigned: 0,
      missing: 0,
      unknown_key: 0,
    })
    const count = shown.events.length + 1
    assert.deepEqual(await verify(), { events_checked: count, signatures_valid: count, error_count: 0 })
  })

  it('undo skips the card published with the first change', async (t) => {
    const { run, path, environment, events } = await setUp(t)
    const { actor_id } = (await run('actor init', { label: 'bo' })) as { actor_id: string }
    const bo = commandRunner({ cwd: path, env: environment, actor: actor_id })
    const { issue_id: issue } = (await bo.run('issue create', { title: 'of bo' })) as { issue_id: string }
    await run('issue close', { issue: [issue] })
    assert.equal((await events()).filter(isCardEvent).length, 2, 'that of bo, too')
    const { commands } = (await run('undo')) as { commands: { changes: { field: string }[] }[] }
    assert.deepEqual(
      commands.map(({ changes }) => changes.map(({ field }) => field)),
      [['state']],
    )
  })

  it('a command without a change publishes no card', async (t) => {
    const { run, create, events, data_dir } = await setUp(t)
    const issue = await create()
    const before = (await events()).length
    rmSync(join(data_dir, 'card'))
    await run('issue reopen', { issue: [issue] })
    assert.equal((await events()).length, before)
  })

  it('a card is published again only after its label changes', async (t) => {
    const { create, events, data_dir } = await setUp(t)
    await create()
    assert.ok(existsSync(join(data_dir, 'card')))
    rmSync(join(data_dir, 'card'))
    await create()
    assert.equal((await events()).filter(isCardEvent).length, 1)
    const config = join(data_dir, 'config.toml')
    writeFileSync(config, readFileSync(config, 'utf8').replace('"ann"', '"Ann"'))
    await create()
    await create()
    const cards = (await events()).filter(isCardEvent)
    assert.deepEqual(
      cards.map(({ body }) => JSON.parse(body.value).label),
      ['ann', 'Ann'],
    )
  })

  it('a card is published again in a restarted log', async (t) => {
    const { run, create, events, git, path } = await setUp(t)
    await create()
    git(path, 'update-ref', '-d', walRef)
    rmSync(join(path, '.git/logs'), { recursive: true })
    await run('rebuild')
    const issue = await create()
    await run('issue comment', { issue, body: 'x' })
    assert.equal((await events()).filter(isCardEvent).length, 1)
  })
})

describe('an actor without a key', { concurrency: 2 }, () => {
  it('an actor without a key publishes an unsigned card', async (t) => {
    const { create, events, verify, show } = await setUp(t, { keyless: true })
    const issue = await create()
    assert.deepEqual(
      (await events()).map(({ sig }) => sig),
      [null, null],
    )
    assert.deepEqual(await verify(), { events_checked: 2, signatures_valid: 0, error_count: 0 })
    assert.deepEqual(
      (await show(issue)).events.map(({ signature }) => signature),
      ['unsigned'],
    )
  })

  it('rotate-key gives a keyless actor a key; older events stay unsigned', async (t) => {
    const { run, create, show, actor_id, keys } = await setUp(t, { keyless: true })
    const issue = await create()
    const { public_key, previous_key } = (await run('actor rotate-key')) as Rotated
    assert.equal(previous_key, null)
    assert.deepEqual(await keys(), [public_key])
    await run('issue comment', { issue, body: 'x' })
    const shown = await show(issue)
    assert.deepEqual(
      shown.events.map(({ signature }) => signature),
      ['unsigned', 'valid'],
    )
    assert.notEqual(actor_id, deriveActorId(public_key))
  })

  it('a foreign card does not give a keyless actor a key', async (t) => {
    const { create, receive, verify, actor_id, problems } = await setUp(t, { keyless: true })
    await create()
    await receive(cardEvent({ actor: actor_id, key: signerOf(9), ts: 5 }))
    const { error_count } = await verify()
    // The error is the card itself: its key is not a key of the actor.
    assert.equal(error_count, 1)
    assert.match((await problems()).map(({ reason }) => reason).join(), /has no key, but the log has a card/)
  })
})

describe('a key rotation', { concurrency: 2 }, () => {
  it('signatures of both keys verify after a rotation', async (t) => {
    const { run, create, verify, keys, public_key, data_dir, problems, show } = await setUp(t)
    const issue = await create()
    const seed = readFileSync(join(data_dir, 'signing_key'), 'utf8')
    const rotated = (await run('actor rotate-key')) as Rotated
    assert.equal(rotated.previous_key, public_key)
    assert.deepEqual(await keys(), [public_key, rotated.public_key])
    assert.notEqual(readFileSync(join(data_dir, 'signing_key'), 'utf8'), seed)
    assert.equal(statSync(join(data_dir, 'signing_key')).mode & 0o777, 0o600)
    assert.equal(existsSync(join(data_dir, 'signing_key.next')), false)
    await run('issue comment', { issue, body: 'x' })
    assert.deepEqual(await verify(), { events_checked: 4, signatures_valid: 4, error_count: 0 })
    assert.deepEqual(await problems(), [])
    // A thief of the old key is detected.
    writeFileSync(join(data_dir, 'signing_key'), seed)
    await run('issue comment', { issue, body: 'y' })
    assert.deepEqual(
      (await show(issue)).events.map(({ signature }) => signature),
      ['valid', 'valid', 'invalid'],
    )
  })

  it('a rotation is dated after every event signed with the old key', async (t) => {
    const { run, create, show, path, environment } = await setUp(t)
    const fast = commandRunner({ cwd: path, env: environment, nowUnixMs: () => Date.now() + 3_600_000 })
    const issue = await create()
    await fast.run('issue comment', { issue, body: 'from a clock that is fast' })
    await run('actor rotate-key')
    assert.deepEqual((await show(issue)).issue.signatures.valid, 2)
  })

  it('a rotation that crashed before its ref moved has no effect', async (t) => {
    const { run, create, verify, keys, crash, public_key } = await setUp(t)
    const issue = await create()
    await crash('objects-written', 'actor rotate-key')
    await run('issue comment', { issue, body: 'x' })
    assert.deepEqual(await keys(), [public_key])
    assert.deepEqual(await verify(), { events_checked: 3, signatures_valid: 3, error_count: 0 })
    const { public_key: next } = (await run('actor rotate-key')) as Rotated
    await run('issue comment', { issue, body: 'y' })
    assert.deepEqual(await keys(), [public_key, next])
    assert.deepEqual(await verify(), { events_checked: 5, signatures_valid: 5, error_count: 0 })
  })

  for (const [title, finish] of [
    ['the next write', 'issue comment'],
    ['another rotation', 'actor rotate-key'],
  ] as const) {
    it(`a rotation that crashed after its ref moved is finished by ${title}`, async (t) => {
      const { run, create, verify, keys, crash, public_key, data_dir } = await setUp(t)
      const issue = await create()
      const seed = readFileSync(join(data_dir, 'signing_key'), 'utf8')
      await crash('ref-moved', 'actor rotate-key')
      assert.equal(readFileSync(join(data_dir, 'signing_key'), 'utf8'), seed)
      const done = (await run(finish, finish === 'actor rotate-key' ? {} : { issue, body: 'x' })) as Partial<Rotated>
      if (finish === 'actor rotate-key') assert.deepEqual([done.event_id, done.previous_key], [null, public_key])
      const [first, second, ...others] = await keys()
      assert.deepEqual([first, others], [public_key, []])
      assert.match(readFileSync(join(data_dir, 'config.toml'), 'utf8'), new RegExp(`public_key = "${second}"`))
      assert.equal(existsSync(join(data_dir, 'signing_key.next')), false)
      await run('issue comment', { issue, body: 'y' })
      assert.equal((await verify()).error_count, 0)
    })
  }
})

describe('events and cards of other actors', { concurrency: 2 }, () => {
  const [bo, eve] = [signerOf(21), signerOf(22)]
  const boActor = deriveActorId(bo.publicKey)
  const comment = (issue: string, actor: ActorId, body = 'hi') =>
    makeEvent(issueId(issue), { type: 'CommentAdded', body }, { actor })

  it('signatures are checked against published cards', async (t) => {
    const { create, receive, show } = await setUp(t, { keyless: true })
    const issue = await create()
    const events = [
      signed(comment(issue, boActor, '1'), bo),
      signed(comment(issue, boActor, '2'), eve),
      { ...comment(issue, boActor, '3'), sig: garbage(1) },
      comment(issue, boActor, '4'),
      signed(comment(issue, deriveActorId(eve.publicKey), '5'), eve),
      comment(issue, 'ee'.repeat(16) as ActorId, '6'),
    ]
    await receive(...events)
    const before = await show(issue)
    assert.deepEqual(
      before.issue.comments.map(({ signature }) => signature),
      ['unknown-key', 'unknown-key', 'unknown-key', 'unsigned', 'unknown-key', 'unsigned'],
    )
    await receive(cardEvent({ actor: boActor, key: bo, label: 'bo', ts: 7 }))
    const after = await show(issue)
    assert.deepEqual(
      after.issue.comments.map(({ signature }) => signature),
      ['valid', 'invalid', 'invalid', 'missing', 'unknown-key', 'unsigned'],
    )
    assert.deepEqual(
      after.issue.comments.map(({ actor_label }) => actor_label),
      ['bo', 'bo', 'bo', 'bo', null, null],
    )
  })

  it('actor names come from cards, with the id if taken', async (t) => {
    const { run, create, receive, show } = await setUp(t, { keyless: true })
    const issue = await create()
    const eveActor = deriveActorId(eve.publicKey)
    await receive(
      cardEvent({ actor: boActor, key: bo, label: 'ann', ts: 7 }),
      cardEvent({ actor: eveActor, key: eve, label: 'eve', ts: 7 }),
      comment(issue, boActor),
      comment(issue, eveActor),
    )
    const { comments, author_label } = (await show(issue)).issue
    assert.equal(author_label, 'ann')
    assert.deepEqual(
      comments.map(({ actor_label }) => actor_label),
      [`ann (${boActor.slice(0, 8)})`, 'eve'],
    )
    const { actors } = (await run('actor list', { all: true })) as {
      actors: { actor_id: string; label: string; public_key: string | null; local: boolean }[]
    }
    assert.deepEqual(
      actors.filter(({ local }) => !local).map(({ actor_id, label, public_key }) => [actor_id, label, public_key]),
      [
        [boActor, 'ann', bo.publicKey],
        [eveActor, 'eve', eve.publicKey],
      ].sort(),
    )
    const { actor } = (await run('actor show', { actor: eveActor.slice(0, 6) })) as { actor: Record<string, unknown> }
    assert.deepEqual([actor.actor_id, actor.public_key, actor.local], [eveActor, eve.publicKey, false])
    await assert.rejects(run('actor show', { actor: 'ffffffff' }), { code: 'not_found' })
  })

  it('ineffective actor cards are reported', async (t) => {
    const { run, receive, problems } = await setUp(t, { keyless: true })
    const good = cardEvent({ actor: boActor, key: bo, ts: 7 })
    const forged = cardEvent({ actor: boActor, key: eve, ts: 3 })
    const unsigned = { ...cardEvent({ actor: deriveActorId(eve.publicKey), key: eve, ts: 3 }), sig: null }
    await receive(good)
    assert.deepEqual(await problems(), [])
    await receive(forged, unsigned)
    const found = await problems()
    assert.deepEqual(found.map(({ event_id }) => event_id).sort(), [forged.eventId, unsigned.eventId].sort())
    assert.match(found.map(({ reason }) => reason).join(), /another key than the one the actor has, without a rotation/)
    assert.match(found.map(({ reason }) => reason).join(), /not signed with the key it names/)
    const data = (await run('db verify')) as { card_problems: unknown; errors: unknown[] }
    assert.deepEqual(data.card_problems, found)
    assert.equal(data.errors.length, 1)
    assert.deepEqual(keyFaults(jsonContract['db verify'] ?? {}, data), [])
    assert.deepEqual(schemaFaults('db verify', 'data', data), [])
  })

  it('a foreign card does not invalidate events signed here', async (t) => {
    const { run, create, verify, receive, path, actor_id } = await setUp(t, { keyless: true })
    await run('actor rotate-key')
    const issue = await create()
    await run('issue comment', { issue, body: 'x' })
    // Dated before the actor's first card. Other clones pin this key, because the id is not derived from a key.
    await receive(cardEvent({ actor: actor_id, key: eve, ts: 3 }))
    const { error_count, signatures_valid } = await verify()
    assert.deepEqual([error_count, signatures_valid], [1, 3])
    checkBytes(path)
  })
})
