import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandLineCommands } from '../../src/cli/all-commands.ts'
import { buildCommandTable } from '../../src/cli/command-table.ts'
import { type HelpRequest, renderHelp } from '../../src/cli/help.ts'
import { argumentEntries, formatArgument, formatOption, optionEntries } from '../../src/commands/option-text.ts'
import { fakeCommands } from './fake-commands.ts'

const named = (name: string): HelpRequest => ({ words: name.split(' '), all: false })
const everything: HelpRequest = { words: [], all: true }

for (const command of [...fakeCommands, ...commandLineCommands]) {
  test(`help of ${command.name} lists its arguments, options and examples`, async () => {
    const help = await renderHelp(buildCommandTable([command]), named(command.name), 100)
    assert.ok(help.startsWith(`Usage: grite ${command.name}`))
    assert.ok(help.includes(`\n${command.summary}\n`))
    for (const [name, spec] of argumentEntries(command))
      assert.ok(help.includes(`  ${formatArgument(name, spec)}`), name)
    for (const [name, spec] of optionEntries(command)) assert.ok(help.includes(formatOption(name, spec)), name)
    assert.ok(help.includes('Global options:') && help.includes('--json'))
    assert.ok(command.examples.length > 0, 'has an example')
    // Help wraps each line separately, so a line that ends inside a sentence would be broken twice.
    assert.doesNotMatch(command.description ?? '', /^[^ \n].*[^.:)\n]\n[^ \n]/m)
    for (const example of command.examples) assert.ok(help.includes(`  ${example.command}\n`), example.command)
  })
}

for (const columns of [40, 80, 200]) {
  test(`the first screen of help fits 24 lines and ${columns} columns`, async () => {
    const table = buildCommandTable(commandLineCommands)
    const help = await renderHelp(table, { words: [], all: false }, columns)
    const lines = help.trimEnd().split('\n')
    assert.ok(lines.length < 24, help)
    for (const line of lines) assert.ok(line.length <= Math.max(columns, 44), line)
    for (const name of ['new', 'list', 'ready', 'sync', 'undo']) assert.match(help, new RegExp(`\\b${name}\\b`))
    assert.match(help, /grite help --all/)
  })
}

test('help --all lists every command under a heading', async () => {
  const help = await renderHelp(buildCommandTable(fakeCommands), everything, 80)
  for (const { name, summary } of fakeCommands) assert.match(help, new RegExp(`^  ${name}( .*)?  ${summary}$`, 'm'))
  assert.match(help, /^Issues:$/m)
  assert.match(help, /^More:$/m)
})

test('help of a command group lists only the commands in it', async () => {
  const help = await renderHelp(buildCommandTable(fakeCommands), named('issue'), 80)
  assert.match(help, /issue label add/)
  assert.doesNotMatch(help, /snapshot/)
})

test('help of a command with subcommands shows both', async () => {
  const help = await renderHelp(buildCommandTable(fakeCommands), named('snapshot'), 80)
  assert.match(help, /Make a snapshot/)
  assert.match(help, /Subcommands:\n {2}snapshot list/)
})

test('help marks options with choices, required and repeatable options', async () => {
  const table = buildCommandTable(fakeCommands)
  assert.match(await renderHelp(table, named('issue list'), 100), /--state <open\|closed>/)
  const create = await renderHelp(table, named('issue create'), 100)
  assert.match(create, /Title \(required\)/)
  assert.match(create, /Label \(may be repeated\)/)
})

test('help fits into a terminal of 60 columns', async () => {
  const help = await renderHelp(buildCommandTable(fakeCommands), everything, 60)
  for (const line of help.split('\n')) assert.ok(line.length <= 60, line)
})
