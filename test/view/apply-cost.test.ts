/** Reads and writes of the store when events are applied. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deriveContextIssueId, type Event, type IssueId, type Sha256Hex } from '../../src/model/index.ts'
import { openMemoryStore } from '../../src/view/store.ts'
import { batchOf, comment, creation, issueId, makeEvent, openTestView, segmentOf } from '../support/log.ts'
import { watchStore } from '../support/watch-store.ts'

const a = issueId('a0')

test('an event, its projection, indexes and head are written in one batch', async () => {
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

test('the cost of a comment does not grow with their number', async () => {
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
  // Two more digits in the counts.
  assert.ok(later - first < 20, `${first} bytes at first, ${later} later`)
})

test('listing by label reads only the issues with that label', async () => {
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

test('re-indexing a file touches only its own symbols', async () => {
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

test('short ids of few issues read only what is beside them', async () => {
  const store = await openMemoryStore()
  const view = await openTestView(store)
  const head = '1'.repeat(40)
  const ids = Array.from({ length: 100 }, (_, index) => issueId(index.toString(16).padStart(2, '0')))
  const alike = issueId('630000001')
  await view.apply([segmentOf(batchOf([...ids, alike].map((id) => creation(id))), head)], head)
  await view.flush()
  const watch = watchStore(store)
  const short = await view.shortIds([ids[5] as IssueId, issueId('77')], 7)
  assert.deepEqual([...short.values()], ['0500000', '7700000'])
  assert.equal(watch.scans.length, 2)
  // The neighbours count only where the start is not unique.
  assert.deepEqual([...(await view.shortIds([alike], 7)).values()], ['630000001'])
  assert.equal(watch.scans.length, 5)
})

test('a long log is moved into tables while its states are formatted, a short one is not', async () => {
  for (const [count, expected] of [
    [1999, []],
    [2000, ['compacted', 'state written']],
  ] as const) {
    const store = await openMemoryStore()
    const view = await openTestView(store, { deferred: true })
    const steps: string[] = []
    store.compactLog = async () => void steps.push('compacted')
    const head = '1'.repeat(40)
    const events = [creation(a, 'one'), ...Array.from({ length: count - 1 }, (_, index) => comment(a, `${index}`))]
    await view.apply([segmentOf(batchOf(events), head)], head)
    const startBatch = store.startBatch.bind(store)
    store.startBatch = () => {
      const batch = startBatch()
      return {
        ...batch,
        put(key, value) {
          if (steps.length > 0 && key.toString('latin1').startsWith('issue_state/')) steps.push('state written')
          batch.put(key, value)
        },
      }
    }
    await view.flush()
    assert.deepEqual(steps, expected)
    assert.equal((await view.findIssue(a))?.commentCount, count - 1)
  }
})

test('a flush fails when LevelDB cannot write its table', async () => {
  const store = await openMemoryStore()
  const view = await openTestView(store, { deferred: true })
  store.compactLog = () => Promise.reject(new Error('disk full'))
  const head = '1'.repeat(40)
  const events = [creation(a, 'one'), ...Array.from({ length: 2000 }, (_, index) => comment(a, `${index}`))]
  await view.apply([segmentOf(batchOf(events), head)], head)
  await assert.rejects(view.flush(), /disk full/)
})
