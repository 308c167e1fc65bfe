import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  formatQuery,
  InvalidArgsError,
  limits,
  parseQuery,
  type QueryTerm,
  qualifierKeys,
} from '../../../src/model/index.ts'
import { anyCharacter } from '../../support/any-character.ts'
import { anyQuery } from './queries.ts'

const text = (word: string): QueryTerm => ({ kind: 'text', text: word })
const label = (word: string): QueryTerm => ({ kind: 'label', label: word })

test('a formatted query parses to the same query', () => {
  fc.assert(
    fc.property(anyQuery, (query) => {
      assert.deepEqual(parseQuery(formatQuery(query)), query)
    }),
    { numRuns: 2000 },
  )
})

test('any text parses or is refused at a position', () => {
  const piece = fc.oneof(
    fc.constantFrom('(', ')', '"', '\\', '-', ' ', 'OR ', 'AND ', 'NOT ', 'label:', 'due:<', 'sort:', 'x', '..'),
    fc.string({ unit: anyCharacter, maxLength: 3 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const query = pieces.join('')
      try {
        const parsed = parseQuery(query)
        assert.deepEqual(parseQuery(formatQuery(parsed)), parsed)
      } catch (error) {
        assert.ok(error instanceof InvalidArgsError, String(error))
        const { field, position } = error.details as { field: string; position: number }
        assert.equal(field, 'query')
        assert.ok(position >= 1 && position <= query.length + 1, `${position} of ${query.length}`)
      }
    }),
    { numRuns: 3000 },
  )
})

describe('words', () => {
  const table: readonly (readonly [query: string, meaning: QueryTerm])[] = [
    ['crash', text('crash')],
    ['"crash on start"', text('crash on start')],
    ['"say \\"no\\" to C:\\new"', text('say "no" to C:\\new')],
    ['"a\\\\"', text('a\\')],
    ['main()', text('main()')],
    ['(main())', text('main()')],
    ['--json', text('--json')],
    ['or', text('or')],
    ['"OR"', text('OR')],
    ['a"b', text('a"b')],
    ['label:bug', label('bug')],
    ['LABEL:Bug', label('Bug')],
    ['label:area:ui', label('area:ui')],
    ['label:"help wanted"', label('help wanted')],
    ['label:"priority:P1"', label('priority:P1')],
    ['label:a,b', label('a,b')],
    ['text:"race condition"', text('race condition')],
    ['"label:bug"', text('label:bug')],
  ]
  for (const [query, meaning] of table) {
    test(`${query} is one condition`, () => assert.deepEqual(parseQuery(query).filter, meaning))
  }

  test('an empty query has no filter', () => {
    for (const query of ['', '  \n\t']) assert.deepEqual(parseQuery(query), { filter: null, sort: null, limit: null })
  })
})

describe('values', () => {
  const table: readonly (readonly [query: string, meaning: QueryTerm])[] = [
    ['state:OPEN', { kind: 'state', state: 'open' }],
    ['is:closed', { kind: 'state', state: 'closed' }],
    ['is:overdue', { kind: 'overdue' }],
    ['is:claimed', { kind: 'claimed' }],
    ['due:overdue', { kind: 'overdue' }],
    ['assignee:me', { kind: 'assignee', who: { is: 'me' } }],
    ['assignee:"me"', { kind: 'assignee', who: { is: 'named', name: 'me' } }],
    ['assignee:none', { kind: 'not', term: { kind: 'has', what: 'assignee' } }],
    ['assignee:"none"', { kind: 'assignee', who: { is: 'named', name: 'none' } }],
    ['no:milestone', { kind: 'not', term: { kind: 'has', what: 'milestone' } }],
    ['-no:milestone', { kind: 'has', what: 'milestone' }],
    ['author:ABC', { kind: 'author', who: { is: 'named', name: 'abc' } }],
    ['author:Ann', { kind: 'author', who: { is: 'named', name: 'Ann' } }],
    ['priority:1', { kind: 'compare', key: 'priority', operator: '=', value: 'P1' }],
    ['priority:<=p1', { kind: 'compare', key: 'priority', operator: '<=', value: 'P1' }],
    ['priority:P0..P2', { kind: 'range', key: 'priority', from: 'P0', to: 'P2' }],
    ['due:<7d', { kind: 'compare', key: 'due', operator: '<', value: '7d' }],
    ['due:"<7d"', { kind: 'compare', key: 'due', operator: '<', value: '7d' }],
    ['created:2026-01-01..2026-02-01', { kind: 'range', key: 'created', from: '2026-01-01', to: '2026-02-01' }],
    ['updated:>=2026-01-31T12:00Z', { kind: 'compare', key: 'updated', operator: '>=', value: '2026-01-31T12:00Z' }],
    ['parent:3f2a', { kind: 'field', key: 'parent', value: '3f2a' }],
    ['id:3F', { kind: 'id', prefix: '3f' }],
  ]
  for (const [query, meaning] of table) {
    test(`the value of ${query} is parsed`, () => assert.deepEqual(parseQuery(query).filter, meaning))
  }

  test('sort has a default direction and limit takes a number', () => {
    assert.deepEqual(parseQuery('sort:updated limit:10'), {
      filter: null,
      sort: { key: 'updated', direction: 'desc' },
      limit: 10,
    })
    assert.deepEqual(parseQuery('crash sort:updated-asc').sort, { key: 'updated', direction: 'asc' })
  })
})

