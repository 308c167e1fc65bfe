import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandLineCommands } from '../../src/cli/all-commands.ts'
import { buildCommandTable } from '../../src/cli/command-table.ts'
import { parseArgv } from '../../src/cli/parse-argv.ts'
import { defineCommand } from '../../src/commands/define-command.ts'
import { fakeCommands } from './fake-commands.ts'
import { runCli } from './run-cli.ts'

const table = buildCommandTable(fakeCommands)

async function inputOf(line: readonly string[]) {
  const { request } = await parseArgv(line, table)
  if (request.kind === 'fault') assert.fail(request.error.message)
  assert.equal(request.kind, 'run')
  return request.kind === 'run' ? { name: request.command.name, ...request.input } : assert.fail()
}

const list = { name: 'issue list', state: undefined, label: [], limit: undefined, reverse: false }
const show = { name: 'issue show', id: 'ab', from: undefined as string | undefined }
const create = { name: 'issue create', title: 'T', body: undefined, bodyFile: undefined, label: [] }

const accepted: readonly (readonly [title: string, line: readonly string[], input: object])[] = [
  ['options not given have their empty values', ['issue', 'list'], list],
  ['an option takes its value after a space', ['issue', 'list', '--state', 'open'], { ...list, state: 'open' }],
  ['an option takes its value after an equals sign', ['issue', 'list', '--state=closed'], { ...list, state: 'closed' }],
  ['an option value may contain equals signs', ['issue', 'create', '--title=a=b'], { ...create, title: 'a=b' }],
  ['an option value may be empty', ['issue', 'create', '--title='], { ...create, title: '' }],
  ['choices ignore upper and lower case', ['issue', 'list', '--state', 'OPEN'], { ...list, state: 'open' }],
  ['a count is parsed as a decimal number', ['issue', 'list', '--limit', '007'], { ...list, limit: 7 }],
  ['a count may be zero', ['issue', 'list', '--limit=0'], { ...list, limit: 0 }],
  ['a short option takes its value after a space', ['issue', 'list', '-n', '5'], { ...list, limit: 5 }],
  ['a short option takes its value without a space', ['issue', 'list', '-n5'], { ...list, limit: 5 }],
  ['an alias of an option sets the option itself', ['issue', 'list', '--descending'], { ...list, reverse: true }],
  ['a boolean option can be turned off with --no-', ['issue', 'list', '--no-reverse'], list],
  ['a boolean option may be given twice', ['issue', 'list', '--reverse', '--reverse'], { ...list, reverse: true }],
  [
    'a repeatable option keeps its values in order',
    ['issue', 'list', '--label', 'b', '--label=a'],
    { ...list, label: ['b', 'a'] },
  ],
  [
    'a text value may begin with a hyphen',
    ['issue', 'create', '--title', 'T', '--body', '-x'],
    { ...create, body: '-x' },
  ],
  [
    'a text value may look like an option',
    ['issue', 'create', '-t', 'T', '--body', '--json'],
    { ...create, body: '--json' },
  ],
  ['a text value may be a double hyphen', ['issue', 'create', '-t', 'T', '--body', '--'], { ...create, body: '--' }],
  ['global options may come before the command', ['--json', '--actor', 'ab', 'issue', 'list'], list],
  ['global options may come between the words of a command', ['issue', '-q', 'list'], list],
  ['the longest matching command name wins', ['snapshot', 'list'], { name: 'snapshot list' }],
  ['a command that is also a group name runs on its own', ['snapshot'], { name: 'snapshot' }],
  ['arguments are assigned in order', ['issue', 'show', 'ab'], { ...show, id: 'ab' }],
  ['a lone hyphen is an argument', ['issue', 'show', '-'], { ...show, id: '-' }],
  ['everything after a double hyphen is an argument', ['issue', 'show', '--', '--id'], { ...show, id: '--id' }],
  ['an argument may be given as an option', ['issue', 'show', '--id=ab'], show],
  ['an optional option value may follow after a space', ['issue', 'show', 'ab', '--from', 'x'], { ...show, from: 'x' }],
  [
    'an optional option value may follow after an equals sign',
    ['issue', 'show', '--from=x', 'ab'],
    { ...show, from: 'x' },
  ],
  ['an optional option value may be omitted at the end', ['issue', 'show', 'ab', '--from'], { ...show, from: '' }],
  [
    'an optional option value may be omitted before another option',
    ['issue', 'show', '--from', '-q', 'ab'],
    { ...show, from: '' },
  ],
  [
    'an optional option value may be omitted before a double hyphen',
    ['issue', 'show', '--from', '--', 'ab'],
    { ...show, from: '' },
  ],
  [
    'a text value may look like an option with an optional value',
    ['issue', 'create', '-t', '--from', '--body', '--from'],
    { ...create, title: '--from', body: '--from' },
  ],
  [
    'a repeatable last argument takes all remaining words',
    ['issue', 'label', 'add', 'ab', 'x', 'y'],
    { name: 'issue label add', id: 'ab', labels: ['x', 'y'] },
  ],
  [
    'an optional repeatable argument may be empty',
    ['issue', 'label', 'add', 'ab'],
    { name: 'issue label add', id: 'ab', labels: [] },
  ],
]

