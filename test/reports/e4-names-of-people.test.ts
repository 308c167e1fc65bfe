import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Event, isCardEvent } from '../../src/model/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { commandRunner, createCommandSandbox } from '../support/command-runner.ts'
import { segmentsOf } from '../support/log.ts'
import { createClones } from '../sync/clones.ts'
import { createActorClones, createActors, type Data, type TestActor } from '../tracker/locks/lock-clones.ts'

const titles = ({ issues }: Data) => issues.map(({ title }: Data) => title)

async function cardsIn({ withRepository }: Pick<TestActor['runner'], 'withRepository'>): Promise<Event[][]> {
  return withRepository(async ({ git }) => {
    const head = await git.readRef(walRef)
    const commits = head === null ? [] : await segmentsOf(git, head)
    return commits.map(({ items }) => items.map(({ event }) => event).filter(isCardEvent))
  })
}

describe('publishing an actor’s name', { concurrency: 4 }, () => {
  it('the first write publishes the actor’s name in its commit', async (t) => {
    const sandbox = createCommandSandbox(t)
    const { run, git, path } = sandbox
    git(path, 'config', 'user.name', 'Ann')
    await sandbox.withRepository(async (repository) => {
      Object.defineProperty(repository, 'view', { value: () => assert.fail('the view was opened') })
      await repository.write(async (draft) => draft.createIssue({ title: 'one', body: '', labels: [] }))
    })
    await run('issue create', { title: 'two' })
    const cards = await cardsIn(sandbox)
    assert.deepEqual(
      cards.map((each) => each.length),
      [1, 0],
    )
    const [card] = cards[0] as [Event]
    assert.deepEqual(
      [card.sig, card.body.type === 'ProjectContextUpdated' && card.body.value],
      [null, '{"label":"Ann"}'],
    )
  })

  it('a changed name is published again, no name is not', async (t) => {
    const sandbox = createCommandSandbox(t)
    const { run, path } = sandbox
    await run('issue create', { title: 'one' })
    assert.deepEqual((await cardsIn(sandbox)).flat(), [])
    const { actor_id: id } = (await run('actor current')) as Data
    const file = join(path, '.git/grite/actors', id, 'config.toml')
    for (const label of ['Ann', 'Ann', 'Anna']) {
      writeFileSync(file, `actor_id = "${id}"\nlabel = "${label}"\n`)
      await run('issue create', { title: label })
    }
    const values = (await cardsIn(sandbox))
      .flat()
      .map(({ body }) => body.type === 'ProjectContextUpdated' && body.value)
    assert.deepEqual(values, ['{"label":"Ann"}', '{"label":"Anna"}'])
    assert.equal(((await run('actor show', { actor: id })) as Data).actor.label, 'Anna')
  })

  it('a published name causes no problem when the actor gets a key', async (t) => {
    const { run, git, path } = createCommandSandbox(t)
    git(path, 'config', 'user.name', 'Ann')
    await run('issue create', { title: 'one' })
    await run('actor rotate-key')
    await run('issue create', { title: 'two' })
    const { card_problems, error_count } = (await run('db verify')) as Data
    assert.deepEqual([card_problems, error_count], [[], 0])
  })

  it('a full batch leaves the name card to the next write', async (t) => {
    const { run, git, path, environment } = createCommandSandbox(t)
    git(path, 'config', 'user.name', 'Ann')
    const stdin = Array.from({ length: 4096 }, () => '{"op":"create","title":"x"}').join('\n')
    const filled = commandRunner({ cwd: path, env: environment, stdin })
    assert.equal(((await filled.run('batch')) as Data).total, 4096)
    assert.deepEqual((await cardsIn(filled)).flat(), [])
    await run('issue create', { title: 'next' })
    assert.equal((await cardsIn(filled)).flat().length, 1)
  })
})

