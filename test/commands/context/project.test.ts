import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/model/index.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'

interface Project {
  readonly count: number
  readonly entries: readonly { readonly key: string; readonly value: string }[]
}

test('a fact about the project is set, replaced, removed and brought back', async (t) => {
  const { run } = createCommandSandbox(t)
  const set = (key: string, value: string) =>
    run('context set', { key, value }) as Promise<{ outcome: string; replaced: string | null }>
  assert.equal((await set('build', 'make')).replaced, null)
  assert.deepEqual((await set('build', 'make')).outcome, 'unchanged')
  assert.equal((await set('build', 'npm test')).replaced, 'make')
  await set('größe 😀', 'ja')
  await run('remember', { text: 'a note is not a fact' })
  const { entries, count } = (await run('context project')) as Project
  assert.deepEqual(
    [count, entries.map(({ key, value }) => [key, value])],
    [
      2,
      [
        ['build', 'npm test'],
        ['größe 😀', 'ja'],
      ],
    ],
  )
  await run('context unset', { key: 'build' })
  await assert.rejects(run('context project', { key: 'build' }), { code: 'not_found' })
  await assert.rejects(run('context unset', { key: 'build' }), { code: 'not_found' })
  await run('undo')
  assert.equal(((await run('context project', { key: 'build' })) as { value: string }).value, 'npm test')
})

test('a near key is suggested', async (t) => {
  const { run } = createCommandSandbox(t)
  await run('context set', { key: 'build', value: 'make' })
  await assert.rejects(run('context project', { key: 'biuld' }), ({ hints }: { hints: readonly string[] }) =>
    /'build'/.test(hints.join()),
  )
})

test('keys and values are limited, and keys of grite itself are refused', async (t) => {
  const { run } = createCommandSandbox(t)
  const refused = (key: string, value: string, field: string) =>
    assert.rejects(run('context set', { key, value }), (error: { code: string; details: { field: string } }) => {
      assert.deepEqual([error.code, error.details.field], ['invalid_args', field])
      return true
    })
  for (const key of ['', ' ', 'grite.actor.x', 'memory.x', 'a\u001bb', 'é'.repeat(limits.contextKeyBytesMax / 2 + 1)]) {
    await refused(key, 'x', 'key')
  }
  for (const value of ['', '\ud800', 'x'.repeat(limits.contextValueBytesMax + 1)]) await refused('key', value, 'value')
  await run('context set', {
    key: 'é'.repeat(limits.contextKeyBytesMax / 2),
    value: 'x'.repeat(limits.contextValueBytesMax),
  })
})
