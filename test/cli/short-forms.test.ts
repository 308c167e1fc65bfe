/** Short forms of commands, and hints for words of other tools. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandLineCommands } from '../../src/cli/all-commands.ts'
import { buildCommandTable } from '../../src/cli/command-table.ts'
import { completeLine } from '../../src/cli/complete.ts'
import { parseArgv } from '../../src/cli/parse-argv.ts'
import { familiarWords } from '../../src/cli/suggest.ts'
import { defineCommand } from '../../src/commands/define-command.ts'
import { runCli } from './run-cli.ts'

const table = buildCommandTable(commandLineCommands)

for (const [line, name, input] of [
  ['new Crash --label bug', 'issue create', { title: 'Crash', label: ['bug'] }],
  ['list --limit 2', 'issue list', { limit: 2 }],
  ['--json show 3f2a', 'issue show', { issue: '3f2a' }],
  ['log 3f2a', 'issue history', { issue: '3f2a' }],
  ['comment 3f2a -b x', 'issue comment', { issue: '3f2a', body: 'x' }],
  ['close 3f2a 77bc', 'issue close', { issue: ['3f2a', '77bc'] }],
  ['reopen 3f2a', 'issue reopen', { issue: ['3f2a'] }],
  ['edit 3f2a', 'issue edit', { issue: '3f2a' }],
  ['issue update 3f2a --label ui -l api', 'issue update', { issue: ['3f2a'], addLabel: ['ui', 'api'] }],
] as const) {
  test(`grite ${line} runs ${name}`, async () => {
    const { request } = await parseArgv(line.split(' '), table)
    assert.ok(request.kind === 'run')
    assert.equal(request.command.name, name)
    assert.deepEqual({ ...request.input, ...input }, request.input)
  })
}

test('no short form is the first word of a command', () => {
  const firstWords = new Set(commandLineCommands.map(({ name }) => name.split(' ')[0]))
  const shortForms = commandLineCommands.flatMap(({ shortForms = [] }) => shortForms)
  assert.equal(new Set(shortForms).size, shortForms.length)
  assert.deepEqual(
    shortForms.filter((word) => firstWords.has(word)),
    [],
  )
})

test('a short form leads to the subcommands of its command', () => {
  const command = (name: string, shortForms: readonly string[]) =>
    defineCommand({
      name,
      shortForms,
      summary: name,
      examples: [],
      effect: 'reads',
      arguments: {},
      options: {},
      run: async () => ({ data: {} }),
    })
  const small = buildCommandTable([command('issue comment', ['comment']), command('issue comment edit', [])])
  assert.deepEqual(
    ['comment x', 'comment edit x', 'issue comment edit'].map((line) => {
      const found = small.match(line.split(' '))
      return [found?.command.name, found?.wordCount]
    }),
    [
      ['issue comment', 1],
      ['issue comment edit', 2],
      ['issue comment edit', 3],
    ],
  )
})

test('completion and help know the short forms', async () => {
  const offered = await completeLine(['re'], table, async () => [])
  assert.ok(offered.includes('reopen\tReopen closed issues'))
  assert.ok((await completeLine(['log', '--re'], table, async () => [])).includes('--reverse\tNewest first'))
  assert.deepEqual(await completeLine(['new', 'x', '--due', 'to'], table, async () => []), ['today', 'tomorrow'])
  assert.deepEqual(await completeLine(['new', 'x', '--set', 'defer=fr'], table, async () => []), ['defer=friday'])
  const real = { commands: commandLineCommands }
  assert.match((await runCli(['help'], real)).stdout, /^Issues +new \[title\] +Create an issue$/m)
  assert.match(
    (await runCli(['help', '--all'], real)).stdout,
    /\n {2}new \[title\] +Create an issue\n.*\n {2}issue create \[title\] +Create an issue\n/s,
  )
  const { stdout } = await runCli(['help', 'log'], real)
  assert.match(stdout, /^Usage: grite issue history <issue>.*\nShort form: grite log\n/s)
})

test('a word of another tool names the command to type', async () => {
  const hintsOf = async (line: string) => (await runCli(line.split(' '), { commands: commandLineCommands })).stderr
  for (const [line, hint] of [
    ['view 3f2a', /Did you mean `grite show <issue>`\?/],
    ['ls', /Did you mean `grite list`\?/],
    ['rm 3f2a', /never deleted.*`grite close <issue>`/s],
    ['issue delete 3f2a', /never deleted.*`grite close <issue>`/s],
    ['push', /`grite sync`.*`grite sync --push`/s],
    ['fetch', /`grite sync`.*`grite sync --pull`/s],
    ['assign 3f2a bo', /--assignee <user>`.*`grite issue assignee add/s],
    ['label 3f2a bug', /`grite issue label add/],
    ['issue new Crash', /`grite new "Title"`/],
    ['edti', /`grite edit`/],
    ['new Crash on start', /Put a title with spaces in quotes: "Crash on start"/],
    ['lost', /`grite list`/],
  ] as const) {
    assert.match(await hintsOf(line), hint, line)
  }
  assert.doesNotMatch(await hintsOf('issue label view'), /grite show/)
})

test('each suggested line for a familiar word is a command', () => {
  for (const [word, { lines }] of Object.entries(familiarWords)) {
    for (const line of lines) assert.ok(table.match(line.split(' ')), `${word}: ${line}`)
  }
})
