import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  applyEvent,
  createdTs,
  currentBody,
  currentState,
  currentTitle,
  type Event,
  type EventBody,
  emptyIssueState,
  type FieldKey,
  fieldsOf,
  foldIssue,
  formatIssueState,
  type IssueState,
  identifyEvent,
  isPresent,
  laterContext,
  planClearField,
  planSetField,
  presentAssignees,
  presentDependencies,
  presentLabels,
  unpackIssueState,
  updatedTs,
} from '../../src/model/index.ts'
import { issueEvent, issueHistory, theIssue } from './arbitraries.ts'

/** Everything shown of an issue, without the insertion order of maps. */
function lookOf(state: IssueState) {
  return {
    exists: state.creation !== null,
    title: currentTitle(state),
    body: currentBody(state),
    state: currentState(state),
    labels: presentLabels(state),
    assignees: presentAssignees(state),
    dependencies: presentDependencies(state).map(({ target, type }) => `${target}/${type}`),
    fields: fieldsOf(state),
    counts: [state.commentCount, state.linkCount, state.attachmentCount],
    created: createdTs(state),
    updated: updatedTs(state),
  }
}

/** The event order, stated independently: time, then actor bytes, then id bytes. */
function inOrder(events: readonly Event[]): Event[] {
  const unique = new Map(events.map((event) => [event.eventId, event]))
  const keyOf = ({ tsUnixMs, actor, eventId }: Event) =>
    Buffer.from(`${String(tsUnixMs).padStart(16, '0')}${actor}${eventId}`)
  return [...unique.values()].sort((left, right) => Buffer.compare(keyOf(left), keyOf(right)))
}

const byBytes = (left: string, right: string) => Buffer.compare(Buffer.from(left), Buffer.from(right))

/**
 * The projection as the reference rebuilds it: sorted events, plain assignments and plain sets, one after the other.
 * A change before the creation is folded as if made just after it, unless something later overrides it: it loses to
 * the creation's own values and counts for everything else.
 */
function naiveFold(events: readonly Event[]) {
  const sorted = inOrder(events)
  const creation = sorted.find(({ body }) => body.type === 'IssueCreated')
  const created = creation?.body.type === 'IssueCreated' ? creation.body : undefined
  const look = {
    exists: creation !== undefined,
    title: '',
    body: '',
    state: 'open',
    created: creation?.tsUnixMs ?? 0,
    updated: creation?.tsUnixMs ?? 0,
    counts: [0, 0, 0] as [number, number, number],
  }
  const labels = new Set<string>()
  const assignees = new Set<string>()
  const dependencies = new Set<string>()
  const adds = new Map<string, number>()
  for (const [place, event] of sorted.entries()) {
    const { body } = event
    if (event === creation && created !== undefined) {
      Object.assign(look, { title: created.title, body: created.body, state: 'open' })
      for (const label of created.labels) {
        labels.add(label)
        adds.set(label, place)
      }
    }
    if (body.type === 'IssueCreated') continue
    look.updated = Math.max(look.updated, event.tsUnixMs)
    if (body.type === 'IssueUpdated' && body.title !== null) look.title = body.title
    if (body.type === 'IssueUpdated' && body.body !== null) look.body = body.body
    if (body.type === 'StateChanged') look.state = body.state
    if (body.type === 'LabelAdded') {
      labels.add(body.label)
      adds.set(body.label, place)
    }
    if (body.type === 'LabelRemoved') labels.delete(body.label)
    if (body.type === 'AssigneeAdded') assignees.add(body.user)
    if (body.type === 'AssigneeRemoved') assignees.delete(body.user)
    if (body.type === 'DependencyAdded') dependencies.add(`${body.target}/${body.dep_type}`)
    if (body.type === 'DependencyRemoved') dependencies.delete(`${body.target}/${body.dep_type}`)
    if (body.type === 'CommentAdded') look.counts[0] += 1
    if (body.type === 'LinkAdded') look.counts[1] += 1
    if (body.type === 'AttachmentAdded') look.counts[2] += 1
  }
  return {
    ...look,
    labels: [...labels].sort(byBytes),
    assignees: [...assignees].sort(byBytes),
    dependencies: [...dependencies].sort(byBytes),
    fields: naiveFields(labels, adds),
  }
}

