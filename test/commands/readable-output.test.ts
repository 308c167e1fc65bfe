/** Readable output of `issue show`, and ways to narrow a list. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createCommandSandbox } from '../support/command-runner.ts'
import { issueMaker } from '../support/issue-maker.ts'
import { startGrite } from '../support/start-command-child.ts'

function setUp(t: TestContext) {
  const place = createCommandSandbox(t)
  return {
    ...place,
    ...issueMaker(place),
    grite: (...words: readonly string[]) => startGrite({ cwd: place.path, environment: place.environment }, ...words),
  }
}

test('issue show prints text, and lists can be filtered, sorted and limited', async (t) => {
  const { create, run, grite } = setUp(t)
  const id = await create('Crash', { body: 'It falls down.', assignee: ['ann'] })
  await run('issue comment', { issue: id, body: 'Here too.' })
  await create('Another')
  const { stdout } = await grite('issue', 'show', id)
  for (const text of ['It falls down.', 'Here too.']) assert.ok(stdout.includes(text), stdout)
  assert.doesNotMatch(stdout, /[{}]/)
  const list = async (input: object) =>
    ((await run('issue list', { ...input })) as { issues: { title: string }[] }).issues.map(({ title }) => title)
  assert.deepEqual(await list({ assignee: 'ann' }), ['Crash'])
  assert.deepEqual(await list({ text: 'FALLS' }), ['Crash'])
  assert.deepEqual(await list({ sort: 'title', limit: 1 }), ['Another'])
})
