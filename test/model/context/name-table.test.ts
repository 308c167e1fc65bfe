import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareText, matchNames, NameTable } from '../../../src/model/index.ts'
import { anyCharacter } from '../../support/any-character.ts'

const character = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...'abAB1_$ é'.split('')) },
  { weight: 1, arbitrary: anyCharacter.filter((each) => each !== '\0') },
  // Lower case is longer, or ASCII.
  { weight: 1, arbitrary: fc.constantFrom('İ', '\u212a', 'ǅ', '\ufeff') },
)
const text = fc.array(character, { maxLength: 6 }).map((parts) => parts.join(''))
const names = fc.array(text, { maxLength: 30 }).map((all) => all.sort(compareText))
const matching = fc.constantFrom('substring' as const, 'fuzzy' as const)
const plain = (all: readonly string[], query: string, how: 'substring' | 'fuzzy') =>
  matchNames(all, query, how).map(({ name }) => name)

test('a table matches and ranks names as a plain scan does', () => {
  fc.assert(
    fc.property(names, text, matching, fc.nat(60), (all, query, how, bytesMax) => {
      const { block, others } = NameTable.of(all, bytesMax)
      assert.ok(block.length <= bytesMax)
      assert.deepEqual([...new NameTable(block, others).match(query, how)], plain(all, query, how))
    }),
    { numRuns: 1000 },
  )
})

test('a table matches names of any length', () => {
  const all = [4095, 4096].flatMap((length) => ['a'.repeat(length), `${'b'.repeat(length - 1)}A`]).sort(compareText)
  for (const query of ['a', 'ba', 'ab', all[0] as string, all.at(-1) as string, 'b'.repeat(5000)]) {
    for (const how of ['substring', 'fuzzy'] as const) {
      assert.deepEqual([...NameTable.of(all).match(query, how)], plain(all, query, how))
    }
  }
})

test('a table has most names in its block', () => {
  const { block, others } = NameTable.of(['openStore', 'größe'])
  assert.deepEqual([block.length, others.length], ['openStore\0'.length, 'größe\0'.length + 2])
})