const search = defineCommand({
  name: 'search',
  summary: 'Search',
  examples: [],
  effect: 'reads',
  arguments: { query: { summary: 'Terms', repeatable: true, takesTerms: true } },
  options: {
    limit: { type: 'count', short: 'n', summary: 'At most so many' },
    text: { type: 'text', summary: 'Text' },
  },
  run: async () => ({ data: null }),
})

const terms: readonly (readonly [line: readonly string[], query: readonly string[], others?: object])[] = [
  [
    ['-label:x', 'y'],
    ['-label:x', 'y'],
  ],
  [
    ['y', '-(a OR b)', '-"c d"'],
    ['y', '-(a OR b)', '-"c d"'],
  ],
  [['-n', '5', '-label:n'], ['-label:n'], { limit: 5 }],
  [['-crash', '-n5'], ['-crash'], { limit: 5 }],
  [['--text', '-label:x', 'y'], ['y'], { text: '-label:x' }],
  [
    ['--', '-crash', '-label:x'],
    ['-crash', '-label:x'],
  ],
]

for (const [line, query, others = {}] of terms) {
  test(`search ${line.join(' ')} has the terms ${query.join(' ')}`, async () => {
    const { request } = await parseArgv(['search', ...line], buildCommandTable([search]))
    assert.equal(request.kind, 'run')
    assert.deepEqual(request.kind === 'run' && request.input, { query, limit: undefined, text: undefined, ...others })
  })
}

test('one letter after a hyphen is an option, not a search term', async () => {
  const { request } = await parseArgv(['search', '-x'], buildCommandTable([search]))
  assert.match(request.kind === 'fault' ? request.error.message : '', /unknown option -x/)
})

for (const [title, line, input] of accepted) {
  test(title, async () => assert.deepEqual(await inputOf(line), input))
}

test('global options are read at any position', async () => {
  const { globals } = await parseArgv(['issue', '--data-dir=/d', 'list', '--no-daemon', '--actor', 'ab', '-q'], table)
  assert.deepEqual(globals, {
    json: false,
    jsonIfWrong: false,
    pretty: undefined,
    quiet: true,
    noPager: false,
    noDaemon: true,
    actor: 'ab',
    dataDir: '/d',
  })
})

test('--json as the value of a text option is not an option', async () => {
  const { globals } = await parseArgv(['issue', 'create', '-t', 'T', '--body', '--json'], table)
  assert.equal(globals.json, false)
})

