import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type ActorId,
  compareVersions,
  currentBody,
  currentState,
  currentTitle,
  type Event,
  type EventBody,
  type EventId,
  type FieldKey,
  fieldNameOf,
  fieldsOf,
  foldIssue,
  type HistoryEntry,
  historyOf,
  type IssueState,
  identifyEvent,
  isPresent,
  labelVersions,
  parseScopedLabel,
  planClearField,
  planSetField,
  planUndo,
  presentAssignees,
  presentDependencies,
  presentLabels,
  type Restoration,
  type Subject,
  type UndoTargets,
  type Version,
} from '../../src/model/index.ts'
import { issueHistory, theIssue } from './arbitraries.ts'

const ann = '0a'.repeat(16) as ActorId
const bo = '0b'.repeat(16) as ActorId

function say(tsUnixMs: number, body: EventBody, actor = ann): Event {
  return identifyEvent({ issueId: theIssue, actor, tsUnixMs, parent: null, body })
}

const created = say(10, { type: 'IssueCreated', title: 'Crash', body: 'text', labels: ['bug', 'priority:P2'] })
const label = (change: string): EventBody =>
  change[0] === '+' ? { type: 'LabelAdded', label: change.slice(1) } : { type: 'LabelRemoved', label: change.slice(1) }

/** An entry as text: `priority P2 -> P1`, with its marks. */
function show({ subject, old, new: value, effective, supersededBy, partOf }: HistoryEntry, events: readonly Event[]) {
  const number = (id: string) => events.findIndex(({ eventId }) => eventId === id)
  return [
    `${fieldNameOf(subject) ?? 'created'} ${old ?? '·'} -> ${value ?? '·'}`,
    ...(effective ? [] : ['no effect']),
    ...(supersededBy === null ? [] : [`superseded by ${number(supersededBy)}`]),
    ...(partOf === null ? [] : [`part of ${number(partOf)}`]),
  ].join(', ')
}

const shown = (...events: readonly Event[]) => historyOf(events).map((entry) => show(entry, events))

describe('history entries', () => {
  test('an entry shows its change and what superseded it', () => {
    const events = [
      created,
      say(20, { type: 'IssueUpdated', title: 'Crash on start', body: null }),
      say(30, { type: 'StateChanged', state: 'closed' }, bo),
      say(40, { type: 'StateChanged', state: 'open' }),
      say(50, { type: 'IssueUpdated', title: 'Fall', body: 'more' }),
      say(60, label('-bug')),
      say(70, { type: 'AssigneeAdded', user: 'bo' }),
      say(80, { type: 'DependencyAdded', target: theIssue, dep_type: 'blocks' }),
      say(90, { type: 'CommentAdded', body: 'Seen' }),
      say(91, { type: 'LinkAdded', url: 'u', note: null }),
    ]
    assert.deepEqual(shown(...events), [
      'created · -> Crash',
      'title Crash -> Crash on start, superseded by 4',
      'state open -> closed, superseded by 3',
      'state closed -> open',
      'title Crash on start -> Fall',
      'body text -> more',
      'label bug -> ·',
      'assignee · -> bo',
      `dependency · -> blocks ${theIssue}`,
      'comment · -> Seen',
      'link · -> u',
    ])
  })

  test('a field entry joins a removal and an addition', () => {
    const events = [
      created,
      say(20, label('-priority:P2')),
      say(21, label('+priority:P1')),
      say(30, label('+priority:P0'), bo),
    ]
    assert.deepEqual(shown(...events), [
      'created · -> Crash',
      'priority P2 -> ·, superseded by 2, part of 2',
      'priority P2 -> P1, superseded by 3',
      'priority P1 -> P0',
    ])
  })

  test('an entry of a cleared field joins all removals', () => {
    const events = [
      created,
      say(20, label('+priority:P1'), bo),
      say(30, label('-priority:P1')),
      say(31, label('-priority:P2')),
    ]
    assert.deepEqual(shown(...events), [
      'created · -> Crash',
      'priority P2 -> P1, superseded by 3',
      'priority P1 -> ·, superseded by 3, part of 3',
      'priority P1 -> ·',
    ])
  })

  test('entries of another time, actor or key are not joined', () => {
    for (const second of [
      say(22, label('+priority:P1')),
      say(21, label('+priority:P1'), bo),
      say(21, label('+priority:P2')),
    ]) {
      assert.match(shown(created, say(20, label('-priority:P2')), second)[2] ?? '', /^priority · -> P\d$/)
    }
    assert.equal(shown(created, say(20, label('-priority:P2')), say(21, label('+type:x')))[2], 'type · -> x')
  })

  test('a change of a non-current label is a label entry', () => {
    const events = [created, say(20, label('+priority:P1'), bo), say(30, label('-priority:P2'))]
    assert.equal(shown(...events)[2], 'label priority:P2 -> ·')
  })

  test('a change without effect is marked', () => {
    const events = [
      created,
      say(20, { type: 'StateChanged', state: 'open' }),
      say(30, label('+bug')),
      say(40, { type: 'IssueCreated', title: 'Twin', body: '', labels: ['x'] }),
    ]
    assert.deepEqual(shown(...events).slice(1), [
      'state open -> open, no effect',
      'label bug -> bug, no effect',
      'created · -> ·, no effect',
    ])
  })

  test('a change before the creation loses to its values', () => {
    const events = [
      say(1, { type: 'IssueUpdated', title: 'Early', body: null }),
      say(2, label('-bug')),
      say(3, { type: 'AssigneeAdded', user: 'ann' }),
      created,
    ]
    assert.deepEqual(shown(...events), [
      'title · -> Early, superseded by 3',
      'label · -> ·, no effect, superseded by 3',
      'assignee · -> ann',
      'created · -> Crash',
    ])
  })
})

