import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  appendAnswer,
  appendRequest,
  ask,
  encodeFrame,
  type Frame,
  FrameReader,
  parseAppendAnswer,
  parseAppendRequest,
  parsePollAnswer,
  parseRecords,
  parseTailRequest,
  pollAnswer,
  tailRequest,
  tell,
  WireSyntaxError,
  type WireValue,
  wireRecord,
} from '../../src/ipc/index.ts'
import type { ActorId } from '../../src/model/index.ts'

const page = readFileSync(new URL('../../docs/ipc.md', import.meta.url), 'utf8')
/** The examples of the page, in its order. */
const examples = [...page.matchAll(/^0000[0-9a-f ]+$/gm)].map(([hex]) => Buffer.from(hex.replaceAll(' ', ''), 'hex'))

const request = {
  stream: 's',
  drafts: [{ payload: Buffer.from('hi'), key: Buffer.from('k') }],
  durability: 'local',
  expectedOffset: 3,
} as const
const answer = {
  incarnation: '00000000000000ab',
  epoch: 1,
  offset: 3,
  nextOffset: 4,
  level: 'local',
  repeated: false,
} as const
const record = {
  offset: 3,
  bytes: Buffer.from('870000', 'hex'),
  origin: { streamId: 'p', incarnation: '00000000000000cd', offset: 2 },
}

test('the frames of streams are those of the page', () => {
  const frames = [
    [ask.append, 7, ...appendRequest(request)],
    [tell.answer, 7, appendAnswer(answer)],
    [ask.tail, 9, ...tailRequest({ stream: 's', from: 3, credit: 65_536 })],
    [tell.records, 9, [wireRecord(record)]],
    [ask.tail, 11, ...tailRequest({ stream: 's', from: 3, credit: 65_536, waits: false })],
    [tell.answer, 11, pollAnswer({ nextOffset: 4, end: 9 })],
  ]
  assert.deepEqual(
    frames.map((frame) => encodeFrame(frame)),
    examples,
  )
})

const overTheWire = (value: WireValue): WireValue => {
  const frame = [...new FrameReader().take(encodeFrame([1, 1, value]))][0] as Frame
  return frame[2] as WireValue
}

test('what is sent is what is read', () => {
  const drafts = [
    { writer: 'ab'.repeat(16) as ActorId, key: null, contentType: 'a/b', headers: [], producer: null },
    {
      ...{ writer: null, key: Buffer.from([1]), contentType: null, producer: { id: 'p', sequence: 2 ** 40 } },
      headers: [
        ['a', 'text'],
        ['b', Buffer.from([2])],
      ] as const,
    },
  ].map((draft) => ({ ...draft, payload: Buffer.from('payload') }))
  const sent = { stream: 's', drafts, durability: 'memory', expectedOffset: undefined } as const
  assert.deepEqual(parseAppendRequest(overTheWire(appendRequest(sent)) as WireValue[]), sent)
  assert.deepEqual(parseAppendAnswer(overTheWire(appendAnswer(answer))), answer)
  assert.deepEqual(parseRecords(overTheWire([wireRecord(record)])), [record])
  assert.deepEqual(parseTailRequest(['s', null, 1]), { stream: 's', from: null, credit: 1, waits: true })
  assert.equal(parseTailRequest(['s', null, 1, false]).waits, false)
  assert.deepEqual(parsePollAnswer(overTheWire(pollAnswer({ nextOffset: 4, end: 9 }))), { nextOffset: 4, end: 9 })
})

test('a wrong frame is refused', () => {
  const good: readonly WireValue[] = [null, null, null, [], null, Buffer.from('a')]
  const withElement = (index: number, value: WireValue): readonly WireValue[] => good.with(index, value)
  const wrong: readonly WireValue[][] = [
    [1, [good], 'local', null],
    ['s', [good], 'replicated', null],
    ['s', [good], 'local', -1],
    ['s', good, 'local', null],
    ...[1, Buffer.alloc(15), 'ab'].map((writer) => ['s', [withElement(0, writer)], 'local', null]),
    ['s', [withElement(1, 'text')], 'local', null],
    ['s', [withElement(2, 7)], 'local', null],
    ['s', [withElement(3, [['a', 1]])], 'local', null],
    ['s', [withElement(4, ['p'])], 'local', null],
    ['s', [withElement(5, 'text')], 'local', null],
  ]
  assert.doesNotThrow(() => parseAppendRequest(['s', [good], 'local', null]))
  for (const elements of wrong) assert.throws(() => parseAppendRequest(elements), WireSyntaxError)
  assert.throws(() => parseTailRequest(['s', 'end', 1]), WireSyntaxError)
  assert.throws(() => parseTailRequest(['s', 1, 1, 0]), WireSyntaxError)
})
