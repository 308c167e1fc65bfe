import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { base32hex } from '../../src/model/base32hex.ts'
import * as errors from '../../src/model/errors/index.ts'
import { blake2b160 } from '../../src/model/hash.ts'
import {
  chooseSignature,
  compareBytes,
  compareText,
  compareVersions,
  dueOf,
  type EventBody,
  type EventKindName,
  encodeNamePart,
  errorKinds,
  eventKindNames,
  eventKinds,
  type FieldKey,
  formatHex,
  formatKindForExport,
  formatKindWithNumbers,
  formatScopedLabel,
  IdParseError,
  InvalidArgsError,
  isFieldValue,
  isOverdue,
  limits,
  parentOf,
  parseActorId,
  parseEventId,
  parseHex,
  parseIssueId,
  parseScopedLabel,
  parseSha256,
  validateBody,
} from '../../src/model/index.ts'
import { anyEvent, text } from './arbitraries.ts'

describe('sorting', () => {
  test('text sorts as its UTF-8 bytes', () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        assert.equal(Math.sign(compareText(left, right)), Buffer.compare(Buffer.from(left), Buffer.from(right)))
      }),
      { numRuns: 3000 },
    )
  })

  test('text with a common prefix sorts as its UTF-8 bytes', () => {
    fc.assert(
      fc.property(text, text, text, (start, left, right) => {
        const [a, b] = [start + left, start + right]
        assert.equal(Math.sign(compareText(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)))
      }),
      { numRuns: 3000 },
    )
  })

  test('bytes sort like Buffer.compare', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3, max: 3 }), fc.uint8Array({ maxLength: 3, max: 3 }), (left, right) => {
        assert.equal(Math.sign(compareBytes(left, right)), Buffer.compare(left, right))
      }),
    )
  })

  test('versions are totally ordered by time, actor and id', () => {
    const version = fc.record({
      tsUnixMs: fc.constantFrom(9, 10),
      actor: fc.constantFrom('0a', 'a0') as fc.Arbitrary<never>,
      eventId: fc.constantFrom('0b', 'b0') as fc.Arbitrary<never>,
    })
    const key = ({ tsUnixMs, actor, eventId }: { tsUnixMs: number; actor: string; eventId: string }) =>
      `${String(tsUnixMs).padStart(3)}${actor}${eventId}`
    fc.assert(
      fc.property(version, version, (left, right) => {
        const [a, b] = [key(left), key(right)]
        assert.equal(Math.sign(compareVersions(left, right)), a < b ? -1 : a > b ? 1 : 0)
      }),
    )
  })
})

describe('hex and ids', () => {
  test('hex parses back to its bytes in either case', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        assert.equal(formatHex(bytes), Buffer.from(bytes).toString('hex'))
        assert.deepEqual(parseHex(formatHex(bytes)), bytes)
        assert.deepEqual(parseHex(formatHex(bytes).toUpperCase()), bytes)
      }),
    )
  })

  test('base32hex follows RFC 4648 in lower case', () => {
    const digits = (text: string) => base32hex(new TextEncoder().encode(text))
    assert.deepEqual(['', 'fooba', '\0\0\0\0\x01'].map(digits), ['', 'cpnmuoj1', '00000001'])
    const computed = base32hex(blake2b160(new TextEncoder().encode('origin')))
    assert.deepEqual([encodeNamePart('origin'), computed], ['og5hhvmaolrg1vaee3ofe2ikd27corpd', computed])
    assert.equal(encodeNamePart('Origin'), base32hex(blake2b160(new TextEncoder().encode('Origin'))))
    assert.throws(() => base32hex(new Uint8Array(4)), RangeError)
  })

  test('only text of hex digits parses as hex', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('0', 'f', 'A', 'g', ' ', '٣', '/', ':', '@', '`') }), (word) => {
        assert.equal(parseHex(word) !== undefined, /^(?:[0-9a-fA-F]{2})*$/.test(word))
      }),
    )
  })

  const parsers = [
    [parseIssueId, 32],
    [parseActorId, 32],
    [parseEventId, 64],
    [parseSha256, 64],
  ] as const
  for (const [parse, length] of parsers) {
    test(`${parse.name} takes ${length} hex characters and lowers them`, () => {
      assert.equal(parse('AB'.repeat(length / 2)), 'ab'.repeat(length / 2))
      for (const wrong of [
        '',
        'ab',
        'a'.repeat(length - 1),
        'a'.repeat(length + 1),
        'g'.repeat(length),
        `${'a'.repeat(length)}\n`,
      ]) {
        assert.throws(() => parse(wrong), IdParseError)
      }
    })
  }
})

