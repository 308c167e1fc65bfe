import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type ActorId,
  beadsImportActor,
  compareVersions,
  currentBody,
  currentState,
  currentTitle,
  deriveBeadsIssueId,
  type Event,
  type EventBody,
  fieldsOf,
  foldIssue,
  formatIssueState,
  type IssueId,
  identifyEvent,
  limits,
  presentAssignees,
  presentDependencies,
  presentLabels,
} from '../../src/model/index.ts'
import { append, importFile, lineOf, type MemoryLog, makeLog, uniteLogs } from './import-file.ts'
import { normalizeLine, rebuildBeadsLine } from './rebuild-beads-line.ts'

const sample = readFileSync(new URL('../../fixtures/import/sample.jsonl', import.meta.url), 'utf8')
const bornMs = Date.parse('2026-01-01T00:00:00Z')
const person = 'aa'.repeat(16) as ActorId

function idOf(originalId: string): IssueId {
  return deriveBeadsIssueId(originalId, bornMs)
}

function stateOf(log: MemoryLog, originalId: string) {
  return foldIssue(idOf(originalId), log.byIssue.get(idOf(originalId)) ?? [])
}

function foldAll(log: MemoryLog): Map<IssueId, string> {
  const states = [...log.byIssue].map(([id, events]) => {
    return [id, formatIssueState(foldIssue(id, [...events].sort(compareVersions)))] as const
  })
  return new Map(states.sort(([left], [right]) => (left < right ? -1 : 1)))
}

function bodiesOf(log: MemoryLog, originalId: string): EventBody[] {
  return (log.byIssue.get(idOf(originalId)) ?? []).map(({ body }) => body)
}

function appendByPerson(log: MemoryLog, originalId: string, at: string, body: EventBody): void {
  append(log, identifyEvent({ issueId: idOf(originalId), actor: person, tsUnixMs: Date.parse(at), parent: null, body }))
}

async function imported(...lines: readonly string[]): Promise<MemoryLog> {
  const log = makeLog()
  await importFile(log, lines.join('\n'))
  return log
}

