import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { renderIssueShow } from '../../src/cli/render/issue-show.ts'
import { plainStyle } from '../../src/cli/render/style.ts'
import { linkSchemes } from '../../src/model/index.ts'
import { textOf } from '../cli/render/text-of.ts'
import { runCli } from '../cli/run-cli.ts'
import { commandRunner, createCommandSandbox } from '../support/command-runner.ts'
import { createClones } from '../sync/clones.ts'
import { createActorClones, createActors, type Data } from '../tracker/locks/lock-clones.ts'

describe('replies to comments', { concurrency: 4 }, () => {
  it('a reply names its comment by any unique prefix', async (t) => {
    const { ann, create, clock } = await createActors(t)
    const id = await create()
    const { event_id: first } = await ann.run('issue comment', { issue: id, body: 'first' })
    const answer = await ann.run('issue comment', { issue: id, body: 'second', replyTo: first.slice(0, 5) })
    const data = await ann.run('issue show', { issue: id })
    assert.deepEqual(
      data.issue.comments.map(({ parent }: Data) => parent),
      [null, first],
    )
    const view = { width: 80, style: plainStyle, nowUnixMs: clock.nowUnixMs, quiet: false }
    const text = await textOf(renderIssueShow(data, view))
    assert.match(text, new RegExp(`^ann .* ${first.slice(0, 8)}\n {2}first`, 'm'))
    assert.match(text, new RegExp(`^ {2}│ ann .* ${answer.event_id.slice(0, 8)}\n {2}│ {3}second`, 'm'))
  })

  it('a reply to an unknown, ambiguous or foreign comment is refused', async (t) => {
    const { ann, create } = await createActors(t)
    const [id, other] = [await create('one'), await create('two')]
    const { event_id: elsewhere } = await ann.run('issue comment', { issue: other, body: 'x' })
    const ids: string[] = []
    // Two of 17 ids share their first digit.
    for (let count = 0; count < 17; count++)
      ids.push((await ann.run('issue comment', { issue: id, body: `${count}` })).event_id)
    const twice = ids.find((one) => ids.some((two) => one !== two && one[0] === two[0])) as string
    const failure = await ann.fail('issue comment', { issue: id, body: 'x', replyTo: twice.slice(0, 1) })
    assert.deepEqual([failure.code, failure.candidates.includes(twice)], ['invalid_args', true])
    for (const [replyTo, code] of [
      [elsewhere, 'not_found'],
      ['xyz', 'invalid_args'],
      ['', 'invalid_args'],
    ] as const)
      assert.equal((await ann.fail('issue comment', { issue: id, body: 'x', replyTo })).code, code, replyTo)
  })
})

describe('two values of one field', { concurrency: 4 }, () => {
  const inputs = {
    '--label and --set': { label: ['priority:P1'], set: ['priority=P2'] },
    '--label and --priority': { label: ['priority:p1'], priority: '2' },
    'two labels': { label: ['priority:P1', 'priority:P2'] },
    '--set twice': { set: ['priority=P1', 'priority=P2'] },
    '--priority and --set': { priority: 'P1', set: ['priority=2'] },
  }
  for (const [what, input] of Object.entries(inputs)) {
    it(`two values of one field are refused: ${what}`, async (t) => {
      const { ann } = await createActors(t)
      const failure = await ann.fail('issue create', { title: 'x', ...input })
      assert.deepEqual([failure.code, failure.field, failure.values], ['invalid_args', 'priority', ['P1', 'P2']])
      assert.match(failure.message, /'P1' .*'P2' /)
      assert.deepEqual((await ann.run('issue list')).issues, [])
    })
  }

  it('label add and batch refuse two values, one repeated value is fine', async (t) => {
    const { ann, create, path, environment } = await createActors(t)
    const id = await create()
    const label = ['type:bug', 'type:task']
    assert.equal((await ann.fail('issue label add', { issue: [id], label })).field, 'type')
    for (const operation of [
      { op: 'label', issue: id, add: label },
      { op: 'create', title: 'x', labels: ['type:bug'], type: 'task' },
    ]) {
      const batch = commandRunner({ cwd: path, env: environment, actor: ann.id, stdin: JSON.stringify(operation) })
      await assert.rejects(batch.run('batch'), /line 1: type is given twice/)
    }
    await ann.run('issue create', { title: 'same', label: ['priority:P1'], priority: '1' })
    assert.equal((await ann.run('issue list', { text: 'same' })).issues[0].fields.priority, 'P1')
  })
})

