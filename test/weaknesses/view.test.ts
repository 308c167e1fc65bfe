/** Weaknesses 7.2 of the reference (compat spec, items 19-22 and 24-26): what holds here in their place. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  type DependencyType,
  deriveContextIssueId,
  type Event,
  type EventBody,
  foldIssue,
  formatIssueState,
  type IssueId,
  type Order,
  type Sha256Hex,
  sortByDependencies,
} from '../../src/model/index.ts'
import { issueEventKey, labelKey } from '../../src/view/keys.ts'
import { openMemoryStore } from '../../src/view/store.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { countSteps } from '../support/count-steps.ts'
import { issueMaker } from '../support/issue-maker.ts'
import {
  actors,
  batchOf,
  comment,
  creation,
  dumpStore,
  issueId,
  makeEvent,
  openTestView,
  segmentOf,
} from '../support/log.ts'
import { writeLog } from '../support/snapshots.ts'
import { watchStore } from '../support/watch-store.ts'

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

// The first of the file: nothing else may have run what it counts.
test('7.2 item 25c: sorting what waits for each other in a cycle is linear work', () => {
  const idOf = (number: number) => number.toString(16).padStart(32, '0') as IssueId
  const sizes = [1000, 2000]
  const works = sizes.map((size) => {
    const ids = Array.from({ length: size }, (_, index) => idOf(index))
    const orders = ids.map((first, index): Order => ({ first, waits: ids[(index + 1) % size] as IssueId }))
    return () => assert.equal(new Set(sortByDependencies(ids, orders).sorted).size, size)
  })
  const [steps = 0, stepsOfTwice = 0] = countSteps(works)
  assert.ok(steps > 10_000, `${steps} steps`)
  assert.ok(stepsOfTwice < 2.2 * steps, `${steps} steps for 1000 issues, ${stepsOfTwice} for 2000`)
})

test('7.2 item 19a: an edge of an issue that is not there is not written, neither to add nor to remove it', async (t) => {
  const { run, rows, rebuild, git, path } = createLog(t)
  const { create, add, remove } = issueMaker({ run })
  const id = await create('one')
  const head = () => git(path, 'rev-parse', 'refs/grite/wal')
  const before = head()
  await assert.rejects(add(id, b), { code: 'not_found' })
  for (const change of [add, remove]) await assert.rejects(change(b, id), { code: 'not_found' })
  assert.equal(((await remove(id, b)) as { outcome: string }).outcome, 'unchanged')
  assert.equal(head(), before)
  assert.equal((await rebuild()).issue_count, 1)
  assert.equal((await rows()).length, 1)
})

test('7.2 item 19b: no event in the log keeps the others from the view', async (t) => {
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
  // Older than its creation, the change holds as what the creation does not say otherwise.
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

test('7.2 item 20a: an issue is the same in whatever order its events come, and however often', async () => {
  const bodies: readonly EventBody[] = [
    { type: 'IssueCreated', title: 'one', body: '', labels: ['x'] },
    { type: 'LabelRemoved', label: 'x' },
    { type: 'LabelAdded', label: 'x' },
    { type: 'AssigneeAdded', user: 'ann' },
    { type: 'AssigneeRemoved', user: 'ann' },
    { type: 'CommentAdded', body: 'note' },
    { type: 'LinkAdded', url: 'u', note: null },
  ]
  const events = bodies.map((body, index) => makeEvent(a, body, { actor: actors[index % 2] as never }))
  const look = (list: readonly Event[]) => formatIssueState(foldIssue(a, list))
  const wanted = JSON.parse(look(events))
  for (let shift = 0; shift < events.length; shift++) {
    const turned = [...events.slice(shift), ...events.slice(0, shift)]
    assert.deepEqual(sorted(JSON.parse(look(turned))), sorted(wanted))
    assert.deepEqual(sorted(JSON.parse(look(turned.toReversed()))), sorted(wanted))
  }
  const live = await openTestView()
  await live.apply([segmentOf(batchOf(events), '1'.repeat(40))], '1'.repeat(40))
  const counts = async () => {
    const state = await live.findIssue(a)
    return [state?.commentCount, state?.linkCount, (await live.eventsOf(a)).length]
  }
  assert.deepEqual(await counts(), [1, 1, events.length])
  const repeat = segmentOf(batchOf(events.slice(5)), '2'.repeat(40), ['1'.repeat(40)])
  await live.apply([repeat], '2'.repeat(40))
  assert.deepEqual(await counts(), [1, 1, events.length])
})

/** Lists of a state without the order in which they were filled. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((each) => JSON.stringify(sorted(each))).sort()
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, sorted(inner)]))
}

test('7.2 item 20b: the view that followed the log is the one that a rebuild makes', async (t) => {
  const { run, append, rows, rebuild, dump } = createLog(t)
  const { create } = issueMaker({ run })
  const id = await create('one', { label: ['x'] })
  await rows()
  // Later in the log, earlier in time.
  await append([makeEvent(id, { type: 'LabelAdded', label: 'late' }, { ts: 1000, actor: actors[1] })])
  await rows()
  await run('issue label remove', { issue: [id], label: ['x'] })
  await rows()
  const live = await dump()
  await rebuild()
  assert.deepEqual(await dump(), live)
})

test('7.2 item 21a: a change in the millisecond of its creation counts, whichever id is smaller', async (t) => {
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

test('7.2 item 21b: who has seen a change writes after it, whatever the clocks say', async (t) => {
  let now = 1_700_000_000_000
  const { run, append, rows, outcome, withRepository } = createLog(t, () => now)
  const { create } = issueMaker({ run })
  const id = await create('one')
  now -= 3_600_000
  await run('issue update', { issue: [id], title: 'by a clock that is behind' })
  assert.equal((await rows())[0]?.title, 'by a clock that is behind')
  const future = now + 365 * 86_400_000
  await append([makeEvent(id, { type: 'IssueUpdated', title: 'from the future', body: null }, { ts: future })])
  assert.equal((await rows())[0]?.title, 'from the future')
  const { data } = (await outcome('doctor')) as { data: { checks: { id: string; status: string }[] } }
  assert.equal(data.checks.find((check) => check.id === 'future_events')?.status, 'warn')
  await run('issue update', { issue: [id], title: 'of today' })
  assert.equal((await rows())[0]?.title, 'of today')
  // In one millisecond, in the order of the command.
  const labels = ['delta', 'alpha', 'charlie', 'bravo']
  await run('issue label add', { issue: [id], label: labels })
  const events = await withRepository(async (repository) => (await repository.view()).eventsOf(id))
  assert.deepEqual(
    events.slice(-4).map(({ body }) => 'label' in body && body.label),
    labels,
  )
})

test('7.2 item 22a: labels added at the same time are all there, in view and log', async (t) => {
  const { run, rows, withRepository } = createLog(t)
  const id = await issueMaker({ run }).create('one')
  const labels = Array.from({ length: 10 }, (_, index) => `label-${index}`)
  await Promise.all(labels.map((label) => run('issue label add', { issue: [id], label: [label] })))
  assert.deepEqual((await rows())[0]?.labels, [...labels].sort())
  const events = await withRepository(async (repository) => (await repository.view()).eventsOf(id))
  assert.equal(events.length, 11)
})

test('7.2 item 22b: event, projection, indexes and head are written at once', async () => {
  const store = await openMemoryStore()
  const view = await openTestView(store)
  const watch = watchStore(store)
  const head = '1'.repeat(40)
  await view.apply([segmentOf(batchOf([creation(a, 'one', ['x']), comment(a, 'note')]), head)], head)
  await view.flush()
  assert.deepEqual([watch.batches.length, watch.single], [1, []])
  const families = new Set(watch.batches[0]?.map(({ key }) => key.toString('latin1').split('/')[0]))
  for (const family of ['event', 'issue_state', 'issue_row', 'issue_events', 'label_index', 'state_index', 'meta'])
    assert.ok(families.has(family), family)
})

test('7.2 item 24: a rebuild leaves no entry of before, also one from a snapshot', async (t) => {
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

test('7.2 item 25a: a comment costs the same on an issue of one comment and of many', async () => {
  const store = await openMemoryStore()
  const view = await openTestView(store)
  const watch = watchStore(store)
  let commits = 0
  const apply = async (events: readonly Event[]) => {
    const head = `${++commits}`.padStart(40, '0')
    const parents = commits === 1 ? [] : [`${commits - 1}`.padStart(40, '0')]
    await view.apply([segmentOf(batchOf(events), head, parents)], head)
    await view.flush()
    return watch.batches.at(-1)?.reduce((sum, operation) => {
      return sum + operation.key.length + (operation.type === 'put' ? operation.value.length : 0)
    }, 0) as number
  }
  await apply([creation(a, 'one')])
  const first = await apply([comment(a, 'x'.repeat(100))])
  await apply(Array.from({ length: 500 }, () => comment(a, 'x'.repeat(100))))
  const later = await apply([comment(a, 'x'.repeat(100))])
  assert.equal((await view.findIssue(a))?.commentCount, 502)
  // Two digits more in the counts.
  assert.ok(later - first < 20, `${first} bytes at first, ${later} later`)
})

test('7.2 item 25b: issues of a label are found without reading the others, and the index is kept clean', async () => {
  const store = await openMemoryStore()
  const view = await openTestView(store)
  const [head, next] = ['1'.repeat(40), '2'.repeat(40)]
  const ids = Array.from({ length: 100 }, (_, index) => issueId(index.toString(16).padStart(2, '0')))
  const events = ids.map((id, index) => creation(id, `${index}`, index % 50 === 7 ? ['rare'] : []))
  await view.apply([segmentOf(batchOf(events), head)], head)
  await view.flush()
  const watch = watchStore(store)
  const find = async () => (await view.listIssues({ labels: ['rare'] })).map(({ title }) => title)
  assert.deepEqual(await find(), ['7', '57'])
  assert.equal(watch.read.length, 2)
  assert.deepEqual(
    watch.scans.map((start) => start.split('/')[0]),
    ['label_index'],
  )
  const removal = makeEvent(ids[7] as IssueId, { type: 'LabelRemoved', label: 'rare' })
  await view.apply([segmentOf(batchOf([removal]), next, [head])], next)
  await view.flush()
  watch.read.length = 0
  assert.deepEqual(await find(), ['57'])
  assert.equal(watch.read.length, 1)
})

test('7.2 item 25d: indexing a file again touches its own symbols only', async () => {
  const store = await openMemoryStore()
  const view = await openTestView(store)
  const index = (path: string, names: readonly string[], ts: number) =>
    makeEvent(
      deriveContextIssueId(path),
      {
        type: 'ContextUpdated',
        ...{ path, language: 'ts', summary: '', content_hash: 'c'.repeat(64) as Sha256Hex },
        symbols: names.map((name) => ({ name, kind: 'function', lineStart: 1, lineEnd: 2 })),
      },
      { ts },
    )
  const [head, next] = ['1'.repeat(40), '2'.repeat(40)]
  const files = Array.from({ length: 50 }, (_, number) => index(`src/${number}.ts`, ['f', 'g', 'h'], 1000))
  await view.apply([segmentOf(batchOf(files), head)], head)
  await view.flush()
  const watch = watchStore(store)
  await view.apply([segmentOf(batchOf([index('src/7.ts', ['f', 'k'], 2000)]), next, [head])], next)
  await view.flush()
  const touched = watch.batches.flat().filter(({ key }) => key.toString('latin1').startsWith('context_symbols/'))
  assert.ok(touched.length > 0 && touched.length <= 5, `${touched.length} symbols`)
  assert.deepEqual(watch.scans, [])
})

/** Titles of issues, made at the same moment, in the order that edges between them ask for. */
async function createGraph(t: TestContext, ...titles: readonly string[]) {
  const log = createLog(t, () => 1_700_000_000_000)
  const maker = issueMaker(log)
  const ids = new Map<string, IssueId>()
  for (const title of titles) ids.set(title, await maker.create(title))
  const idOf = (title: string) => ids.get(title) as IssueId
  return {
    ...log,
    idOf,
    edge: (from: string, type: DependencyType, to: string) => maker.add(idOf(from), idOf(to), type),
    order: async () => {
      const { issues, cycles } = (await log.run('issue dep topo')) as { issues: Row[]; cycles: IssueId[][] }
      return { titles: issues.map(({ title }) => title), cycles }
    },
  }
}

