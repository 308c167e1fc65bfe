import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type ActorId,
  allOf,
  compileQuery,
  type IssueId,
  narrowQuery,
  not,
  parseQuery,
  type QueryFacts,
  type QueryRow,
  type QueryTerm,
  sortRows,
  textsIn,
  wantedTexts,
} from '../../../src/model/index.ts'
import { anyRow, anyTerm, dayMs, makeRow, nowUnixMs } from './queries.ts'

const me = { name: 'ann', actor: '7f'.repeat(16) as ActorId }
const facts: QueryFacts = {
  nowUnixMs,
  me,
  claimed: new Set(['c1'.repeat(16) as IssueId]),
  ready: new Set(['c2'.repeat(16) as IssueId]),
  blocked: new Set(['c3'.repeat(16) as IssueId]),
}

interface Texts {
  readonly body?: string
  readonly closedTs?: number | null
  readonly comments?: readonly string[]
  readonly commentedTs?: number
}

/** Everything that a query can test besides the row. */
function detailOf(term: QueryTerm | null, { body = '', closedTs = null, comments = [], commentedTs }: Texts = {}) {
  const wanted = wantedTexts(term)
  const texts = new Set(comments.flatMap((text) => textsIn(text, wanted)))
  return { inBody: new Set(textsIn(body, wanted)), closedTs, comments: { texts, lastTs: commentedTs ?? null } }
}

const asks = (query: string, row: QueryRow, texts: Texts = {}, by: QueryFacts = facts) => {
  const { filter } = parseQuery(query)
  return compileQuery(filter, by)(row, detailOf(filter, texts))
}

