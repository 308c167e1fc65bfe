import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isRemovedFile,
  languageOf,
  matchNames,
  orderSymbols,
  removedFile,
  type SourceSymbol,
  sortForLog,
  summarize,
} from '../../../src/model/index.ts'

const symbol = (name: string, kind: string, lineStart: number, lineEnd = lineStart): SourceSymbol => ({
  ...{ name, kind, lineStart, lineEnd },
})

test('a file has the language of its ending, which is case-sensitive', () => {
  const languages = {
    'src/a.rs': 'rust',
    'a.tsx': 'typescriptreact',
    'a.d.ts': 'typescript',
    'a.h': 'c',
    'x.py/readme': null,
    'A.PY': null,
    '.ts': null,
    'dir/.rs': null,
    Makefile: null,
    'a.': null,
  }
  for (const [path, language] of Object.entries(languages)) assert.equal(languageOf(path), language, path)
})

test('symbols are ordered by line, types first, and a name counts once in a line', () => {
  const found = [symbol('b', 'type', 2), symbol('f', 'function', 2), symbol('C', 'class', 2), symbol('a', 'const', 1)]
  assert.deepEqual(
    orderSymbols([...found, symbol('a', 'type', 1)]).map(({ name, kind }) => `${name} ${kind}`),
    ['a const', 'C class', 'f function', 'b type'],
  )
  assert.deepEqual(
    sortForLog([symbol('b', 'type', 1), symbol('a', 'type', 3), symbol('a', 'class', 9), symbol('a', 'class', 2)]).map(
      ({ name, kind, lineStart }) => [name, kind, lineStart],
    ),
    [
      ['a', 'class', 9],
      ['a', 'class', 2],
      ['a', 'type', 3],
      ['b', 'type', 1],
    ],
  )
})

test('a summary names types and counts functions', () => {
  const types = ['A', 'B', 'C', 'D'].map((name, line) => symbol(name, 'struct', line))
  assert.equal(summarize('a.rs', 'rust', []), 'rust file')
  assert.equal(summarize('a.tsx', 'typescriptreact', []), 'typescript file')
  assert.equal(summarize('x/a.rs', 'rust', [symbol('N', 'const', 1)]), 'a.rs (rust)')
  assert.equal(summarize('a.rs', 'rust', types), 'defines A, B, C (+1 more)')
  assert.equal(summarize('a.rs', 'rust', [symbol('A', 'class', 1), symbol('m', 'method', 2)]), 'defines A; 1 functions')
})

test('a removed file is known by its hash', () => {
  assert.ok(isRemovedFile(removedFile('a.rs')))
  assert.ok(!isRemovedFile({ ...removedFile('a.rs'), symbols: [symbol('a', 'type', 1)] }))
})

test('names are ranked: the name itself, its beginning, a word, any place', () => {
  const names = ['openStore', 'Store', 'store', 'storeBlob', 'restored', 'a_store', 'other']
  const found = (query: string, how: 'prefix' | 'substring' | 'fuzzy') =>
    matchNames([...names].sort(), query, how).map(({ name }) => name)
  assert.deepEqual(found('store', 'prefix'), ['store', 'storeBlob'])
  assert.deepEqual(found('store', 'substring'), ['store', 'Store', 'storeBlob', 'a_store', 'openStore', 'restored'])
  assert.deepEqual(found('os', 'fuzzy'), ['openStore'])
  assert.deepEqual(found('sb', 'fuzzy'), ['storeBlob'])
  assert.deepEqual(found('', 'prefix').length, names.length)
})