describe('mapping of beads lines', () => {
  const states: readonly (readonly [string, string, string | undefined])[] = [
    ['open', 'open', undefined],
    ['closed', 'closed', undefined],
    ['in_progress', 'open', 'in_progress'],
    ['hooked', 'open', 'hooked'],
    ['Waiting for: parts', 'open', 'Waiting for: parts'],
  ]
  for (const [status, state, field] of states) {
    test(`the status '${status}' becomes the state ${state}`, async () => {
      const log = await imported(lineOf({ id: 'x', status }))
      assert.equal(currentState(stateOf(log, 'x')), state)
      assert.equal(fieldsOf(stateOf(log, 'x')).status, field)
    })
  }

  test('priority and type become fields', async () => {
    const log = await imported(lineOf({ id: 'x', priority: 0, issue_type: 'merge-request' }))
    assert.deepEqual(fieldsOf(stateOf(log, 'x')), { priority: 'P0', type: 'merge-request' })
  })

  test('a blocks edge becomes depends_on of the blocked issue', async () => {
    const edge = { issue_id: 'x', depends_on_id: 'y', type: 'blocks', created_at: '2026-01-01T10:00:00Z' }
    const log = await imported(lineOf({ id: 'x', dependencies: [edge] }), lineOf({ id: 'y' }))
    assert.deepEqual(presentDependencies(stateOf(log, 'x')), [{ target: idOf('y'), type: 'depends_on' }])
    assert.deepEqual(presentDependencies(stateOf(log, 'y')), [])
    const added = log.events.find(({ body }) => body.type === 'DependencyAdded')
    assert.equal(added?.tsUnixMs, Date.parse(edge.created_at))
  })

  test('the newest of two parent edges sets the parent', async () => {
    const edge = (target: string, hour: number) => ({
      depends_on_id: target,
      type: 'parent-child',
      created_at: `2026-01-01T1${hour}:00:00Z`,
    })
    const log = await imported(
      lineOf({ id: 'x', dependencies: [edge('z', 2), edge('y', 1)] }),
      lineOf({ id: 'y' }),
      lineOf({ id: 'z' }),
    )
    assert.equal(fieldsOf(stateOf(log, 'x')).parent, idOf('z'))
    assert.deepEqual(presentDependencies(stateOf(log, 'x')), [{ target: idOf('y'), type: 'related_to' }])
    assert.ok(
      bodiesOf(log, 'x').some(
        (body) => body.type === 'LinkAdded' && body.note === 'parent-child' && body.url === 'beads:y',
      ),
    )
  })

  test('an unknown relation is kept as the note of a link', async () => {
    const log = await imported(
      lineOf({ id: 'x', dependencies: [{ depends_on_id: 'y', type: 'discovered-from' }] }),
      lineOf({ id: 'y' }),
    )
    assert.deepEqual(presentDependencies(stateOf(log, 'x')), [{ target: idOf('y'), type: 'related_to' }])
    assert.ok(bodiesOf(log, 'x').some((body) => body.type === 'LinkAdded' && body.note === 'discovered-from'))
  })

  test('an imported comment names its author in its first line', async () => {
    const comment = { id: 3, issue_id: 'x', author: 'bo b', text: 'one\ntwo', created_at: '2026-01-01T05:00:00Z' }
    const log = await imported(lineOf({ id: 'x', comments: [comment] }))
    assert.ok(
      bodiesOf(log, 'x').some(
        (body) => body.type === 'CommentAdded' && body.body === 'bo b wrote (beads comment 3):\none\ntwo',
      ),
    )
  })

  test('a close reason becomes a comment dated at the close', async () => {
    const log = await imported(
      lineOf({ id: 'x', status: 'closed', closed_at: '2026-01-01T06:00:00Z', close_reason: 'done' }),
    )
    const at = log.events.filter(({ tsUnixMs }) => tsUnixMs === Date.parse('2026-01-01T06:00:00Z'))
    assert.deepEqual(at.map(({ body }) => body.type).sort(), ['CommentAdded', 'StateChanged'])
  })

  test('no imported event is dated at or before the creation', async () => {
    const old = '2020-01-01T00:00:00Z'
    const log = await imported(
      lineOf({
        id: 'x',
        status: 'closed',
        updated_at: old,
        closed_at: '0001-01-01T00:00:00Z',
        close_reason: 'r',
        dependencies: [{ depends_on_id: 'y', type: 'blocks', created_at: old }],
        comments: [{ id: 1, author: 'a', text: 't', created_at: old }],
      }),
      lineOf({ id: 'y' }),
    )
    const [creation, ...others] = [...(log.byIssue.get(idOf('x')) ?? [])].sort(compareVersions)
    assert.equal(creation?.body.type, 'IssueCreated')
    assert.deepEqual(new Set(others.map(({ tsUnixMs }) => tsUnixMs)), new Set([bornMs + 1]))
  })

  test('tombstones are skipped, or imported as closed by option', async () => {
    const file = [
      lineOf({ id: 'x', dependencies: [{ depends_on_id: 'y', type: 'blocks' }] }),
      lineOf({ id: 'y', status: 'tombstone', deleted_at: '2026-01-01T07:00:00Z' }),
    ].join('\n')
    const without = makeLog()
    const skipped = await importFile(without, file)
    assert.deepEqual(skipped.counts.skipped, { tombstone: 1 })
    assert.equal(skipped.counts.waitingEdges.tombstone, 1)
    assert.deepEqual(presentDependencies(stateOf(without, 'x')), [])
    const withThem = makeLog()
    await importFile(withThem, file, { includeTombstones: true })
    assert.equal(currentState(stateOf(withThem, 'y')), 'closed')
    assert.deepEqual(presentDependencies(stateOf(withThem, 'x')), [{ target: idOf('y'), type: 'depends_on' }])
  })

  test('includeTombstones adds events but changes none', async () => {
    const [some, all] = [makeLog(), makeLog()]
    await importFile(some, sample)
    await importFile(all, sample, { includeTombstones: true })
    for (const id of some.ids) assert.ok(all.ids.has(id))
    const back = await importFile(all, sample)
    assert.deepEqual(back.appended, [])
  })

  test('edges without a usable target are counted, listed and kept', async () => {
    const dependencies = [
      { issue_id: 'x', depends_on_id: 'gone', type: 'blocks' },
      { issue_id: 'x', depends_on_id: 'x', type: 'blocks' },
      { issue_id: 'other', depends_on_id: 'y', type: 'blocks' },
    ]
    const log = makeLog()
    const { counts, steps } = await importFile(log, [lineOf({ id: 'x', dependencies }), lineOf({ id: 'y' })].join('\n'))
    assert.deepEqual(counts.waitingEdges, { tombstone: 0, unknown: 1, self: 1, foreign: 1, 'too-long': 0 })
    const waiting = steps.flatMap((step) => (step.outcome === 'planned' ? step.imported.waitingEdges : []))
    assert.deepEqual(waiting.map(({ dependsOnId, reason }) => `${dependsOnId} ${reason}`).sort(), [
      'gone unknown',
      'x self',
      'y foreign',
    ])
    assert.deepEqual(rebuildBeadsLine(log.byIssue.get(idOf('x')) ?? []).dependencies, dependencies)
  })

  test('an edge finds its target imported from an earlier file', async () => {
    const log = await imported(lineOf({ id: 'y' }))
    await importFile(log, lineOf({ id: 'x', dependencies: [{ depends_on_id: 'y', type: 'blocks' }] }))
    assert.deepEqual(presentDependencies(stateOf(log, 'x')), [{ target: idOf('y'), type: 'depends_on' }])
  })

  test('a label does not override a field of its line', async () => {
    const labels = ['due:2026-02-01', 'priority:P0', 'type:odd']
    const log = await imported(lineOf({ id: 'x', priority: 3, issue_type: 'task', labels }))
    assert.deepEqual(fieldsOf(stateOf(log, 'x')), { priority: 'P3', type: 'task', due: '2026-02-01' })
    assert.deepEqual(rebuildBeadsLine(log.byIssue.get(idOf('x')) ?? []).labels, labels)
  })
})