const refused: readonly (readonly [line: string, message: string, ...suggestions: string[]])[] = [
  ['issue list --limit x', "--limit must be a whole number from 0, got 'x'", 'Usage: grite issue list [options]'],
  ['issue list --limit -1', "--limit must be a whole number from 0, got '-1'"],
  ['issue list --limit 1.5', "--limit must be a whole number from 0, got '1.5'"],
  ['issue list --limit 99999999999999999999', '--limit must be a whole number from 0'],
  ['issue list --limit=', "--limit must be a whole number from 0, got ''"],
  ['issue list --state done', "--state must be one of open, closed, got 'done'"],
  ['issue list --state', '--state needs a value: one of open, closed'],
  ['issue list --state open --state open', '--state can be given only once'],
  ['issue list --reverse --no-reverse', '--reverse can be given only once'],
  ['issue list --reverse=yes', '--reverse takes no value, got '],
  ['issue list --stat open', 'unknown option --stat of `grite issue list`', 'Did you mean --state?'],
  ['issue list --lable x', 'unknown option --lable', 'Did you mean --label?'],
  ['issue list -x', 'unknown option -x'],
  ['issue list --no-limit', 'unknown option --no-limit'],
  ['issue list more', "unexpected argument 'more'; `grite issue list` takes no arguments"],
  ['issue show a b', "unexpected argument 'b'; `grite issue show` takes 1 argument"],
  ['issue show', 'missing required argument <id>', 'Usage: grite issue show <id> [options]'],
  ['issue create', 'missing required option --title <text>', 'Usage: grite issue create --title <text> [options]'],
  ['issue create --title', '--title needs a value'],
  ['isue list', "unknown command 'isue'", 'Did you mean `grite issue list`?'],
  ['issue lst', "unknown command 'issue lst'", 'Did you mean `grite issue list`?'],
  ['list', "unknown command 'list'", 'Did you mean `grite issue list`?'],
  ['snapshot lits', "unknown command 'snapshot lits'", 'Did you mean `grite snapshot list`?'],
  ['issue label ad x', "unknown command 'issue label ad'", 'Did you mean `grite issue label add`?'],
  ['wholly-different', "unknown command 'wholly-different'", 'Run `grite help` to see the commands'],
  ['help isue', "unknown command 'isue'", 'Did you mean `grite issue`?'],
  ['--wrong', 'unknown option --wrong'],
  ['--limit 3 issue list', 'unknown option --limit'],
]

for (const [line, message, ...suggestions] of refused) {
  test(`rejects: grite ${line}`, async () => {
    const words = line.split(' ')
    const { request } = await parseArgv(words, table)
    assert.equal(request.kind, 'fault')
    if (request.kind !== 'fault') return
    assert.equal(request.error.code, 'invalid_args')
    assert.equal(request.error.exitStatus, 2)
    assert.ok(request.error.message.includes(message), request.error.message)
    for (const suggestion of suggestions) {
      assert.ok(request.error.hints.includes(suggestion), JSON.stringify(request.error.hints))
    }
    // `--json` works before and after the wrong word. After `--title` it would be the title.
    const after = words.at(-1) === '--title' ? [] : [[...words, '--json']]
    for (const withJson of [['--json', ...words], ...after]) {
      const { stderr, status } = await runCli(withJson)
      assert.equal(status, 2)
      assert.equal(JSON.parse(stderr).error.code, 'invalid_args', withJson.join(' '))
    }
  })
}

test('error details name the field, the value and the allowed values', async () => {
  const { request } = await parseArgv(['issue', 'list', '--state', 'done'], table)
  assert.equal(request.kind, 'fault')
  if (request.kind !== 'fault') return
  assert.deepEqual(request.error.details, { field: 'state', value: 'done', allowed: ['open', 'closed'] })
})

test('no command has a name of more words than are looked up', () => {
  for (const { name } of commandLineCommands) {
    const words = name.split(' ')
    assert.equal(buildCommandTable(commandLineCommands).match([...words, 'more'])?.wordCount, words.length, name)
  }
})

test('only written options matter: by name, alias, letter, with values and after `--`', async () => {
  const line = ['issue', 'list', '--label=a=b', '-p', 'P1', '--limit', '3', '--no-pager', '--', '--reverse']
  const { request } = await parseArgv(line, buildCommandTable(commandLineCommands))
  assert.equal(request.kind, 'fault')
  const good = await parseArgv(line.slice(0, -2), buildCommandTable(commandLineCommands))
  assert.ok(good.request.kind === 'run' && good.globals.noPager)
  const { label, priority, limit, reverse } = good.request.input
  assert.deepEqual({ label, priority, limit, reverse }, { label: ['a=b'], priority: 'P1', limit: 3, reverse: false })
})
