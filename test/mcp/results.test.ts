import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerLengthMax, dataNote, failedResult, formatAnswer, requireFitting } from '../../src/mcp/results.ts'
import { NotFoundError } from '../../src/model/errors/index.ts'

test('texts of an answer are marked as data, and invisible characters are visible', () => {
  const data = { issues: [{ title: 'a\u202eb\u001b[2J', body: 'one\n\ttwo', count: 3, due: null }], 'k\u200b': true }
  assert.deepEqual(formatAnswer({ data, warnings: [{ code: 'old', message: 'x\u0007' }] }), {
    note: dataNote,
    data: {
      issues: [{ title: 'a\\u202eb\\x1b[2J', body: 'one\n\ttwo', count: 3, due: null }],
      'k\\u200b': true,
    },
    warnings: [{ code: 'old', message: 'x\\x07' }],
  })
})

test('a failure is a result with a stable code, details and suggestions', () => {
  const error = new NotFoundError('no issue \u202e', { details: { field: 'issue' }, hints: ['Look at the list'] })
  const { isError, content, structuredContent } = failedResult(error)
  assert.equal(isError, true)
  assert.equal(structuredContent, undefined)
  const [block] = content
  assert.ok(block?.type === 'text')
  assert.deepEqual(JSON.parse(block.text), {
    note: dataNote,
    error: {
      code: 'not_found',
      message: 'not found: no issue \\u202e',
      details: { field: 'issue' },
      suggestions: ['Look at the list'],
    },
  })
})

test('an answer too long for a model is refused with its length', () => {
  const longest = 'x'.repeat(answerLengthMax)
  assert.equal(requireFitting(longest), longest)
  assert.throws(
    () => requireFitting(`${longest}x`),
    ({ code, details }) => code === 'invalid_args' && details.length === answerLengthMax + 1,
  )
})