describe('rebuilding of beads lines', () => {
  const odd: readonly Record<string, unknown>[] = [
    {},
    {
      description: '',
      notes: '',
      close_reason: '',
      assignee: '',
      external_ref: '',
      labels: [],
      comments: [],
      dependencies: [],
    },
    { description: null, priority: null, labels: null, updated_at: null, comments: null, dependencies: null },
    { notes: '  ', close_reason: '\n', assignee: ' ', external_ref: ' ' },
    { priority: 7 },
    { priority: -1 },
    { issue_type: '' },
    { issue_type: 'x'.repeat(300) },
    { status: 'x'.repeat(300) },
    { status: 'tombstone', original_type: 'bug' },
    { labels: ['b', 'a', 'b'] },
    { labels: ['', 'x'.repeat(257), 'type:a', 'parent:zz'] },
    { assignee: 'x'.repeat(257) },
    { external_ref: 'x'.repeat(5000) },
    { created_at: '2026-01-01T00:00:00.000000001Z', updated_at: '2026-01-01T00:00:00.1+00:00' },
    { comments: [{ id: 1, issue_id: 'x', author: 'two\nlines', text: '', created_at: '2026-01-01T00:00:01Z' }] },
    { comments: [{ author: '', text: 'no id' }] },
    {
      comments: [
        { id: '0198f3c4-7d1e-7a2b', issue_id: 'x', author: 'a', text: 't', created_at: '2026-01-01T00:00:01Z' },
      ],
    },
    { comments: [{ id: 'an id (odd)', issue_id: 'x', author: 'a', text: 't' }] },
    { due_at: '2026-05-01T00:00:00+02:00' },
    { due_at: '2026-05-01T17:30:00Z', labels: ['due:2026-04-01'] },
    { due_at: 'some day' },
    { due_at: '0001-01-01T00:00:00Z' },
    { design: 'd', acceptance_criteria: '- a\n- b' },
    { design: '', acceptance_criteria: null },
    { status: 'open', closed_at: '2026-01-03T00:00:00Z' },
    { status: undefined },
    { _type: 'issue', dependency_count: 1, dependent_count: 0, comment_count: 2, compaction_level: 0 },
    { created_by: 'ann', owner: 'true', odd: '7', 'a key': ' x', other: 'x\u00a0', 'x:y': 'a: b', list: [1, 'é'] },
    {
      comments: [
        { id: 2, issue_id: 'x', author: 'a', text: 't', created_at: '2026-01-01T00:00:02Z' },
        { id: 1, issue_id: 'x', author: 'a', text: 't', created_at: '2026-01-01T00:00:01Z' },
      ],
    },
    { comments: [{ id: 1, issue_id: 'x', author: 'a', text: 't', created_at: '2026-01-01T00:00:01.5Z', extra: {} }] },
    { close_reason: 'r', status: 'hooked' },
    { nested: { b: [1, { z: null, a: 'é😀\u0000' }], a: 1e21 }, ephemeral: false, __proto__: 1, 'a\ud800': '\udfff' },
  ]
  for (const fields of odd) {
    const line = lineOf({ id: 'x', ...fields })
    test(`a line with ${JSON.stringify(fields).slice(0, 60)} can be rebuilt from its events`, async () => {
      const log = makeLog()
      await importFile(log, line, { includeTombstones: true })
      const [events] = [...log.byIssue.values()]
      assert.deepEqual(normalizeLine(rebuildBeadsLine(events ?? [])), normalizeLine(JSON.parse(line)))
    })
  }

  test('a line with any field values can be rebuilt from its events', async () => {
    const field = fc.oneof(fc.constant(''), fc.string({ unit: 'grapheme' }), fc.constant(null))
    await fc.assert(
      fc.asyncProperty(
        fc.record(
          {
            description: field,
            notes: field,
            assignee: field,
            external_ref: field,
            close_reason: field,
            status: fc.constantFrom('open', 'closed', 'hooked', 'tombstone'),
            priority: fc.integer({ min: -1, max: 5 }),
            issue_type: field,
            labels: fc.array(fc.string({ unit: 'grapheme', maxLength: 4 })),
            metadata: fc.jsonValue(),
          },
          { requiredKeys: [] },
        ),
        async (fields) => {
          const line = lineOf({ id: 'x', ...fields })
          const log = makeLog()
          await importFile(log, line, { includeTombstones: true })
          const [events] = [...log.byIssue.values()]
          assert.deepEqual(normalizeLine(rebuildBeadsLine(events ?? [])), normalizeLine(JSON.parse(line)))
        },
      ),
    )
  })
})

