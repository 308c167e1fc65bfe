import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatRunRequest, type RunRequest } from '../../src/cli/run-request.ts'
import { buildId } from '../../src/ipc/build-id.ts'
import { encodeFrame, frameBytesMax } from '../../src/ipc/index.ts'

const request: RunRequest = {
  key: '1700000000000-00112233445566778899aabbccddeeff',
  argv: ['list', '--json'],
  cwd: '/srv/project',
  environment: { TZ: 'UTC', PATH: '/usr/bin' },
  terminal: [false, true, false, 80, 25],
}

function encode({ key, argv, cwd, environment, terminal }: RunRequest): Buffer {
  const hello = encodeFrame([1, 1, buildId, [], new Uint8Array()])
  return Buffer.concat([hello, encodeFrame([2, 1, key, argv, cwd, environment, terminal])])
}

test('the first frames of a client are encoded as the others', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\0', '\x7f', '\x80', 'ÿ', 'ſ', '한', '🙂'), maxLength: 30 })
  const size = fc.integer({ min: 0, max: 70_000 })
  fc.assert(
    fc.property(
      fc.record<RunRequest>({
        key: text,
        argv: fc.array(text, { maxLength: 40 }),
        cwd: text,
        environment: fc.dictionary(
          text.map((name) => `LC_${name}`),
          text,
          { maxKeys: 40 },
        ),
        terminal: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), size, size),
      }),
      (value) => assert.deepEqual(Buffer.from(formatRunRequest(value) ?? '', 'latin1'), encode(value)),
    ),
  )
})

test('texts of every length are encoded as by the other encoder', () => {
  for (const length of [0, 23, 24, 255, 256, 65_535, 65_536]) {
    const value = { ...request, argv: ['x'.repeat(length)] }
    assert.deepEqual(Buffer.from(formatRunRequest(value) ?? '', 'latin1'), encode(value), `${length}`)
  }
})

test('a request that is too long for a frame is not formatted', () => {
  assert.notEqual(formatRunRequest({ ...request, argv: ['x'.repeat(frameBytesMax - 1000)] }), undefined)
  assert.equal(formatRunRequest({ ...request, argv: ['x'.repeat(frameBytesMax)] }), undefined)
})
