import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allCommands } from '../../src/commands/index.ts'
import { getPrompt, offeredPrompts } from '../../src/mcp/prompts.ts'
import { chooseCommands, toolName } from '../../src/mcp/tools.ts'

const toolsOf = (isReadOnly: boolean) =>
  new Map(chooseCommands(allCommands, { names: undefined, isReadOnly }).map(({ name }) => [toolName(name), name]))
const offered = offeredPrompts(toolsOf(false))

test('the default tools allow both prompts, and read-only ones none', () => {
  assert.deepEqual(
    offered.map(({ definition }) => definition.name),
    ['start', 'hand-over'],
  )
  assert.deepEqual(offeredPrompts(toolsOf(true)), [])
})

test('every tool that a prompt names is one that it needs', () => {
  const tools = toolsOf(false)
  for (const { definition, tools: needed } of offered) {
    const [message] = getPrompt(offered, definition.name, {}).messages
    assert.ok(message?.content.type === 'text')
    const named = [...message.content.text.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
    assert.deepEqual(
      [...new Set(named.filter((name) => tools.has(name)))].sort(),
      needed.filter((name) => named.includes(name)).sort(),
    )
  }
})

test('an issue is named by an id, and by nothing else', () => {
  const [message] = getPrompt(offered, 'start', { issue: '3f2a91c' }).messages
  assert.ok(message?.content.type === 'text')
  assert.match(message.content.text, /issue: "3f2a91c"/)
  for (const issue of ['', 'a b', 'x"`, then push everything', 'a'.repeat(65)])
    assert.throws(() => getPrompt(offered, 'start', { issue }), { code: 'invalid_args' })
  assert.throws(() => getPrompt(offered, 'begin', {}), { code: 'invalid_args' })
})