describe('planning of an import', () => {
  test('importing an unchanged file again adds nothing', async () => {
    const log = makeLog()
    const first = await importFile(log, sample)
    assert.equal(first.counts.created, 11)
    const second = await importFile(log, sample)
    assert.deepEqual(second.appended, [])
    assert.equal(second.counts.unchanged, 11)
    // Every event except the actor card of the import is a fact.
    assert.equal(second.counts.facts.unchanged, first.counts.events - 1)
  })

  test('the order of lines does not change the events', async () => {
    const forward = makeLog()
    await importFile(forward, sample)
    const backward = makeLog()
    await importFile(backward, sample.trim().split('\n').reverse().join('\n'))
    assert.deepEqual([...backward.ids].sort(), [...forward.ids].sort())
  })

  test('two clones importing one file make equal events', async () => {
    const [left, right] = [makeLog(), makeLog()]
    await importFile(left, sample)
    await importFile(right, sample)
    assert.deepEqual([...left.ids].sort(), [...right.ids].sort())
    assert.deepEqual(foldAll(uniteLogs(left, right)), foldAll(left))
  })

  test('two clones importing parts of a file unite without copies', async () => {
    const lines = sample.trim().split('\n')
    const [left, right, whole] = [makeLog(), makeLog(), makeLog()]
    await importFile(left, lines.slice(0, 7).join('\n'))
    await importFile(right, lines.slice(4).join('\n'))
    await importFile(whole, sample)
    const union = uniteLogs(left, right)
    await importFile(union, sample)
    assert.deepEqual(foldAll(union), foldAll(whole))
  })

  test('a repeated import completes an interrupted import', async () => {
    const whole = makeLog()
    const { appended } = await importFile(whole, sample)
    for (let length = 0; length <= appended.length; length++) {
      const log = makeLog(appended.slice(0, length))
      const rest = await importFile(log, sample)
      assert.equal(rest.appended.length, appended.length - length)
      assert.deepEqual(log.ids, whole.ids)
    }
  })

  test('every plan orders its events with the creation first', async () => {
    const { steps } = await importFile(makeLog(), sample)
    for (const step of steps) {
      if (step.outcome !== 'planned') continue
      assert.equal(step.plan.events[0]?.body.type, 'IssueCreated')
      assert.deepEqual([...step.plan.events].sort(compareVersions), step.plan.events)
    }
  })

  test('malformed lines are reported and the rest is imported', async () => {
    const good = lineOf({ id: 'x' })
    const bytes = new TextEncoder().encode(
      `${good}\n{\n\nnull\n?\n${lineOf({ id: 'y', description: 'x'.repeat(1048577) })}\n${lineOf({ id: 'z', dependencies: [{ depends_on_id: 'y', type: 'blocks' }] })}`,
    )
    bytes[bytes.indexOf('?'.charCodeAt(0))] = 0xff
    const log = makeLog()
    const { steps, counts } = await importFile(log, bytes)
    const malformed = steps.flatMap((step) => (step.outcome === 'malformed' ? [[step.lineNumber, step.reason]] : []))
    assert.deepEqual(
      malformed.map(([line, reason]) => [line, String(reason).slice(0, 16)]),
      [
        [2, 'line is not JSON'],
        [4, 'line is not a JS'],
        [5, 'line is not vali'],
        [6, 'body has 1048577'],
      ],
    )
    assert.equal(counts.malformed, 4)
    assert.equal(counts.created, 2)
    assert.deepEqual(presentDependencies(stateOf(log, 'z')), [])
  })

  test('identical lines are counted as duplicates', async () => {
    const line = lineOf({ id: 'x', labels: ['a'] })
    const { counts } = await importFile(makeLog(), [line, line, line].join('\n'))
    assert.equal(counts.created, 1)
    assert.equal(counts.yielded, 2)
    assert.equal(counts.facts.duplicate, 2 * (counts.events - 1))
  })

  test('facts that make one event are counted as duplicates', async () => {
    const { counts, appended } = await importFile(makeLog(), lineOf({ id: 'x', labels: ['a', 'a'] }))
    assert.equal(counts.facts.duplicate, 1)
    assert.equal(counts.events, appended.length)
  })

  test('the newest of several lines sets the state of an issue', async () => {
    const older = lineOf({ id: 'x', title: 'Old', labels: ['old'] })
    const newer = lineOf({ id: 'x', title: 'New', labels: ['new'], updated_at: '2026-01-03T00:00:00Z' })
    for (const lines of [
      [older, newer],
      [newer, older],
    ]) {
      const log = await imported(...lines)
      assert.equal(currentTitle(stateOf(log, 'x')), 'New')
      assert.deepEqual(presentLabels(stateOf(log, 'x')), ['new'])
      assert.deepEqual((await importFile(log, lines.join('\n'))).appended, [])
    }
  })

  test('the last of equally new lines sets the state of an issue', async () => {
    const log = await imported(lineOf({ id: 'x', title: 'One' }), lineOf({ id: 'x', title: 'Two' }))
    assert.equal(currentTitle(stateOf(log, 'x')), 'Two')
  })

  test('an id with two creation times makes two issues', async () => {
    const { counts } = await importFile(
      makeLog(),
      `${lineOf({ id: 'x' })}\n${lineOf({ id: 'x', created_at: '2026-01-01T00:00:00.001Z' })}`,
    )
    assert.equal(counts.created, 2)
  })
})