/** Unique events in version order. */
const ordered = issueHistory.map((events) =>
  [...new Map(events.map((event) => [event.eventId, event])).values()].sort(compareVersions),
)

/** The current value of a subject. */
function valueIn(state: IssueState, subject: Subject): string | null {
  switch (subject.kind) {
    case 'title':
      return currentTitle(state)
    case 'body':
      return currentBody(state)
    case 'state':
      return currentState(state)
    case 'field':
      return fieldsOf(state)[subject.key] ?? null
    case 'label':
      return presentLabels(state).includes(subject.label) ? subject.label : null
    case 'assignee':
      return presentAssignees(state).includes(subject.user) ? subject.user : null
    case 'dependency': {
      const { target, type } = subject.dependency
      const found = presentDependencies(state).some((each) => each.target === target && each.type === type)
      return found ? `${type} ${target}` : null
    }
    default:
      return null
  }
}

const isChange = ({ subject }: HistoryEntry) =>
  !['creation', 'comment', 'link', 'attachment', 'nothing'].includes(subject.kind)

test('an entry that nothing supersedes shows the current value', () => {
  fc.assert(
    fc.property(ordered, (events) => {
      const state = foldIssue(theIssue, events)
      for (const entry of historyOf(events).filter(isChange)) {
        if (entry.supersededBy === null) assert.equal(entry.new, valueIn(state, entry.subject))
      }
    }),
    { numRuns: 700 },
  )
})

test('every event has history entries in order', () => {
  fc.assert(
    fc.property(ordered, (events) => {
      const ids = historyOf(events).map(({ event }) => event.eventId)
      assert.deepEqual(
        [...new Set(ids)],
        events.map(({ eventId }) => eventId),
      )
    }),
    { numRuns: 300 },
  )
})

/** The version that decides a subject in the projection. */
function decidingVersion(state: IssueState, subject: Subject): Version | null {
  const element = (versions: { added: Version | null; removed: Version | null } | undefined) =>
    versions === undefined ? null : isPresent(versions) ? versions.added : (versions.removed ?? versions.added)
  switch (subject.kind) {
    case 'title':
    case 'body':
    case 'state':
      return state[subject.kind]?.version ?? null
    case 'label':
      return element(labelVersions(state, subject.label))
    case 'assignee':
      return element(state.assignees.get(subject.user))
    case 'dependency':
      return element(state.dependencies.get(`${subject.dependency.target}/${subject.dependency.type}`))
    default:
      return null
  }
}

