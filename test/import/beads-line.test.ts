import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseBeadsLine } from '../../src/import/index.ts'
import { formatRfc3339, parseRfc3339 } from '../../src/import/rfc3339.ts'
import { anyCharacter } from '../support/any-character.ts'
import { lineOf } from './import-file.ts'

const times: readonly (readonly [string, number | undefined])[] = [
  ['1970-01-01T00:00:00Z', 0],
  ['1970-01-01T00:00:00.0009999Z', 0],
  ['1970-01-01T00:00:00.9999999999Z', 999],
  ['1970-01-01T00:00:00.5Z', 500],
  ['1970-01-01t00:00:00z', 0],
  ['1970-01-01T05:30:00+05:30', 0],
  ['1969-12-31T16:00:00.001-08:00', 1],
  ['1970-01-01T00:00:00-00:00', 0],
  ['2016-12-31T23:59:60Z', 1483228800000],
  ['2024-02-29T00:00:00Z', 1709164800000],
  ['0001-01-01T00:00:00Z', -62135596800000],
  ['9999-12-31T23:59:59.999Z', 253402300799999],
  ['2023-02-29T00:00:00Z', undefined],
  ['2023-13-01T00:00:00Z', undefined],
  ['2023-00-01T00:00:00Z', undefined],
  ['2023-01-01T24:00:00Z', undefined],
  ['2023-01-01T00:60:00Z', undefined],
  ['2023-01-01T00:00:61Z', undefined],
  ['2023-01-01T00:00:00+24:00', undefined],
  ['2023-01-01T00:00:00', undefined],
  ['2023-01-01 00:00:00Z', 1672531200000],
  ['2023-01-01T00:00Z', undefined],
  ['2023-01-01T00:00:00.Z', undefined],
  ['2023-01-01', undefined],
  [' 2023-01-01T00:00:00Z', undefined],
  ['', undefined],
]
for (const [text, expected] of times) {
  test(`parses the time '${text}' as ${expected ?? 'invalid'}`, () => assert.equal(parseRfc3339(text), expected))
}

test('times are truncated to milliseconds at any offset', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4_000_000_000_000 }),
      fc.integer({ min: -23 * 60, max: 23 * 60 }),
      fc.integer({ min: 0, max: 999_999 }),
      (ms, offset, nanoseconds) => {
        const local = new Date(ms + offset * 60_000).toISOString().slice(0, -1)
        const zone = `${offset < 0 ? '-' : '+'}${pad(Math.trunc(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`
        assert.equal(parseRfc3339(`${local}${String(nanoseconds).padStart(6, '0')}${zone}`), ms)
      },
    ),
  )
})

function pad(value: number): string {
  return String(value).padStart(2, '0')
}

test('formatted times parse back to equal times', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253402300799999 }), (ms) => {
      assert.equal(parseRfc3339(formatRfc3339(ms)), ms)
      assert.doesNotMatch(formatRfc3339(ms), /\.\d*0Z|\.Z/)
    }),
  )
})

test('a complete line is parsed as an issue', () => {
  const parsed = parseBeadsLine(lineOf({ id: 'bd-1', priority: 2, labels: ['a'], closed_at: null, odd: [1] }))
  assert.ok('issue' in parsed)
  const { id, title, status, priority, labels, closedAtMs, createdAtMs, updatedAtMs, line } = parsed.issue
  assert.deepEqual([id, title, status, priority, labels, closedAtMs], ['bd-1', 'A title', 'open', 2, ['a'], undefined])
  assert.equal(updatedAtMs - createdAtMs, 86_400_000)
  assert.deepEqual(line.odd, [1])
})