describe('operators', () => {
  const table: readonly (readonly [query: string, canonical: string])[] = [
    ['a b c', 'a b c'],
    ['a AND b', 'a b'],
    ['(a b) OR c', 'a b OR c'],
    ['a (b OR c)', 'a (b OR c)'],
    ['(a b) c', 'a b c'],
    ['a OR (b OR c)', 'a OR b OR c'],
    ['NOT a', '-a'],
    ['-(-a)', 'a'],
    ['-(a OR b)', '-(a OR b)'],
    ['NOT (a b)', '-(a b)'],
    ['((a))', 'a'],
    ['a sort:title OR b', 'a OR b sort:title-asc'],
  ]
  for (const [query, canonical] of table) {
    test(`${query} is formatted as ${canonical}`, () => assert.equal(formatQuery(parseQuery(query)), canonical))
  }

  test('AND binds before OR', () => {
    assert.deepEqual(parseQuery('a b OR c').filter, {
      kind: 'any',
      terms: [{ kind: 'all', terms: [text('a'), text('b')] }, text('c')],
    })
  })
})

describe('refusals', () => {
  const table: readonly (readonly [query: string, at: number, says: RegExp, hint?: RegExp])[] = [
    ['state:open asignee:ann', 12, /no qualifier 'asignee'; use one of state, /, /Did you mean `assignee:ann`/],
    ['http://example.org', 1, /no qualifier 'http'/, /double quotes/],
    ['constructor:x', 1, /no qualifier 'constructor'/],
    ['state:opn', 1, /state must be open, closed or all, got 'opn'/, /`state:open`/],
    ['is:stuck', 1, /is must be open, closed, overdue, claimed, ready or blocked/],
    ['x priority:P9', 3, /priority must be P0, P1.*got 'P9'/],
    ['priority:P2..P1', 1, /priority must be/],
    ['priority:high', 1, /priority must be/],
    ['due:2026-02-30', 1, /due must be/],
    ['due:7d', 1, /due must be/],
    ['due:<12h', 1, /due must be/],
    ['updated:7d', 1, /updated must be an age such as <7d/],
    ['updated:<7x', 1, /updated must be/],
    ['created:1d..2026-01-01', 1, /created must be/],
    ['created:>', 1, /created must be/],
    ['author:', 1, /author must be me, the name of an actor, an actor id/],
    ['id:wxyz', 1, /id must be/],
    ['has:labels', 1, /has must be label, /, /`has:label`/],
    ['label:', 1, /label must be a label, got ''/],
    ['label:""', 1, /label must be a label, got ''/],
    ['""', 1, /text must be a text/],
    ['sort:size', 1, /sort must be created, updated/],
    ['sort:udated', 1, /sort must be/, /`sort:updated`/],
    ['sort:title-up', 1, /sort must be/],
    ['limit:-1', 1, /limit must be a whole number/],
    ['sort:title sort:due', 12, /sort is given twice/],
    ['(a sort:title)', 4, /applies to the whole query/],
    ['-limit:3', 2, /applies to the whole query/],
    ['(a', 1, /not closed/],
    ['a)', 2, /has no opening one/],
    ['()', 2, /expected a condition/],
    ['a OR', 5, /expected a condition/],
    ['OR a', 1, /expected a condition/],
    ['a OR sort:title', 3, /OR needs a condition on both sides/],
    ['a AND', 3, /AND needs a condition on both sides/],
    ['NOT', 4, /expected a condition/],
    ['"a', 1, /quote is not closed/],
    ['"a"b', 4, /after the closing quote/],
  ]
  for (const [query, at, says, hint] of table) {
    test(`${query} is refused at ${at}`, () => {
      assert.throws(
        () => parseQuery(query),
        (error: InvalidArgsError) => {
          assert.equal(error.code, 'invalid_args')
          assert.match(error.message, says)
          assert.match(error.message, new RegExp(`^query, character ${at}: `))
          assert.equal(error.details.position, at)
          if (hint !== undefined) assert.match(error.hints.join('\n'), hint)
          return true
        },
      )
    })
  }

  test('nesting and length of a query are bounded', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}a${')'.repeat(depth)}`
    assert.deepEqual(parseQuery(nested(limits.queryDepthMax)).filter, text('a'))
    assert.throws(() => parseQuery(nested(limits.queryDepthMax + 1)), /nest at most 32 levels deep/)
    assert.throws(() => parseQuery('NOT '.repeat(500).concat('a')), /nest at most 32 levels deep/)
    assert.ok(parseQuery('a'.repeat(limits.queryBytesMax)))
    assert.throws(() => parseQuery('a'.repeat(limits.queryBytesMax + 1)), /at most 4096 bytes/)
  })

  test('an empty value is refused with its qualifier and the allowed values', () => {
    for (const key of qualifierKeys) {
      assert.throws(
        () => parseQuery(`${key}:`),
        (error: InvalidArgsError) => {
          assert.equal(error.details.qualifier, key)
          assert.equal(error.details.value, '')
          assert.ok(error.details.allowed !== undefined)
          return true
        },
      )
    }
  })
})