/** The events that the undo command would write. */
function compensate(state: IssueState, { subject, to }: Restoration): EventBody[] {
  switch (subject.kind) {
    case 'title':
      return [{ type: 'IssueUpdated', title: to, body: null }]
    case 'body':
      return [{ type: 'IssueUpdated', title: null, body: to }]
    case 'state':
      return [{ type: 'StateChanged', state: to as 'open' }]
    case 'field':
      return (to === null ? planClearField(state, subject.key) : planSetField(state, subject.key, to)).map(
        ({ change, label }) => ({ type: change === 'add' ? 'LabelAdded' : 'LabelRemoved', label }),
      )
    case 'label':
      return [{ type: to === null ? 'LabelRemoved' : 'LabelAdded', label: subject.label }]
    case 'assignee':
      return [{ type: to === null ? 'AssigneeRemoved' : 'AssigneeAdded', user: subject.user }]
    case 'dependency': {
      const { target, type } = subject.dependency
      return [{ type: to === null ? 'DependencyRemoved' : 'DependencyAdded', target, dep_type: type }]
    }
  }
}

test('undo restores only its subject, to the value before', () => {
  fc.assert(
    fc.property(ordered, fc.nat(), (history, pick) => {
      const events = [created, ...history.map((event) => ({ ...event, tsUnixMs: event.tsUnixMs + 10 }))]
        .map(({ issueId, actor, tsUnixMs, parent, body }) => identifyEvent({ issueId, actor, tsUnixMs, parent, body }))
        .sort(compareVersions)
      const event = events[pick % events.length] as Event
      const plan = planUndo(events, only(event.eventId))
      if (plan.refusals.length > 0) return
      const state = foldIssue(theIssue, events)
      const change = historyOf(events).filter(
        ({ event: { eventId }, partOf }) => eventId === event.eventId || partOf === event.eventId,
      )
      const first = (change[0] as HistoryEntry).event
      const before = foldIssue(
        theIssue,
        events.filter((each) => compareVersions(each, first) < 0),
      )
      const written = plan.restorations.flatMap((restoration) => compensate(state, restoration))
      const after = foldIssue(theIssue, [...events, ...written.map((body, index) => say(100 + index, body, bo))])
      const undone = new Set(change.map(({ subject }) => JSON.stringify(subject)))
      for (const { subject } of historyOf(events).filter(isChange)) {
        const isUndone = plan.restorations.some((each) => JSON.stringify(each.subject) === JSON.stringify(subject))
        if (isUndone) assert.equal(valueIn(after, subject), valueIn(before, subject))
        else if (!undone.has(JSON.stringify(subject)) && !isLabelOfUndoneField(subject, plan.restorations))
          assert.equal(valueIn(after, subject), valueIn(state, subject))
      }
      for (const { subject, from } of plan.restorations) {
        assert.equal(from, valueIn(state, subject))
        if (subject.kind !== 'field') assert.equal(decidingVersion(state, subject)?.eventId, event.eventId)
      }
    }),
    { numRuns: 1000 },
  )
})

const only = (...ids: readonly EventId[]): UndoTargets => ({ taken: new Set(ids), neutral: new Set() })

function isLabelOfUndoneField(subject: Subject, restorations: readonly Restoration[]): boolean {
  if (subject.kind !== 'label') return false
  const key = parseScopedLabel(subject.label)?.key
  return restorations.some((each) => each.subject.kind === 'field' && each.subject.key === key)
}

