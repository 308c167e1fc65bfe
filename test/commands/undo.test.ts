/** Taking events back, and when that is refused. */

import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import {
  commentOverlayKey,
  currentBody,
  currentState,
  type Event,
  type EventBody,
  type EventId,
  type GriteError,
  type IssueId,
  type IssueState,
  limits,
  readCommentOverlay,
} from '../../src/model/index.ts'
import type { UndoneChange } from '../../src/tracker/undo/plan-step.ts'
import { rowOf, type View } from '../../src/view/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { commandRunner, createCommandSandbox } from '../support/command-runner.ts'
import { actors, batchOf, makeEvent, writeBatch } from '../support/log.ts'

type Change = Pick<UndoneChange, 'field' | 'old' | 'new'>

interface Undone {
  readonly event_id: string | null
  readonly event_ids: readonly string[]
  readonly outcome: string
  readonly wal_head: string | null
  readonly commands: readonly {
    readonly event_ids: readonly string[]
    readonly changes: readonly UndoneChange[]
    readonly refused: readonly { readonly event_id: string; readonly reason: string }[]
  }[]
}

/** What the first command of an answer was about. */
function changesOf({ commands }: Undone): Change[] {
  return (commands[0]?.changes ?? []).map(({ field, old, new: value }) => ({ field, old, new: value }))
}

/** Earlier than every event that `makeEvent` dates by itself. */
const nowUnixMs = () => 1_600_000_000_000

const place = createCommandSandbox({ after }, { nowUnixMs })

/** A new issue in the one repository of these tests. */
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
    show: () => place.withRepository(async (repository) => lookOf(await repository.view(), id)),
    undo: async (event?: string, more: object = {}) => (await place.run('undo', { event, ...more })) as Undone,
    redo: async () => (await place.run('redo')) as Undone,
    /** Runs a command on the issue and gives the ids of its events. */
    change: async (command: string, input: object) =>
      ((await place.run(command, { issue: [id], ...input })) as { event_ids: string[] }).event_ids,
    /** Appends events as another clone would, and gives their ids. */
    async append(...bodies: readonly EventBody[]): Promise<string[]> {
      const events = bodies.map((body) => makeEvent(id, body, { actor: actors[1] }))
      await place.withRepository((repository) => appendTo(repository, place, events))
      return events.map(({ eventId }) => eventId)
    },
  }
}

