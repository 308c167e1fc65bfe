/** Runs every example of docs/queries.md on a repository in which each matches some issues but not all. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parseQuery, qualifierKeys, querySortKeys } from '../../src/model/index.ts'
import { hasWords } from '../../src/model/query/query.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { fencesOf } from '../tidy/commands-in-text.ts'
import { read } from '../tidy/source-files.ts'
import { gritePath } from './grite-process.ts'

const page = read('docs/queries.md')
/** Placeholder on the page for the id of an issue. */
const idShown = '3f2a91c'

/** Queries in the first column of the tables. */
const examples = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, query = '']) => query)

describe('docs/queries.md', () => {
  let nowUnixMs = Date.UTC(2026, 0, 15, 12)
  const place = createCommandSandbox({ after }, { nowUnixMs: () => nowUnixMs })
  let epic = ''

  before(async () => {
    mkdirSync(join(place.dir, 'bin'))
    symlinkSync(gritePath, join(place.dir, 'bin/grite'))
    await place.run('actor init', { label: 'ann' })
    const create = async (title: string, input: object = {}) =>
      ((await place.run('issue create', { title, ...input })) as { issue_id: string }).issue_id
    epic = await create('Epic', { type: 'epic', priority: 'P3' })
    const crash = await create('Crash on start', {
      label: ['bug', 'wontfix', 'area:ui'],
      assignee: ['ann'],
      type: 'bug',
      priority: 'P1',
    })
    const other = ((await place.run('actor init', { label: 'bo' })) as { actor_id: string }).actor_id
    nowUnixMs = Date.UTC(2026, 2, 10, 12)
    const day = (days: number) => new Date(nowUnixMs + days * 86_400_000).toISOString().slice(0, 10)
    await place.run('lock acquire', { resource: `issue:${crash}`, ttl: '1d' })
    const someone = await create('Someone', {
      label: ['help wanted', 'ui'],
      priority: 'P0',
      due: day(3),
      parent: epic,
    })
    await place.run('issue assignee add', { issue: [someone], user: ['me'] })
    await create('OR', { body: 'say "no" to label:bug', milestone: '2.1', due: '2026-12-01', set: ['status=blocked'] })
    const closed = await create('Late', { due: '2026-01-20', set: [`defer=${day(5)}`] })
    await place.run('issue comment', { issue: closed, body: 'x' })
    await place.run('issue dep add', { issue: closed, target: epic })
    await place.run('issue close', { issue: [await create('Closed')] })
    await place.run('actor use', { actor: other })
    await create('Of bo', { label: ['blocker'] })
    const { actors } = (await place.run('actor list')) as { actors: { actor_id: string; label: string }[] }
    await place.run('actor use', { actor: actors.find(({ label }) => label === 'ann')?.actor_id })
  })

  for (const example of examples) {
    test(`docs/queries.md: ${example} matches some issues but not all`, async () => {
      const query = example.replaceAll(idShown, epic.slice(0, 7)).replace('id:3f2a', `id:${epic.slice(0, 4)}`)
      const { issues, issue_count } = (await place.run('search', { query: [query] })) as {
        issues: readonly unknown[]
        issue_count: number
      }
      assert.ok(issues.length > 0, 'it finds something')
      const { filter, limit } = parseQuery(query)
      if (filter !== null || limit !== null) assert.ok(issues.length < issue_count, 'it leaves something out')
    })
  }

  test('docs/queries.md lists every qualifier, word and sort key', () => {
    const tables = examples.join('\n')
    for (const key of qualifierKeys) assert.match(page, new RegExp(`\`${key}:`), key)
    for (const word of [...hasWords, ...querySortKeys]) assert.match(page, new RegExp(`\\b${word}\\b`), word)
    assert.ok(examples.length > 40, tables)
  })

  for (const { text, line } of fencesOf(page).filter(({ language }) => language === 'sh')) {
    test(`docs/queries.md: commands at line ${line} exit as documented`, () => {
      for (const command of text.split('\n')) {
        const { status, stderr } = shell(command)
        assert.equal(stderr, '', command)
        const isGate = command.includes('--exit-status')
        const { data } = isGate ? JSON.parse(shell(command.replace('--exit-status', '--json')).stdout) : { data: {} }
        assert.equal(status, isGate && data.total > 0 ? 1 : 0, command)
        if (command.includes('label:blocker')) assert.equal(status, 1)
      }
    })
  }

  function shell(command: string) {
    const { PATH = '', ...environment } = place.environment
    return spawnSync('bash', ['-c', command], {
      cwd: place.path,
      env: { ...environment, PATH: `${join(place.dir, 'bin')}:${PATH}` },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }
})