describe('actor names in all clones', { concurrency: 4 }, () => {
  it('names appear in show, history, locks, claims, watch and Markdown', async (t) => {
    const { clones, share } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const id = await share()
    await ann.run('issue comment', { issue: id, body: 'x' })
    await ann.run('issue claim', { issue: id, remote: '' })
    await bo.run('sync')
    const { issue } = await bo.run('issue show', { issue: id })
    assert.deepEqual([issue.author_label, issue.comments[0].actor_label, issue.claim.holder], ['ann', 'ann', 'ann'])
    const { entries } = await bo.run('issue history', { issue: id })
    assert.deepEqual([...new Set(entries.map(({ actor_label }: Data) => actor_label))], ['ann'])
    assert.equal((await bo.run('lock status')).locks[0].owner_label, 'ann')
    assert.equal((await bo.fail('issue claim', { issue: id, local: true })).holder, 'ann')
    assert.match((await bo.run('export', { format: 'md' })).content, /> \*\*ann\*\* on 2[-0-9]+ [0-9:]+ UTC\n>\n> x/)
    await bo.run('watch', { since: '2000-01-01', count: 3 })
    assert.deepEqual([...new Set(bo.runner.emitted.map((item) => (item as Data).actor_label))], ['ann'])
  })

  it('--author finds by name, id or id prefix, ids first', async (t) => {
    const { clones, clock } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    await ann.run('issue create', { title: 'of ann' })
    clock.nowUnixMs += 1
    await bo.run('issue create', { title: 'of bo' })
    for (const clone of [ann, bo, ann]) await clone.run('sync')
    for (const author of ['bo', 'BO', bo.id, bo.id.slice(0, 8)])
      assert.deepEqual(titles(await ann.run('issue list', { author })), ['of bo'], author)
    assert.deepEqual(titles(await ann.run('search', { query: ['author:bo OR author:ann'] })), ['of ann', 'of bo'])
    const failure = await ann.fail('issue list', { author: 'cy' })
    assert.deepEqual([failure.code, failure.field], ['not_found', 'author'])
    // A prefix of bo's id as the name of an actor of ann's.
    const trap = await ann.runner.run('actor init', { label: bo.id.slice(0, 4) })
    const named = commandRunner({ cwd: ann.path, env: {}, actor: (trap as Data).actor_id })
    await named.run('issue create', { title: 'of a trap' })
    assert.deepEqual(titles(await ann.run('issue list', { author: bo.id.slice(0, 4) })), ['of bo'])
    assert.deepEqual(ann.warned(), ['ambiguous-actor'])
  })

  it('--author with a shared name means all its actors', async (t) => {
    const { ann, actorIn, path } = await createActors(t)
    const twins = [await actorIn(path, 'twin'), await actorIn(path, 'twin')] as const
    for (const twin of twins) await twin.run('issue create', { title: 'of a twin' })
    await ann.run('issue create', { title: 'of ann' })
    assert.deepEqual(titles(await ann.run('issue list', { author: 'twin' })), ['of a twin', 'of a twin'])
    const [candidates] = ann.runner.warnings.map(({ details }) => details?.candidates)
    const ids = twins.map(({ id }) => id)
    assert.deepEqual(new Set(candidates as string[]), new Set(ids))
  })

  it('--assignee matches names and ids of one actor', async (t) => {
    const setup = createClones(t)
    const ann = setup.clone('ann')
    const { issue_id: id } = (await ann.run('issue create', { title: 'claimed without a name' })) as Data
    await ann.run('issue claim', { issue: id, local: true })
    const { actor_id: actor } = (await ann.run('actor current')) as Data
    writeFileSync(join(ann.path, '.git/grite/actors', actor, 'config.toml'), `actor_id = "${actor}"\nlabel = "Ann"\n`)
    await ann.run('issue create', { title: 'assigned by name', assignee: ['Ann'] })
    await ann.sync()
    const bo = setup.clone('bo')
    await bo.sync()
    for (const assignee of ['Ann', 'ann', actor, actor.slice(0, 6)]) {
      const found = titles(await bo.run('issue list', { assignee }))
      assert.deepEqual(found.sort(), ['assigned by name', 'claimed without a name'], assignee)
    }
    assert.deepEqual(titles(await bo.run('ready', { assignee: 'ann' })).length, 2)
    assert.deepEqual(titles(await bo.run('issue list', { assignee: 'nobody' })), [])
  })
})