async function lookOf(view: View, id: IssueId) {
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

describe('undo gives back', () => {
  const table: readonly (readonly [title: string, command: string, input: object, changes: readonly Change[]])[] = [
    ['a title', 'issue update', { title: 'Fall' }, [{ field: 'title', old: 'Fall', new: 'Crash' }]],
    [
      'title and text',
      'issue update',
      { title: 'Fall', body: 'more' },
      [
        { field: 'title', old: 'Fall', new: 'Crash' },
        { field: 'body', old: 'more', new: 'text' },
      ],
    ],
    [
      'a state, and the comment that came with it',
      'issue close',
      { comment: 'Done' },
      [
        { field: 'state', old: 'closed', new: 'open' },
        { field: 'comment', old: 'Done', new: null },
      ],
    ],
    ['a label', 'issue label add', { label: ['ui'] }, [{ field: 'label', old: 'ui', new: null }]],
    ['a removed label', 'issue label remove', { label: ['bug'] }, [{ field: 'label', old: null, new: 'bug' }]],
    ['an assignee', 'issue assignee add', { user: ['ann'] }, [{ field: 'assignee', old: 'ann', new: null }]],
    ['a field', 'issue update', { priority: 'P0' }, [{ field: 'priority', old: 'P0', new: 'P2' }]],
    ['a cleared field', 'issue update', { set: ['priority='] }, [{ field: 'priority', old: null, new: 'P2' }]],
    ['a new field', 'issue update', { milestone: '2.0' }, [{ field: 'milestone', old: '2.0', new: null }]],
  ]
  for (const [title, command, input, changes] of table) {
    test(`${title}, and redo brings it back`, async () => {
      const { show, undo, redo, change } = await setUp()
      const before = await show()
      const written = await change(command, input)
      const changed = await show()
      const undone = await undo()
      assert.deepEqual(undone.commands[0]?.event_ids, written)
      assert.deepEqual(changesOf(undone), changes)
      assert.equal(undone.event_id, undone.event_ids.at(-1))
      assert.deepEqual(await show(), before)
      await redo()
      assert.deepEqual(await show(), changed)
    })
  }

  test('a dependency, as the log has it', async () => {
    const { undo, redo, append, run, id } = await setUp()
    const { issue_id: target } = (await run('issue create', { title: 'Other' })) as { issue_id: IssueId }
    const edges = async () => ((await run('issue show', { issue: id })) as { issue: { dependencies: unknown[] } }).issue
    const [added = ''] = await append({ type: 'DependencyAdded', target, dep_type: 'blocks' })
    assert.equal((await edges()).dependencies.length, 1)
    assert.deepEqual(changesOf(await undo(added)), [{ field: 'dependency', old: `blocks ${target}`, new: null }])
    assert.equal((await edges()).dependencies.length, 0)
    await redo()
    assert.equal((await edges()).dependencies.length, 1)
  })

  test('a value that no writer of ours would set', async () => {
    const { undo, append, change, show } = await setUp()
    await append({ type: 'LabelAdded', label: 'priority:urgent' })
    await change('issue update', { priority: 'P0' })
    await undo()
    assert.equal((await show()).fields.priority, 'urgent')
  })

  test('what is named by a beginning of its id, whoever wrote it', async () => {
    const { undo, append, show } = await setUp()
    const [closed = ''] = await append({ type: 'StateChanged', state: 'closed' })
    assert.equal((await show()).state, 'closed')
    assert.equal((await undo(closed.slice(0, 7).toUpperCase())).commands[0]?.event_ids[0], closed)
    assert.equal((await show()).state, 'open')
  })

  test('one event of several', async () => {
    const { undo, change, show } = await setUp()
    const [first = ''] = await change('issue label add', { label: ['x', 'y', 'z'] })
    await undo(first)
    assert.deepEqual((await show()).labels, ['bug', 'priority:P2', 'y', 'z'])
  })

  test('a saved query, and its absence', async () => {
    const { run, undo } = await setUp()
    const saved = async () =>
      ((await run('query list')) as { queries: { query: string }[] }).queries.map(({ query }) => query)
    await run('query save', { name: 'q', query: ['a'] })
    await run('query save', { name: 'q', query: ['b'] })
    assert.deepEqual(changesOf(await undo()), [{ field: 'query q', old: 'b', new: 'a' }])
    assert.deepEqual(await saved(), ['a'])
    await run('query remove', { name: 'q' })
    await undo()
    assert.deepEqual(await saved(), ['a'])
    const { event_id } = (await run('query save', { name: 'new', query: ['c'] })) as { event_id: string }
    assert.deepEqual(changesOf(await undo(event_id)), [{ field: 'query new', old: 'c', new: null }])
    assert.deepEqual(await saved(), ['a'])
    await assert.rejects(undo(event_id), (error: GriteError) => error.code === 'conflict')
  })
})

test('an event that changed nothing needs no event', async () => {
  const { undo, append, withRepository } = await setUp()
  const [again = ''] = await append({ type: 'LabelAdded', label: 'bug' })
  const head = await withRepository(({ git }) => git.readRef(walRef))
  const { outcome, event_id, event_ids, wal_head, ...undone } = await undo(again)
  assert.deepEqual([outcome, event_id, event_ids, wal_head], ['unchanged', null, [], null])
  assert.deepEqual(undone.commands[0]?.changes, [])
  assert.equal(await withRepository(({ git }) => git.readRef(walRef)), head)
})

describe('undo is refused', () => {
  const refused = async (promise: Promise<unknown>, code: string, says: RegExp) => {
    let found: GriteError | undefined
    await assert.rejects(promise, (error: GriteError) => {
      assert.equal(error.code, code)
      assert.match(error.message, says)
      found = error
      return true
    })
    return found as GriteError
  }

  test('for what somebody has decided again', async () => {
    const { undo, append, change, show } = await setUp()
    const [mine = ''] = await change('issue update', { title: 'Fall', body: 'more' })
    const [theirs] = await append({ type: 'IssueUpdated', title: null, body: 'theirs' })
    const { details } = await refused(undo(mine), 'conflict', /has changed body since then/)
    assert.deepEqual([details.field, details.event_id, details.superseded_by], ['body', mine, theirs])
    assert.equal((await show()).title, 'Fall')
  })

  test('for a field that has another value by now', async () => {
    const { undo, change } = await setUp()
    const [removed = '', added = ''] = await change('issue update', { priority: 'P1' })
    await refused(undo(removed), 'invalid_args', /it only made room for event .* which set priority/)
    const later = await change('issue update', { priority: 'P0' })
    const { details } = await refused(undo(added), 'conflict', /has changed priority/)
    assert.equal(details.superseded_by, later.at(-1))
  })

  test('for a label of a field that was not its value', async () => {
    const { undo, append } = await setUp()
    const [, removed = ''] = await append(
      { type: 'LabelAdded', label: 'priority:P0' },
      { type: 'LabelRemoved', label: 'priority:P2' },
    )
    await refused(undo(removed), 'invalid_args', /was not the value of priority/)
  })

  test('for creations, links and attachments', async () => {
    const { undo, run, id } = await setUp()
    await refused(undo(), 'invalid_args', /a new issue stays; close it instead/)
    await run('issue link add', { issue: id, url: 'u' })
    await refused(undo(), 'invalid_args', /a link stays/)
    await run('issue attachment add', { issue: id, name: 'n', sha256: 'ab'.repeat(32), mime: 'm' })
    await refused(undo(), 'invalid_args', /an attachment stays/)
  })

  test('for an edge or a parent that would close a cycle by now', async () => {
    const { undo, append, change, id } = await setUp()
    const target = (await setUp()).id
    const theirs = async (body: EventBody) => {
      const event = makeEvent(target, body, { actor: actors[1] })
      await place.withRepository((repository) => appendTo(repository, place, [event]))
    }
    await append({ type: 'DependencyAdded', target, dep_type: 'depends_on' })
    const [removed] = await append({ type: 'DependencyRemoved', target, dep_type: 'depends_on' })
    await theirs({ type: 'DependencyAdded', target: id, dep_type: 'depends_on' })
    await refused(undo(removed), 'invalid_args', /would close a cycle/)
    await change('issue update', { parent: target })
    const [cleared] = await change('issue update', { set: ['parent='] })
    await theirs({ type: 'LabelAdded', label: `parent:${id}` })
    await refused(undo(cleared), 'invalid_args', /parent of issue .* cannot be/)
  })

  test('for keys of grite that no command sets', async () => {
    const { undo, withRepository } = await setUp()
    await withRepository((repository) =>
      repository.write((draft) => draft.setProjectContext('grite.later.thing', '{}')),
    )
    await refused(undo(), 'invalid_args', /'grite.later.thing' is none/)
  })

  test('for ids that name no event, or several, or none at all', async () => {
    const { undo, change } = await setUp()
    const [event = ''] = await change('issue close', {})
    await refused(undo('zzzzzzz'), 'invalid_args', /not an event id/)
    await refused(undo(event.slice(0, limits.eventIdPrefixMin - 1)), 'invalid_args', /too short: at least 7/)
    await refused(
      undo(`${event.slice(0, 62)}${event.endsWith('00') ? '11' : '00'}`),
      'not_found',
      /no event has the id/,
    )
    await refused(undo(`${event}0`), 'not_found', /no event/)
  })

  test('where nobody has written', async () => {
    const { run, git, dir, path, environment } = place
    git(dir, 'init', '-q', 'fresh')
    const fresh = commandRunner({ cwd: `${dir}/fresh`, env: environment })
    await refused(fresh.run('undo'), 'not_found', /nothing of yours to undo/)
    assert.deepEqual(((await fresh.run('actor list')) as { actors: unknown[] }).actors, [])
    const { actor_id } = (await run('actor init', { label: 'new' })) as { actor_id: string }
    const other = commandRunner({ cwd: path, env: environment, actor: actor_id })
    await refused(other.run('undo'), 'not_found', /nothing of yours to undo/)
  })
})

test('an undo that lost a race looks again', async () => {
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
    assert.match(error.message, /has changed title since then/)
    return true
  })
  assert.ok(raced > 0)
  assert.equal((await show()).title, 'Theirs')
})

