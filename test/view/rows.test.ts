/** The rows files of a view: they hold the same keys and values as the view, or are not used. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { type Event, type IssueId, identifyEvent } from '../../src/model/index.ts'
import { openRowsView, View, viewSchema } from '../../src/view/index.ts'
import { keepRows } from '../../src/view/keep-rows.ts'
import { issueRowsOfPrefix, metaKey } from '../../src/view/keys.ts'
import { layeredStore } from '../../src/view/layered-store.ts'
import { rowsBytesMax, rowsIssuesMax, rowsParts } from '../../src/view/rows-families.ts'
import {
  encodeBase,
  encodeChange,
  formatLine,
  keyIn,
  type RowsFile,
  readRowsFile,
  valueIn,
} from '../../src/view/rows-file.ts'
import { openRowsStore } from '../../src/view/rows-store.ts'
import { openDiskStore, openMemoryStore, type Store } from '../../src/view/store.ts'
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
async function applyInSessions(store: Store, folder: string, batches: readonly (readonly Event[])[]): Promise<void> {
  for (const [index, events] of batches.entries()) {
    const kept = keepRows({ ...store, close: async () => {} }, { folder })
    const view = (await View.over(kept, {})) as View
    if (events.length > 0) await view.apply([segmentOf(batchOf(events), headOf(index + 1))], headOf(index + 1))
    await view.writeReflogMark(`mark ${index}`)
    await view.close()
  }
}

const entriesOf = async (store: Store, prefix: string) => {
  const gte = Buffer.from(prefix)
  const lt = Buffer.from(`${prefix.slice(0, -1)}0`)
  return (await store.iterator({ gte, lt }).all()).map((pair) => pair.map((bytes) => bytes.toString('hex')))
}

async function assertSame(rows: Store | undefined, store: Store): Promise<void> {
  assert.ok(rows !== undefined)
  for (const { name } of rowsParts.flatMap(({ families }) => families)) {
    assert.deepEqual(await entriesOf(rows, name), await entriesOf(store, name), name)
  }
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
          await assertSame(openRowsStore(folder, viewSchema), store)
        else assert.equal(openRowsStore(folder, viewSchema), undefined)
      }),
      { numRuns: 100 },
    )
  })

  it('grow by changes, and are written anew at times', async () => {
    const folder = mkdtempSync(join(dir, 'level-'))
    const store = await openMemoryStore()
    const path = join(folder, 'rows')
    const sizes: number[] = []
    for (let count = 1; count <= 300; count++) {
      const kept = keepRows({ ...store, close: async () => {} }, { folder })
      const view = (await View.over(kept, {})) as View
      const id = issueId(count.toString(16).padStart(4, '0'))
      await view.apply([segmentOf(batchOf([creation(id, 'x'.repeat(500))]), headOf(count))], headOf(count))
      await view.close()
      sizes.push(readFileSync(path).length)
    }
    await assertSame(openRowsStore(folder, viewSchema), store)
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
    await assertSame(openRowsStore(folder, viewSchema), store)
  })

  it('lookups and ranges are those of LevelDB', async (t) => {
    const folder = mkdtempSync(join(dir, 'level-'))
    const store = await openDiskStore(mkdtempSync(join(dir, 'disk-')), { create: true })
    t.after(() => store.close())
    const ids = ['00', '0f', '10', 'aa', 'ff'].map(issueId)
    await applyInSessions(store, folder, [ids.map((id) => creation(id)), [creation(issueId('a0'))]])
    const rows = openRowsStore(folder, viewSchema) as Store
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

  it('a killed process leaves files that are written anew', async () => {
    const folder = mkdtempSync(join(dir, 'level-'))
    const store = await openMemoryStore()
    await applyInSessions(store, folder, [[creation(issueId('aa'))]])
    // Without a close.
    const killed = (await View.over(keepRows(store, { folder }), {})) as View
    await killed.apply([segmentOf(batchOf([creation(issueId('bb'))]), headOf(7))], headOf(7))
    await killed.flush()
    assert.equal((await openRowsStore(folder, viewSchema)?.get(metaKey('wal_head')))?.toString(), headOf(1))
    await applyInSessions(store, folder, [[]])
    await assertSame(openRowsStore(folder, viewSchema), store)
  })

  it('there are none for a view that needs warnings, or is too large', async () => {
    for (const [name, value] of [
      ['log_gaps', '{}'],
      ['held_heads', '[]'],
      ['issue_count', `${rowsIssuesMax + 1}`],
      ['event_count', `${rowsBytesMax}`],
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

  it('files of another schema or format are not used', async () => {
    const folder = mkdtempSync(join(dir, 'level-'))
    const store = await openMemoryStore()
    await applyInSessions(store, folder, [[creation(issueId('aa'))]])
    assert.equal(openRowsStore(folder, viewSchema + 1), undefined)
    writeFileSync(join(folder, 'rows'), readFileSync(join(folder, 'rows')).subarray(4))
    assert.equal(openRowsStore(folder, viewSchema), undefined)
    rmSync(join(folder, 'rows'))
    assert.equal(openRowsStore(folder, viewSchema), undefined)
    assert.equal(typeof openRowsView, 'function')
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
          encodeBase('5', state, toLines(base)) as Buffer,
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
      '5',
      state,
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

  it('with a damaged byte, or cut off, give no other content', () => {
    const base = new Map([
      ['meta/', [['aa', 'first'] as const]],
      ['issue_row/', [['bb', '{"title":"x"}'] as const, ['cc', 'é'] as const]],
    ])
    const change = { family: 'meta/', keyHex: 'aa', value: 'second' }
    const bytes = Buffer.concat([
      encodeBase('5', state, toLines(base)) as Buffer,
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
    assert.equal(encodeBase('5', state, new Map([['meta/', ['aa\ta\nb']]])), undefined)
    assert.equal(encodeChange(state, [{ family: 'meta/', keyHex: 'aa', value: 'a\nb' }]), undefined)
  })
})
