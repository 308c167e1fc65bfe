/** What undo restores, and when it fails. */

import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import {
  currentBody,
  currentState,
  type Event,
  type EventBody,
  type GriteError,
  type IssueId,
  type IssueState,
  limits,
} from '../../src/model/index.ts'
import { rowOf, type View } from '../../src/view/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { commandRunner, createCommandSandbox } from '../support/command-runner.ts'
import { actors, batchOf, makeEvent, writeBatch } from '../support/log.ts'

interface Undone {
  readonly issue_id: string | null
  readonly undone: { readonly event_id: string; readonly kind: string }
  readonly changes: readonly { readonly field: string; readonly old: string | null; readonly new: string | null }[]
  readonly event_id: string | null
  readonly event_ids: readonly string[]
  readonly outcome: string
  readonly wal_head: string | null
}

/** Earlier than the default time of `makeEvent`. */
const nowUnixMs = () => 1_600_000_000_000

const place = createCommandSandbox({ after }, { nowUnixMs })

/** Creates an issue in the repository shared by these tests. */
async function setUp() {
  const { issue_id: id } = (await place.run('issue create', {
    title: 'Crash',
    body: 'text',
    label: ['bug'],
    priority: 'P2',
  })) as { issue_id: IssueId }
  return {
    ...place,
    id,
    show: () => place.withRepository(async (repository) => contentOf(await repository.view(), id)),
    undo: async (event?: string) => (await place.run('undo', { event })) as Undone,
    /** Runs a command on the issue and returns the ids of its events. */
    change: async (command: string, input: object) =>
      ((await place.run(command, { issue: [id], ...input })) as { event_ids: string[] }).event_ids,
    /** Appends events as another clone would and returns their ids. */
    async append(...bodies: readonly EventBody[]): Promise<string[]> {
      const events = bodies.map((body) => makeEvent(id, body, { actor: actors[1] }))
      await place.withRepository((repository) => appendTo(repository, place, events))
      return events.map(({ eventId }) => eventId)
    },
  }
}

async function contentOf(view: View, id: IssueId) {
  const state = (await view.findIssue(id)) as IssueState
  const { title, labels, assignees, fields } = rowOf(state)
  return { title, body: currentBody(state), state: currentState(state), labels, assignees, fields }
}

type Place = Pick<ReturnType<typeof createCommandSandbox>, 'git' | 'path'>

async function appendTo(
  { git }: { readonly git: Parameters<typeof writeBatch>[0] },
  place: Place,
  events: readonly Event[],
): Promise<void> {
  const next = await writeBatch(git, batchOf(events), await git.readRef(walRef))
  place.git(place.path, 'update-ref', walRef, next)
}