test('7.2 item 26a: what blocks stands before what it blocks, and equals have one order', async (t) => {
  const { idOf, edge, order, rebuild } = await createGraph(t, 'one', 'two', 'three', 'four')
  const all = ['one', 'two', 'three', 'four']
  // Of one age: by id.
  const byId = (titles: readonly string[]) => titles.toSorted((x, y) => (idOf(x) < idOf(y) ? -1 : 1))
  assert.deepEqual((await order()).titles, byId(all))
  const [first, ...rest] = byId(all) as [string, ...string[]]
  const last = rest.at(-1) as string
  await edge(last, 'blocks', first)
  const { titles } = await order()
  assert.ok(titles.indexOf(last) < titles.indexOf(first), titles.join(' '))
  assert.deepEqual(titles, [...rest, first])
  await rebuild()
  assert.deepEqual((await order()).titles, titles)
})

test('7.2 item 26b: a cycle is seen through edges of both types', async (t) => {
  const { idOf, edge, order, append } = await createGraph(t, 'one', 'two', 'three')
  await edge('one', 'depends_on', 'two')
  await edge('three', 'blocks', 'two')
  await assert.rejects(edge('one', 'blocks', 'three'), { code: 'invalid_args' })
  assert.deepEqual(await order(), { titles: ['three', 'two', 'one'], cycles: [] })
  // Two clones that each wrote a half.
  await append([makeEvent(idOf('one'), { type: 'DependencyAdded', target: idOf('three'), dep_type: 'blocks' })])
  const { titles, cycles } = await order()
  assert.deepEqual([titles.length, cycles.map((cycle) => cycle.length)], [3, [3]])
})
