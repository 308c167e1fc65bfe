/** The rows files of a view: they hold the same keys and values as the view, or are not used. */
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { type Event, type IssueId, identifyEvent } from '../../src/model/index.ts'
import { type IssueRow, isNotInRows, openRowsView, View, viewSchema } from '../../src/view/index.ts'
import { keepRows } from '../../src/view/keep-rows.ts'
import { issueRowsOfPrefix, metaKey } from '../../src/view/keys.ts'
import { layeredStore } from '../../src/view/layered-store.ts'
import { extendText } from '../../src/view/row-text.ts'
import {
  largeRowsBytesMax,
  largeRowsIssuesMax,
  listPart,
  rowsBytesMax,
  rowsChangesBytesMax,
  rowsIssuesMax,
  rowsParts,
} from '../../src/view/rows-families.ts'
import { encodeBase, encodeChange, openRowsFile, type RowsFile, readRowsFile } from '../../src/view/rows-file.ts'
import { formatLine, keyIn, valueIn } from '../../src/view/rows-section.ts'
import { openRowsStore } from '../../src/view/rows-store.ts'
import { shortIdLength } from '../../src/view/short-ids.ts'
import { openDiskStore, openMemoryStore, type Store } from '../../src/view/store.ts'
import { listWhole } from '../../src/view/whole-list.ts'
import { createSandbox } from '../git/temp-repository.ts'
import { issueEvent } from '../model/arbitraries.ts'
import { anyCharacter } from '../support/any-character.ts'
import { batchOf, creation, issueId, segmentOf } from '../support/log.ts'

const { dir } = createSandbox({ after })
const issues = ['5a'.repeat(16), '5b'.repeat(16), 'c0'.repeat(16)] as IssueId[]

const anyEvent: fc.Arbitrary<Event> = fc
  .tuple(issueEvent, fc.constantFrom(...issues))
  .map(([{ eventId: _eventId, sig: _sig, ...facts }, id]) => identifyEvent({ ...facts, issueId: id }))

const headOf = (count: number) => `${count}`.padStart(40, '0')

/** Applies batches of events to a store, each in a session that keeps the rows files, as processes do. */
async function applyInSessions(
  store: Store,
  folder: string,
  batches: readonly (readonly Event[])[],
  first = 0,
): Promise<void> {
  for (const [offset, events] of batches.entries()) {
    const index = first + offset
    const kept = keepRows({ ...store, close: async () => {} }, { folder })
    const view = (await View.over(kept, {})) as View
    if (events.length > 0) await view.apply([segmentOf(batchOf(events), headOf(index + 1))], headOf(index + 1))
    await view.writeReflogMark(`mark ${index}`)
    await view.close()
  }
}

/** A process that reads the whole list, as `list` does. */
async function readMuch(store: Store, folder: string): Promise<void> {
  const kept = keepRows({ ...store, close: async () => {} }, { folder })
  const view = (await View.over(kept, {})) as View
  const snapshot = view.snapshot()
  await snapshot.wholeList(8)
  await snapshot.close()
  await view.close()
}

const entriesOf = async (store: Store, prefix: string) => {
  const gte = Buffer.from(prefix)
  const lt = Buffer.from(`${prefix.slice(0, -1)}0`)
  return (await store.iterator({ gte, lt }).all()).map((pair) => pair.map((bytes) => bytes.toString('hex')))
}

async function assertSameLists(rows: Store | undefined, store: Store, parts = [listPart]): Promise<void> {
  assert.ok(rows !== undefined)
  for (const { name } of parts.flatMap(({ families }) => families)) {
    assert.deepEqual(await entriesOf(rows, name), await entriesOf(store, name), name)
  }
}