describe('memories', { concurrency: 4 }, () => {
  it('ready, claim --next and prime skip memories unless asked', async (t) => {
    const { ann, create } = await createActors(t)
    await ann.run('issue create', { title: 'kept', label: ['memory'] })
    await create('[Memory] The parser keeps comments')
    const offered = async (input = {}) => (await ann.run('ready', input)).issues.map(({ title }: Data) => title)
    assert.deepEqual([await offered(), await offered({ label: ['memory'] })], [[], ['kept']])
    assert.deepEqual([(await ann.run('prime')).ready, (await ann.run('prime')).counts.ready], [[], 0])
    assert.equal((await ann.fail('issue claim', { next: true })).code, 'not_found')
    assert.equal((await ann.run('issue claim', { next: true, label: ['memory'] })).title, 'kept')
  })
})

describe('refused input', { concurrency: 4 }, () => {
  it('a lock on a missing issue is refused', async (t) => {
    const { ann, create, refs } = await createActors(t)
    const id = await create()
    for (const resource of ['issue:none', `issue:${'ab'.repeat(16)}`, 'issue:abcdef12', `issue:${id}0`]) {
      for (const name of ['lock acquire', 'lock renew'])
        assert.equal((await ann.fail(name, { resource })).code, 'not_found', `${name} ${resource}`)
    }
    assert.deepEqual(refs('refs/grite/locks'), [])
    assert.equal((await ann.run('lock acquire', { resource: `issue:${id.slice(0, 6)}` })).resource, `issue:${id}`)
  })

  it('a remote lock on an issue not yet fetched is granted', async (t) => {
    const { clones } = await createActorClones(t, 'ann', 'bo')
    const [ann, bo] = clones
    const { issue_id: id } = await ann.run('issue create', { title: 'one' })
    await ann.run('sync')
    assert.equal((await bo.run('lock acquire', { resource: `issue:${id}`, remote: '' })).level, 'remote')
  })

  it('a link with a dangerous scheme is refused, naming allowed ones', async (t) => {
    const { ann, create } = await createActors(t)
    const id = await create()
    const add = (url: string) => ann.run('issue link add', { issue: id, url })
    const hostile = [
      'javascript:alert(1)',
      'JavaScript:x',
      'data:text/html,x',
      'vbscript:x',
      'file:///etc/passwd',
      'java\tscript:x',
      ' javascript:x',
      '\x01javascript:x',
      'https://a b',
    ]
    for (const url of hostile) {
      const failure = await ann.fail('issue link add', { issue: id, url })
      assert.deepEqual([failure.code, failure.field, failure.allowed], ['invalid_args', 'url', linkSchemes], url)
    }
    assert.match(
      (await ann.fail('issue link add', { issue: id, url: 'javascript:x' })).message,
      /https:, http:, mailto:/,
    )
    const fine = ['https://example.org/a?b=javascript:c', 'MAILTO:ann@example.org', 'docs/a.md#x:y', '/issues/1', '#12']
    for (const url of fine) await add(url)
    assert.equal((await ann.run('issue show', { issue: id })).issue.links.length, fine.length)
  })

  it('a title with a line break is refused with the reason', async (t) => {
    const { ann, create } = await createActors(t)
    const id = await create()
    for (const title of ['one\ntwo', 'one\r\ntwo', 'one\u2028two']) {
      for (const [name, input] of [
        ['issue create', {}],
        ['issue update', { issue: [id] }],
      ] as const) {
        const failure = await ann.fail(name, { ...input, title })
        assert.deepEqual([failure.code, failure.field], ['invalid_args', 'title'])
        assert.match(failure.message, /title must be one line; it has a line break after 'one'/)
      }
    }
  })
})