describe('undo plans', () => {
  const restored = (events: readonly Event[], index: number) => {
    const plan = planUndo(events, only((events[index] as Event).eventId))
    assert.deepEqual(plan.refusals, [])
    return plan.restorations
  }
  const key = (name: FieldKey) => ({ kind: 'field', key: name })

  test('undoing a set field restores the value before the change', () => {
    const events = [created, say(20, label('-priority:P2')), say(21, label('+priority:P1'))]
    assert.deepEqual(restored(events, 2), [{ subject: key('priority'), from: 'P1', to: 'P2' }])
  })

  test('undoing a cleared field restores its value', () => {
    const events = [
      created,
      say(20, label('+priority:P1'), bo),
      say(30, label('-priority:P1')),
      say(31, label('-priority:P2')),
    ]
    assert.deepEqual(restored(events, 3), [{ subject: key('priority'), from: null, to: 'P1' }])
  })

  test('undo restores title and body of one event together', () => {
    const events = [created, say(20, { type: 'IssueUpdated', title: 'T', body: 'b' })]
    assert.deepEqual(restored(events, 1), [
      { subject: { kind: 'title' }, from: 'T', to: 'Crash' },
      { subject: { kind: 'body' }, from: 'b', to: 'text' },
    ])
  })

  test('an undo can be undone', () => {
    const events = [
      created,
      say(20, { type: 'StateChanged', state: 'closed' }),
      say(30, { type: 'StateChanged', state: 'open' }),
    ]
    assert.deepEqual(restored(events, 2), [{ subject: { kind: 'state' }, from: 'open', to: 'closed' }])
  })

  test('undo hides a comment', () => {
    const events = [created, say(20, { type: 'CommentAdded', body: 'x' })]
    const { comments, restorations, refusals } = planUndo(events, only((events[1] as Event).eventId))
    assert.deepEqual([comments, restorations, refusals], [[(events[1] as Event).eventId], [], []])
  })

  test('several events of one subject restore the value before the first', () => {
    const [first, second] = [
      say(20, { type: 'IssueUpdated', title: 'T', body: null }),
      say(30, { type: 'IssueUpdated', title: 'U', body: null }),
    ]
    const plan = planUndo([created, first, second], only(first.eventId, second.eventId))
    assert.deepEqual(plan.restorations, [{ subject: { kind: 'title' }, from: 'U', to: 'Crash' }])
  })

  test('events that cancel each other out supersede nothing', () => {
    const steps = ['T', 'U', 'T'].map((title, index) =>
      say(20 + 10 * index, { type: 'IssueUpdated', title, body: null }),
    )
    const [first, ...cancelled] = steps.map(({ eventId }) => eventId)
    const targets = { taken: new Set([first as EventId]), neutral: new Set(cancelled) }
    const plan = planUndo([created, ...steps], targets)
    assert.deepEqual(plan.restorations, [{ subject: { kind: 'title' }, from: 'T', to: 'Crash' }])
  })

  test('undoing a no-op changes nothing', () => {
    assert.deepEqual(restored([created, say(20, label('+bug'))], 1), [])
  })

  type Refused = { readonly reason: string; readonly subject?: object; readonly key?: string }
  const refused: readonly (readonly [title: string, events: readonly Event[], index: number, refusal: Refused])[] = [
    ['a creation', [created], 0, { reason: 'final', subject: { kind: 'creation' } }],
    [
      'a title that was set again',
      [
        created,
        say(20, { type: 'IssueUpdated', title: 'T', body: 'b' }),
        say(30, { type: 'IssueUpdated', title: null, body: 'c' }),
      ],
      1,
      { reason: 'superseded', subject: { kind: 'body' } },
    ],
    [
      'a removal replaced by an addition',
      [created, say(20, label('-priority:P2')), say(21, label('+priority:P1'))],
      1,
      { reason: 'part', subject: key('priority') },
    ],
    [
      'a field label that was not its value',
      [created, say(20, label('+priority:P1'), bo), say(30, label('-priority:P2'))],
      2,
      { reason: 'no-value', key: 'priority' },
    ],
  ]
  for (const [title, events, index, refusal] of refused) {
    test(`undo refuses ${title}`, () => {
      const event = events[index] as Event
      const { restorations, comments, refusals } = planUndo(events, only(event.eventId))
      assert.deepEqual([restorations, comments], [[], []])
      const decides = ['superseded', 'part'].includes(refusal.reason) ? { by: events.at(-1)?.eventId } : {}
      assert.deepEqual(refusals, [{ event, ...refusal, ...decides }])
    })
  }
})

test('a change of fifty thousand events takes one pass', () => {
  const removals = Array.from({ length: 50_000 }, (_, index) => say(20 + index, label(`-priority:${index}`)))
  const entries = historyOf([created, ...removals])
  assert.equal(entries.length, 50_001)
  assert.equal(entries[1]?.partOf, removals.at(-1)?.eventId)
})
