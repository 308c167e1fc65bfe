import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { gatherPieces } from '../../../src/tracker/export/gather-pieces.ts'
import {
  DeferredEntries,
  DeferredList,
  DeferredText,
  formatJson,
  JsonBytes,
  type JsonLayout,
  JsonList,
  jsonPieces,
  type Piece,
  readDeferred,
} from '../../../src/tracker/export/json-pieces.ts'

const layouts: readonly JsonLayout[] = ['indented', 'compact']

async function piecesOf(value: unknown, layout?: JsonLayout): Promise<string[]> {
  const pieces: string[] = []
  for await (const piece of jsonPieces(value, layout)) pieces.push(`${piece}`)
  return pieces
}

async function* each<Item>(...items: readonly Item[]): AsyncGenerator<Item> {
  yield* items
}

test('pieces of any value join to the text of JSON.stringify', async () => {
  const long = fc.array(fc.jsonValue({ maxDepth: 2 }), { minLength: 9, maxLength: 40 })
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 6 }, fc.jsonValue(), long, fc.dictionary(fc.string(), tie('value'))),
  }))
  await fc.assert(
    fc.asyncProperty(value, async (given) => {
      for (const layout of layouts) {
        assert.equal((await piecesOf(given, layout)).join(''), formatJson(given, layout))
      }
    }),
  )
})

test('undefined members are left out, undefined elements are null', async () => {
  const value = { a: undefined, b: [undefined, 1], c: { d: undefined } }
  assert.equal((await piecesOf(value)).join(''), JSON.stringify(value, null, 2))
})

test('a list of texts is the list of their values', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 40 }), async (list) => {
      const texts = list.map((element) => formatJson(element, 'compact'))
      const values: unknown = JSON.parse(`[${texts.join(',')}]`)
      for (const layout of layouts) {
        const text = (await piecesOf({ deep: { list: new JsonList(texts, JSON.parse) } }, layout)).join('')
        assert.equal(text, formatJson({ deep: { list: values } }, layout))
      }
      assert.deepEqual(await readDeferred({ list: new JsonList(texts, JSON.parse) }), { list: values })
    }),
  )
})

test('a list of bytes is in a document as it is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 40 }), async (list) => {
      const bytes = Buffer.from(list.map((element) => formatJson(element, 'compact')).join(','))
      const values: unknown = JSON.parse(`[${bytes}]`)
      for (const layout of layouts) {
        const text = (await piecesOf({ deep: { list: new JsonBytes(bytes, JSON.parse) } }, layout)).join('')
        assert.equal(text, formatJson({ deep: { list: values } }, layout))
      }
      assert.deepEqual(await readDeferred({ list: new JsonBytes(bytes, JSON.parse) }), { list: values })
    }),
  )
  const gathered: Piece[] = []
  const value = { before: 1, list: new JsonBytes(Buffer.from('"é"'), JSON.parse), after: 2 }
  for await (const piece of gatherPieces(jsonPieces(value, 'compact'))) gathered.push(piece)
  assert.deepEqual(gathered, ['{"before":1,"list":[', Buffer.from('"é"'), '],"after":2}'])
})

test('a text of such a list may have several elements', async () => {
  const list = new JsonList(['1,[2]', '"3,4"', '{"a":[5]},6'], (text) => JSON.parse(text))
  const values = [1, [2], '3,4', { a: [5] }, 6]
  for (const layout of layouts)
    assert.equal((await piecesOf({ list }, layout)).join(''), formatJson({ list: values }, layout))
  assert.deepEqual(await readDeferred(list), values)
})

test('deferred parts appear in place at any level', async () => {
  const deferred = {
    empty: { list: new DeferredList(() => each([])), object: new DeferredEntries(() => each()) },
    list: new DeferredList(() => each<unknown[]>([1, { two: 2 }], [], ['three'])),
    deep: {
      object: new DeferredEntries(() =>
        each<[string, unknown]>(
          ['text', new DeferredText(() => each('a "quote",', ' a line end\n, a piece'))],
          ['base64', new DeferredText(() => each('QUJD', 'REVG'), 'base64')],
          ['plain', [1, 2]],
          ['absent', undefined],
        ),
      ),
    },
  }
  const plain = {
    empty: { list: [], object: {} },
    list: [1, { two: 2 }, 'three'],
    deep: { object: { text: 'a "quote", a line end\n, a piece', base64: 'QUJDREVG', plain: [1, 2] } },
  }
  for (const layout of layouts) assert.equal((await piecesOf(deferred, layout)).join(''), formatJson(plain, layout))
})

test('a long list comes in pieces of bounded length', async () => {
  const small = Array.from({ length: 20_000 }, (_, index) => ({ index }))
  const large = Array.from({ length: 20 }, () => 'x'.repeat(300_000))
  const pieces = await piecesOf({ data: { list: [...small, ...large] } })
  const longest = pieces.reduce((most, { length }) => Math.max(most, length), 0)
  assert.ok(longest < 8_000_000, String(longest))
})
