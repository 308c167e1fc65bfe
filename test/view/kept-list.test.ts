/** The list that an open view keeps is the one that its rows give. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { IssueId } from '../../src/model/index.ts'
import { KeptList } from '../../src/view/kept-list.ts'
import { blockRows, listWhole, type WholeList } from '../../src/view/whole-list.ts'

/** A place for rows that readers see as they were at a version. */
class Rows {
  readonly kept = new KeptList()
  readonly texts = new Map<IssueId, string>()
  scans = 0

  put(id: string, created_ts: number, state = 'open', title = ''): void {
    const issue_id = id.padEnd(32, '0') as IssueId
    this.texts.set(issue_id, JSON.stringify({ issue_id, title, state, created_ts, fields: {} }))
    this.kept.noteChanges([issue_id])
  }

  hide(id: string): void {
    const issueId = id.padEnd(32, '0') as IssueId
    this.texts.delete(issueId)
    this.kept.noteChanges([issueId])
  }

  /** A reader of the present state; it reads when the returned function is called. */
  reader() {
    const { version } = this.kept
    const present = new Map(this.texts)
    const sorted = () => [...present.keys()].sort().map((id) => present.get(id) as string)
    const all = async () => {
      this.scans += 1
      return sorted()
    }
    const some = async (ids: readonly IssueId[]) => ids.map((id) => present.get(id))
    return async () => {
      const list = await this.kept.read(version, 4, { all, some })
      assert.deepEqual(flatten(list), flatten(listWhole(sorted(), 4)))
      const { blocks } = list
      assert.ok(blocks.every(({ texts }) => texts.length > 0 && texts.length <= blockRows))
      return blocks
    }
  }

  read() {
    return this.reader()()
  }
}

function flatten({ blocks, isKept: _, ...counts }: WholeList) {
  return { ...counts, texts: blocks.flatMap(({ texts }) => texts), shortIds: blocks.flatMap((each) => each.shortIds) }
}

const step = fc.oneof(
  fc.record({
    kind: fc.constant('put' as const),
    id: fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 5 })),
    digits: fc.constantFrom(4, 5, 6),
    created: fc.integer({ min: 1, max: 9 }),
    state: fc.constantFrom('open', 'closed'),
  }),
  fc.record({ kind: fc.constant('hide' as const), id: fc.integer({ min: 0, max: 5 }) }),
  fc.record({ kind: fc.constantFrom('read' as const, 'read beside' as const, 'open reader' as const) }),
)

test('after any changes, each reader gets the list of its own state', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const rows = new Rows()
      for (let index = 0; index < 70; index++) rows.put(`${index}`.padStart(4, '7'), 5)
      const open: (() => Promise<unknown>)[] = []
      const running: Promise<unknown>[] = []
      for (const each of steps) {
        if (each.kind === 'put') rows.put(each.id.toString(16).padStart(each.digits, '0'), each.created, each.state)
        else if (each.kind === 'hide') rows.hide(each.id.toString(16).padStart(4, '0'))
        else if (each.kind === 'read') await rows.read()
        else if (each.kind === 'read beside') running.push(rows.read())
        else open.push(rows.reader())
      }
      for (const read of open) running.push(read())
      await Promise.all([...running, rows.read()])
    }),
  )
})

test('the list is kept from the second scan on; after a change, rows are not scanned, and blocks without a change stay the same', async () => {
  const rows = new Rows()
  for (let index = 0; index < 10 * blockRows; index++) rows.put(`${index + 4096}`, index)
  await rows.read()
  const first = await rows.read()
  rows.put(`${4096 + 3 * blockRows}`, 3 * blockRows, 'closed')
  rows.put('fff1', 10_000)
  const second = await rows.read()
  assert.equal(rows.scans, 2)
  assert.deepEqual(
    second.map((block, index) => block === first[index]),
    [true, true, true, false, true, true, true, true, true, true, false],
  )
  assert.ok((await rows.read()).every((block, index) => block === second[index]))
})

test('what is forgotten, or has changed too much, is scanned again', async () => {
  const rows = new Rows()
  rows.put('aaaa', 1)
  for (let count = 0; count < 3; count++) await rows.read()
  assert.equal(rows.scans, 2)
  rows.kept.forget()
  for (let count = 0; count < 3; count++) await rows.read()
  assert.equal(rows.scans, 4)
  for (let index = 0; index < 2_000; index++) rows.put(`${index + 4096}`, index)
  await rows.read()
  assert.equal(rows.scans, 5)
})