/** The value is the label whose add is the greatest of its key, if it is still there. Tie: greater label bytes. */
function naiveFields(labels: ReadonlySet<string>, adds: ReadonlyMap<string, number>): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const key of ['priority', 'type']) {
    const ofKey = [...adds].filter(([label]) => label.startsWith(`${key}:`))
    const [winner] = ofKey.sort(([a, left], [b, right]) => right - left || byBytes(b, a))
    if (winner !== undefined && labels.has(winner[0])) fields[key] = winner[0].slice(key.length + 1)
  }
  return fields
}

const runs = { numRuns: 1500 }

test('folding equals the naive fold over sorted events', () => {
  fc.assert(
    fc.property(issueHistory, (history) => {
      assert.deepEqual(lookOf(foldIssue(theIssue, history)), naiveFold(history))
    }),
    runs,
  )
})

test('arrival order and copies change no projection', () => {
  fc.assert(
    fc.property(issueHistory, fc.infiniteStream(fc.nat()), (history, random) => {
      const shuffled = history
        .map((event) => [random.next().value as number, event] as const)
        .sort(([left], [right]) => left - right)
        .map(([, event]) => event)
      assert.deepEqual(lookOf(foldIssue(theIssue, shuffled)), lookOf(foldIssue(theIssue, inOrder(history))))
    }),
    runs,
  )
})

test('a state saved between events equals the state folded at once', () => {
  fc.assert(
    fc.property(issueHistory, (history) => {
      let text = formatIssueState(emptyIssueState(theIssue))
      const seen = new Set<string>()
      for (const event of history) {
        if (seen.has(event.eventId)) continue
        seen.add(event.eventId)
        const state = unpackIssueState(JSON.parse(text))
        applyEvent(state, event)
        text = formatIssueState(state)
      }
      assert.equal(text, formatIssueState(foldIssue(theIssue, history)))
    }),
    { numRuns: 300 },
  )
})

test('a late older creation replaces the newer one entirely', () => {
  const create = (tsUnixMs: number, title: string, labels: string[]) =>
    say(tsUnixMs, { type: 'IssueCreated', title, body: title, labels })
  const older = create(1, 'older', ['x'])
  const newer = create(2, 'newer', ['y'])
  const state = foldIssue(theIssue, [newer, older])
  assert.deepEqual(lookOf(state), lookOf(foldIssue(theIssue, [older])))
})

test('an issue does not exist before its creation arrives', () => {
  const closed = say(5, { type: 'StateChanged', state: 'closed' })
  const state = foldIssue(theIssue, [closed])
  assert.equal(state.creation, null)
  applyEvent(state, say(1, { type: 'IssueCreated', title: 't', body: '', labels: [] }))
  assert.equal(currentState(state), 'closed')
  assert.equal(currentTitle(state), 't')
})

test('an event of another issue is refused', () => {
  fc.assert(
    fc.property(issueEvent, (event) => {
      assert.throws(() => applyEvent(emptyIssueState('00'.repeat(16) as never), event), TypeError)
    }),
  )
})

function say(tsUnixMs: number, body: EventBody): Event {
  return identifyEvent({ issueId: theIssue, actor: '7f'.repeat(16) as Event['actor'], tsUnixMs, parent: null, body })
}

