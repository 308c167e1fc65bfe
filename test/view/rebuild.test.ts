/** The view after a rebuild from the log. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Event, IssueId } from '../../src/model/index.ts'
import { issueEventKey, labelKey } from '../../src/view/keys.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { issueMaker } from '../support/issue-maker.ts'
import { actors, batchOf, creation, dumpStore, issueId, makeEvent } from '../support/log.ts'
import { writeLog } from '../support/snapshots.ts'
import { createClones } from '../sync/clones.ts'

interface Created {
  readonly issue_id: string
  readonly event_id: string
}

interface Row {
  readonly issue_id: IssueId
  readonly title: string
  readonly state: string
  readonly labels: readonly string[]
}

const [a, b] = [issueId('a0'), issueId('b0')]

function createLog(t: TestContext, nowUnixMs?: () => number) {
  const place = createCommandSandbox(t, nowUnixMs === undefined ? {} : { nowUnixMs })
  const { run, withRepository } = place
  return {
    ...place,
    /** One commit for each list of events. */
    append: (...commits: readonly (readonly Event[])[]) =>
      withRepository(({ git }) =>
        writeLog(
          git,
          commits.map((events) => batchOf(events)),
        ),
      ),
    rows: async () => ((await run('issue list')) as { issues: Row[] }).issues,
    rebuild: async () => (await run('rebuild')) as { issue_count: number; event_count: number },
    dump: () => withRepository(async (repository) => dumpStore((await repository.view()).store)),
  }
}

test('no event in the log hides other issues from the view', async (t) => {
  const { append, rows, rebuild, outcome } = createLog(t)
  const first = creation(a, 'first')
  const ts = first.tsUnixMs
  await append(
    [makeEvent(b, { type: 'DependencyRemoved', target: a, dep_type: 'blocks' })],
    [first, makeEvent(a, { type: 'IssueCreated', title: 'again', body: '', labels: [] }, { actor: actors[1] })],
    [makeEvent(a, { type: 'StateChanged', state: 'closed' }, { ts: ts - 5000 })],
    [creation(issueId('c0'), 'after')],
  )
  const seen = async () => (await rows()).map(({ title, state }) => [title, state])
  // A change older than its creation counts for fields that the creation does not set.
  const before = await seen()
  assert.deepEqual(
    before.map(([title]) => title),
    ['first', 'after'],
  )
  const { issue_count, event_count } = await rebuild()
  assert.deepEqual([issue_count, event_count], [2, 5])
  assert.deepEqual(await seen(), before)
  assert.equal((await outcome('doctor')).exitStatus ?? 0, 0)
})

test('a change in the millisecond of the creation counts', async (t) => {
  const { append, rows, rebuild } = createLog(t)
  const born = creation(a, 'born')
  const earlier = [...Array(100).keys()]
    .map((number) => makeEvent(a, { type: 'LabelAdded', label: `${number}` }, { ts: born.tsUnixMs }))
    .find(({ eventId }) => eventId < born.eventId) as Event
  await append([born], [earlier], [creation(b, 'other')])
  const seen = async () => (await rows()).map(({ title, labels }) => [title, labels.length])
  const wanted = [
    ['born', 1],
    ['other', 0],
  ]
  assert.deepEqual(await seen(), wanted)
  await rebuild()
  assert.deepEqual(await seen(), wanted)
})

test('a rebuild removes stale entries, from a snapshot too', async (t) => {
  const { run, rebuild, dump, withRepository, rows } = createLog(t)
  const id = await issueMaker({ run }).create('one', { label: ['x'] })
  await run('snapshot create')
  await rows()
  const clean = await dump()
  for (const again of [rebuild, () => run('rebuild', { fromSnapshot: true })]) {
    await withRepository(async (repository) => {
      await repository.changeView(async ({ store }) => {
        await store.put(labelKey('stale', id), Buffer.alloc(0))
        await store.put(issueEventKey(id, 5, 'ab'.repeat(32) as never), Buffer.alloc(0))
      })
    })
    assert.notDeepEqual(await dump(), clean)
    await again()
    assert.deepEqual(await dump(), clean)
  }
})

test('a rebuilt view leaves nothing to replay for the next one to open it', async (t) => {
  const { append, rebuild, path } = createLog(t)
  await append([...Array(50).keys()].map((number) => creation(issueId(`${100 + number}`), `issue ${number}`)))
  await rebuild()
  const level = join(path, '.git/grite/view')
  const folder = join(level, readFileSync(join(level, 'current'), 'utf8').trim())
  const sizeOf = (extension: string) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(extension))
      .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  assert.ok(sizeOf('.ldb') > 5000, `${sizeOf('.ldb')} bytes in tables`)
  assert.ok(sizeOf('.log') < 1000, `${sizeOf('.log')} bytes to replay`)
})

test('a deleted view is rebuilt from the log', async (t) => {
  const place = createCommandSandbox(t)
  const { run, path } = place
  const { issue_id: issue } = (await run('issue create', { title: 'one' })) as Created
  await run('issue close', { issue: [issue] })
  const exported = async () =>
    ((await run('export', { format: 'json' })) as { content: { issues: unknown[] } }).content.issues
  const before = await exported()
  rmSync(join(path, '.git/grite'), { recursive: true })
  assert.deepEqual(await exported(), before)
  assert.equal(((await run('rebuild')) as { event_count: number }).event_count, 2)
  assert.deepEqual(await exported(), before)
})

test('a rebuild from a snapshot keeps events outside the snapshot', async (t) => {
  const ann = createClones(t).clone('ann')
  await ann.create('pushed')
  await ann.sync()
  const { snapshot_ref } = (await ann.run('snapshot create')) as { snapshot_ref: string }
  const ids = [...(await ann.ids()), await ann.create('only here'), await ann.create('later')]
  const rebuilt = (await ann.run('rebuild', { fromSnapshot: true })) as Record<string, unknown>
  assert.deepEqual([rebuilt.from_snapshot, rebuilt.snapshot_events, rebuilt.event_count], [snapshot_ref, 1, 3])
  assert.deepEqual(await ann.titles(), ['later', 'only here', 'pushed'])
  assert.deepEqual(await ann.ids(), ids.sort())
})
