import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCommandSandbox } from '../../support/command-runner.ts'
import { issueMaker } from '../../support/issue-maker.ts'

interface Shown {
  readonly issue: {
    readonly overdue: boolean
    readonly children: readonly { readonly title: string; readonly state: string; readonly short_id: string }[]
    readonly progress: { readonly closed: number; readonly total: number } | null
  }
}

async function setUp(t: Parameters<typeof createCommandSandbox>[0]) {
  let now = Date.UTC(2026, 3, 5)
  const sandbox = createCommandSandbox(t, { nowUnixMs: () => (now += 1000) })
  const show = async (issue: string) => ((await sandbox.run('issue show', { issue })) as Shown).issue
  const parts = async (issue: string) => (await show(issue)).children.map(({ title, state }) => `${title} ${state}`)
  const close = async (...issue: readonly string[]) => {
    const { finished_parents = [] } = (await sandbox.run('issue close', { issue })) as {
      finished_parents?: readonly { title: string }[]
    }
    return finished_parents.map(({ title }) => title)
  }
  return { ...sandbox, ...issueMaker(sandbox), show, parts, close }
}

test('issue show lists the parts and their progress', async (t) => {
  const { create, show, parts, close } = await setUp(t)
  const epic = await create('Epic')
  const first = await create('First', { parent: epic })
  await create('Second', { parent: epic })
  await create('Deeper', { parent: first })
  assert.deepEqual(await parts(epic), ['First open', 'Second open'])
  assert.deepEqual((await show(epic)).progress, { closed: 0, total: 2 })
  await close(first)
  assert.deepEqual(await parts(epic), ['First closed', 'Second open'])
  assert.deepEqual((await show(epic)).progress, { closed: 1, total: 2 })
  assert.deepEqual([(await show(first)).progress, (await show(first)).children.length], [{ closed: 0, total: 1 }, 1])
})

test('an issue without parts has no progress', async (t) => {
  const { create, show } = await setUp(t)
  const alone = await show(await create('Alone'))
  assert.deepEqual([alone.children, alone.progress], [[], null])
})

test('a part belongs to the parent set last', async (t) => {
  const { create, parts, run, withRepository } = await setUp(t)
  const [one, two] = [await create('One'), await create('Two')]
  const part = await create('Part', { parent: one })
  await run('issue update', { issue: [part], parent: two })
  assert.deepEqual([await parts(one), await parts(two)], [[], ['Part open']])
  // Clones that concurrently set different parents leave both labels; the later one is the field.
  await withRepository((repository) =>
    repository.write((draft) => draft.add(part, { type: 'LabelAdded', label: `parent:${one}` })),
  )
  assert.deepEqual([await parts(one), await parts(two)], [['Part open'], []])
})

test('closing an issue with open parts succeeds with a warning', async (t) => {
  const { create, close, run, warnings, show } = await setUp(t)
  const epic = await create('Epic')
  const part = await create('Part', { parent: epic })
  assert.deepEqual(await close(epic), [])
  assert.deepEqual(
    warnings.map(({ code, message }) => [code, message]),
    [['open-children', `closed ${epic.slice(0, 7)}, but 1 part of it is still open: ${part.slice(0, 7)}`]],
  )
  // Closing it again does not repeat the warning.
  await close(epic)
  assert.equal(warnings.length, 1)
  await run('issue reopen', { issue: [epic] })
  assert.deepEqual(await close(epic, part), [])
  assert.equal(warnings.length, 1)
  assert.deepEqual((await show(epic)).progress, { closed: 1, total: 1 })
})

test('the warning about many open parts names five of them', async (t) => {
  const { create, close, warnings } = await setUp(t)
  const epic = await create('Epic')
  for (let index = 0; index < 7; index++) await create(`Part ${index}`, { parent: epic })
  await close(epic)
  assert.match(warnings[0]?.message ?? '', /7 parts of it are still open: (\w{7}, ){4}\w{7} and 2 more$/)
})

test('closing the last open part returns its parent as finished', async (t) => {
  const { create, close } = await setUp(t)
  const epic = await create('Epic')
  const [one, two, three] = [
    await create('One', { parent: epic }),
    await create('Two', { parent: epic }),
    await create('Three', { parent: epic }),
  ]
  assert.deepEqual(await close(one), [])
  assert.deepEqual(await close(two, three), ['Epic'])
  assert.deepEqual(await close(three), [], 'it was closed before')
})

test('issue show marks an open issue due before today overdue', async (t) => {
  const { create, show, close } = await setUp(t)
  const [late, today] = [await create('Late', { due: '2026-04-04' }), await create('Today', { due: '2026-04-05' })]
  assert.deepEqual([(await show(late)).overdue, (await show(today)).overdue], [true, false])
  await close(late)
  assert.equal((await show(late)).overdue, false)
})