describe('fields', () => {
  const table: readonly (readonly [string, readonly string[], Record<string, string>])[] = [
    ['one added label is the field value', ['+priority:P1'], { priority: 'P1' }],
    ['a later label is the field value', ['+priority:P1', '+priority:P2'], { priority: 'P2' }],
    ['removing an older label changes nothing', ['+priority:P1', '+priority:P2', '-priority:P1'], { priority: 'P2' }],
    ['removing the newest label empties the field', ['+priority:P1', '+priority:P2', '-priority:P2'], {}],
    ['adding an older label again makes it the value', ['+type:a', '+type:b', '+type:a'], { type: 'a' }],
    ['a label removed and added again is the value', ['+type:a', '-type:a', '+type:a'], { type: 'a' }],
    ['a foreign value is shown', ['+priority:high'], { priority: 'high' }],
    ['a field value may contain colons', ['+milestone:v1:beta'], { milestone: 'v1:beta' }],
    ['an empty field value is a value', ['+type:'], { type: '' }],
    ['labels with unknown keys are no fields', ['+colour:red', '+:x', '+Type:x', '+toString:x', '+constructor:x'], {}],
    ['a label without a colon is no field', ['+priority'], {}],
  ]
  for (const [title, changes, fields] of table) {
    test(title, () => {
      const events = changes.map((change, index) =>
        say(index + 1, { type: change[0] === '+' ? 'LabelAdded' : 'LabelRemoved', label: change.slice(1) }),
      )
      assert.deepEqual(fieldsOf(foldIssue(theIssue, events)), fields)
    })
  }

  test('labels of one creation tie, the greater bytes win', () => {
    const created = say(1, { type: 'IssueCreated', title: 't', body: '', labels: ['type:\uffff', 'type:😀', 'type:a'] })
    assert.deepEqual(fieldsOf(foldIssue(theIssue, [created])), { type: '😀' })
  })

  const change = fc.oneof(
    fc.record({ set: fc.constantFrom<[FieldKey, string]>(['priority', 'P0'], ['priority', 'P3'], ['type', 'bug']) }),
    fc.record({ clear: fc.constantFrom<FieldKey>('priority', 'type') }),
  )

  test('a planned field change leaves exactly its own label', () => {
    fc.assert(
      fc.property(issueHistory, change, (history, wanted) => {
        const before = foldIssue(theIssue, history)
        const plan = 'set' in wanted ? planSetField(before, ...wanted.set) : planClearField(before, wanted.clear)
        const after = foldIssue(theIssue, [
          ...history,
          ...plan.map(({ change, label }, index) =>
            say(100 + index, { type: change === 'add' ? 'LabelAdded' : 'LabelRemoved', label }),
          ),
        ])
        const key = 'set' in wanted ? wanted.set[0] : wanted.clear
        const labels = presentLabels(after).filter((label) => label.startsWith(`${key}:`))
        assert.equal(fieldsOf(after)[key], 'set' in wanted ? wanted.set[1] : undefined)
        assert.deepEqual(labels, 'set' in wanted ? [`${key}:${wanted.set[1]}`] : [])
        const again = 'set' in wanted ? planSetField(after, ...wanted.set) : planClearField(after, wanted.clear)
        assert.deepEqual(again, [])
        assert.ok('set' in wanted ? plan.at(-1)?.change !== 'remove' : plan.every(({ change }) => change === 'remove'))
      }),
      runs,
    )
  })
})

test('an element is present when its last add beats its last remove', () => {
  const version = fc.record({
    tsUnixMs: fc.integer({ min: 1, max: 2 }),
    actor: fc.constantFrom('aa', 'bb') as fc.Arbitrary<Event['actor']>,
    eventId: fc.constantFrom('cc', 'dd') as fc.Arbitrary<Event['eventId']>,
  })
  fc.assert(
    fc.property(version, fc.option(version), (added, removed) => {
      const key = (one: typeof added) => `${one.tsUnixMs}${one.actor}${one.eventId}`
      assert.equal(isPresent({ added, removed }), removed === null || key(added) > key(removed))
      assert.equal(isPresent({ added: null, removed }), false)
    }),
  )
})

test('context keeps the latest value in any order', () => {
  const context = fc
    .record({ tsUnixMs: fc.integer({ min: 1, max: 3 }), value: fc.constantFrom('a', 'b', 'c') })
    .map(({ tsUnixMs, value }) => say(tsUnixMs, { type: 'ProjectContextUpdated', key: 'k', value }))
  fc.assert(
    fc.property(fc.array(context, { minLength: 1 }), (events) => {
      const fold = (list: readonly Event[]) =>
        list.reduce<ReturnType<typeof laterContext> | null>((known, event) => laterContext(known, event as never), null)
      assert.deepEqual(fold([...events].reverse()), fold(events))
      assert.deepEqual(fold(events)?.version.eventId, inOrder(events).at(-1)?.eventId)
    }),
  )
})
