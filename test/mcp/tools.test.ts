import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyCommand } from '../../src/commands/define-command.ts'
import { allCommands } from '../../src/commands/index.ts'
import schemas from '../../src/commands/schemas.json' with { type: 'json' }
import { type CommandSchemas, chooseCommands, defaultCommands, describeTool, toolName } from '../../src/mcp/tools.ts'

const toolCountMax = 15
const definitionBytesMax = 16_000

const schemaOf: Readonly<Record<string, Omit<CommandSchemas, 'command'>>> = schemas

function describe(command: AnyCommand) {
  const own = schemaOf[command.name]
  assert.ok(own !== undefined, command.name)
  return describeTool(command, { command: command.name, ...own }).definition
}

const choose = (names?: readonly string[], isReadOnly = false) => chooseCommands(allCommands, { names, isReadOnly })
const described = new Map(choose(['all']).map((command) => [command.name, describe(command)]))

test('the default tools are few and small', () => {
  const tools = choose().map(describe)
  assert.equal(tools.length, defaultCommands.length)
  assert.ok(tools.length <= toolCountMax)
  const bytes = Buffer.byteLength(JSON.stringify({ tools }))
  assert.ok(bytes <= definitionBytesMax, `${bytes} bytes`)
})

test('tools have unique names that every client accepts', () => {
  const names = [...described.values()].map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  assert.deepEqual(
    names.filter((name) => !/^[a-z][a-z_-]{0,40}$/.test(name)),
    [],
  )
})

test('commands of the terminal, feeds and bytes are no tools', () => {
  for (const name of ['issue edit', 'watch', 'stream tail', 'consume', 'produce', 'export', 'stream export', 'mcp'])
    assert.equal(described.has(name), false, name)
})

test('inputs that name files or change only what is printed are left out', () => {
  const properties = (name: string) => Object.keys(described.get(name)?.inputSchema.properties ?? {})
  assert.ok(properties('issue create').includes('body'))
  for (const [name, key] of [
    ['issue create', 'bodyFile'],
    ['issue comment', 'bodyFile'],
    ['issue attachment add', 'file'],
    ['stream merge', 'rows'],
    ['issue list', 'header'],
    ['search', 'exitStatus'],
  ] as const) {
    assert.ok(properties(name).length > 0, name)
    assert.equal(properties(name).includes(key), false, `${name} ${key}`)
  }
})

test('standard input of a command is an input of its tool', () => {
  assert.deepEqual(Object.keys(described.get('batch')?.inputSchema.properties ?? {}), ['stdin'])
})

for (const [name, hints] of [
  ['ready', { readOnlyHint: true, openWorldHint: false }],
  ['issue comment', { destructiveHint: false, openWorldHint: false }],
  ['sync', { destructiveHint: false, idempotentHint: true, openWorldHint: true }],
  ['stream purge', { idempotentHint: true, openWorldHint: false }],
] as const) {
  test(`the hints of ${name} follow from its definition`, () => {
    assert.deepEqual(described.get(name)?.annotations, hints)
  })
}

test('a read-only choice has only commands that read', () => {
  assert.deepEqual(
    choose(undefined, true).map(({ name }) => toolName(name)),
    ['prime', 'ready', 'search', 'issue_show', 'recall', 'context_query'],
  )
  assert.deepEqual(
    choose(['all'], true).filter(({ effect }) => effect !== 'reads'),
    [],
  )
  assert.deepEqual(choose(['issue_create'], true), [])
})

test('a tool can be chosen by its name or by that of its command', () => {
  assert.deepEqual(
    choose(['issue_create', 'issue dep add', 'issue_create']).map(({ name }) => name),
    ['issue create', 'issue dep add'],
  )
})

test('an unknown name is refused with the known ones', () => {
  for (const names of [['issue_craete'], ['all', 'issue_craete'], ['']]) {
    assert.throws(
      () => choose(names),
      ({ code, details }) => code === 'invalid_args' && details.allowed.includes('issue_create'),
    )
  }
})
