import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { describeForeign, limits, parseForeignJson, shape, shortenText } from '../../../src/model/index.ts'

const read = (text: string | Uint8Array, more: { sizeMax?: number; depthMax?: number; valuesMax?: number } = {}) =>
  parseForeignJson(text, shape.anything, { name: 'x.json', sizeMax: 1 << 26, ...more })
const problemOf = (text: string | Uint8Array, more = {}) => read(text, more).problem?.message ?? null

describe('foreign JSON', () => {
  test('foreign JSON within its limits equals JSON.parse', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.nat(3), (value, space) => {
        const text = JSON.stringify(value, null, space)
        assert.deepEqual(read(text), { value: JSON.parse(text), problem: null })
        assert.deepEqual(read(Buffer.from(text)).value, JSON.parse(text))
      }),
    )
  })

  test('foreign JSON beyond its size is refused unparsed', () => {
    assert.equal(problemOf('"abc"', { sizeMax: 5 }), null)
    assert.equal(problemOf('"abc"', { sizeMax: 4 }), 'x.json is larger than 4 characters')
    assert.equal(problemOf(Buffer.from('"ä"'), { sizeMax: 3 }), 'x.json is larger than 3 bytes')
  })

  const nested = (levels: number, open = '[', close = ']') => `${open.repeat(levels)}1${close.repeat(levels)}`

  test('foreign JSON beyond its depth is refused, however deep', () => {
    assert.equal(problemOf(nested(limits.foreignDepthMax)), null)
    assert.equal(problemOf(nested(limits.foreignDepthMax, '{"a":', '}')), null)
    for (const levels of [limits.foreignDepthMax + 1, 400_000, 5_000_000]) {
      assert.equal(problemOf(nested(levels)), 'x.json is nested deeper than 64 levels')
      assert.equal(problemOf(nested(levels, '{"a":', '}')), 'x.json is nested deeper than 64 levels')
    }
  })

  test('brackets within strings do not count as nesting', () => {
    for (const text of ['[', '\\"[', '\\\\', '"[{', '\\'.repeat(7), 'a"b\\"[['.repeat(9)]) {
      const json = JSON.stringify([text, [text]])
      assert.deepEqual(read(json, { depthMax: 2 }).value, [text, [text]])
      assert.match(problemOf(json, { depthMax: 1 }) ?? '', /deeper than 1 levels/)
    }
  })

  test('foreign JSON beyond its value count is refused', () => {
    assert.equal(problemOf('[1,2,3]', { valuesMax: 3 }), null)
    assert.equal(problemOf('[1,2,3,4]', { valuesMax: 3 }), 'x.json holds more than 3 values')
    assert.equal(problemOf('[[],[],[]]', { valuesMax: 5 }), 'x.json holds more than 5 values')
  })

  test('malformed JSON is reported in a short message', () => {
    for (const text of ['', '{', '"', '"\\', '[1,', '{"a"', ']'.repeat(1e6), 'x'.repeat(1e6), `"${'\\'.repeat(1e6)}`]) {
      const { value, problem } = read(text)
      assert.deepEqual([value, problem?.kind], [null, 'not-json'])
      assert.ok((problem?.message.length ?? 0) < 250, problem?.message)
    }
  })
})

describe('shapes', () => {
  const lease = shape.table({
    owner: shape.text({ lengthMin: 1, lengthMax: 8, words: 'a short text' }),
    expires: shape.integer({ max: 100 }),
    kind: shape.optional(shape.oneOf(['lease', 'lock'])),
    fence: shape.lenient(shape.integer(), null),
    note: shape.nullable(shape.text()),
    rows: shape.optional(shape.list(shape.table({ path: shape.text() }), { countMax: 2 })),
    set: shape.optional(shape.record(shape.flag)),
  })
  const readLease = (value: unknown) => parseForeignJson(JSON.stringify(value), lease, { name: 'lease', sizeMax: 9999 })
  const good = { owner: 'ann', expires: 5 }

  test('a shape returns only its stated keys', () => {
    const { value } = readLease({ ...good, fence: 'x', more: 1, rows: [{ path: 'p', q: 1 }], set: { a: true } })
    assert.deepEqual(value, {
      owner: 'ann',
      expires: 5,
      kind: undefined,
      fence: null,
      note: null,
      rows: [{ path: 'p' }],
      set: new Map([['a', true]]),
    })
  })

  test('a shape takes no key from the prototype', () => {
    const { value } = parseForeignJson('{"__proto__":{"toString":1}}', shape.table({ toString: shape.anything }), {
      name: 'x',
      sizeMax: 99,
    })
    assert.equal(value?.toString, undefined)
  })

  const wrong: readonly (readonly [value: unknown, message: string])[] = [
    [[], 'lease must be an object, got a list'],
    [null, 'lease must be an object, got null'],
    [{ expires: 5 }, 'lease: owner must be a short text, got nothing'],
    [{ ...good, owner: { toString: 1, valueOf: 1 } }, 'lease: owner must be a short text, got an object'],
    [{ ...good, owner: 'x'.repeat(9000) }, `lease: owner must be a short text, got "${'x'.repeat(79)}…"`],
    [{ ...good, expires: 2 ** 53 }, 'lease: expires must be a whole number from 0, got 9007199254740992'],
    [{ ...good, expires: -1 }, 'lease: expires must be a whole number from 0, got -1'],
    [{ ...good, kind: 'x' }, 'lease: kind must be "lease", "lock", got "x"'],
    [{ ...good, rows: [{ path: 'p' }, { path: 7 }] }, 'lease: rows[1].path must be text, got 7'],
    [{ ...good, rows: [1, 2, 3] }, 'lease: rows must be a list, got a list of 3'],
    [{ ...good, set: { 'a b': 1 } }, 'lease: set.a b must be true or false, got 1'],
    [{ ...good, set: { ['k'.repeat(5000)]: 1 } }, `lease: set.${'k'.repeat(115)}… must be true or false, got 1`],
  ]
  for (const [value, message] of wrong) {
    test(`a shape reports: ${message.slice(0, 70)}`, () => {
      assert.deepEqual([readLease(value).value, readLease(value).problem?.message], [null, message])
    })
  }
})

test('any foreign value has a short description', () => {
  let deep: unknown = 1
  for (let level = 0; level < 100_000; level++) deep = [deep]
  const hostile = [deep, { toString: 1, valueOf: 1, toJSON: 1 }, Object.create(null), Symbol('x'), () => 1, 10n ** 900n]
  for (const value of [...hostile, 'x'.repeat(1e6), '\ud83d\ude00'.repeat(1e5), new Date(Number.NaN), undefined]) {
    const words = describeForeign(value)
    assert.ok(words.length < 90 && words.isWellFormed(), words)
  }
  assert.deepEqual([1.5, 'a"b', true, null, [1], { a: 1 }, 5n].map(describeForeign), [
    '1.5',
    '"a\\"b"',
    'true',
    'null',
    'a list',
    'an object',
    '5',
  ])
})

test('a text is shortened between characters', () => {
  assert.equal(shortenText('abcd', 4), 'abcd')
  assert.equal(shortenText('abcde', 4), 'abc…')
  assert.equal(shortenText('ab\ud83d\ude00d', 4), 'ab…')
})