describe('matching issues', () => {
  const open = makeRow()
  const labelled = makeRow({ labels: ['area:ui', 'priority:P1'], fields: { priority: 'P1' } })
  const later = (day: string) => makeRow({ fields: { defer: day } })
  const due = (day: string, changes: Partial<QueryRow> = {}) => makeRow({ fields: { due: day }, ...changes })
  const created = (ms: number) => makeRow({ created_ts: ms })
  const today = nowUnixMs - (nowUnixMs % dayMs)
  const table: readonly (readonly [query: string, matches: QueryRow, misses: QueryRow])[] = [
    ['state:open', open, makeRow({ state: 'closed' })],
    ['label:area:ui', labelled, open],
    ['-label:area:ui', open, labelled],
    ['label:priority:P1', labelled, open],
    ['assignee:bo', makeRow({ assignees: ['ann', 'bo'] }), makeRow({ assignees: ['bobby'] })],
    ['assignee:me', makeRow({ assignees: ['ann'] }), makeRow({ assignees: ['me'] })],
    ['assignee:"me"', makeRow({ assignees: ['me'] }), makeRow({ assignees: ['ann'] })],
    ['assignee:none', open, makeRow({ assignees: ['none'] })],
    ['author:me', open, makeRow({ author: '00'.repeat(16) })],
    ['author:7f7f', open, makeRow({ author: `007f${'00'.repeat(14)}` })],
    ['type:bug', makeRow({ fields: { type: 'bug' } }), makeRow({ fields: { type: 'Bug' } })],
    ['milestone:none', open, makeRow({ fields: { milestone: 'none' } })],
    ['milestone:"none"', makeRow({ fields: { milestone: 'none' } }), open],
    ['parent:ab', makeRow({ fields: { parent: 'ab' } }), makeRow({ fields: { parent: 'abc' } })],
    ['id:5a5', open, makeRow({ issue_id: '50'.repeat(16) as QueryRow['issue_id'] })],
    ['priority:<=P1', labelled, makeRow({ fields: { priority: 'P2' } })],
    ['priority:<P1', makeRow({ fields: { priority: 'P0' } }), labelled],
    ['priority:>=P1', labelled, makeRow({ fields: { priority: 'P0' } })],
    ['priority:>P1', makeRow({ fields: { priority: 'P2' } }), makeRow({ fields: { priority: 'high' } })],
    ['priority:P0..P2', labelled, open],
    ['due:2026-04-05', due('2026-04-05'), due('2026-04-06')],
    ['due:<2026-04-05', due('2026-04-04'), due('2026-04-05')],
    ['due:<=2026-04-05', due('2026-04-05'), due('2026-04-06')],
    ['due:<1d', due('2026-04-05'), due('2026-04-06')],
    ['due:<7d', due('2026-04-01'), due('2026-04-12')],
    ['due:0d..7d', due('2026-04-12'), due('2026-04-04')],
    ['due:>1w', due('2026-04-13'), due('2026-04-12')],
    ['due:<9999-01-01', due('2026-04-05'), due('soon')],
    ['due:<=1mo', due('2026-05-05'), due('2026-05-06')],
    ['due:<=1y', due('2027-04-05'), due('2027-04-06')],
    ['defer:>0d', later('2026-04-06'), later('2026-04-05')],
    ['defer:<=2026-04-05', later('2026-04-05'), later('2026-04-06')],
    ['has:defer', later('2026-04-05'), open],
    ['defer:none', open, later('2026-04-05')],
    ['due:overdue', due('2026-04-04'), due('2026-04-05')],
    ['is:overdue', due('2026-04-04'), due('2026-04-04', { state: 'closed' })],
    ['is:claimed', makeRow({ issue_id: 'c1'.repeat(16) as IssueId }), open],
    ['-is:claimed', open, makeRow({ issue_id: 'c1'.repeat(16) as IssueId })],
    ['is:ready', makeRow({ issue_id: 'c2'.repeat(16) as IssueId }), open],
    ['is:blocked', makeRow({ issue_id: 'c3'.repeat(16) as IssueId }), open],
    ['due:none', open, due('soon')],
    ['created:<7d', created(nowUnixMs - 7 * dayMs + 1), created(nowUnixMs - 7 * dayMs)],
    ['created:<=7d', created(nowUnixMs - 7 * dayMs), created(nowUnixMs - 7 * dayMs - 1)],
    ['created:>7d', created(nowUnixMs - 7 * dayMs - 1), created(nowUnixMs - 7 * dayMs)],
    ['created:1d..2d', created(nowUnixMs - 2 * dayMs), created(nowUnixMs - 1)],
    ['created:2026-04-05', created(today), created(today - 1)],
    ['created:>2026-04-04', created(today), created(today - 1)],
    ['created:>=2026-04-05', created(today), created(today - 1)],
    ['created:<2026-04-05', created(today - 1), created(today)],
    ['created:<=2026-04-04', created(today - 1), created(today)],
    ['created:2026-04-03..2026-04-04', created(today - 1), created(today)],
    ['created:<2026-04-05T00:00Z', created(today - 1), created(today)],
    ['updated:<3d', open, makeRow({ updated_ts: nowUnixMs - 4 * dayMs })],
    ['has:comments', makeRow({ comment_count: 1 }), open],
    ['has:label', makeRow({ labels: ['bug'] }), makeRow({ labels: ['priority:P1'] })],
    ['no:parent', open, makeRow({ fields: { parent: 'x' } })],
    ['first', open, makeRow({ title: 'Crash' })],
    ['FIRST crash', open, makeRow({ title: 'first' })],
    ['"first start"', open, makeRow({ title: 'start first' })],
    ['label:x OR first', open, makeRow({ title: 'x' })],
    ['-(label:area:ui OR state:closed)', open, labelled],
  ]
  for (const [query, matches, misses] of table) {
    test(`${query} matches one issue and not another`, () => {
      assert.equal(asks(query, matches), true)
      assert.equal(asks(query, misses), false)
    })
  }

  test('text matches title or body in any case', () => {
    assert.equal(asks('text:"RACE Condition"', open, { body: 'a race condition' }), true)
    assert.equal(asks('text:"race condition"', open, { body: 'a race\ncondition' }), false)
    assert.equal(asks('ÄB', makeRow({ title: 'äb' })), true)
  })

  test('text matches a comment in any case', () => {
    const commented = makeRow({ comment_count: 2 })
    assert.equal(asks('RACE found', commented, { body: 'It was found', comments: ['x', 'a race'] }), true)
    assert.equal(asks('-race', commented, { comments: ['x', 'a race'] }), false)
    assert.equal(asks('race', commented, { comments: ['ra', 'ce'] }), false)
  })

  test('closed and commented compare the time of the last such event', () => {
    const row = makeRow({ state: 'closed', comment_count: 1 })
    const texts = { closedTs: nowUnixMs - 3 * dayMs, commentedTs: nowUnixMs - 5 * dayMs }
    for (const query of [
      'closed:<4d',
      'closed:2026-04-02',
      'closed:1d..3d',
      'commented:>4d',
      'commented:<=2026-03-31',
    ]) {
      assert.equal(asks(query, row, texts), true, query)
      assert.equal(asks(query, makeRow()), false, query)
    }
    for (const query of ['closed:<3d', 'closed:>2026-04-02', 'commented:<5d', 'commented:>=2026-04-01']) {
      assert.equal(asks(query, row, texts), false, query)
    }
    assert.equal(asks('-closed:<3d -commented:<5d', row, texts), true)
  })

  test('me matches nobody without an actor', () => {
    const nobody = { ...facts, me: null }
    for (const query of ['assignee:me', 'author:me']) {
      assert.equal(asks(query, makeRow({ assignees: ['ann', 'me', ''] }), {}, nobody), false)
    }
  })

  test('an empty query matches every issue', () => assert.equal(asks('', open), true))
})

test('an unread body leaves a query open only where it decides', () => {
  const test = (query: string, row = makeRow()) => compileQuery(parseQuery(query).filter, facts)(row, undefined)
  assert.equal(test('words'), undefined)
  assert.equal(test('-words'), undefined)
  assert.equal(test('first'), true)
  assert.equal(test('words state:closed'), false)
  assert.equal(test('words OR state:open'), true)
  assert.equal(test('words state:open'), undefined)
})

