import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { detectImportFormat, type JsonlLine, splitJsonlLines } from '../../src/import/index.ts'
import { limits } from '../../src/model/index.ts'

async function split(...chunks: readonly (string | Uint8Array)[]): Promise<JsonlLine[]> {
  const bytes = chunks.map((chunk) => (typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk))
  return collect(splitJsonlLines(bytes))
}

async function collect(lines: AsyncIterable<JsonlLine>): Promise<JsonlLine[]> {
  const all: JsonlLine[] = []
  for await (const line of lines) all.push(line)
  return all
}

test('blank lines are omitted but counted', async () => {
  assert.deepEqual(await split('a\n\n \nb'), [
    { lineNumber: 1, text: 'a' },
    { lineNumber: 4, text: 'b' },
  ])
})

test('byte order mark and carriage returns are dropped', async () => {
  assert.deepEqual(await split('\ufeffa\r\nb\r\n'), [
    { lineNumber: 1, text: 'a' },
    { lineNumber: 2, text: 'b' },
  ])
})

test('the source may reuse its buffer', async () => {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.alloc(4)
    for (const piece of ['one\n', 'two ', 'thre', 'e\n  ']) {
      buffer.write(piece)
      yield buffer
    }
  }
  assert.deepEqual(await collect(splitJsonlLines(pieces())), [
    { lineNumber: 1, text: 'one' },
    { lineNumber: 2, text: 'two three' },
  ])
})

test('Unicode line separators do not end a line', async () => {
  assert.deepEqual(await split('a\u2028b\u2029c\u0085d\n'), [{ lineNumber: 1, text: 'a\u2028b\u2029c\u0085d' }])
})

test('an invalid UTF-8 line is reported and the next line read', async () => {
  assert.deepEqual(await split(Uint8Array.of(0xff, 0x0a, 0x61)), [
    { lineNumber: 1, problem: 'line is not valid UTF-8' },
    { lineNumber: 2, text: 'a' },
  ])
})

test('a too long line is reported and the next line read', async () => {
  const megabyte = new Uint8Array(1024 * 1024).fill(0x61)
  const lines = await split(...Array.from({ length: limits.lineBytesMax / megabyte.length }, () => megabyte), 'a\nb')
  assert.deepEqual(lines, [
    { lineNumber: 1, problem: `line has more than ${limits.lineBytesMax} bytes` },
    { lineNumber: 2, text: 'b' },
  ])
})

test('lines do not depend on chunk boundaries or a reused buffer', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\n', '\r\n') })), async (texts) => {
      const whole = new TextEncoder().encode(texts.join('\n'))
      const buffer = new Uint8Array(1)
      const reused = (function* () {
        for (const byte of whole) {
          buffer[0] = byte
          yield buffer
        }
      })()
      assert.deepEqual(await collect(splitJsonlLines(reused)), await split(whole))
    }),
  )
})

const formats: readonly (readonly [string, string, string])[] = [
  ['a beads line', '{"id":"bd-1","title":"x"}\n', 'beads'],
  ['a truncated first line', '{"id":"bd-1","description":"xxxx', 'beads'],
  ['a malformed first line', '<<<<<<< HEAD\n{"id":"bd-1"}\n', 'beads'],
  ['a byte order mark', '\ufeff{"id":"bd-1"}', 'beads'],
  ['an export on one line', '{"meta":{"schema_version":1},"issues":[],"events":[]}', 'grite'],
  ['an indented export', '{\n  "meta": {\n    "schema_version": 1', 'grite'],
  ['an export with its events first', '{"events": [{"event_id":"00"', 'grite'],
  ['an empty file', '', 'beads'],
  ['a blank file', ' \n', 'beads'],
  ['a tracker header', '{"_schema":"beads-jsonl/1"}\n', 'beads'],
  ['a memory', '{"_type":"memory","key":"k","value":"v"}', 'beads'],
  ['other text', 'hello\n', 'unknown'],
  ['other JSON', '{"a":1}', 'unknown'],
]
for (const [what, text, format] of formats) {
  test(`detects ${what} as format ${format}`, () => {
    assert.equal(detectImportFormat(new TextEncoder().encode(text)), format)
  })
}