describe('undo restores', () => {
  const table: readonly (readonly [title: string, command: string, input: object, changes: Undone['changes']])[] = [
    ['the title', 'issue update', { title: 'Fall' }, [{ field: 'title', old: 'Fall', new: 'Crash' }]],
    [
      'the title and the body',
      'issue update',
      { title: 'Fall', body: 'more' },
      [
        { field: 'title', old: 'Fall', new: 'Crash' },
        { field: 'body', old: 'more', new: 'text' },
      ],
    ],
    ['the state', 'issue close', { comment: 'Done' }, [{ field: 'state', old: 'closed', new: 'open' }]],
    ['labels after an added label', 'issue label add', { label: ['ui'] }, [{ field: 'label', old: 'ui', new: null }]],
    ['a removed label', 'issue label remove', { label: ['bug'] }, [{ field: 'label', old: null, new: 'bug' }]],
    [
      'assignees after an added assignee',
      'issue assignee add',
      { user: ['ann'] },
      [{ field: 'assignee', old: 'ann', new: null }],
    ],
    ['a changed field', 'issue update', { priority: 'P0' }, [{ field: 'priority', old: 'P0', new: 'P2' }]],
    ['a cleared field', 'issue update', { set: ['priority='] }, [{ field: 'priority', old: null, new: 'P2' }]],
    [
      'the absence of a new field',
      'issue update',
      { milestone: '2.0' },
      [{ field: 'milestone', old: '2.0', new: null }],
    ],
  ]
  for (const [title, command, input, changes] of table) {
    test(`undo restores ${title}, and a second undo reverts it`, async () => {
      const { show, undo, change } = await setUp()
      const before = await show()
      const written = await change(command, input)
      const changed = await show()
      const undone = await undo()
      assert.equal(undone.undone.event_id, written.at(-1))
      assert.deepEqual(undone.changes, changes)
      assert.equal(undone.event_id, undone.event_ids.at(-1))
      assert.deepEqual(await show(), before)
      await undo()
      assert.deepEqual(await show(), changed)
    })
  }

  test('undo removes an added dependency and a second undo restores it', async () => {
    const { undo, append, run, id } = await setUp()
    const { issue_id: target } = (await run('issue create', { title: 'Other' })) as { issue_id: IssueId }
    const edges = async () => ((await run('issue show', { issue: id })) as { issue: { dependencies: unknown[] } }).issue
    const [added = ''] = await append({ type: 'DependencyAdded', target, dep_type: 'blocks' })
    assert.equal((await edges()).dependencies.length, 1)
    assert.deepEqual((await undo(added)).changes, [{ field: 'dependency', old: `blocks ${target}`, new: null }])
    assert.equal((await edges()).dependencies.length, 0)
    await undo()
    assert.equal((await edges()).dependencies.length, 1)
  })

  test('undo restores a field value that grite would reject', async () => {
    const { undo, append, change, show } = await setUp()
    await append({ type: 'LabelAdded', label: 'priority:urgent' })
    await change('issue update', { priority: 'P0' })
    await undo()
    assert.equal((await show()).fields.priority, 'urgent')
  })

  test("undo accepts an id prefix of any actor's event", async () => {
    const { undo, append, show } = await setUp()
    const [closed = ''] = await append({ type: 'StateChanged', state: 'closed' })
    assert.equal((await show()).state, 'closed')
    assert.equal((await undo(closed.slice(0, 7).toUpperCase())).undone.event_id, closed)
    assert.equal((await show()).state, 'open')
  })

  test('undo reverts one of several events of a command', async () => {
    const { undo, change, show } = await setUp()
    const [first = ''] = await change('issue label add', { label: ['x', 'y', 'z'] })
    await undo(first)
    assert.deepEqual((await show()).labels, ['bug', 'priority:P2', 'y', 'z'])
  })

  test('undo restores or removes a saved query', async () => {
    const { run, undo } = await setUp()
    const saved = async () =>
      ((await run('query list')) as { queries: { query: string }[] }).queries.map(({ query }) => query)
    await run('query save', { name: 'q', query: ['a'] })
    await run('query save', { name: 'q', query: ['b'] })
    assert.deepEqual((await undo()).changes, [{ field: 'query q', old: 'b', new: 'a' }])
    assert.deepEqual(await saved(), ['a'])
    await run('query remove', { name: 'q' })
    await undo()
    assert.deepEqual(await saved(), ['a'])
    const { event_id } = (await run('query save', { name: 'new', query: ['c'] })) as { event_id: string }
    assert.deepEqual((await undo(event_id)).changes, [{ field: 'query new', old: 'c', new: null }])
    assert.deepEqual(await saved(), ['a'])
    await assert.rejects(undo(event_id), (error: GriteError) => error.code === 'conflict')
  })
})

test('undo of an event without effect writes nothing', async () => {
  const { undo, append, withRepository } = await setUp()
  const [again = ''] = await append({ type: 'LabelAdded', label: 'bug' })
  const head = await withRepository(({ git }) => git.readRef(walRef))
  const { outcome, event_id, event_ids, wal_head, changes } = await undo(again)
  assert.deepEqual([outcome, event_id, event_ids, wal_head, changes], ['unchanged', null, [], null, []])
  assert.equal(await withRepository(({ git }) => git.readRef(walRef)), head)
})

