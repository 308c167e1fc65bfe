/** Lists and searches on one repository; each test expects the titles found. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { commentOverlayKey, type EventId, formatCommentOverlay, type GriteError } from '../../../src/model/index.ts'
import { createSandbox } from '../../git/temp-repository.ts'
import { commandRunner, createCommandSandbox } from '../../support/command-runner.ts'

const dayMs = 86_400_000
const now = Date.UTC(2026, 3, 5, 12)

interface Listed {
  readonly issues: readonly { readonly title: string; readonly issue_id: string }[]
  readonly total: number
  readonly query?: string
}

describe('issue lists and searches', () => {
  const sandbox = createSandbox({ after })
  const path = `${sandbox.dir}/repository`
  sandbox.git(sandbox.dir, 'init', '-q', path)
  let nowUnixMs = now
  const place = commandRunner({ cwd: path, env: sandbox.environment, nowUnixMs: () => nowUnixMs })
  const ids = new Map<string, string>()

  const titles = async (command: string, input: Record<string, unknown>) =>
    ((await place.run(command, input)) as Listed).issues.map(({ title }) => title).join(' ')

  before(async () => {
    await place.run('actor init', { label: 'ann' })
    const create = async (age: number, title: string, input: Record<string, unknown> = {}) => {
      nowUnixMs = now - age * dayMs
      const { issue_id } = (await place.run('issue create', { title, ...input })) as { issue_id: string }
      ids.set(title, issue_id)
      return issue_id
    }
    const epic = await create(40, 'epic', { type: 'epic', milestone: '2.0' })
    await create(30, 'one', { priority: 'P1', due: '2026-04-01', parent: epic, label: ['bug'], assignee: ['ann'] })
    await create(20, 'two', { priority: 'P0', due: '2026-04-08', parent: epic, body: 'A race condition' })
    await create(10, 'three', { priority: 'P3', milestone: '1.0', label: ['bug', 'help wanted'], assignee: ['bo'] })
    await create(5, 'four', { set: ['status=blocked'], label: ['ui'] })
    nowUnixMs = now - dayMs
    await place.run('issue close', { issue: [ids.get('three')], comment: 'Done' })
    nowUnixMs = now
  })

  const options: readonly (readonly [input: Record<string, unknown>, titles: string])[] = [
    [{}, 'epic one two three four'],
    [{ state: 'closed' }, 'three'],
    [{ state: 'ALL', limit: 2 }, 'epic one'],
    [{ label: ['bug'] }, 'one three'],
    [{ label: ['bug', 'help wanted'] }, 'three'],
    [{ assignee: 'me' }, 'one'],
    [{ assignee: 'none' }, 'epic two four'],
    [{ author: 'me', state: 'closed' }, 'three'],
    [{ priority: '1' }, 'one'],
    [{ priority: '<=P1' }, 'one two'],
    [{ priority: 'none' }, 'epic four'],
    [{ type: 'epic' }, 'epic'],
    [{ status: 'blocked' }, 'four'],
    [{ milestone: '1.0' }, 'three'],
    [{ overdue: true }, 'one'],
    [{ dueBefore: '2026-04-08' }, 'one'],
    [{ dueBefore: '2026-04-09' }, 'one two'],
    [{ dueBefore: '7d' }, 'one two'],
    [{ dueBefore: '1mo' }, 'one two'],
    [{ dueBefore: 'wed' }, 'one'],
    [{ dueBefore: 'thursday' }, 'one two'],
    [{ since: '1mo', sort: 'title' }, 'four one three two'],
    [{ since: '2d' }, 'three'],
    [{ since: '5d' }, 'three four'],
    [{ since: String(now - 10 * dayMs) }, 'three four'],
    [{ text: 'RACE' }, 'two'],
    [{ text: 'label:bug' }, ''],
    [{ query: 'label:bug OR label:ui' }, 'one three four'],
    [{ query: 'label:bug OR label:ui', state: 'open' }, 'one four'],
    [{ query: '-label:bug sort:title limit:2' }, 'epic four'],
    [{ query: 'sort:title limit:2', sort: 'priority', limit: 3 }, 'two one three'],
    [{ sort: 'updated' }, 'three four two one epic'],
    [{ sort: 'due' }, 'one two epic three four'],
    [{ sort: 'milestone' }, 'three epic one two four'],
    [{ sort: 'comments' }, 'three epic one two four'],
    [{ sort: 'title', reverse: true }, 'two three one four epic'],
  ]
  for (const [input, expected] of options) {
    test(`issue list ${JSON.stringify(input)} gives ${expected || 'nothing'}`, async () => {
      assert.equal(await titles('issue list', input), expected)
    })
  }

  test('a parent may be given as any unique id prefix', async () => {
    const epic = ids.get('epic') as string
    for (const parent of [epic, epic.slice(0, 8), epic.slice(0, 8).toUpperCase()]) {
      assert.equal(await titles('issue list', { parent }), 'one two')
      assert.equal(await titles('search', { query: [`parent:${parent} due:overdue`] }), 'one')
      assert.equal(await titles('search', { query: [`-parent:${parent} -label:bug`] }), 'epic four')
    }
    await assert.rejects(
      place.run('issue list', { parent: 'ffffffff' }),
      (error: GriteError) => error.code === 'not_found',
    )
  })

  test('search takes each word as one term', async () => {
    assert.equal(await titles('search', { query: ['label:bug', 'state:open'] }), 'one')
    assert.equal(await titles('search', { query: ['label:help wanted', 'state:closed'] }), 'three')
    assert.equal(await titles('search', { query: ['race', 'condition'] }), 'two')
    const { query, total } = (await place.run('search', { query: ['due:overdue', 'OR', 'p'] })) as Listed
    assert.deepEqual([query, total], ['is:overdue OR p', 2])
  })

  test('search without a match warns about quotes lost in the shell', async () => {
    const before = place.warnings.length
    assert.equal(await titles('search', { query: ['label:help wanted'] }), '')
    assert.equal(place.warnings[before]?.code, 'lost-quotes')
    assert.match(place.warnings[before]?.message ?? '', /'label:"help wanted"'/)
    assert.equal(await titles('search', { query: ['label:"help wanted"'] }), 'three')
    assert.equal(place.warnings.length, before + 1)
  })

  test('search counts all matches, whatever the limit', async () => {
    const data = await place.run('search', { query: ['label:bug OR type:epic limit:1'] })
    const { total, open_count, closed_count, issue_count, issues } = data as Listed & Record<string, unknown>
    assert.deepEqual([issues.length, total, open_count, closed_count, issue_count], [1, 3, 2, 1, 5])
  })

  const forPeople = commandRunner({ cwd: path, env: sandbox.environment, nowUnixMs: () => now, isJson: false })
  const people: readonly (readonly [input: Record<string, unknown>, titles: string])[] = [
    [{}, 'four two one epic'],
    [{ reverse: true, limit: 2 }, 'epic one'],
    [{ sort: 'title' }, 'epic four one two'],
    [{ query: 'sort:created limit:2' }, 'epic one'],
    [{ state: 'all', limit: 2 }, 'three four'],
    [{ query: 'is:closed OR label:ui' }, 'three four'],
    [{ query: 'label:bug' }, 'one'],
    [{ query: 'label:bug', exitStatus: true }, 'three one'],
    [{ query: 'closed:<9d' }, 'three'],
    [{ query: 'is:ready' }, 'two one'],
  ]
  for (const [input, expected] of people) {
    test(`issue list for people ${JSON.stringify(input)} gives ${expected}`, async () => {
      const { issues } = (await forPeople.run('issue list', input)) as Listed
      assert.equal(issues.map(({ title }) => title).join(' '), expected)
    })
  }

  /** The titles of all pages, one page a text. */
  const pages = async (command: string, input: Record<string, unknown>) => {
    const found: string[] = []
    for (let after: string | null | undefined; after !== null && found.length < 9; ) {
      const page = (await place.run(command, { ...input, after })) as Listed & { next_cursor: string | null }
      found.push(page.issues.map(({ title }) => title).join(' '))
      after = page.next_cursor
    }
    return found
  }

  const paged: readonly (readonly [command: string, input: Record<string, unknown>, pages: readonly string[]])[] = [
    ['issue list', {}, ['epic one two three four']],
    ['issue list', { limit: 5 }, ['epic one two three four']],
    ['issue list', { limit: 2 }, ['epic one', 'two three', 'four']],
    ['issue list', { limit: 2, reverse: true }, ['four three', 'two one', 'epic']],
    ['issue list', { limit: 2, sort: 'priority' }, ['two one', 'three epic', 'four']],
    ['issue list', { limit: 2, sort: 'priority', reverse: true }, ['four epic', 'three one', 'two']],
    ['issue list', { limit: 3, sort: 'updated' }, ['three four two', 'one epic']],
    ['search', { query: ['sort:title-desc limit:3'] }, ['two three one', 'four epic']],
    ['ready', { limit: 1 }, ['two', 'one']],
    ['ready', { limit: 1, sort: 'due' }, ['one', 'two']],
  ]
  for (const [command, input, expected] of paged) {
    test(`${command} ${JSON.stringify(input)} gives ${expected.length} pages`, async () => {
      assert.deepEqual(await pages(command, input), expected)
    })
  }

  test('a page of no issues continues where it began', async () => {
    const { next_cursor: after } = (await place.run('issue list', { limit: 0 })) as { next_cursor: string }
    assert.equal(await titles('issue list', { after, limit: 1 }), 'epic')
  })

  test('a cursor of another order is refused', async () => {
    const { next_cursor: after } = (await place.run('issue list', { limit: 1 })) as { next_cursor: string }
    await assert.rejects(place.run('issue list', { after, sort: 'title' }), {
      message: '--after continues a list ordered by created-asc; this list is ordered by title-asc',
    })
    await assert.rejects(place.run('issue list', { after: 'two' }), {
      message: /--after must be the next_cursor .*'two'/,
    })
  })

  const refusals: readonly (readonly [input: Record<string, unknown>, field: string, says: RegExp])[] = [
    [{ priority: 'high' }, 'priority', /--priority must be P0, .*got 'high'/],
    [{ dueBefore: 'soon' }, 'due-before', /--due-before must be a day/],
    [{ dueBefore: '<7d' }, 'due-before', /got '<7d'/],
    [{ text: '' }, 'text', /--text must be a text/],
    [{ milestone: '' }, 'milestone', /--milestone must be/],
    [{ query: 'lable:x' }, 'query', /character 1: there is no qualifier 'lable'/],
  ]
  for (const [input, field, says] of refusals) {
    test(`issue list rejects ${JSON.stringify(input)}`, async () => {
      await assert.rejects(place.run('issue list', input), (error: GriteError) => {
        assert.equal(error.code, 'invalid_args')
        assert.equal(error.details.field, field)
        assert.match(error.message, says)
        return true
      })
    })
  }
})