test('an undo on top of another write keeps both', async () => {
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

describe('undo goes back command by command', () => {
  const titleOf = async (id: IssueId) =>
    ((await place.run('issue show', { issue: id })) as { issue: { title: string } }).issue.title

  test('undo again goes further back, and redo forward', async () => {
    const { undo, redo, change, id } = await setUp()
    for (const title of ['A', 'B', 'C']) await change('issue update', { title })
    const seen: string[] = []
    const steps = ['undo', 'undo', 'redo', 'undo', 'undo', 'redo', 'redo', 'redo'] as const
    for (const step of steps) {
      await (step === 'undo' ? undo() : redo())
      seen.push(await titleOf(id))
    }
    assert.deepEqual(seen, ['B', 'A', 'B', 'A', 'Crash', 'A', 'B', 'C'])
    await assert.rejects(redo(), /nothing to redo/)
  })

  test('a new command ends redo', async () => {
    const { undo, redo, change, id } = await setUp()
    await change('issue update', { title: 'A' })
    await undo()
    await change('issue label add', { label: ['ui'] })
    await assert.rejects(redo(), /nothing to redo/)
    await undo()
    await redo()
    assert.equal(await titleOf(id), 'Crash')
  })

  test('a command ends redo of what was undone before it, also once it was redone itself', async () => {
    const { undo, redo, change, id } = await setUp()
    await change('issue update', { title: 'A' })
    await undo()
    await change('issue label add', { label: ['ui'] })
    await undo()
    await redo()
    await assert.rejects(redo(), /nothing to redo/)
    assert.equal(await titleOf(id), 'Crash')
  })

  test('several commands are undone as one, and redone as one', async () => {
    const { undo, redo, change, id, show } = await setUp()
    await change('issue update', { title: 'A' })
    await change('issue update', { title: 'B', priority: 'P0' })
    const written = await undo(undefined, { steps: 2 })
    assert.equal(written.commands.length, 2)
    assert.equal(await titleOf(id), 'Crash')
    assert.equal((await show()).fields.priority, 'P2')
    await redo()
    assert.equal(await titleOf(id), 'B')
    assert.equal((await show()).fields.priority, 'P0')
  })

  test('a command is undone whole, over several issues', async () => {
    const { undo, id, run } = await setUp()
    const other = (await setUp()).id
    await run('issue label add', { issue: [id, other], label: ['x', 'y'] })
    const { commands } = await undo()
    assert.equal(commands[0]?.changes.length, 4)
    for (const each of [id, other]) {
      const { issue } = (await run('issue show', { issue: each })) as { issue: { labels: string[] } }
      assert.deepEqual(issue.labels, ['bug', 'priority:P2'])
    }
  })

  test('what cannot be undone keeps the rest, unless --partial is given', async () => {
    const { undo, append, change, show } = await setUp()
    await change('issue update', { title: 'A', priority: 'P0' })
    const [theirs = ''] = await append({ type: 'IssueUpdated', title: 'Theirs', body: null })
    await assert.rejects(undo(), (error: GriteError) => {
      assert.equal(error.code, 'conflict')
      assert.match(error.message, /has changed title since then/)
      assert.ok(error.hints.some((hint) => hint.includes('--partial')))
      return true
    })
    assert.equal((await show()).fields.priority, 'P0')
    const { commands } = await undo(undefined, { partial: true })
    assert.match(commands[0]?.refused[0]?.reason ?? '', new RegExp(theirs.slice(0, 8)))
    const { title, fields } = await show()
    assert.deepEqual([title, fields.priority], ['Theirs', 'P2'])
  })

  test('--list shows the steps and writes nothing', async () => {
    const { undo, change, show, withRepository } = await setUp()
    await change('issue update', { title: 'A' })
    await change('issue update', { title: 'B' })
    const before = await show()
    const head = await withRepository(({ git }) => git.readRef(walRef))
    const { commands, outcome } = await undo(undefined, { list: true, steps: 3 })
    assert.equal(outcome, 'unchanged')
    assert.deepEqual(
      commands.map(({ changes, refused }) => [changes.map((each) => `${each.old}>${each.new}`), refused.length]),
      [
        [['B>A'], 0],
        [['A>Crash'], 0],
        [[], 1],
      ],
    )
    assert.deepEqual(await show(), before)
    assert.equal(await withRepository(({ git }) => git.readRef(walRef)), head)
  })

  test('the command of another actor is left alone', async () => {
    const { undo, append, change, show } = await setUp()
    await change('issue update', { title: 'A' })
    await append({ type: 'LabelAdded', label: 'theirs' })
    await undo()
    const { title, labels } = await show()
    assert.deepEqual([title, labels.includes('theirs')], ['Crash', true])
  })
})

test('an undone comment is hidden, and redo shows it again', async () => {
  const { undo, redo, run, id, withRepository } = await setUp()
  const { event_id: comment } = (await run('issue comment', { issue: id, body: 'Oops' })) as { event_id: EventId }
  const overlay = () =>
    withRepository(async (repository) => {
      const found = await (await repository.view()).findProjectContext(commentOverlayKey(comment))
      return readCommentOverlay(found?.body.value ?? '')
    })
  assert.deepEqual(changesOf(await undo()), [{ field: 'comment', old: 'Oops', new: null }])
  assert.deepEqual(await overlay(), { kind: 'hidden' })
  assert.deepEqual(changesOf(await redo()), [{ field: 'comment', old: null, new: 'Oops' }])
  assert.equal(await overlay(), null)
})