describe('limits', () => {
  const base = { sha256: '00'.repeat(32) as never, target: '00'.repeat(16) as never }
  const sized: readonly (readonly [string, number, (text: string) => EventBody])[] = [
    ['title of a creation', limits.titleBytesMax, (title) => ({ type: 'IssueCreated', title, body: '', labels: [] })],
    ['body of a creation', limits.bodyBytesMax, (body) => ({ type: 'IssueCreated', title: 't', body, labels: [] })],
    [
      'label of a creation',
      limits.labelBytesMax,
      (label) => ({ type: 'IssueCreated', title: 't', body: '', labels: ['a', label] }),
    ],
    ['title', limits.titleBytesMax, (title) => ({ type: 'IssueUpdated', title, body: null })],
    ['body', limits.bodyBytesMax, (body) => ({ type: 'IssueUpdated', title: null, body })],
    ['comment', limits.bodyBytesMax, (body) => ({ type: 'CommentAdded', body })],
    ['label', limits.labelBytesMax, (label) => ({ type: 'LabelAdded', label })],
    ['assignee', limits.assigneeBytesMax, (user) => ({ type: 'AssigneeAdded', user })],
    ['url', limits.urlBytesMax, (url) => ({ type: 'LinkAdded', url, note: null })],
    ['note', limits.noteBytesMax, (note) => ({ type: 'LinkAdded', url: 'u', note })],
    [
      'attachment name',
      limits.attachmentNameBytesMax,
      (name) => ({ type: 'AttachmentAdded', name, sha256: base.sha256, mime: 'm' }),
    ],
    ['mime', limits.mimeBytesMax, (mime) => ({ type: 'AttachmentAdded', name: 'n', sha256: base.sha256, mime })],
  ]
  for (const [what, bytesMax, bodyOf] of sized) {
    test(`${what} takes ${bytesMax} bytes and not one more`, () => {
      validateBody(bodyOf('é'.repeat(bytesMax / 2)))
      const message = new RegExp(`has ${bytesMax + 1} bytes; at most ${bytesMax} are allowed`)
      assert.throws(
        () => validateBody(bodyOf(`${'é'.repeat(bytesMax / 2)}x`)),
        (error) =>
          error instanceof InvalidArgsError && message.test(error.message) && error.details.bytes_max === bytesMax,
      )
    })

    test(`${what} refuses half a surrogate pair`, () => {
      assert.throws(
        () => validateBody(bodyOf('a\ud83d')),
        (error) => error instanceof InvalidArgsError && /lone surrogate/.test(error.message),
      )
    })
  }

  const blank: readonly EventBody[] = [
    { type: 'IssueCreated', title: ' ', body: '', labels: [] },
    { type: 'IssueCreated', title: 't', body: '', labels: [''] },
    { type: 'IssueUpdated', title: '\n\t', body: null },
    { type: 'CommentAdded', body: ' \n' },
    { type: 'LabelAdded', label: '' },
    { type: 'AssigneeAdded', user: '\u00a0' },
    { type: 'LinkAdded', url: '', note: null },
  ]
  for (const body of blank) {
    test(`blank ${JSON.stringify(body)} is refused`, () => assert.throws(() => validateBody(body), InvalidArgsError))
  }

  const allowed: readonly EventBody[] = [
    { type: 'IssueUpdated', title: null, body: '' },
    { type: 'LinkAdded', url: 'u', note: '' },
    { type: 'LabelRemoved', label: '' },
    { type: 'AssigneeRemoved', user: 'x'.repeat(10_000) },
    { type: 'DependencyRemoved', target: base.target, dep_type: 'blocks' },
  ]
  for (const body of allowed) {
    test(`${JSON.stringify(body).slice(0, 50)} is allowed`, () => validateBody(body))
  }
})