describe('the budget of prime', { concurrency: 4 }, () => {
  it('the budget of prime covers the whole JSON document', async (t) => {
    const { path, environment } = createCommandSandbox(t)
    const stdin = Array.from({ length: 40 }, (_, index) =>
      JSON.stringify({ op: 'create', title: `${index} ${'title '.repeat(index)}`, priority: 'P1', type: 'bug' }),
    ).join('\n')
    await commandRunner({ cwd: path, env: environment, stdin }).run('batch')
    const { openWorkspace } = await import('../../src/tracker/workspace.ts')
    const { commandLineCommands } = await import('../../src/cli/all-commands.ts')
    const parts = {
      openRepository: (facts: Parameters<typeof openWorkspace>[0]) =>
        openWorkspace({ ...facts, cwd: path, env: environment }),
    }
    for (const budget of [250, 500, 1000, 3000]) {
      const options = { commands: commandLineCommands, parts }
      const { stdout } = await runCli(['prime', '--json', `--budget=${budget}`], options)
      const { data } = JSON.parse(stdout)
      assert.ok(stdout.length / 4 <= budget, `${stdout.length / 4} of ${budget}`)
      assert.ok(data.estimated_tokens <= budget && data.estimated_tokens >= stdout.length / 4 - 1)
      assert.ok(budget < 500 || data.ready.length > 0)
    }
    const refused = await runCli(['prime', '--json', '--budget=249'], { commands: commandLineCommands, parts })
    assert.equal(JSON.parse(refused.stderr).error.details.budget_min, 250)
  })
})

describe('skill path and version', { concurrency: 4 }, () => {
  it('install-skill uses the agents’ folder and reports an older skill', async (t) => {
    const { run, path, warnings } = createCommandSandbox(t)
    mkdirSync(join(path, '.claude/skills'), { recursive: true })
    const old = join(path, '.claude/skills/grite.md')
    writeFileSync(old, 'old')
    const { path: place } = (await run('install-skill')) as Data
    assert.equal(place, join(path, '.claude/skills/grite/SKILL.md'))
    assert.match(readFileSync(place, 'utf8'), /^---\nname: grite\n/)
    assert.deepEqual([warnings.map(({ code }) => code), existsSync(old)], [['former-skill'], true])
  })

  it('--version --json prints JSON in any option order', async () => {
    for (const words of [
      ['--version', '--json'],
      ['--json', '--version'],
      ['issue', 'list', '--version', '--json'],
    ]) {
      const { stdout, status } = await runCli(words)
      const { ok, data } = JSON.parse(stdout)
      assert.deepEqual([status, ok, data.name], [0, true, 'grite'])
      assert.match(data.version, /^\d+\.\d+\.\d+/)
    }
    assert.match((await runCli(['--version'])).stdout, /^grite \d/)
  })
})

describe('empty lists', { concurrency: 4 }, () => {
  it('an empty list in a clone without a log mentions the remote', async (t) => {
    const setup = createClones(t)
    const ann = setup.clone('ann', { address: '/nowhere/at/all' })
    for (const name of ['issue list', 'search', 'ready', 'blocked', 'prime']) {
      await ann.run(name, name === 'search' ? { query: ['one'] } : {})
      const [warning] = ann.warnings.splice(0)
      assert.deepEqual([warning?.code, warning?.details], ['no-log', { remote: 'origin' }], name)
    }
    await ann.create('one')
    await ann.run('issue list', { state: 'closed' })
    assert.deepEqual(ann.takeWarnings(), [])
  })

  it('an empty list without a remote gives no warning', async (t) => {
    const { run, warnings } = createCommandSandbox(t)
    await run('issue list')
    assert.deepEqual(warnings, [])
  })
})