test('comments are needed only where text and rows do not decide', () => {
  const test = (query: string, row: QueryRow) => {
    const { filter } = parseQuery(query)
    const { inBody } = detailOf(filter, { body: 'some words' })
    return compileQuery(filter, facts)(row, { inBody, closedTs: null })
  }
  const [silent, commented] = [makeRow(), makeRow({ comment_count: 1 })]
  assert.deepEqual(
    [test('words', commented), test('other', silent), test('other', commented)],
    [true, false, undefined],
  )
  assert.deepEqual([test('commented:<1d', silent), test('commented:<1d', commented)], [false, undefined])
  assert.equal(test('closed:<1d', makeRow({ state: 'open', comment_count: 1 })), false)
})

test('a result decided without the body never changes with it', () => {
  fc.assert(
    fc.property(anyTerm, anyRow, fc.constantFrom('', 'ann', 'with space'), (term, row, body) => {
      const test = compileQuery(term, facts)
      const known = test(row, undefined)
      const detail = detailOf(term, { body, closedTs: 0, comments: [body], commentedTs: 0 })
      const { comments, ...withoutComments } = detail
      const partly = test(row, withoutComments)
      const result = test(row, detail)
      assert.notEqual(result, undefined)
      if (known !== undefined) assert.equal(partly, known)
      if (partly !== undefined) assert.equal(result, partly)
      assert.equal(compileQuery(not(term), facts)(row, detail), !result)
    }),
    { numRuns: 2000 },
  )
})

test('a narrowed query never excludes a match', () => {
  fc.assert(
    fc.property(fc.array(anyTerm, { maxLength: 2 }), anyRow, (terms, row) => {
      const term = allOf([...truthsOf(row), ...terms])
      const { state, labels, assignee } = narrowQuery(term, facts)
      assert.equal(state, row.state)
      if (!compileQuery(term, facts)(row, detailOf(term, { closedTs: 0, commentedTs: 0 }))) return
      assert.ok(assignee === undefined || row.assignees.includes(assignee))
      for (const label of labels) assert.ok(row.labels.includes(label), label)
    }),
    { numRuns: 2000 },
  )
})

/** Conditions that hold for an issue and that an index can answer. */
function truthsOf({ state, labels, assignees, fields }: QueryRow): QueryTerm[] {
  return [
    { kind: 'state', state },
    ...labels.slice(0, 1).map((label) => ({ kind: 'label', label }) as const),
    ...assignees.slice(0, 1).map((name) => ({ kind: 'assignee', who: { is: 'named', name } }) as const),
    ...(fields.type === undefined ? [] : [{ kind: 'field', key: 'type', value: fields.type } as const]),
  ]
}

test('narrowing takes only required conditions', () => {
  const narrow = (query: string, by: Parameters<typeof narrowQuery>[1] = facts) =>
    narrowQuery(parseQuery(query).filter, by)
  assert.deepEqual(narrow('state:open label:bug assignee:me priority:P1 type:task crash'), {
    state: 'open',
    labels: ['bug', 'priority:P1', 'type:task'],
    assignee: 'ann',
  })
  for (const query of ['', '-label:bug', 'label:a OR label:b', 'state:all', 'priority:<=P1', '(label:a OR x)']) {
    assert.deepEqual(narrow(query), { labels: [] }, query)
  }
  assert.deepEqual(narrow('assignee:me', { ...facts, me: null }), { labels: [] })
})

describe('sorting', () => {
  const rows = [
    makeRow({ title: 'b', fields: { priority: 'P2', due: '2026-05-01' }, comment_count: 1, updated_ts: 1 }),
    makeRow({ title: 'c', fields: {}, comment_count: 3, updated_ts: 2 }),
    makeRow({ title: 'a', fields: { priority: 'P0', milestone: '2.0', type: 'x' }, updated_ts: 3 }),
    makeRow({ title: 'd', fields: { priority: 'P2', due: '2026-04-01', status: 's' }, updated_ts: 2 }),
  ]
  const table: readonly (readonly [sort: string, titles: string])[] = [
    ['', 'bcad'],
    ['sort:created', 'bcad'],
    ['sort:created-desc', 'bcad'],
    ['sort:updated', 'acdb'],
    ['sort:updated-asc', 'bcda'],
    ['sort:title', 'abcd'],
    ['sort:title-desc', 'dcba'],
    ['sort:priority', 'abdc'],
    ['sort:priority-desc', 'bdac'],
    ['sort:due', 'dbca'],
    ['sort:milestone', 'abcd'],
    ['sort:status', 'dbca'],
    ['sort:type', 'abcd'],
    ['sort:comments', 'cbad'],
  ]
  for (const [sort, titles] of table) {
    test(`${sort || 'no sort'} orders as ${titles}`, () => {
      const sorted = sortRows(rows, parseQuery(sort).sort)
      assert.equal(sorted.map(({ title }) => title).join(''), titles)
    })
  }
})