/** The list as text, where a store has it, is the one that is made from the rows. @returns whether it has it */
async function assertSameText(rows: Store | undefined, store: Store): Promise<boolean> {
  const text = rows?.listText?.()
  if (text === undefined) return false
  const all = { gte: Buffer.from('issue_row/'), lt: Buffer.from('issue_row0') }
  const { blocks, count, openCount } = listWhole(await store.texts(all).all(), shortIdLength)
  const listed = blocks.flatMap(({ texts, shortIds }) =>
    texts.map((each, index) => extendText(each, shortIds[index] as string)),
  )
  assert.deepEqual({ ...text, json: `${text.json}` }, { json: listed.join(','), count, openCount })
  return true
}

/** Rows found one by one, where a store does that, are the same, and so are their short ids. */
async function assertSameRows(rows: Store, store: Store): Promise<void> {
  const [view, expected] = [(await View.over(rows, {})) as View, (await View.over(store, {})) as View]
  const ids = (await expected.allRows()).map(({ issue_id }) => issue_id)
  for (const some of [...ids.slice(0, 20).map((id) => [id]), [issueId('00'), ...ids.slice(0, 3)]]) {
    assert.deepEqual(await view.findRows(some), await expected.findRows(some))
    const shown = some.filter((id) => ids.includes(id))
    for (const length of [1, 7])
      assert.deepEqual(await view.shortIds(shown, length), await expected.shortIds(shown, length))
  }
}

async function assertSame(rows: Store | undefined, store: Store): Promise<void> {
  await assertSameLists(rows, store, [...rowsParts])
  assert.ok(rows !== undefined)
  await assertSameText(rows, store)
  await assertSameRows(rows, store)
  for (const [key, value] of await store
    .iterator({ gte: Buffer.from('issue_state/'), lt: Buffer.from('issue_state0') })
    .all()) {
    assert.equal(`${await rows.get(key)}`, `${value}`)
  }
}

