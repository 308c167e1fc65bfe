/** Weaknesses 7.4 of the reference beside its daemon (compat spec, items 46-51 and 53): what holds here in their place. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Event } from '../../src/model/index.ts'
import { commandRunner, createCommandSandbox } from '../support/command-runner.ts'
import { withWrongId } from '../support/damage.ts'
import { issueMaker } from '../support/issue-maker.ts'
import { batchOf, comment, creation, issueId, recordOf } from '../support/log.ts'
import { writeLog } from '../support/snapshots.ts'
import { startGrite } from '../support/start-command-child.ts'
import { createCrew } from '../sync/crew.ts'

function setUp(t: TestContext) {
  const place = createCommandSandbox(t)
  const { path, environment, git, run, withRepository } = place
  const config = join(path, '.git/grite/config.toml')
  return {
    ...place,
    ...issueMaker(place),
    config,
    configure(text: string) {
      mkdirSync(join(config, '..'), { recursive: true })
      writeFileSync(config, text)
    },
    grite: (...words: readonly string[]) => startGrite({ cwd: path, environment }, ...words),
    head: () => git(path, 'for-each-ref', '--format=%(objectname)', 'refs/grite/wal'),
    append: (events: readonly Event[], records = events.map(recordOf)) =>
      withRepository((repository) => writeLog(repository.git, [batchOf(events, { records })])),
    titles: async () =>
      ((await run('issue list')) as { issues: { title: string }[] }).issues.map(({ title }) => title).sort(),
  }
}

test('7.4 item 46: text of issues reaches the terminal without its control characters', async (t) => {
  const { create, run, grite } = setUp(t)
  const evil = 'a\x1b]0;owned\x07\x9b31m\u202eb'
  const id = await create(evil, { label: [evil], assignee: [evil], body: evil })
  await run('issue comment', { issue: id, body: evil })
  const outputs = await Promise.all([grite('issue', 'list'), grite('issue', 'show', id), grite('issue', 'close', id)])
  for (const { exitStatus, stdout, stderr } of outputs) {
    assert.equal(exitStatus, 0, stderr)
    assert.match(stdout, /a\\x1b\]0;owned\\x07/)
    assert.doesNotMatch(stdout + stderr, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/)
  }
})

test('7.4 item 47: an export since an event or a time holds what came later, in every form', async (t) => {
  const { run, append } = setUp(t)
  const [a, b] = [issueId('a0'), issueId('b0')]
  const events = [creation(a, 'old'), ...['1', '2', '3', '4', '5'].map((body) => comment(a, body)), creation(b, 'new')]
  await append(events)
  const ids = events.map(({ eventId }) => eventId)
  assert.notDeepEqual(ids.toSorted(), ids)
  for (const [index, since] of ids.entries()) {
    const { content } = (await run('export', { format: 'json', since })) as {
      content: { events: { event_id: string }[] }
    }
    assert.deepEqual(content.events.map(({ event_id }) => event_id).sort(), ids.slice(index + 1).sort())
  }
  for (const format of ['md', 'csv']) {
    for (const since of [ids[5], String(events[5]?.tsUnixMs)]) {
      const { content } = (await run('export', { format, since })) as { content: string }
      assert.match(content, /\bnew\b/)
      assert.doesNotMatch(content, /\bold\b/)
    }
  }
})

test('7.4 item 48a: neither init nor the first write loses a setting', async (t) => {
  for (const command of ['init', 'issue create']) {
    const { run, configure, config } = setUp(t)
    configure('lock_policy = "require"\n[sync]\nremote = "upstream"\n')
    await run(command, command === 'init' ? {} : { title: 'one' })
    const text = readFileSync(config, 'utf8')
    for (const kept of [/^default_actor = "[0-9a-f]{32}"/m, /^lock_policy = "require"/m, /^remote = "upstream"/m])
      assert.match(text, kept)
  }
  const { run, configure, config } = setUp(t)
  configure('lock_policy = \n')
  await assert.rejects(run('init'), { code: 'invalid_args' })
  assert.equal(readFileSync(config, 'utf8'), 'lock_policy = \n')
})

test('7.4 item 48b: an actor is named by its id, never by a path', async (t) => {
  const { path, environment, create, dir } = setUp(t)
  await create('one')
  mkdirSync(join(dir, 'evil'))
  writeFileSync(join(dir, 'evil/config.toml'), `actor_id = "${'ee'.repeat(16)}"\n`)
  for (const actor of ['../../../../evil', join(dir, 'evil'), '..', '.', '']) {
    const runner = commandRunner({ cwd: path, env: environment, actor })
    await assert.rejects(runner.run('issue create', { title: 'two' }), { code: 'not_found' }, actor)
  }
  assert.equal(existsSync(join(dir, 'evil/level')), false)
})

test('7.4 item 48c: who only reads makes no actor', async (t) => {
  const { run, path, append, config } = setUp(t)
  await append([creation(issueId('aa'), 'one')])
  for (const [command, input] of [
    ['issue list', {}],
    ['issue show', { issue: 'aa000000' }],
    ['ready', {}],
    ['export', { format: 'json' }],
    ['lock status', {}],
    ['db stats', {}],
    ['rebuild', {}],
    ['doctor', {}],
  ] as const)
    await run(command, input)
  assert.deepEqual([existsSync(join(path, '.git/grite/actors')), existsSync(config)], [false, false])
})

test('7.4 item 49a: doctor --fix claims no repair of a damaged log, and writes nothing to it', async (t) => {
  const { append, head, outcome, create } = setUp(t)
  const id = await create('one')
  const note = comment(id, 'note')
  await append([note], [recordOf(note), withWrongId(recordOf(comment(id, 'damaged')))])
  const before = head()
  for (const fix of [true, false]) {
    const { data, exitStatus } = await outcome('doctor', { fix })
    const { checks } = data as { checks: { id: string; status: string }[] }
    assert.deepEqual([exitStatus, checks.find((check) => check.id === 'log_integrity')?.status], [1, 'error'])
  }
  assert.equal(head(), before)
})

test('7.4 item 49b: doctor --fix deletes no database of the reference, and says that it may hold more', async (t) => {
  const { run, path, create } = setUp(t)
  await create('one')
  const sled = join(path, '.git/grite/actors', '0d'.repeat(16), 'sled')
  mkdirSync(sled, { recursive: true })
  writeFileSync(join(sled, 'db'), 'nobody can read this')
  const { checks } = (await run('doctor', { fix: true })) as { checks: { id: string; status: string }[] }
  assert.equal(checks.find((check) => check.id === 'legacy_actor_sleds')?.status, 'warn')
  assert.equal(readFileSync(join(sled, 'db'), 'utf8'), 'nobody can read this')
})

test('7.4 item 50: processes at once wait for each other, and none fails because the view is in use', async (t) => {
  const crew = createCrew(t)
  const clone = crew.clone('ann')
  await clone.create('first')
  const { issue_id: id } = (await clone.run('issue create', { title: 'second' })) as { issue_id: string }
  const grite = (...words: readonly string[]) =>
    startGrite({ cwd: clone.path, environment: crew.environment }, ...words)
  // A view that is in use for as long as anybody would wait for it.
  const held = clone.withRepository(async (repository) => {
    await repository.view()
    return grite('issue', 'list', '--json')
  })
  const { exitStatus, stdout, stderr } = await held
  assert.deepEqual([exitStatus, JSON.parse(stdout).data.total], [0, 2], stderr)
  const ends = await Promise.all([
    ...['a', 'b', 'c'].map((label) => grite('issue', 'label', 'add', id, `--label=${label}`)),
    grite('issue', 'list', '--label=a'),
    grite('rebuild'),
    grite('sync'),
    grite('issue', 'create', '--title=third'),
  ])
  for (const end of ends) assert.equal(end.exitStatus, 0, end.stderr)
  const { issue } = (await clone.run('issue show', { issue: id })) as { issue: { labels: string[] } }
  assert.deepEqual(
    [issue.labels, await clone.titles()],
    [
      ['a', 'b', 'c'],
      ['first', 'second', 'third'],
    ],
  )
})

test('7.4 item 51: what is misspelt, empty or too large is refused, and nothing written', async (t) => {
  const { run, create, head } = setUp(t)
  const issue = await create('one')
  const before = head()
  for (const [command, input] of [
    ['issue list', { state: 'opne' }],
    ['issue dep topo', { state: 'Done' }],
    ['issue create', { title: '' }],
    ['issue create', { title: ' \t' }],
    ['issue update', { issue: [issue], title: '' }],
    ['issue create', { title: 'x', label: [''] }],
    ['issue label add', { issue: [issue], label: ['  '] }],
    ['issue assignee add', { issue: [issue], user: [''] }],
    ['issue link add', { issue, url: '' }],
    ['issue comment', { issue, body: '' }],
    ['issue create', { title: 'x'.repeat(1025) }],
    ['issue create', { title: 'x', body: 'x'.repeat(1_048_577) }],
    ['issue label add', { issue: [issue], label: ['x'.repeat(257)] }],
    ['issue link add', { issue, url: 'x'.repeat(1_048_577) }],
  ] as const) {
    const shown = `${command} ${JSON.stringify(input).slice(0, 60)}`
    await assert.rejects(run(command, input), { code: 'invalid_args' }, shown)
  }
  assert.equal(head(), before)
})

test('7.4 item 53: people read text, and can filter, search, sort and limit what they list', async (t) => {
  const { create, run, grite } = setUp(t)
  const id = await create('Crash', { body: 'It falls down.', assignee: ['ann'] })
  await run('issue comment', { issue: id, body: 'Here too.' })
  await create('Another')
  const { stdout } = await grite('issue', 'show', id)
  for (const text of ['It falls down.', 'Here too.']) assert.ok(stdout.includes(text), stdout)
  assert.doesNotMatch(stdout, /[{}]/)
  const list = async (input: object) =>
    ((await run('issue list', { ...input })) as { issues: { title: string }[] }).issues.map(({ title }) => title)
  assert.deepEqual(await list({ assignee: 'ann' }), ['Crash'])
  assert.deepEqual(await list({ text: 'FALLS' }), ['Crash'])
  assert.deepEqual(await list({ sort: 'title', limit: 1 }), ['Another'])
})
