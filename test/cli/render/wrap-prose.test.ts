import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wrapProse, wrapTitle } from '../../../src/cli/render/wrap-prose.ts'

test('prose is wrapped at the width of a terminal', async () => {
  const text = 'One two three four five six seven.\n\nShort.'
  assert.equal(await wrapProse(text, 20), 'One two three four\nfive six seven.\n\nShort.')
  assert.equal(await wrapProse(text, 24, 4), await wrapProse(text, 20))
  assert.equal(await wrapProse(text, null), text)
  assert.equal(await wrapProse(text, 19), text)
})

test('list items and quotes keep their indent', async () => {
  assert.equal(await wrapProse('- one two three four five', 20), '- one two three four\n  five')
  assert.equal(await wrapProse('  10. one two three four five', 20), '  10. one two three\n      four five')
  assert.equal(await wrapProse('> - one two three four five', 20), '> - one two three\n    four five')
})

test('code, tables and long words stay as they are', async () => {
  const laidOut = [
    '```\nlet answer = forty + two // of course\n```',
    '    indented code of more than twenty columns',
    '| a table with | several | columns |',
    'https://example.org/a/long/address',
  ]
  for (const text of laidOut) assert.equal(await wrapProse(text, 20), text)
})

test('a title continues below its start', async () => {
  assert.equal(await wrapTitle('one two three four five six', 30, 8), 'one two three four\n        five six')
  assert.equal(await wrapTitle('one two three four five six', 24, 12), 'one two\n    three four five six')
  assert.equal(await wrapTitle('one two three', null, 8), 'one two three')
})
