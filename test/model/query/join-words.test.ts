import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findLostQuotes, joinQueryWords, parseQuery } from '../../../src/model/index.ts'

const table: readonly (readonly [words: readonly string[], query: string])[] = [
  [[], ''],
  [['state:open label:bug'], 'state:open label:bug'],
  [['state:open', 'crash'], 'state:open crash'],
  [['state:open', 'label:help wanted'], 'state:open label:"help wanted"'],
  [['-label:help wanted', 'text:a\\b c'], '-label:"help wanted" text:"a\\\\b c"'],
  [['state:open', 'label:bug type:task'], 'state:open label:bug type:task'],
  [['state:open', 'label:bug OR crash'], 'state:open label:bug OR crash'],
  [['state:open', 'label:bug -crash'], 'state:open label:bug -crash'],
  [['state:open', 'label:"help wanted"'], 'state:open label:"help wanted"'],
  [['state:open', 'a b'], 'state:open a b'],
  [['label:help wanted'], 'label:help wanted'],
]

for (const [words, query] of table) {
  test(`words ${JSON.stringify(words)} join to the query ${query}`, () => {
    assert.equal(joinQueryWords(words), query)
    assert.ok(parseQuery(joinQueryWords(words)))
  })
}

test('a lone word that lost its quotes is detected', () => {
  assert.equal(findLostQuotes(['label:help wanted']), 'label:"help wanted"')
  for (const words of [['label:help'], ['help wanted'], ['label:a type:b'], ['label:"a b"'], ['a', 'label:a b']]) {
    assert.equal(findLostQuotes(words), undefined)
  }
})
