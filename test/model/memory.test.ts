import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  compareMemories,
  formatMemory,
  holdsWords,
  isAboutPath,
  isMemoryKey,
  limits,
  readMemory,
  slugOf,
} from '../../src/model/index.ts'
import { anyCharacter } from '../support/any-character.ts'

describe('values of memories', () => {
  test('a memory about nothing is its plain text', () => {
    assert.equal(formatMemory({ text: 'a "b"', about: null }), 'a "b"')
    assert.equal(formatMemory({ text: 'a', about: 'src' }), '{"text":"a","about":"src"}')
  })

  test('any memory is read as it was written', () => {
    const text = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.constantFrom('{"text":"a"}', '{"text":"a","about":"b"}', '{"text":1}', '{', '{"text":"a","more":1}'),
    )
    fc.assert(
      fc.property(text, fc.option(fc.string({ minLength: 1 })), (some, about) => {
        assert.deepEqual(readMemory(formatMemory({ text: some, about })), { text: some, about })
      }),
    )
  })

  for (const value of [
    'plain',
    '[1]',
    '{}',
    '{"text":7}',
    '{"about":"src"}',
    '{"text":"a","about":null}',
    '{"text":"a","more":"b"}',
    ' {"text":"a"}',
  ]) {
    test(`${value} is a plain text`, () => assert.deepEqual(readMemory(value), { text: value, about: null }))
  }

  test('the empty value is no memory', () => assert.equal(readMemory(''), null))

  test('the longest allowed memory is read back', () => {
    const memory = { text: '\u0001'.repeat(limits.memoryBytesMax), about: 'x'.repeat(limits.memoryAboutBytesMax) }
    assert.deepEqual(readMemory(formatMemory(memory)), memory)
  })
})

describe('keys made from a text', () => {
  const isFree = () => true
  for (const [text, key] of [
    ['The parser keeps comments', 'the-parser-keeps-comments'],
    ['Café: naïve, isn’t it?', 'cafe-naive-isn-t-it'],
    ['one two three four five six seven eight nine', 'one-two-three-four-five-six-seven-eight'],
    ['x'.repeat(90), 'x'.repeat(40)],
    ['日本語', 'note'],
  ] as const) {
    test(`${text.slice(0, 30)} becomes ${key.slice(0, 30)}`, () => assert.equal(slugOf(text, isFree), key))
  }

  test('a key that is taken gets a number', () => {
    const taken = new Set(['a-b', 'a-b-2'])
    assert.equal(
      slugOf('a b', (key) => !taken.has(key)),
      'a-b-3',
    )
  })

  test('every key made from a text is valid', () => {
    fc.assert(fc.property(fc.string({ unit: anyCharacter }), (text) => assert.ok(isMemoryKey(slugOf(text, isFree)))))
  })
})

describe('finding memories', () => {
  test('a memory about a folder is about its files', () => {
    const found = ['src', 'src/a.ts', '.', 'src/a', 'src/a.ts/b', 'sr'].filter((about) =>
      isAboutPath(about, 'src/a.ts'),
    )
    assert.deepEqual(found, ['src', 'src/a.ts', '.'])
  })

  test('all words must be there, in any case and any text', () => {
    const texts = ['ci-port', 'Port 8080']
    assert.deepEqual(
      [['PORT', 'ci'], ['port', 'x'], []].map((words) => holdsWords(texts, words)),
      [true, false, true],
    )
  })

  test('the newest memory comes first, then by key', () => {
    const memories = [
      { key: 'b', tsUnixMs: 0 },
      { key: 'a', tsUnixMs: 0 },
      { key: 'c', tsUnixMs: 9 },
    ]
    assert.deepEqual(
      memories.sort(compareMemories).map(({ key }) => key),
      ['c', 'a', 'b'],
    )
  })
})