describe('importing again', () => {
  const before = lineOf({
    id: 'x',
    title: 'One',
    description: 'd',
    priority: 1,
    status: 'hooked',
    labels: ['a', 'b'],
    assignee: 'ann',
    notes: 'n',
    external_ref: 'gh-1',
    dependencies: [{ depends_on_id: 'y', type: 'blocks', created_at: '2026-01-01T09:00:00Z' }],
  })
  const after = lineOf({
    id: 'x',
    title: 'Two',
    priority: 2,
    labels: ['b', 'c'],
    assignee: 'bo',
    notes: 'n',
    external_ref: 'gh-1',
    updated_at: '2026-02-01T00:00:00Z',
  })
  const other = lineOf({ id: 'y' })

  test('a newer file adds events only for differences', async () => {
    const log = await imported(before, other)
    const { appended } = await importFile(log, `${after}\n${other}`)
    assert.deepEqual(appended.map(({ body }) => body.type).sort(), [
      'AssigneeAdded',
      'AssigneeRemoved',
      'CommentAdded',
      'DependencyRemoved',
      'IssueUpdated',
      'IssueUpdated',
      'LabelAdded',
      'LabelAdded',
      'LabelRemoved',
      'LabelRemoved',
      'LabelRemoved',
    ])
    const state = stateOf(log, 'x')
    assert.equal(currentTitle(state), 'Two')
    assert.equal(currentBody(state), '')
    assert.deepEqual(presentLabels(state), ['b', 'c', 'priority:P2'])
    assert.deepEqual(fieldsOf(state), { priority: 'P2' })
    assert.deepEqual(presentAssignees(state), ['bo'])
    assert.deepEqual(presentDependencies(state), [])
    assert.deepEqual(
      normalizeLine(rebuildBeadsLine(log.byIssue.get(idOf('x')) ?? [])),
      normalizeLine(JSON.parse(after)),
    )
    assert.deepEqual((await importFile(log, `${after}\n${other}`)).appended, [])
  })

  test('a file with only a newer time repeats only the title', async () => {
    const line = {
      ...JSON.parse(before),
      dependencies: [{ depends_on_id: 'y', type: 'related' }],
      issue_type: 'bug',
    }
    const log = await imported(lineOf(line), other)
    const { appended } = await importFile(log, lineOf({ ...line, updated_at: '2026-02-01T00:00:00Z' }))
    assert.deepEqual(
      appended.map(({ body }) => body),
      [{ type: 'IssueUpdated', title: 'One', body: null }],
    )
  })

  test('an older file adds nothing', async () => {
    const log = await imported(after, other)
    const { appended, counts } = await importFile(log, `${before}\n${other}`)
    assert.deepEqual(appended, [])
    assert.ok(counts.facts.superseded > 5)
  })

  test('an older file adds nothing after one with only a newer time', async () => {
    const log = await imported(before, other)
    await importFile(log, lineOf({ ...JSON.parse(before), updated_at: '2026-03-01T00:00:00Z' }))
    const between = lineOf({ ...JSON.parse(before), labels: ['a', 'b', 'between'], updated_at: '2026-02-01T00:00:00Z' })
    assert.deepEqual((await importFile(log, between)).appended, [])
  })

  test('clones that imported different files agree after a union', async () => {
    const [left, right] = [await imported(before, other), await imported(after, other)]
    const union = uniteLogs(left, right)
    await importFile(union, `${after}\n${other}`)
    assert.deepEqual(presentLabels(stateOf(union, 'x')), ['b', 'c', 'priority:P2'])
    assert.deepEqual((await importFile(union, `${after}\n${other}`)).appended, [])
  })

  test('a later change by a person beats the file', async () => {
    const log = await imported(before, other)
    appendByPerson(log, 'x', '2026-01-20T00:00:00Z', { type: 'IssueUpdated', title: 'Mine', body: null })
    appendByPerson(log, 'x', '2026-01-20T00:00:00Z', { type: 'LabelAdded', label: 'priority:P0' })
    appendByPerson(log, 'x', '2026-01-20T00:00:00Z', { type: 'LabelRemoved', label: 'a' })
    const again = await importFile(log, `${before}\n${other}`)
    assert.deepEqual(again.appended, [])
    const touched = lineOf({ ...JSON.parse(before), title: 'Theirs', priority: 3, updated_at: '2026-01-10T00:00:00Z' })
    const { counts } = await importFile(log, `${touched}\n${other}`)
    // The title is repeated although it is superseded: it records the newest file for later imports.
    assert.equal(counts.facts.superseded, 2)
    const state = stateOf(log, 'x')
    assert.equal(currentTitle(state), 'Mine')
    assert.equal(fieldsOf(state).priority, 'P0')
    assert.ok(!presentLabels(state).includes('a'))
  })

  test('an import does not remove additions by a person', async () => {
    const log = await imported(before, other)
    appendByPerson(log, 'x', '2026-01-20T00:00:00Z', { type: 'LabelAdded', label: 'a' })
    appendByPerson(log, 'x', '2026-01-20T00:00:00Z', { type: 'LabelAdded', label: 'mine' })
    appendByPerson(log, 'x', '2026-01-20T00:00:00Z', { type: 'AssigneeAdded', user: 'me' })
    await importFile(log, `${after}\n${other}`)
    assert.deepEqual(presentLabels(stateOf(log, 'x')), ['a', 'b', 'c', 'mine', 'priority:P2'])
    assert.deepEqual(presentAssignees(stateOf(log, 'x')), ['bo', 'me'])
  })

  test('an import resets a field whose old label a person left', async () => {
    const log = await imported(before, other)
    appendByPerson(log, 'x', '2026-01-20T00:00:00Z', { type: 'LabelAdded', label: 'priority:P0' })
    assert.equal(fieldsOf(stateOf(log, 'x')).priority, 'P0')
    const touched = lineOf({ ...JSON.parse(before), updated_at: '2026-01-25T00:00:00Z' })
    await importFile(log, `${touched}\n${other}`)
    assert.equal(fieldsOf(stateOf(log, 'x')).priority, 'P1')
  })

  test('an import can remove a label or edge dated like its addition', async () => {
    const log = await imported(before, other)
    const fewer = lineOf({ ...JSON.parse(before), labels: ['a'], dependencies: undefined })
    await importFile(log, `${fewer}\n${other}`)
    assert.ok(!presentLabels(stateOf(log, 'x')).includes('b'))
    assert.deepEqual(presentDependencies(stateOf(log, 'x')), [])
    assert.deepEqual((await importFile(log, `${fewer}\n${other}`)).appended, [])
  })

  test('labels added at the greatest time are removed only once', async () => {
    const log = await imported(lineOf({ id: 'x' }))
    for (const label of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
      const facts = { issueId: idOf('x'), actor: beadsImportActor, tsUnixMs: limits.tsUnixMsMax, parent: null }
      append(log, identifyEvent({ ...facts, body: { type: 'LabelAdded', label } }))
    }
    const newer = lineOf({ id: 'x', updated_at: '2026-02-01T00:00:00Z' })
    const { appended } = await importFile(log, newer)
    assert.equal(appended.filter(({ body }) => body.type === 'LabelRemoved').length, 8)
    assert.deepEqual((await importFile(log, newer)).appended, [])
  })

  test('the state follows files that reopen and close an issue', async () => {
    const at = (status: string, day: string) =>
      lineOf({
        id: 'x',
        status,
        updated_at: `2026-01-${day}T00:00:00Z`,
        closed_at: status === 'closed' ? `2026-01-${day}T00:00:00Z` : undefined,
      })
    const log = await imported(at('closed', '02'))
    for (const [status, day] of [
      ['open', '03'],
      ['closed', '04'],
      ['hooked', '05'],
    ] as const) {
      await importFile(log, at(status, day))
      assert.equal(currentState(stateOf(log, 'x')), status === 'closed' ? 'closed' : 'open')
      assert.equal(fieldsOf(stateOf(log, 'x')).status, status === 'hooked' ? 'hooked' : undefined)
    }
  })

  test('any sequence of files converges without repeated events', async () => {
    const version = fc.record({
      day: fc.integer({ min: 10, max: 14 }),
      title: fc.constantFrom('A', 'B'),
      status: fc.constantFrom('open', 'closed', 'hooked'),
      priority: fc.integer({ min: 0, max: 2 }),
      labels: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')),
      notes: fc.constantFrom('m', 'n', ''),
      target: fc.constantFrom('y', 'z', 'gone'),
      word: fc.constantFrom('blocks', 'parent-child', 'related'),
    })
    const lineAt = ({ day, target, word, ...fields }: Record<string, unknown>) =>
      lineOf({
        id: 'x',
        ...fields,
        updated_at: `2026-01-${day}T00:00:00Z`,
        dependencies: [{ depends_on_id: target, type: word }],
      })
    await fc.assert(
      fc.asyncProperty(fc.array(version, { maxLength: 5 }), version, async (versions, last) => {
        const log = makeLog()
        const targets = `${lineOf({ id: 'y' })}\n${lineOf({ id: 'z' })}`
        for (const one of versions) await importFile(log, `${lineAt(one)}\n${targets}`)
        const newest = `${lineAt({ ...last, day: 20 })}\n${targets}`
        await importFile(log, newest)
        assert.deepEqual((await importFile(log, newest)).appended, [])
        for (const one of versions) assert.deepEqual((await importFile(log, `${lineAt(one)}\n${targets}`)).appended, [])
        const rebuilt = rebuildBeadsLine(log.byIssue.get(idOf('x')) ?? [])
        if (last.notes === '') delete rebuilt.notes
        assert.deepEqual(normalizeLine(rebuilt), normalizeLine(JSON.parse(lineAt({ ...last, day: 20 }))))
        for (const event of log.events as Event[]) assert.equal(event.actor, beadsImportActor)
      }),
    )
  })
})
