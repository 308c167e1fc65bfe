/** Input is checked in one place: command line words and an object with equal values give equal input or equal errors. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildCommandTable } from '../../src/cli/command-table.ts'
import { parseArgv } from '../../src/cli/parse-argv.ts'
import { requireInput } from '../../src/commands/check-input.ts'
import { defineCommand } from '../../src/commands/define-command.ts'
import { InvalidArgsError } from '../../src/model/errors/index.ts'

const issueFind = defineCommand({
  name: 'issue find',
  summary: 'Find issues',
  examples: [],
  effect: 'reads',
  arguments: {
    place: { summary: 'Where' },
    words: { summary: 'What', repeatable: true, optional: true },
  },
  options: {
    place: { type: 'text', summary: 'The same, as an option' },
    'sort-by': { type: 'text', required: true, choices: ['age', 'title'], summary: 'Order' },
    label: { type: 'text', repeatable: true, summary: 'Label' },
    limit: { type: 'count', summary: 'At most so many' },
    wait: { type: 'count', min: 1, summary: 'Seconds' },
    reverse: { type: 'boolean', summary: 'Newest first' },
    remote: { type: 'text', valueOptional: true, summary: 'Remote' },
    text: { type: 'text', summary: 'Text' },
  },
  run: async (_context, input) => ({ data: input }),
})

async function inputOfWords(words: readonly string[]): Promise<unknown> {
  const { request } = await parseArgv(['issue', 'find', ...words], buildCommandTable([issueFind]))
  if (request.kind === 'fault') throw request.error
  return request.kind === 'run' ? request.input : assert.fail(request.kind)
}

const minimum = { place: 'here', sortBy: 'age' }
const minimumWords = ['here', '--sort-by=age']
const defaults = {
  ...minimum,
  words: [],
  label: [],
  limit: undefined,
  wait: undefined,
  reverse: false,
  remote: undefined,
  text: undefined,
}

const accepted: readonly (readonly [title: string, words: readonly string[], given: object, input: object])[] = [
  ['absent values take their defaults', minimumWords, minimum, defaults],
  [
    'undefined and null count as absent',
    minimumWords,
    { ...minimum, words: null, label: undefined, limit: null, reverse: null, remote: undefined },
    defaults,
  ],
  [
    'accepts values of every option type',
    ['here', 'a', 'b', '--sort-by=TITLE', '--label=x', '--label=y', '--limit=0', '--wait=1', '--reverse', '--text='],
    {
      ...{ place: 'here', words: ['a', 'b'], sortBy: 'TITLE', label: ['x', 'y'] },
      ...{ limit: 0, wait: 1, reverse: true, text: '' },
    },
    { ...defaults, words: ['a', 'b'], sortBy: 'title', label: ['x', 'y'], limit: 0, wait: 1, reverse: true, text: '' },
  ],
  [
    'true stands for an option without its optional value',
    [...minimumWords, '--remote'],
    { ...minimum, remote: true },
    { ...defaults, remote: '' },
  ],
  ['an argument may be given as an option', ['--place=here', '--sort-by=age'], minimum, defaults],
]

for (const [title, words, given, input] of accepted) {
  test(title, async () => {
    assert.deepEqual(requireInput(issueFind, given), input)
    assert.deepEqual(await inputOfWords(words), input)
  })
}

const refused: readonly (readonly [words: readonly string[], given: object, message: string])[] = [
  [['here', '--sort-by=size'], { ...minimum, sortBy: 'size' }, "--sort-by must be one of age, title, got 'size'"],
  [['here', '--sort-by'], { ...minimum, sortBy: true }, '--sort-by needs a value: one of age, title'],
  [[...minimumWords, '--limit=x'], { ...minimum, limit: 'x' }, "--limit must be a whole number from 0, got 'x'"],
  [[...minimumWords, '--limit='], { ...minimum, limit: '' }, "--limit must be a whole number from 0, got ''"],
  [[...minimumWords, '--wait=0'], { ...minimum, wait: 0 }, '--wait must be at least 1, got 0'],
  [[...minimumWords, '--reverse=yes'], { ...minimum, reverse: 'yes' }, "--reverse takes no value, got 'yes'"],
  [
    [...minimumWords, '--reverse', '--no-reverse'],
    { ...minimum, reverse: [true, false] },
    '--reverse can be given only once; it was given both on and off',
  ],
  [
    [...minimumWords, '--text=a', '--text=a'],
    { ...minimum, text: ['a', 'a'] },
    '--text can be given only once; it was given more than once',
  ],
  [['here'], { place: 'here' }, 'missing required option --sort-by <age|title>'],
  [['--sort-by=age'], { sortBy: 'age', words: [] }, 'missing required argument <place>'],
  [
    [...minimumWords, '--sort-order=up'],
    { ...minimum, sortOrder: 'up' },
    'unknown option --sort-order of `grite issue find`',
  ],
]

for (const [words, given, message] of refused) {
  test(`words and an equal object give the same error: ${words.join(' ')}`, async () => {
    const error = catchError(() => requireInput(issueFind, given))
    assert.equal(error.message, message)
    await assert.rejects(inputOfWords(words), (thrown: InvalidArgsError) => {
      assert.deepEqual([thrown.code, thrown.message, thrown.details], [error.code, error.message, error.details])
      return true
    })
  })
}

test('an input error names the field, value and allowed values', () => {
  const { details } = catchError(() => requireInput(issueFind, { ...minimum, sortBy: 'size' }))
  assert.deepEqual(details, { field: 'sort-by', value: 'size', allowed: ['age', 'title'] })
})

/** Values that command line words cannot express. */
const objectsOnly: readonly (readonly [given: unknown, message: string])[] = [
  [undefined, 'the input of `grite issue find` must be an object, got nothing'],
  [null, 'the input of `grite issue find` must be an object, got null'],
  [['here'], 'the input of `grite issue find` must be an object, got a list'],
  ['here', "the input of `grite issue find` must be an object, got 'here'"],
  [{ ...minimum, text: 5 }, '--text must be text, got 5'],
  [{ ...minimum, text: { a: 1 } }, '--text must be text, got an object'],
  [{ ...minimum, text: '\ud800' }, '--text is not well-formed Unicode'],
  [{ ...minimum, limit: 1.5 }, '--limit must be a whole number from 0, got 1.5'],
  [{ ...minimum, limit: -1 }, '--limit must be a whole number from 0, got -1'],
  [{ ...minimum, limit: Number.NaN }, '--limit must be a whole number from 0, got NaN'],
  [{ ...minimum, reverse: 1 }, '--reverse takes no value, got 1'],
  [{ ...minimum, label: 'x' }, "--label must be a list, got 'x'"],
  [{ ...minimum, label: ['x', 5] }, '--label must be text, got 5'],
  [{ ...minimum, label: [null] }, '--label must be text, got null'],
  [{ ...minimum, words: 'a' }, "[words...] must be a list, got 'a'"],
  [{ ...minimum, place: 7 }, '--place must be text, got 7'],
  [{ sortBy: 'age', place: '', toString: 'x' }, 'unknown option --to-string of `grite issue find`'],
  [JSON.parse('{"place":"here","sortBy":"age","__proto__":1}'), 'unknown option --__proto__ of `grite issue find`'],
]

for (const [given, message] of objectsOnly) {
  test(`rejects an input object: ${message}`, () => {
    assert.equal(catchError(() => requireInput(issueFind, given)).message, message)
  })
}

function catchError(work: () => unknown): InvalidArgsError {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof InvalidArgsError, `${error}`)
    return error
  }
  return assert.fail('nothing was rejected')
}
