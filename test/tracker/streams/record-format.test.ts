import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidArgsError } from '../../../src/model/index.ts'
import { compileFilter } from '../../../src/tracker/streams/record-filter.ts'
import { compileFormat, payloadFormat } from '../../../src/tracker/streams/record-format.ts'
import { recordJson } from '../../../src/tracker/streams/record-json.ts'
import { parseDelimiter, parseEscapes } from '../../../src/tracker/streams/text-escapes.ts'
import { actorIdOf, decodedRecord } from './toy-record.ts'

const stream = { streamId: 'build/42', incarnation: '0011223344556677' }
const full = decodedRecord(12, {
  key: Buffer.from('k'),
  contentType: 'text/plain',
  headers: [
    ['a', '1'],
    ['b', Buffer.from([0xff])],
  ],
  payload: Buffer.from('pay\x1b'),
  writer: actorIdOf('ab'),
})
const format = (text: string, decoded = full, isTerminal = false) =>
  Buffer.concat(compileFormat(text, stream, isTerminal)(decoded)).toString('latin1')

test('a format has the fields of a record and escapes', () => {
  assert.equal(
    format('%o|%t|%k|%h|%s|%v|%c|%i|%%\\n'),
    '12|1700000000000|k|a=1,b=\xff|4|pay\x1b|text/plain|build/42|%\n',
  )
  assert.equal(format('%w'), 'ab'.repeat(16))
  assert.equal(format('[%k%w]', decodedRecord(0, {})), '[]')
  assert.equal(format('\\x41\\0\\t\\\\'), 'A\0\t\\')
})

test('a terminal gets foreign text made visible', () => {
  assert.equal(format('%v %h', full, true), 'pay\\x1b a=1,b=\\xff')
  const [payload] = payloadFormat(Buffer.from('\n'), true)(full)
  assert.equal(Buffer.from(payload ?? []).toString(), 'pay\\x1b')
})

test('an unknown field or escape is refused', () => {
  for (const text of ['%q', '%', '\\q', '\\', '\\x4']) {
    assert.throws(
      () => format(text),
      (error) => error instanceof InvalidArgsError && error.details.field === 'format',
    )
  }
  assert.throws(() => parseDelimiter({ delimiter: ',', null: true }), InvalidArgsError)
  assert.deepEqual([...parseDelimiter({ delimiter: undefined, null: true })], [0])
  assert.deepEqual([...parseEscapes('delimiter', '\\r\\n')], [13, 10])
})

test('JSON has text where bytes are UTF-8, else base64', () => {
  const json = recordJson(stream, full)
  assert.deepEqual(
    [json.key, json.payload, json.headers, json.writer],
    ['k', 'pay\x1b', { a: '1', b: { base64: '/w==' } }, 'ab'.repeat(16)],
  )
  const binary = recordJson(stream, decodedRecord(1, { payload: Buffer.from([0xc3]), key: Buffer.from([0xff]) }))
  assert.deepEqual([binary.payload, binary.payload_base64, binary.key_base64], [null, 'ww==', '/w=='])
  // A byte order mark belongs to the text.
  assert.equal(recordJson(stream, decodedRecord(1, { payload: Buffer.from('\ufeffa') })).payload, '\ufeffa')
  assert.equal(recordJson(stream, full, true).payload_base64, 'cGF5Gw==')
})

test('filters select by key and by headers', () => {
  const holds = (key: string | undefined, ...where: readonly string[]) => compileFilter(key, where)?.(full.record)
  assert.equal(holds(undefined), undefined)
  assert.equal(holds('k', 'a=1'), true)
  assert.equal(holds('kk'), false)
  assert.equal(holds(undefined, 'a=1', 'a=2'), false)
  assert.throws(() => holds(undefined, 'a'), InvalidArgsError)
})