describe('rows files', () => {
  it('hold what the view holds after any sessions', async () => {
    const session = fc.array(anyEvent, { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(fc.array(session, { minLength: 1, maxLength: 6 }), async (batches) => {
        const folder = mkdtempSync(join(dir, 'level-'))
        const store = await openMemoryStore()
        await applyInSessions(store, folder, [[creation(issues[0] as IssueId)], ...batches])
        if ((await store.get(metaKey('has_copies'))) === undefined)
          await assertSame(openRowsStore(folder, viewSchema, 'events'), store)
        else assert.equal(openRowsStore(folder, viewSchema, 'events'), undefined)
      }),
      { numRuns: 100 },
    )
  })

  it('grow by changes, and are written anew at times', async () => {
    const folder = mkdtempSync(join(dir, 'level-'))
    const store = await openMemoryStore()
    const path = join(folder, 'rows')
    const sizes: number[] = []
    let texts = 0
    for (let count = 1; count <= 300; count++) {
      const kept = keepRows({ ...store, close: async () => {} }, { folder })
      const view = (await View.over(kept, {})) as View
      const id = issueId(count.toString(16).padStart(4, '0'))
      await view.apply([segmentOf(batchOf([creation(id, 'x'.repeat(500))]), headOf(count))], headOf(count))
      await view.close()
      sizes.push(readFileSync(path).length)
      if (count % 3 === 0 && (await assertSameText(openRowsStore(folder, viewSchema, 'lists'), store))) texts += 3
    }
    await assertSame(openRowsStore(folder, viewSchema, 'events'), store)
    assert.ok(texts > 150, `the list was ready ${texts} times`)
    const shrunk = sizes.filter((size, index) => size < (sizes[index - 1] ?? 0)).length
    assert.ok(shrunk > 0 && shrunk < 10, `written anew ${shrunk} times`)
  })

  it('are written anew from what they hold, without a scan of the view', async () => {
    const folder = mkdtempSync(join(dir, 'level-'))
    const store = await openMemoryStore()
    await applyInSessions(store, folder, [[creation(issueId('aa'))]])
    const scanned: string[] = []
    const watched: Store = {
      ...store,
      iterator(options = {}) {
        scanned.push(`${options.gte}`)
        return store.iterator(options)
      },
    }
    const ids = Array.from({ length: 300 }, (_, index) => issueId(index.toString(16).padStart(4, '0')))
    const view = (await View.over(keepRows({ ...watched, close: async () => {} }, { folder }), {})) as View
    const created = [...ids.map((id) => creation(id, 'x'.repeat(500))), ...ids.map((id) => creation(id))]
    await view.apply([segmentOf(batchOf(created), headOf(2))], headOf(2))
    await view.close()
    assert.deepEqual(scanned, [])
    await assertSame(openRowsStore(folder, viewSchema, 'events'), store)
  })

  it('lookups and ranges are those of LevelDB', async (t) => {
    const folder = mkdtempSync(join(dir, 'level-'))
    const store = await openDiskStore(mkdtempSync(join(dir, 'disk-')), { create: true })
    t.after(() => store.close())
    const ids = ['00', '0f', '10', 'aa', 'ff'].map(issueId)
    await applyInSessions(store, folder, [ids.map((id) => creation(id)), [creation(issueId('a0'))]])
    const rows = openRowsStore(folder, viewSchema, 'events') as Store
    const start = Buffer.from('issue_row/')
    for (const id of ['00', '05', '10', 'a0', 'ff'].map(issueId)) {
      const key = Buffer.concat([start, Buffer.from(id, 'hex')])
      assert.deepEqual(await rows.get(key), await store.get(key))
      for (const range of [
        { gte: start, lt: key },
        { gte: key, lt: Buffer.from('issue_row0') },
      ]) {
        for (const options of [{}, { limit: 1 }, { reverse: true }, { reverse: true, limit: 2 }, { limit: 0 }]) {
          const [one, other] = [rows.keys({ ...range, ...options }), store.keys({ ...range, ...options })]
          assert.deepEqual(await one.all(), await other.all())
        }
      }
    }
    // Seeks also back from the end.
    const ranges = ['ff', 'a', '1', '0', '05', 'b'].map(issueRowsOfPrefix)
    for (const limit of [1, 2]) {
      const scans = await Promise.all(ranges.map((range) => store.keys({ ...range, limit }).all()))
      for (const each of [rows, store, layeredStore(store)])
        assert.deepEqual(await each.firstKeys(ranges, limit), scans)
    }
    const scan = rows.texts({ gte: start, lt: Buffer.from('issue_row0') })
    const first = await scan.next()
    assert.equal((await scan.all()).includes(first as string), false)
  })

  it('the first reader writes the list as text, and one of another state is replaced', async () => {
    const folder = mkdtempSync(join(dir, 'level-'))
    const path = join(folder, 'rows.list')
    const store = await openMemoryStore()
    const readText = () => assertSameText(openRowsStore(folder, viewSchema, 'lists'), store)
    await applyInSessions(store, folder, [[creation(issueId('aa'))]])
    assert.equal(existsSync(path), false)
    assert.ok(await readText())
    const first = readFileSync(path)
    await applyInSessions(store, folder, [[creation(issueId('bb'))]], 1)
    assert.ok(await readText())
    // With the change in the rows file only.
    assert.deepEqual(readFileSync(path), first)
    rmSync(join(folder, 'rows'))
    await applyInSessions(store, folder, [[]], 2)
    assert.ok(await readText())
    assert.notDeepEqual(readFileSync(path), first)
    // Where it cannot be written.
    rmSync(path)
    mkdirSync(path)
    assert.ok(await readText())
    rmSync(path, { recursive: true })
    assert.ok(await readText())
    await store.put(metaKey('log_gaps'), Buffer.from('{}'))
    await applyInSessions(store, folder, [[]], 3)
    assert.deepEqual(readdirSync(folder), [])
  })
  it('a killed process leaves files that are written anew', async () => {
    const folder = mkdtempSync(join(dir, 'level-'))
    const store = await openMemoryStore()
    await applyInSessions(store, folder, [[creation(issueId('aa'))]])
    // Without a close.
    const killed = (await View.over(keepRows(store, { folder }), {})) as View
    await killed.apply([segmentOf(batchOf([creation(issueId('bb'))]), headOf(7))], headOf(7))
    await killed.flush()
    assert.equal((await openRowsStore(folder, viewSchema, 'events')?.get(metaKey('wal_head')))?.toString(), headOf(1))
    await applyInSessions(store, folder, [[]])
    await assertSame(openRowsStore(folder, viewSchema, 'events'), store)
  })

  it('those of a new store are written from what it holds', async () => {
    const folder = mkdtempSync(join(dir, 'level-'))
    // Of the view that the new one replaces, with another head.
    await applyInSessions(await openMemoryStore(), folder, [[creation(issueId('aa'))]])
    const store = await openMemoryStore()
    const kept = keepRows({ ...store, close: async () => {} }, { folder, isNew: true })
    const view = (await View.over(kept, { deferred: true })) as View
    await view.apply([segmentOf(batchOf([creation(issueId('bb'))]), headOf(7))], headOf(7))
    await view.flush()
    await view.writeReflogMark('mark')
    await view.close()
    await assertSame(openRowsStore(folder, viewSchema, 'lists'), store)
    // The next process appends to them.
    await applyInSessions(store, folder, [[creation(issueId('cc'))]])
    await assertSame(openRowsStore(folder, viewSchema, 'lists'), store)
  })

  it('there are none for a view that needs warnings, or is too large', async () => {
    for (const [name, value] of [
      ['log_gaps', '{}'],
      ['held_heads', '[]'],
      ['issue_count', `${largeRowsIssuesMax + 1}`],
    ] as const) {
      const folder = mkdtempSync(join(dir, 'level-'))
      const store = await openMemoryStore()
      await applyInSessions(store, folder, [[creation(issueId('aa'))]])
      assert.equal(existsSync(join(folder, 'rows')), true)
      await store.put(metaKey(name), Buffer.from(value))
      await applyInSessions(store, folder, [[]])
      assert.deepEqual(readdirSync(folder), [], name)
    }
  })

  it('there is none with events for a view with many', async () => {
    const folder = mkdtempSync(join(dir, 'level-'))
    const store = await openMemoryStore()
    await applyInSessions(store, folder, [[creation(issueId('aa'))]])
    await store.put(metaKey('event_count'), Buffer.from(`${rowsBytesMax}`))
    rmSync(join(folder, 'rows'))
    await readMuch(store, folder)
    assert.deepEqual(readdirSync(folder), ['rows'])
    const rows = openRowsStore(folder, viewSchema, 'lists') as Store
    await assertSameLists(rows, store)
    const view = (await View.over(rows, {})) as View
    await assert.rejects(view.requireEvents(), isNotInRows)
    assert.equal(openRowsStore(folder, viewSchema, 'events'), undefined)
  })

  it('files of another schema or format are not used', async () => {
    const folder = mkdtempSync(join(dir, 'level-'))
    const store = await openMemoryStore()
    await applyInSessions(store, folder, [[creation(issueId('aa'))]])
    assert.equal(openRowsStore(folder, viewSchema + 1, 'lists'), undefined)
    writeFileSync(join(folder, 'rows'), readFileSync(join(folder, 'rows')).subarray(4))
    assert.equal(openRowsStore(folder, viewSchema, 'events'), undefined)
    rmSync(join(folder, 'rows'))
    assert.equal(openRowsStore(folder, viewSchema, 'events'), undefined)
    assert.equal(typeof openRowsView, 'function')
  })
})

describe('the rows file of a large view', () => {
  const rowsPath = (folder: string) => join(folder, 'rows')
  const manyIssues = (count: number, first = 0) =>
    Array.from({ length: count }, (_, index) =>
      creation(issueId((first + index).toString(16).padStart(4, '0')), 'x'.repeat(500)),
    )

  async function largeView() {
    const folder = mkdtempSync(join(dir, 'level-'))
    const store = await openMemoryStore()
    await applyInSessions(store, folder, [manyIssues(40)])
    await store.put(metaKey('issue_count'), Buffer.from(`${rowsIssuesMax + 40}`))
    for (const name of readdirSync(folder)) rmSync(join(folder, name))
    return { folder, store }
  }

  it('is written by a process that reads much, and by no other', async () => {
    const { folder, store } = await largeView()
    await applyInSessions(store, folder, [manyIssues(1, 100), manyIssues(rowsBytesMax / 500, 1000)], 1)
    assert.deepEqual(readdirSync(folder), [])
    await readMuch(store, folder)
    assert.deepEqual(readdirSync(folder), ['rows'])
    assert.ok(statSync(rowsPath(folder)).size > rowsBytesMax)
    const rows = openRowsStore(folder, viewSchema, 'lists') as Store
    await assertSameLists(rows, store)
    const fresh = openRowsStore(folder, viewSchema, 'lists') as Store
    const { issue_id } = (await ((await View.over(store, {})) as View).allRows())[0] as IssueRow
    assert.equal(fresh.findRows?.([issue_id])?.length, 1)
    await assertSameRows(fresh, store)
  })

  it('grows by the changes of a write, and goes when they are too many', async () => {
    const { folder, store } = await largeView()
    await readMuch(store, folder)
    const written: number[] = []
    for (let count = 0; existsSync(rowsPath(folder)); count++) {
      assert.ok(count < 1000)
      await assertSameLists(openRowsStore(folder, viewSchema, 'lists'), store)
      const before = readFileSync(rowsPath(folder))
      await applyInSessions(store, folder, [manyIssues(10, 1000 + 10 * count)], 1 + count)
      if (!existsSync(rowsPath(folder))) break
      const after = readFileSync(rowsPath(folder))
      assert.ok(after.subarray(0, before.length).equals(before))
      written.push(after.length - before.length)
    }
    assert.ok(written.length > 5)
    assert.ok(Math.max(...written) < rowsChangesBytesMax)
    await readMuch(store, folder)
    await assertSameLists(openRowsStore(folder, viewSchema, 'lists'), store)
  })

  it('of another state goes', async () => {
    const { folder, store } = await largeView()
    await readMuch(store, folder)
    // A process that does not keep the file.
    await store.put(metaKey('wal_head'), Buffer.from(headOf(77)))
    await applyInSessions(store, folder, [manyIssues(1, 1000)], 1)
    assert.deepEqual(readdirSync(folder), [])
  })
})

describe('a rows file that is read in parts', () => {
  const keyOf = (index: number) => (index * 7919).toString(16).padStart(8, '0')
  const textOf = (index: number) => `${index % 9 === 0 ? 'é' : 'e'}`.repeat(index % 600)
  const count = 8000
  const path = join(dir, 'parts')

  const largeFile = (): Buffer => {
    const lines = Array.from({ length: count }, (_, index) => formatLine(keyOf(index), textOf(index)))
    const families = new Map([
      ['meta/', ['aa\tx']],
      ['issue_row/', lines],
    ])
    const state = { head: headOf(1), reflogMark: '' }
    return encodeBase({ schema: '6', state, bytesMax: largeRowsBytesMax }, families) as Buffer
  }

  const openLarge = (bytes: Buffer): RowsFile => {
    writeFileSync(path, bytes)
    return openRowsFile(path) as RowsFile
  }

  const readOne = (file: RowsFile, index: number) =>
    file.readLines('issue_row/', keyOf(index), `${keyOf(index)}0`)?.map(valueIn)

  it('has every line, alone and with the others', () => {
    const file = openLarge(largeFile())
    for (let index = 0; index < count; index += 7) assert.deepEqual(readOne(file, index), [textOf(index)])
    assert.deepEqual(file.readLines('issue_row/', `${keyOf(1)}0`, keyOf(2)), [])
    assert.equal(file.readLines('issue_row/')?.length, count)
    assert.deepEqual(file.readLines('issue_row/', keyOf(10), keyOf(4000))?.map(keyIn), [
      ...Array.from({ length: 3990 }, (_, index) => keyOf(index + 10)),
    ])
    file.close()
  })

  it('is read where it is needed, and damage elsewhere does no harm', () => {
    const bytes = largeFile()
    // Far from the index before the lines, and from the line that is read.
    const [from, to] = [bytes.length >> 1, bytes.length - 64 * 1024]
    bytes.fill('?', from, to)
    const file = openLarge(bytes)
    assert.deepEqual(readOne(file, 10), [textOf(10)])
    assert.deepEqual(readOne(file, count - 1), [textOf(count - 1)])
    assert.equal(file.readLines('issue_row/'), undefined)
    assert.equal(readOne(file, Math.floor(count * 0.8)), undefined)
    assert.equal(file.findLine('issue_row/', keyOf(10))?.value, textOf(10))
    assert.equal(file.findLine('issue_row/', keyOf(Math.floor(count * 0.8))), undefined)
    file.close()
  })

  it('gives no lines after it was closed or cut off', () => {
    const bytes = largeFile()
    const closed = openLarge(bytes)
    closed.close()
    assert.equal(readOne(closed, 10), undefined)
    const cutOff = openLarge(bytes)
    truncateSync(path, bytes.length >> 1)
    assert.equal(readOne(cutOff, count - 1), undefined)
    assert.deepEqual(readOne(cutOff, 10), [textOf(10)])
    cutOff.close()
    assert.equal(openRowsFile(path), undefined)
  })
})

describe('bytes of a rows file', () => {
  const entriesIn = (file: RowsFile | undefined, name: string, gte?: string, lt?: string) =>
    file?.readLines(name, gte, lt)?.map((line) => [keyIn(line), valueIn(line)])
  const state = { head: 'a'.repeat(40), reflogMark: '1 2 3/4' }
  const toLines = (families: ReadonlyMap<string, readonly (readonly string[])[]>) =>
    new Map([...families].map(([name, list]) => [name, list.map(([key = '', value = '']) => formatLine(key, value))]))
  const entry = fc.tuple(
    fc.uint8Array({ minLength: 1, maxLength: 4 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    fc.string({ unit: anyCharacter, maxLength: 8 }).map((text) => text.replaceAll('\n', '')),
  )
  const families = fc
    .tuple(
      ...['meta/', 'issue_row/'].map((name) =>
        fc.tuple(fc.constant(name), fc.uniqueArray(entry, { selector: ([key]) => key })),
      ),
    )
    .map(
      (pairs) => new Map(pairs.map(([name, list]) => [name, list.sort(([left], [right]) => (left < right ? -1 : 1))])),
    )

  it('are read as they were written', () => {
    fc.assert(
      fc.property(families, fc.array(entry), (base, changes) => {
        const later = { ...state, head: 'b'.repeat(40) }
        const list = changes.map(([keyHex, value], index) => ({
          family: 'meta/',
          keyHex,
          value: index % 3 === 0 ? undefined : value,
        }))
        const bytes = Buffer.concat([
          encodeBase({ schema: '5', state, bytesMax: rowsBytesMax }, toLines(base)) as Buffer,
          ...list.map((change) => encodeChange(later, [change]) as Buffer),
        ])
        const file = readRowsFile(bytes)
        assert.deepEqual(file?.state, list.length > 0 ? later : state)
        assert.deepEqual(entriesIn(file, 'issue_row/'), base.get('issue_row/'))
        const expected = new Map(base.get('meta/'))
        for (const { keyHex, value } of list) {
          if (value === undefined) expected.delete(keyHex)
          else expected.set(keyHex, value)
        }
        assert.deepEqual(new Map(entriesIn(file, 'meta/') as [string, string][]), expected)
      }),
    )
  })

  it('ranges are those of all lines, over any number of blocks', () => {
    const [family, other] = ['issue_row/', 'meta/']
    const title = (index: number) => `${index % 7 === 0 ? 'é' : 'e'}`.repeat((index % 11) * 90)
    const all = Array.from({ length: 200 }, (_, index): [string, string] => [
      (index * 3).toString(16).padStart(4, '0'),
      title(index),
    ])
    const change = { family, keyHex: '0004', value: 'new' }
    const base = encodeBase(
      { schema: '5', state, bytesMax: rowsBytesMax },
      toLines(
        new Map([
          [other, [['aa', 'x']]],
          [family, all],
        ]),
      ),
    ) as Buffer
    const bytes = Buffer.concat([base, encodeChange(state, [change]) as Buffer])
    const expected = [...all, ['0004', 'new']].sort(([left = ''], [right = '']) => (left < right ? -1 : 1))
    fc.assert(
      fc.property(fc.nat(700), fc.option(fc.nat(700), { nil: undefined }), (from, to) => {
        const [gte, lt] = [from, to].map((number) => number?.toString(16).padStart(4, '0'))
        const isWithin = ([key = '']: string[]) => key >= (gte as string) && (lt === undefined || key < lt)
        assert.deepEqual(entriesIn(readRowsFile(bytes), family, gte, lt), expected.filter(isWithin))
      }),
    )
  })

  it('a line is found with how far the keys beside it are like its own', () => {
    const digits = fc.array(fc.constantFrom('0', '1', 'f'), { minLength: 6, maxLength: 6 }).map((list) => list.join(''))
    const lines = fc.uniqueArray(fc.tuple(digits, fc.nat(900)), { selector: ([key]) => key, maxLength: 60 })
    fc.assert(
      fc.property(lines, (list) => {
        const all = list.sort(([left], [right]) => (left < right ? -1 : 1))
        const texts = all.map(([key, length]) => formatLine(key, 'é'.repeat(length)))
        const families = new Map([['issue_row/', texts]])
        const file = readRowsFile(encodeBase({ schema: '5', state, bytesMax: rowsBytesMax }, families) as Buffer)
        for (const [index, [key]] of all.entries()) {
          const beside = [all[index - 1], all[index + 1]].flatMap((other) => other?.[0] ?? [])
          const isShared = (length: number) => beside.some((other) => other.startsWith(key.slice(0, length)))
          const sharedLength = [5, 4, 3, 2, 1].find(isShared) ?? 0
          assert.deepEqual(file?.findLine('issue_row/', key), { value: valueIn(texts[index] as string), sharedLength })
        }
        const known = new Set(all.map(([key]) => key))
        for (const key of ['000000', '0f0f01', 'ffffff', '0', '2'])
          if (!known.has(key)) assert.equal(file?.findLine('issue_row/', key), null)
        assert.equal(file?.findLine('meta/', '00'), undefined)
      }),
    )
  })

  it('with a damaged byte, or cut off, give no other content', () => {
    const base = new Map([
      ['meta/', [['aa', 'first'] as const]],
      ['issue_row/', [['bb', '{"title":"x"}'] as const, ['cc', 'é'] as const]],
    ])
    const change = { family: 'meta/', keyHex: 'aa', value: 'second' }
    const bytes = Buffer.concat([
      encodeBase({ schema: '5', state, bytesMax: rowsBytesMax }, toLines(base)) as Buffer,
      encodeChange(state, [change]) as Buffer,
    ])
    for (let index = 0; index < bytes.length; index++) {
      for (const flipped of [0x01, 0x80]) {
        const damaged = Buffer.from(bytes)
        damaged[index] = (damaged[index] as number) ^ flipped
        const file = readRowsFile(damaged)
        for (const name of base.keys()) {
          for (const range of [[], ['aa', 'bb'], ['bb', 'cc'], ['cc']]) {
            const found = file && entriesIn(file, name, ...range)
            if (found !== undefined)
              assert.deepEqual(found, entriesIn(readRowsFile(bytes), name, ...range), `byte ${index}`)
          }
        }
      }
      if (index > 0) assert.notDeepEqual(entriesIn(readRowsFile(bytes.subarray(0, index)), 'meta/'), [['aa', 'second']])
    }
  })

  it('a value with a line break is refused', () => {
    assert.equal(
      encodeBase({ schema: '5', state, bytesMax: rowsBytesMax }, new Map([['meta/', ['aa\ta\nb']]])),
      undefined,
    )
    assert.equal(encodeChange(state, [{ family: 'meta/', keyHex: 'aa', value: 'a\nb' }]), undefined)
  })
})