describe('fields', () => {
  const values: readonly (readonly [FieldKey, string, boolean])[] = [
    ['priority', 'P0', true],
    ['priority', 'P4', true],
    ['priority', 'P5', false],
    ['priority', 'p1', false],
    ['priority', 'P1\n', false],
    ['type', 'bug', true],
    ['type', '', false],
    ['status', 'in progress', true],
    ['due', '2028-02-29', true],
    ['due', '2027-02-29', false],
    ['due', '2027-13-01', false],
    ['due', '2027-1-1', false],
    ['due', '2027-01-01T00:00:00Z', false],
    ['milestone', 'v1: the beta', true],
    ['parent', 'a'.repeat(32), true],
    ['parent', 'A'.repeat(32), false],
    ['parent', 'a'.repeat(31), false],
  ]
  for (const [key, value, expected] of values) {
    test(`${key} ${JSON.stringify(value)} is ${expected ? 'a valid' : 'an invalid'} value`, () => {
      assert.equal(isFieldValue(key, value), expected)
    })
  }

  test('a scoped label parses back to key and value', () => {
    fc.assert(
      fc.property(fc.constantFrom<FieldKey>('priority', 'due', 'parent'), text, (key, value) => {
        assert.deepEqual(parseScopedLabel(formatScopedLabel(key, value)), { key, value })
      }),
    )
  })

  test('an invalid parent id is no parent', () => {
    assert.equal(parentOf({}), null)
    assert.equal(parentOf({ parent: 'bd-1' }), null)
    assert.equal(parentOf({ parent: 'ab'.repeat(16) }), 'ab'.repeat(16))
  })
})

describe('signatures', () => {
  const signature = fc.option(fc.uint8Array({ maxLength: 2, max: 3 }))
  /** Any pure verdict. */
  const isValid = (sig: Uint8Array) => (sig[0] ?? 0) % 2 === 1
  const choose = (left: Uint8Array | null, right: Uint8Array | null) => chooseSignature(left, right, isValid)

  test('signature choice is commutative, associative and idempotent', () => {
    fc.assert(
      fc.property(signature, signature, signature, (a, b, c) => {
        assert.deepEqual(choose(a, b), choose(b, a))
        assert.deepEqual(choose(choose(a, b), c), choose(a, choose(b, c)))
        assert.deepEqual(choose(a, a), a)
      }),
      { numRuns: 2000 },
    )
  })

  test('the smallest valid signature is chosen, else the smallest', () => {
    fc.assert(
      fc.property(fc.array(signature), (copies) => {
        const some = copies.filter((one) => one !== null)
        const [best = null] = (some.some(isValid) ? some.filter(isValid) : some).sort(Buffer.compare)
        assert.deepEqual(copies.reduce(choose, null), best)
      }),
    )
  })
})

describe('kinds', () => {
  test('kind tags are 1 to 14 in table order', () => {
    assert.deepEqual(
      eventKindNames.map((name) => eventKinds[name].tag),
      Array.from({ length: 14 }, (_, index) => index + 1),
    )
  })

  test('JSON forms have one kind with sorted field names', () => {
    fc.assert(
      fc.property(anyEvent, ({ body }) => {
        for (const form of [formatKindForExport(body), formatKindWithNumbers(body)]) {
          const [[name, fields] = [], ...rest] = Object.entries(form as Record<string, Record<string, unknown>>)
          assert.deepEqual(rest, [])
          assert.equal(name, body.type)
          const keys = Object.keys(fields ?? {})
          assert.deepEqual(keys, [...keys].sort())
          const wanted = Object.keys(eventKinds[name as EventKindName].fields)
          assert.deepEqual(new Set(keys.filter((key) => key !== 'symbol_count')), new Set(wanted))
        }
      }),
    )
  })

  const file = new URL('../../../shared/fixtures/small/expected.json', import.meta.url)
  const skip = existsSync(file) ? false : 'the fixtures of ../shared are not here'
  test('JSON forms match the output of the Rust tool', { skip }, () => {
    const expected = JSON.parse(readFileSync(file, 'utf8'))
    const shown = new Map<string, { kind: Record<string, Record<string, unknown>> }>()
    for (const events of Object.values<{ event_id: string; kind: never }[]>(expected.show_events)) {
      for (const event of events) shown.set(event.event_id, event)
    }
    const exported = new Map<string, { kind: unknown }>()
    for (const event of expected.export.events) exported.set(event.event_id, event)
    assert.ok(shown.size > 50)
    for (const [eventId, { kind }] of shown) {
      const body = bodyOf(kind)
      assert.deepEqual(JSON.stringify(formatKindWithNumbers(body)), JSON.stringify(sorted(kind)))
      assert.deepEqual(formatKindForExport(body), exported.get(eventId)?.kind)
    }
  })

  function sorted(kind: Record<string, Record<string, unknown>>): unknown {
    const [[name, fields]] = Object.entries(kind) as [[string, Record<string, unknown>]]
    return { [name]: Object.fromEntries(Object.entries(fields).sort(([left], [right]) => (left < right ? -1 : 1))) }
  }

  function bodyOf(kind: Record<string, Record<string, unknown>>): EventBody {
    const [[type, fields]] = Object.entries(kind) as [[string, Record<string, unknown>]]
    const entries = Object.entries(fields).map(([key, value]) => {
      const isBytes = key === 'sha256' || key === 'target' || key === 'content_hash'
      return [key, isBytes ? Buffer.from(value as number[]).toString('hex') : value]
    })
    return { type, ...Object.fromEntries(entries) } as EventBody
  }
})

