/** Every weakness of the reference that may not be here has a test with its number, and no test has a number of none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listSource, read } from '../tidy/source-files.ts'

/**
 * Items of section 7 of the compat spec. Left out are those that belong to the daemon (37-45) and to the context store
 * (23), and the claims of its documents (57-60).
 */
const required = ['1-16', '19-22', '24-26', '28-35', '46-51', '54-55']
/** Untidy rather than wrong there; these were cheap to show. */
const besides = ['18', '36', '53', '56']

const sections: Readonly<Record<string, string>> = {
  'sync-and-durability': '7.1',
  view: '7.2',
  locks: '7.3',
  'command-line': '7.4',
  signing: '7.5',
}

const numbersOf = (ranges: readonly string[]): number[] =>
  ranges.flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })

const self = 'test/weaknesses/items.test.ts'
const named = listSource('test/weaknesses')
  .filter((path) => path !== self)
  .flatMap((path) =>
    [...read(path).matchAll(/^test\('(.*)'/gm)].map(([, title = '']) => {
      const [, section, number, letter] = /^(7\.\d) item (\d+)([a-z]?): /.exec(title) ?? []
      return { path, title, section, number: Number(number), letter }
    }),
  )

test('the items that have tests are those that need one', () => {
  const wanted = [...numbersOf(required), ...numbersOf(besides)].sort((left, right) => left - right)
  const found = [...new Set(named.map(({ number }) => number))].sort((left, right) => left - right)
  assert.deepEqual(found, wanted)
})

test('a test of a weakness is named by section, number and, where there are several, letter', () => {
  const wrong = named.filter(
    ({ path, section, number, letter }) =>
      section !== sections[/([^/]+)\.test\.ts$/.exec(path)?.[1] ?? ''] ||
      (letter === '') !== (named.filter((other) => other.number === number).length === 1),
  )
  assert.deepEqual(
    wrong.map(({ title }) => title),
    [],
  )
  assert.equal(new Set(named.map(({ number, letter }) => `${number}${letter}`)).size, named.length)
})
