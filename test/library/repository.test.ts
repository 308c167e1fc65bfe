/** The library: typed functions with the answers and errors of the commands, in one process. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  ConflictError,
  InvalidArgsError,
  NotFoundError,
  openRepository,
  type Warning,
} from '../../src/library/index.ts'
import { type CleanUp, createSandbox } from '../git/temp-repository.ts'

function createPlace(t: CleanUp) {
  const sandbox = createSandbox(t)
  const cwd = join(sandbox.dir, 'repository')
  sandbox.git(sandbox.dir, 'init', '-q', '-b', 'main', cwd)
  const warnings: Warning[] = []
  return {
    ...sandbox,
    warnings,
    options: { cwd, env: sandbox.environment, warn: (one: Warning) => void warnings.push(one) },
  }
}

test('the library creates, changes, lists and closes an issue', async (t) => {
  const { options, warnings } = createPlace(t)
  await using repo = await openRepository(options)
  const { issue_id } = await repo.issues.create({ title: 'Crash', label: ['bug'], priority: 'P1' })
  await repo.issues.comment(issue_id, 'Seen on Linux too')
  await repo.issues.addLabels(issue_id, ['ui'])
  const { issues, total } = await repo.issues.list({ label: ['bug', 'ui'] })
  assert.deepEqual([total, issues[0]?.issue_id, issues[0]?.comment_count], [1, issue_id, 1])
  const closed = await repo.issues.close(issue_id, { comment: 'Released' })
  assert.deepEqual([closed.issue_id, closed.outcome], [issue_id, 'changed'])
  const { issue, events } = await repo.issues.show(issue_id)
  assert.deepEqual([issue.state, issue.labels, issue.comments.length], ['closed', ['bug', 'priority:P1', 'ui'], 2])
  assert.equal(events.at(-1)?.actor, issue.author)
  assert.deepEqual(warnings, [])
})

test('issues.close accepts a list of issues', async (t) => {
  const { options } = createPlace(t)
  await using repo = await openRepository(options)
  const one = await repo.issues.create({ title: 'One' })
  const two = await repo.issues.create({ title: 'Two' })
  const answer = await repo.issues.close([one.issue_id, two.issue_id])
  assert.deepEqual('results' in answer && answer.results.map(({ outcome }) => outcome), ['changed', 'changed'])
})

test('openRepository takes clock, randomness and actor from its options', async (t) => {
  const place = createPlace(t)
  const fixed = {
    ...place.options,
    clock: { nowUnixMs: () => 1_800_000_000_000 },
    random: { bytes: (count: number) => new Uint8Array(count).fill(7) },
  }
  await using repo = await openRepository(fixed)
  const { actor_id } = await repo.actors.create({ label: 'ci' })
  assert.equal(actor_id, '07'.repeat(16))
  await using own = await openRepository({ ...fixed, actor: actor_id.slice(0, 8) })
  const { issue_id } = await own.issues.create({ title: 'Fixed' })
  assert.equal(issue_id, '07'.repeat(16))
  const { issue } = await own.issues.show(issue_id)
  assert.deepEqual([issue.created_ts, issue.author], [1_800_000_000_000, actor_id])
})

test('library errors are classes with a code and details', async (t) => {
  const { options, dir } = createPlace(t)
  await assert.rejects(openRepository({ ...options, cwd: dir }), NotFoundError)
  await using repo = await openRepository(options)
  await assert.rejects(repo.issues.show('ffffffff'), NotFoundError)
  await assert.rejects(repo.issues.list({ limit: -1 }), (error: unknown) => {
    assert.ok(error instanceof InvalidArgsError)
    assert.deepEqual([error.code, error.details], ['invalid_args', { field: 'limit', value: '-1' }])
    return true
  })
  // A program without type checks may pass any value.
  await assert.rejects(repo.issues.create({ title: 5 } as never), InvalidArgsError)
  await assert.rejects(repo.run('issue purge' as never, {} as never), InvalidArgsError)
  await repo.init()
  const { actor_id } = await repo.actors.create({ label: 'other' })
  await repo.locks.acquire('path:src')
  await using other = await openRepository({ ...options, actor: actor_id })
  await assert.rejects(other.locks.acquire('path:src/parser'), ConflictError)
})

test('concurrent calls all complete and share commits', async (t) => {
  const { options } = createPlace(t)
  await using repo = await openRepository(options)
  const titles = Array.from({ length: 12 }, (_, index) => `Issue ${index}`)
  const failing = repo.issues.show('ffffffff').catch((error: unknown) => error)
  const created = titles.map((title) => repo.issues.create({ title }))
  const during = await repo.issues.list({ sort: 'created' })
  assert.ok(during.issues.every(({ title }) => titles.includes(`${title}`)))
  assert.ok((await failing) instanceof NotFoundError)
  const answers = await Promise.all(created)
  assert.equal(new Set(answers.map(({ issue_id }) => issue_id)).size, 12)
  assert.ok(new Set(answers.map(({ wal_head }) => wal_head)).size < 12)
  const listed = await repo.issues.list({ sort: 'created' })
  assert.deepEqual(listed.issues.map(({ title }) => title).sort(), [...titles].sort())
})

test('concurrent undos go step by step, and so do redos', async (t) => {
  const { options } = createPlace(t)
  await using repo = await openRepository(options)
  const { issue_id } = await repo.issues.create({ title: 'First' })
  const titleNow = async () => (await repo.issues.show(issue_id)).issue.title
  const rename = (title: string) => repo.issues.update(issue_id, { title })
  for (const title of ['A', 'B', 'C']) await rename(title)
  await Promise.all([repo.undo(), repo.undo()])
  assert.equal(await titleNow(), 'A')
  await Promise.all([repo.redo(), repo.redo()])
  assert.equal(await titleNow(), 'C')
})

test('watch yields changes until the loop is left', async (t) => {
  const { options } = createPlace(t)
  await using repo = await openRepository(options)
  const { issue_id } = await repo.issues.create({ title: 'First' })
  const seen: string[] = []
  for await (const change of repo.watch({ since: '1d', interval: '100ms' })) {
    seen.push(`${Object.keys(change.kind)[0]} ${change.title}`)
    // Other calls may run while the stream is open.
    if (seen.length === 1) await repo.issues.update(issue_id, { title: 'Second' })
    else break
  }
  assert.deepEqual(seen, ['IssueCreated First', 'IssueUpdated Second'])
})

test('watch ends after count changes and rejects a wrong option', async (t) => {
  const { options } = createPlace(t)
  await using repo = await openRepository(options)
  await repo.issues.create({ title: 'First' })
  const changes: unknown[] = []
  for await (const change of repo.watch({ since: '1d', count: 1 })) changes.push(change)
  assert.equal(changes.length, 1)
  await assert.rejects(repo.watch({ since: 'yesterday or so' }).next(), InvalidArgsError)
})

test('close ends streams, waits for running calls and rejects later calls', async (t) => {
  const { options } = createPlace(t)
  const repo = await openRepository(options)
  const stream = repo.watch()
  const waiting = stream.next()
  const creating = repo.issues.create({ title: 'Last' })
  await repo.close()
  assert.equal((await waiting).done, true)
  assert.equal((await creating).title, 'Last')
  await assert.rejects(repo.issues.list(), TypeError)
  await repo.close()
})

test('batch, export, import and undo take and return plain values', async (t) => {
  const { options, dir } = createPlace(t)
  await using repo = await openRepository(options)
  const { results } = await repo.batch([
    { op: 'create', title: 'Epic', as: 'e' },
    { op: 'comment', issue: '@e', body: 'Go' },
  ])
  assert.deepEqual(
    results.map(({ op }) => op),
    ['create', 'comment'],
  )
  const { content } = await repo.export({ format: 'json' })
  assert.ok(typeof content === 'object')
  assert.deepEqual(
    content.issues.map(({ title }) => title),
    ['Epic'],
  )
  const file = join(dir, 'backup.json')
  writeFileSync(file, JSON.stringify(content))
  const imported = await repo.import(file)
  assert.deepEqual([imported.created, imported.unchanged], [0, 1])
  const { content: text } = await repo.export({ format: 'csv' })
  assert.ok(typeof text === 'string' && text.includes('Epic'))
  await repo.issues.close(results[0]?.issue_id ?? '')
  const [undone] = (await repo.undo()).commands
  assert.deepEqual(
    undone?.changes.map(({ field, old, new: value }) => [field, old, value]),
    [['state', 'closed', 'open']],
  )
  await repo.redo()
})

test('memories are saved, found and removed', async (t) => {
  const { options } = createPlace(t)
  await using repo = await openRepository(options)
  const { key } = await repo.memories.remember('Tests need Docker', { about: '.' })
  const { memories } = await repo.memories.recall(['docker'])
  assert.deepEqual([memories[0]?.key, memories[0]?.about], [key, '.'])
  assert.equal((await repo.memories.forget(key)).text, 'Tests need Docker')
  assert.equal((await repo.memories.recall()).total, 0)
})

test('run executes a command by its name', async (t) => {
  const { options } = createPlace(t)
  await using repo = await openRepository(options)
  await repo.run('issue create', { title: 'By name', bodyFile: '-' }, { stdin: 'text' })
  const { issues } = await repo.run('issue list', { fields: 'title' })
  assert.deepEqual(issues, [{ title: 'By name' }])
  await assert.rejects(repo.run('watch', { count: 1, since: '1d' }), /feed/)
})