describe('searches in comments, times and queues', () => {
  let nowUnixMs = now - 9 * dayMs
  const place = createCommandSandbox({ after }, { nowUnixMs: () => nowUnixMs })

  before(async () => {
    await place.run('actor init', { label: 'ann' })
    const ids: string[] = []
    for (const title of ['free', 'waiting', 'done', 'again']) {
      nowUnixMs += 1000
      ids.push(((await place.run('issue create', { title })) as { issue_id: string }).issue_id)
    }
    const [free, waiting, done, again] = ids
    await place.run('issue dep add', { issue: waiting, target: free })
    const comment = async (issue: unknown, body: string) =>
      ((await place.run('issue comment', { issue, body })) as { event_id: EventId }).event_id
    await comment(free, 'A Race')
    const [edited, hidden] = [await comment(waiting, 'at first'), await comment(done, 'a secret')]
    await place.run('issue close', { issue: [again] })
    nowUnixMs = now - 3 * dayMs
    await place.run('issue reopen', { issue: [again] })
    await place.run('issue close', { issue: [done], comment: 'Released' })
    await place.withRepository((repository) =>
      repository.write(async (draft) => {
        const body = formatCommentOverlay({ kind: 'text', body: 'later' })
        await draft.setProjectContext(commentOverlayKey(edited), body)
        await draft.setProjectContext(commentOverlayKey(hidden), formatCommentOverlay({ kind: 'hidden' }))
      }),
    )
    nowUnixMs = now
  })

  const table: readonly (readonly [query: string, titles: string])[] = [
    ['race', 'free'],
    ['race OR RELEASED', 'free done'],
    ['-race is:open', 'waiting again'],
    ['state:closed text:released', 'done'],
    ['later', 'waiting'],
    ['at first', ''],
    ['secret', ''],
    ['is:ready', 'free again'],
    ['-is:ready is:open', 'waiting'],
    ['is:blocked', 'waiting'],
    ['closed:<4d', 'done'],
    ['-closed:<4d', 'free waiting again'],
    ['closed:2026-04-02', 'done'],
    ['closed:>4d', ''],
    ['commented:<4d', 'done'],
    ['commented:>4d', 'free waiting'],
    ['-commented:<99d', 'again'],
  ]
  for (const [query, expected] of table) {
    test(`search ${query} gives ${expected || 'nothing'}`, async () => {
      const { issues } = (await place.run('search', { query: [query] })) as Listed
      assert.equal(issues.map(({ title }) => title).join(' '), expected)
    })
  }
})

test('searching for me without an actor warns and creates none', async (t) => {
  const sandbox = createSandbox(t)
  const path = `${sandbox.dir}/repository`
  sandbox.git(sandbox.dir, 'init', '-q', path)
  const place = commandRunner({ cwd: path, env: sandbox.environment })
  assert.equal(((await place.run('search', { query: ['assignee:me'] })) as Listed).total, 0)
  assert.deepEqual(
    place.warnings.map(({ code }) => code),
    ['nobody-here'],
  )
  assert.deepEqual(((await place.run('actor list')) as { actors: unknown[] }).actors, [])
  await place.run('search', { query: ['assignee:ann'] })
  assert.equal(place.warnings.length, 1)
})
