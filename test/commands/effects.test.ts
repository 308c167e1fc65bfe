import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandLineCommands } from '../../src/cli/all-commands.ts'
import { optionEntries } from '../../src/commands/option-text.ts'

const namesOf = (commands: typeof commandLineCommands) => commands.map(({ name }) => name)

test('a command whose answer is kept or read from rows only reads', () => {
  const keeping = commandLineCommands.filter(({ isKept, readsRows }) => isKept === true || readsRows !== undefined)
  assert.ok(keeping.length > 0)
  assert.deepEqual(namesOf(keeping.filter(({ effect }) => effect !== 'reads')), [])
})

test('a command that can fetch or run a program does more than read', () => {
  const isActive = ([name]: readonly [string, unknown]) => name === 'fetch' || name === 'exec' || name === 'fix'
  const active = commandLineCommands.filter((command) => optionEntries(command).some(isActive))
  assert.ok(active.length > 0)
  assert.deepEqual(namesOf(active.filter(({ effect }) => effect === 'reads')), [])
})

test('a command that can overwrite without asking destroys', () => {
  const forced = commandLineCommands.filter((command) => optionEntries(command).some(([name]) => name === 'force'))
  const rebuilding = ['context index']
  assert.deepEqual(
    namesOf(forced.filter(({ name, effect }) => effect !== 'destroys' && !rebuilding.includes(name))),
    [],
  )
})