describe('errors', () => {
  const exits: Readonly<Record<string, number | readonly number[]>> = {
    invalid_args: [1, 2],
    not_found: 3,
    conflict: 4,
    io_error: 5,
    remote_error: 5,
    db_error: 5,
    ipc_error: 6,
    internal_error: 1,
  }
  for (const [kind, { code, exit, prefix, hints }] of Object.entries(errorKinds)) {
    test(`kind ${kind} has the published code and exit status`, () => {
      assert.ok([exits[code]].flat().includes(exit))
      assert.match(prefix, /^\S.*: $/)
      for (const hint of hints) assert.match(hint, /^[A-Z].*[^.]$/)
    })
  }

  test('every published code has a kind', () => {
    assert.deepEqual(new Set(Object.values(errorKinds).map(({ code }) => code)), new Set(Object.keys(exits)))
  })

  const classes = Object.entries(errors).filter(
    ([name]) => /Error$/.test(name) && name !== 'GriteError',
  ) as unknown as [string, new (message: string, options?: object) => errors.GriteError][]
  for (const [name, Class] of classes) {
    test(`${name} has a name, a kind of the table and its status`, () => {
      const error = new Class('words')
      assert.equal(error.name, name)
      assert.ok(error instanceof errors.GriteError && error instanceof Error)
      assert.equal(error.code, errorKinds[error.kind].code)
      assert.equal(error.exitStatus, errorKinds[error.kind].exit)
    })
  }

  test('an error keeps details, cause and hints', () => {
    const cause = new Error('inner')
    const error = new InvalidArgsError('words', { details: { field: 'x' }, cause, hints: ['Do so'] })
    assert.deepEqual(
      [error.message, error.details, error.cause, error.hints],
      ['words', { field: 'x' }, cause, ['Do so']],
    )
    assert.ok(!('cause' in new InvalidArgsError('words')))
  })
})

describe('due dates', () => {
  const nowUnixMs = Date.UTC(2026, 3, 5, 23, 59)
  const cases: readonly (readonly [due: string | undefined, state: string, overdue: boolean])[] = [
    ['2026-04-04', 'open', true],
    ['2026-04-05', 'open', false],
    ['2026-04-04', 'closed', false],
    ['2026-02-30', 'open', false],
    ['soon', 'open', false],
    [undefined, 'open', false],
  ]
  test('an open issue is overdue from the day after its due date', () => {
    for (const [due, state, overdue] of cases) {
      const fields = due === undefined ? {} : { due }
      assert.equal(isOverdue({ state, fields }, nowUnixMs), overdue, `${due} ${state}`)
    }
    assert.equal(isOverdue({ state: 'open', fields: { due: '2026-04-05' } }, nowUnixMs + 60_000), true)
  })

  test('an impossible day is no due date', () => {
    assert.deepEqual(
      [dueOf({ due: '2024-02-29' }), dueOf({ due: '2025-02-29' }), dueOf({})],
      ['2024-02-29', null, null],
    )
  })
})