const deep = `${'['.repeat(70)}${']'.repeat(70)}`
const malformed: readonly (readonly [string, string, RegExp])[] = [
  ['text other than JSON', 'not json', /^line is not JSON: /],
  ['a truncated line', lineOf({ id: 'x' }).slice(0, 40), /^line is not JSON: /],
  ['a conflict marker', '<<<<<<< HEAD', /^line is not JSON: /],
  ['an array', '[]', /^line is not a JSON object$/],
  ['a JSON text', '"x"', /^line is not a JSON object$/],
  ['null', 'null', /^line is not a JSON object$/],
  ['a missing id', lineOf({}), /^id is missing$/],
  ['a numeric id', lineOf({ id: 7 }), /^id is not a text$/],
  ['an empty id', lineOf({ id: '' }), /^id is empty$/],
  ['an id with a space', lineOf({ id: 'a b' }), /^id has a space or a control character$/],
  ['an id with a NUL', lineOf({ id: 'a\0' }), /^id has a space or a control character$/],
  ['an id with an escape sequence', lineOf({ id: 'a\u001b[2J' }), /^id has a space or a control character$/],
  ['a too long id', lineOf({ id: 'a'.repeat(257) }), /^id has more than 256 bytes$/],
  ['a missing title', lineOf({ id: 'x', title: undefined }), /^title is missing$/],
  ['a blank title', lineOf({ id: 'x', title: ' ' }), /^title must not be empty$/],
  ['a too long title', lineOf({ id: 'x', title: 'é'.repeat(513) }), /^title has 1026 bytes; at most 1024/],
  [
    'a lone surrogate in the title',
    '{"id":"x","title":"\\ud800","status":"open","created_at":"2026-01-01T00:00:00Z"}',
    /^title is not valid Unicode/,
  ],
  ['an empty status', lineOf({ id: 'x', status: '' }), /^status is empty$/],
  ['a missing created_at', lineOf({ id: 'x', created_at: undefined }), /^created_at is missing$/],
  [
    'a created_at in words',
    lineOf({ id: 'x', created_at: 'yesterday' }),
    /^created_at 'yesterday' is not an RFC 3339 time$/,
  ],
  ['a numeric created_at', lineOf({ id: 'x', created_at: 5 }), /^created_at is not a text$/],
  ['a created_at before 1970', lineOf({ id: 'x', created_at: '0001-01-01T00:00:00Z' }), /^created_at is before 1970$/],
  ['an invalid updated_at', lineOf({ id: 'x', updated_at: '2026-02-30T00:00:00Z' }), /^updated_at '2026-02-30/],
  ['a priority in words', lineOf({ id: 'x', priority: 'high' }), /^priority is not an integer$/],
  ['a fractional priority', lineOf({ id: 'x', priority: 1.5 }), /^priority is not an integer$/],
  ['a text as labels', lineOf({ id: 'x', labels: 'a,b' }), /^labels is not an array$/],
  ['a numeric label', lineOf({ id: 'x', labels: [1] }), /^a label is not a text$/],
  [
    'too many labels',
    lineOf({ id: 'x', labels: Array.from({ length: 996 }, (_, n) => `l${n}`) }),
    /^more than 995 labels$/,
  ],
  ['a text as dependency', lineOf({ id: 'x', dependencies: ['y'] }), /^a dependency is not an object$/],
  [
    'a dependency without a target',
    lineOf({ id: 'x', dependencies: [{ type: 'blocks' }] }),
    /^depends_on_id is missing$/,
  ],
  ['a dependency without a type', lineOf({ id: 'x', dependencies: [{ depends_on_id: 'y' }] }), /^type is missing$/],
  ['an object as comments', lineOf({ id: 'x', comments: {} }), /^comments is not an array$/],
  ['a comment without a text', lineOf({ id: 'x', comments: [{ author: 'a' }] }), /^text is missing$/],
  [
    'an integer beyond 2^53',
    `{"n":9007199254740993,${lineOf({ id: 'x' }).slice(1)}`,
    /^integer 9007199254740993 is too large/,
  ],
  [
    'an integer beyond the range of doubles',
    `{"n":${'9'.repeat(350)},${lineOf({ id: 'x' }).slice(1)}`,
    /^integer 9{59}… is too large/,
  ],
  ['a number beyond the range of doubles', `{"n":1e999,${lineOf({ id: 'x' }).slice(1)}`, /^a number is out of range$/],
  ['deep nesting', `{"n":${deep},${lineOf({ id: 'x' }).slice(1)}`, /^line is nested deeper than 64 levels$/],
]
for (const [what, line, reason] of malformed) {
  test(`${what} makes a line malformed`, () => {
    const parsed = parseBeadsLine(line)
    assert.ok('malformed' in parsed)
    assert.match(parsed.malformed, reason)
  })
}

test('long integers inside a text are accepted', () => {
  assert.ok('issue' in parseBeadsLine(lineOf({ id: 'x', notes: 'run 90071992547409931234 "1e999' })))
})

test('__proto__ in a line does not supply its missing keys', () => {
  const parsed = parseBeadsLine(`{"__proto__":{"title":"T"},${lineOf({ id: 'x', title: undefined }).slice(1)}`)
  assert.deepEqual(parsed, { malformed: 'title is missing' })
})

test('headers and memories are parsed; other records are malformed', () => {
  assert.deepEqual(parseBeadsLine('{"_schema":"beads-jsonl/1","_sort":"stable-v1"}'), { header: true })
  const memory = { key: 'k', value: 'always run make lint' }
  assert.deepEqual(parseBeadsLine(JSON.stringify({ _type: 'memory', ...memory })), { memory })
  assert.ok('issue' in parseBeadsLine(lineOf({ _type: 'issue', id: 'x' })))
  const refused = (record: object) => parseBeadsLine(JSON.stringify(record))
  assert.deepEqual(refused({ _type: 'config', key: 'k' }), { malformed: 'record kind "config" is not known' })
  assert.deepEqual(refused({ _type: 'memory', key: 'k' }), { malformed: 'value is missing' })
  assert.deepEqual(refused({ _type: 'memory', key: ' ', value: 'v' }), { malformed: 'key is empty' })
  assert.deepEqual(refused({ _type: 'memory', key: 'a\u001b', value: 'v' }), {
    malformed: 'key has a control character',
  })
  assert.deepEqual(refused({ _type: 'memory', key: 'k'.repeat(257), value: 'v' }), {
    malformed: 'key has more than 256 bytes',
  })
})

test('comment ids may be numbers or texts; status is optional', () => {
  const comment = { author: 'a', text: 't' }
  const parsed = parseBeadsLine(
    lineOf({ id: 'x', status: undefined, comments: [{ ...comment, id: 7 }, { ...comment, id: '0198-f3' }, comment] }),
  )
  assert.ok('issue' in parsed)
  assert.deepEqual(
    [parsed.issue.status, parsed.issue.comments.map(({ id }) => id)],
    ['open', ['7', '0198-f3', undefined]],
  )
})

test('any text parses as a record or as malformed', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: anyCharacter }), fc.json(), fc.object().map(lineOf)), (text) => {
      const parsed = parseBeadsLine(text)
      assert.ok(!('malformed' in parsed) || parsed.malformed.length > 0)
    }),
  )
})
