import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { compareViews, openCopyOfView } from '../../src/view/index.ts'
import { issueRowKey, issueStateKey } from '../../src/view/keys.ts'
import { openDiskStore } from '../../src/view/store.ts'
import { createSandbox } from '../git/temp-repository.ts'
import { batchOf, comment, creation, issueId, openTestView, segmentOf } from '../support/log.ts'

const [a, b] = [issueId('a0'), issueId('b0')]

async function viewOf(...events: Parameters<typeof batchOf>[0]) {
  const view = await openTestView()
  await view.apply([segmentOf(batchOf(events), '1'.padStart(40, '0'))], '1'.padStart(40, '0'))
  await view.flush()
  return view
}

test('views of the same events do not differ', async () => {
  const events = [creation(a), comment(a, 'x'), creation(b)]
  const [left, right] = [await viewOf(...events), await viewOf(...events)]
  await left.writeMeta('last_rebuild_ts', '1')
  assert.deepEqual(await compareViews(left, right, 10), { count: 0, keys: [] })
})

test('missing, extra and different entries are counted, the first named', async () => {
  const events = [creation(a), creation(b)]
  const [left, right] = [await viewOf(...events), await viewOf(...events)]
  await left.store.del(issueRowKey(a))
  await right.store.del(issueRowKey(b))
  await right.store.put(issueStateKey(b), Buffer.from('{}'))
  assert.deepEqual(await compareViews(left, right, 2), { count: 3, keys: [`issue_row/${a}`, `issue_row/${b}`] })
  assert.equal((await compareViews(right, left, 2)).count, 3)
})

test('a view can be copied while another process holds it', async (t) => {
  const { dir } = createSandbox(t)
  const level = join(dir, 'level')
  const copyTo = (name: string, bytesMax = 1 << 30) => openCopyOfView({ level, into: join(dir, name), bytesMax })
  assert.equal((await copyTo('none')).kind, 'none')
  mkdirSync(level)
  assert.equal((await copyTo('empty')).kind, 'none')
  writeFileSync(join(level, 'current'), '1\n')
  assert.equal((await copyTo('gone')).kind, 'unreadable')
  const store = await openDiskStore(join(level, '1'), { create: true })
  t.after(() => store.close())
  const copied = await copyTo('held')
  assert.equal(copied.kind, 'view')
  if (copied.kind === 'view') await copied.view.close()
  assert.equal((await copyTo('large', 1)).kind, 'too-large')
  writeFileSync(join(level, 'current'), 'nonsense\n')
  assert.equal((await copyTo('nameless')).kind, 'unreadable')
})
