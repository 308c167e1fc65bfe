/** Clones that diverged for a week, and many clones that sync at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandRunner } from '../support/command-runner.ts'
import { startGrite } from '../support/start-command-child.ts'
import { type Clones, createClones, type Member } from '../sync/clones.ts'

const day = 86_400_000
const monday = Date.UTC(2026, 0, 5)

interface Worker {
  readonly clone: Member
  /** Sets the clock of this clone to a weekday plus its clock error. */
  startDay(weekday: number): void
  /** Applies operations as one commit. */
  batch(operations: readonly object[]): Promise<unknown>
}

function createWorker(setup: Clones, name: string, clockErrorMs: number): Worker {
  let now = monday - day + clockErrorMs
  const nowUnixMs = () => now++
  const clone = setup.clone(name, { nowUnixMs })
  return {
    clone,
    startDay(weekday) {
      now = monday + weekday * day + clockErrorMs
    },
    batch(operations) {
      const stdin = operations.map((operation) => JSON.stringify(operation)).join('\n')
      return commandRunner({ cwd: clone.path, env: setup.environment, nowUnixMs, stdin }).run('batch')
    },
  }
}

/** Makes a hundred operations on the shared issues. */
function workOfHalfADay(who: string, issues: readonly string[], round: number): object[] {
  return Array.from({ length: 100 }, (_, index) => {
    const issue = issues[index % issues.length]
    const text = `${who} ${round} ${index}`
    switch (index % 4) {
      case 0:
        return { op: 'update', issue, title: text }
      case 1:
        return { op: 'label', issue, add: [text] }
      case 2:
        return { op: 'create', title: text }
      default:
        return { op: 'comment', issue, body: text }
    }
  })
}

for (const [title, annOff, boOff] of [
  ['correct clocks', 0, 0],
  ['clocks off by a day in opposite directions', day, -day],
] as const) {
  test(`clones sync a week of 1,000 events each with ${title}`, async (t) => {
    const setup = createClones(t)
    const [ann, bo] = [createWorker(setup, 'ann', annOff), createWorker(setup, 'bo', boOff)]
    const made = Array.from({ length: 10 }, (_, index) => ({ op: 'create', title: `shared ${index}` }))
    const { results } = (await ann.batch(made)) as { results: { issue_id: string }[] }
    const issues = results.map(({ issue_id }) => issue_id)
    await ann.clone.sync()
    await bo.clone.sync()
    for (let half = 0; half < 10; half++) {
      for (const worker of [ann, bo]) {
        worker.startDay(half >> 1)
        await worker.batch(workOfHalfADay(worker.clone.path.slice(-3), issues, half))
      }
    }
    assert.equal((await ann.clone.sync()).push_changed, true)
    const joined = await bo.clone.sync()
    assert.deepEqual([joined.pull_events, joined.events_rebased], [1000, 1000])
    await ann.clone.sync()
    const ids = await bo.clone.ids()
    assert.deepEqual([ids.length, new Set(ids).size], [2010, 2010])
    assert.deepEqual(await ann.clone.ids(), ids)
    assert.deepEqual([ann.clone.head(), bo.clone.head()], [setup.originHead(), setup.originHead()])
    const seen = await Promise.all([ann, bo].map(({ clone }) => clone.run('export', { format: 'json' })))
    const [atAnn, atBo] = seen.map((data) => (data as { content: { issues: unknown; events: unknown } }).content)
    assert.deepEqual(atAnn?.issues, atBo?.issues)
    assert.deepEqual(atAnn?.events, atBo?.events)
    for (const { clone } of [ann, bo]) {
      assert.deepEqual(clone.takeWarnings(), [])
      await clone.assertSound()
    }
  })
}

/** One round to push, one to fetch, and two for clones that lost every race of a round. */
const roundsMax = 4

test('eight clones syncing at once agree within four rounds', async (t) => {
  const setup = createClones(t)
  const clones = Array.from({ length: 8 }, (_, index) => setup.clone(`clone-${index}`))
  const all = (...words: readonly string[]) =>
    Promise.all(
      clones.map(async ({ path }) => {
        const { exitStatus, stderr } = await startGrite({ cwd: path, environment: setup.environment }, ...words)
        // A clone that lost every race fails with a conflict and succeeds in a later round.
        assert.ok(exitStatus === 0 || (words[0] === 'sync' && exitStatus === 4), stderr)
      }),
    )
  await all('issue', 'create', '--title=mine')
  const heads = () => new Set([setup.originHead(), ...clones.map((clone) => clone.head())])
  let rounds = 0
  while (heads().size > 1) {
    assert.ok(rounds < roundsMax, `${heads().size} heads after ${rounds} rounds`)
    await all('sync')
    rounds += 1
  }
  const ids = await (clones[0] as Member).ids()
  assert.deepEqual([ids.length, new Set(ids).size], [8, 8])
  await (clones[7] as Member).assertSound()
})
