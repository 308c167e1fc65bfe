import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidArgsError } from '../../../src/model/index.ts'
import { parseRecordLine } from '../../../src/tracker/streams/record-line.ts'

const defaults = { contentType: null, headers: [], producer: undefined }
const parse = (line: object, more: object = {}) =>
  parseRecordLine(Buffer.from(JSON.stringify(line)), 7, { ...defaults, ...more })

test('a line gives payload, key, headers and producer', () => {
  const draft = parse({
    value: 'v',
    key: 'k',
    headers: { a: '1', b: { base64: 'AP8=' } },
    content_type: 'text/plain',
    producer: 'p',
    sequence: 3,
  })
  assert.deepEqual(draft, {
    payload: Buffer.from('v'),
    key: Buffer.from('k'),
    contentType: 'text/plain',
    headers: [
      ['a', '1'],
      ['b', Buffer.from([0, 255])],
    ],
    producer: { id: 'p', sequence: 3 },
  })
})

test('a line has the form that consume prints', () => {
  const draft = parse({
    stream: 's',
    offset: 4,
    payload: null,
    payload_base64: '/w==',
    key: null,
    key_base64: '/g==',
    content_type: null,
    headers: {},
    producer: { id: 'p', sequence: 0 },
  })
  assert.deepEqual([draft.payload, draft.key], [Buffer.from([255]), Buffer.from([254])])
  assert.deepEqual(draft.producer, { id: 'p', sequence: 0 })
})

test('defaults hold where a line says nothing', () => {
  const given = { contentType: 'text/x', headers: [['a', '1'] as const, ['b', '2'] as const], producer: 'p' }
  assert.deepEqual(parse({ value: '', headers: { b: '3' }, sequence: 5 }, given), {
    payload: Buffer.alloc(0),
    key: null,
    contentType: 'text/x',
    headers: [
      ['a', '1'],
      ['b', '3'],
    ],
    producer: { id: 'p', sequence: 5 },
  })
  assert.equal(parse({ value: '' }, given).producer, null)
})

test('a wrong line is refused with its number and field', () => {
  const cases: readonly (readonly [line: object, field: string])[] = [
    [{ val: 'x' }, 'value'],
    [{ value: 'x', payload_base64: '' }, 'value'],
    [{ value: 7 }, 'value'],
    [{ payload_base64: '@@@@' }, 'payload_base64'],
    [{ payload_base64: 'abc' }, 'payload_base64'],
    [{ value: '', key: 'k', key_base64: '' }, 'key'],
    [{ value: '', headers: { a: 1 } }, 'headers.a'],
    [{ value: '', producer: 'p' }, 'sequence'],
    [{ value: '', sequence: 1 }, 'producer'],
    [{ value: '', producer: 'p', sequence: -1 }, 'sequence'],
  ]
  for (const [line, field] of cases) {
    const refused = (error: unknown) =>
      error instanceof InvalidArgsError && error.details.line === 7 && error.details.field === field
    assert.throws(() => parse(line), refused, JSON.stringify(line))
  }
  assert.throws(() => parseRecordLine(Buffer.from('nope'), 7, defaults), /line 7 is not JSON/)
})