describe('undo fails', () => {
  const assertRefused = async (promise: Promise<unknown>, code: string, says: RegExp) => {
    let found: GriteError | undefined
    await assert.rejects(promise, (error: GriteError) => {
      assert.equal(error.code, code)
      assert.match(error.message, says)
      found = error
      return true
    })
    return found as GriteError
  }

  test('undo fails for a value that a later event decided', async () => {
    const { undo, append, change, show } = await setUp()
    const [mine = ''] = await change('issue update', { title: 'Fall', body: 'more' })
    const [theirs] = await append({ type: 'IssueUpdated', title: null, body: 'theirs' })
    const { details } = await assertRefused(undo(mine), 'conflict', /has changed body since/)
    assert.deepEqual(details, { field: 'body', event_id: mine, superseded_by: theirs })
    assert.equal((await show()).title, 'Fall')
  })

  test('undo fails for a field whose value changed since', async () => {
    const { undo, change } = await setUp()
    const [removed = '', added = ''] = await change('issue update', { priority: 'P1' })
    await assertRefused(undo(removed), 'invalid_args', /it is a part of the change in event .* which sets priority/)
    const later = await change('issue update', { priority: 'P0' })
    const { details } = await assertRefused(undo(added), 'conflict', /has changed priority/)
    assert.equal(details.superseded_by, later.at(-1))
  })

  test('undo fails for a field label that was not in effect', async () => {
    const { undo, append } = await setUp()
    const [, removed = ''] = await append(
      { type: 'LabelAdded', label: 'priority:P0' },
      { type: 'LabelRemoved', label: 'priority:P2' },
    )
    await assertRefused(undo(removed), 'invalid_args', /was not the value of priority/)
  })

  test('undo fails for creations, comments, links and attachments', async () => {
    const { undo, run, id } = await setUp()
    await assertRefused(undo(), 'invalid_args', /creation of an issue cannot be undone/)
    await run('issue comment', { issue: id, body: 'x' })
    await assertRefused(undo(), 'invalid_args', /a comment cannot be undone/)
    await run('issue link add', { issue: id, url: 'u' })
    await assertRefused(undo(), 'invalid_args', /an added link cannot be undone/)
    await run('issue attachment add', { issue: id, name: 'n', sha256: 'ab'.repeat(32), mime: 'm' })
    await assertRefused(undo(), 'invalid_args', /an added attachment cannot be undone/)
  })

  test('undo fails for an edge or parent that would close a cycle', async () => {
    const { undo, append, change, id } = await setUp()
    const target = (await setUp()).id
    const theirs = async (body: EventBody) => {
      const event = makeEvent(target, body, { actor: actors[1] })
      await place.withRepository((repository) => appendTo(repository, place, [event]))
    }
    await append({ type: 'DependencyAdded', target, dep_type: 'depends_on' })
    const [removed] = await append({ type: 'DependencyRemoved', target, dep_type: 'depends_on' })
    await theirs({ type: 'DependencyAdded', target: id, dep_type: 'depends_on' })
    await assertRefused(undo(removed), 'invalid_args', /would close a cycle/)
    await change('issue update', { parent: target })
    const [cleared] = await change('issue update', { set: ['parent='] })
    await theirs({ type: 'LabelAdded', label: `parent:${id}` })
    await assertRefused(undo(cleared), 'invalid_args', /parent of issue .* cannot be/)
  })

  test('undo fails for project values other than saved queries', async () => {
    const { undo, withRepository } = await setUp()
    await withRepository((repository) => repository.write((draft) => draft.setProjectContext('release.date', '{}')))
    await assertRefused(undo(), 'invalid_args', /'release.date' is not a saved query/)
  })

  test('undo fails for malformed, too short and unknown event ids', async () => {
    const { undo, change } = await setUp()
    const [event = ''] = await change('issue close', {})
    await assertRefused(undo('zzzzzzz'), 'invalid_args', /not an event id/)
    await assertRefused(undo(event.slice(0, limits.eventIdPrefixMin - 1)), 'invalid_args', /too short: at least 7/)
    await assertRefused(
      undo(`${event.slice(0, 62)}${event.endsWith('00') ? '11' : '00'}`),
      'not_found',
      /no event has the id/,
    )
    await assertRefused(undo(`${event}0`), 'not_found', /no event/)
  })

  test('undo fails for an actor without events', async () => {
    const { run, git, dir, path, environment } = place
    git(dir, 'init', '-q', 'fresh')
    const fresh = commandRunner({ cwd: `${dir}/fresh`, env: environment })
    await assertRefused(fresh.run('undo'), 'not_found', /nothing to undo/)
    assert.deepEqual(((await fresh.run('actor list')) as { actors: unknown[] }).actors, [])
    const { actor_id } = (await run('actor init', { label: 'new' })) as { actor_id: string }
    const other = commandRunner({ cwd: path, env: environment, actor: actor_id })
    await assertRefused(other.run('undo'), 'not_found', /nothing to undo/)
  })
})

test('undo rechecks the event after a lost append race', async () => {
  const { path, git, environment, withRepository } = place
  const { id, change, show } = await setUp()
  await change('issue update', { title: 'Fall' })
  let raced = 0
  const at = async (point: string) => {
    if (point !== 'started' || raced++ > 0) return
    const theirs = makeEvent(id, { type: 'IssueUpdated', title: 'Theirs', body: null }, { actor: actors[1] })
    await withRepository((repository) => appendTo(repository, { git, path }, [theirs]))
  }
  const racing = commandRunner({ cwd: path, env: environment, nowUnixMs, gitOptions: { hooks: { at } } })
  await assert.rejects(racing.run('undo'), (error: GriteError) => {
    assert.equal(error.code, 'conflict')
    assert.match(error.message, /has changed title since/)
    return true
  })
  assert.ok(raced > 0)
  assert.equal((await show()).title, 'Theirs')
})

test('undo after a lost append race keeps the other write', async () => {
  const { path, git, environment, withRepository } = place
  const { id, change, show } = await setUp()
  await change('issue update', { title: 'Fall' })
  let raced = 0
  const at = async (point: string) => {
    if (point !== 'started' || raced++ > 0) return
    const theirs = makeEvent(id, { type: 'StateChanged', state: 'closed' }, { actor: actors[1] })
    await withRepository((repository) => appendTo(repository, { git, path }, [theirs]))
  }
  const racing = commandRunner({ cwd: path, env: environment, nowUnixMs, gitOptions: { hooks: { at } } })
  await racing.run('undo')
  assert.equal(raced, 2)
  const { title, state } = await show()
  assert.deepEqual([title, state], ['Crash', 'closed'])
})
