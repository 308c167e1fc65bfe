/** What a repository of the library does, whoever runs the commands: this process or the daemon. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type * as library from '../../src/library/index.ts'
import { type CleanUp, createSandbox } from '../git/temp-repository.ts'
import { lastFirst } from '../support/last-first.ts'

type Library = typeof library

export interface RepositoryKind {
  readonly name: string
  readonly open: (options: library.ConnectOptions) => Promise<library.Repository>
  /** The classes that it throws. */
  readonly errors: Pick<Library, 'ConflictError' | 'InvalidArgsError' | 'NotFoundError'>
  /** Called after each test with the environment of its repository. */
  readonly end?: (place: { readonly cwd: string; readonly env: Readonly<Record<string, string>> }) => void
}

export function judgeRepository({ name, open, errors, end }: RepositoryKind): void {
  const { ConflictError, InvalidArgsError, NotFoundError } = errors

  function place(test: CleanUp) {
    const t = lastFirst(test)
    const sandbox = createSandbox(t)
    const cwd = join(sandbox.dir, 'repository')
    sandbox.git(sandbox.dir, 'init', '-q', '-b', 'main', cwd)
    const warnings: library.Warning[] = []
    const env = sandbox.environment
    t.after(() => end?.({ cwd, env }))
    return { ...sandbox, warnings, options: { cwd, env, warn: (one: library.Warning) => void warnings.push(one) } }
  }

  test(`${name}: the library creates, changes, lists and closes an issue`, async (t) => {
    const { options, warnings } = place(t)
    await using repo = await open(options)
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

  test(`${name}: issues.close accepts a list of issues`, async (t) => {
    const { options } = place(t)
    await using repo = await open(options)
    const one = await repo.issues.create({ title: 'One' })
    const two = await repo.issues.create({ title: 'Two' })
    const answer = await repo.issues.close([one.issue_id, two.issue_id])
    assert.deepEqual('results' in answer && answer.results.map(({ outcome }) => outcome), ['changed', 'changed'])
  })

  test(`${name}: library errors are classes with a code and details`, async (t) => {
    const { options, dir } = place(t)
    await assert.rejects(open({ ...options, cwd: dir }), NotFoundError)
    await using repo = await open(options)
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
    await using other = await open({ ...options, actor: actor_id })
    await assert.rejects(other.locks.acquire('path:src/parser'), ConflictError)
  })

  test(`${name}: concurrent calls all complete and share commits`, async (t) => {
    const { options } = place(t)
    await using repo = await open(options)
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

  test(`${name}: concurrent undos go step by step, and so do redos`, async (t) => {
    const { options } = place(t)
    await using repo = await open(options)
    const { issue_id } = await repo.issues.create({ title: 'First' })
    const titleNow = async () => (await repo.issues.show(issue_id)).issue.title
    const rename = (title: string) => repo.issues.update(issue_id, { title })
    for (const title of ['A', 'B', 'C']) await rename(title)
    await Promise.all([repo.undo(), repo.undo()])
    assert.equal(await titleNow(), 'A')
    await Promise.all([repo.redo(), repo.redo()])
    assert.equal(await titleNow(), 'C')
  })

  test(`${name}: watch yields changes until the loop is left`, async (t) => {
    const { options } = place(t)
    await using repo = await open(options)
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

  test(`${name}: watch ends after count changes and rejects a wrong option`, async (t) => {
    const { options } = place(t)
    await using repo = await open(options)
    await repo.issues.create({ title: 'First' })
    const changes: unknown[] = []
    for await (const change of repo.watch({ since: '1d', count: 1 })) changes.push(change)
    assert.equal(changes.length, 1)
    await assert.rejects(repo.watch({ since: 'yesterday or so' }).next(), InvalidArgsError)
  })

  test(`${name}: close ends streams, waits for running calls and rejects later calls`, async (t) => {
    const { options } = place(t)
    const repo = await open(options)
    const stream = repo.watch()
    const waiting = stream.next()
    const creating = repo.issues.create({ title: 'Last' })
    await repo.close()
    assert.equal((await waiting).done, true)
    assert.equal((await creating).title, 'Last')
    await assert.rejects(repo.issues.list(), TypeError)
    await repo.close()
  })

  test(`${name}: batch, export, import and undo take and return plain values`, async (t) => {
    const { options, dir } = place(t)
    await using repo = await open(options)
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

  test(`${name}: memories are saved, found and removed`, async (t) => {
    const { options } = place(t)
    await using repo = await open(options)
    const { key } = await repo.memories.remember('Tests need Docker', { about: '.' })
    const { memories } = await repo.memories.recall(['docker'])
    assert.deepEqual([memories[0]?.key, memories[0]?.about], [key, '.'])
    assert.equal((await repo.memories.forget(key)).text, 'Tests need Docker')
    assert.equal((await repo.memories.recall()).total, 0)
  })

  test(`${name}: run executes a command by its name`, async (t) => {
    const { options } = place(t)
    await using repo = await open(options)
    await repo.run('issue create', { title: 'By name', bodyFile: '-' }, { stdin: 'text' })
    const { issues } = await repo.run('issue list', { fields: 'title' })
    assert.deepEqual(issues, [{ title: 'By name' }])
    await assert.rejects(repo.run('watch', { count: 1, since: '1d' }), /feed/)
  })
}
