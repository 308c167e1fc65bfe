import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  compareVersions,
  currentState,
  decodeChunk,
  type Event,
  encodeEventChunk,
  fieldsOf,
  foldIssue,
  type IssueId,
  limits,
  originalIdOf,
  presentDependencies,
} from '../../src/model/index.ts'
import { importFile, makeLog } from './import-file.ts'
import { normalizeLine, rebuildBeadsLine } from './rebuild-beads-line.ts'

const file = new URL('../../../shared/data/beads-issues.jsonl', import.meta.url)
const skip = existsSync(file) ? false : 'the real tracker ../shared/data/beads-issues.jsonl is missing'
const text = skip ? '' : readFileSync(file, 'utf8')

interface Line {
  readonly id: string
  readonly status: string
  readonly priority: number
  readonly issue_type: string
  readonly dependencies?: readonly { depends_on_id: string; type: string }[]
}
const lines: readonly Line[] = text
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line))

const all = makeLog()
const first = skip ? undefined : await importFile(all, text, { includeTombstones: true })
const issueIds = new Map<string, IssueId>()
for (const event of all.events) {
  // Memories of the tracker are not issues.
  if (event.body.type === 'ProjectContextUpdated') continue
  const originalId = originalIdOf(foldIssue(event.issueId, [event]))
  if (originalId !== undefined) issueIds.set(originalId, event.issueId)
}

function eventsOf(originalId: string): readonly Event[] {
  return all.byIssue.get(issueIds.get(originalId) as IssueId) ?? []
}

test('imports every issue of the real tracker', { skip }, () => {
  assert.equal(first?.counts.created, 3003)
  assert.equal(first?.counts.malformed, 0)
  assert.deepEqual(first?.counts.waitingEdges, { tombstone: 0, unknown: 0, self: 0, foreign: 0, 'too-long': 0 })
  assert.equal(issueIds.size, 3003)
})

test('every line can be rebuilt from its events read from chunks', { skip }, () => {
  const stored = new Map<IssueId, Event[]>()
  for (let start = 0; start < all.events.length; start += limits.batchEventsMax) {
    const chunk = decodeChunk(encodeEventChunk(all.events.slice(start, start + limits.batchEventsMax)))
    assert.equal(chunk.problem, null)
    assert.deepEqual(chunk.damaged, [])
    for (const { event } of chunk.events) stored.set(event.issueId, [...(stored.get(event.issueId) ?? []), event])
  }
  for (const line of lines) {
    const rebuilt = rebuildBeadsLine(stored.get(issueIds.get(line.id) as IssueId) ?? [])
    assert.deepEqual(normalizeLine(rebuilt), normalizeLine({ ...line }))
  }
})

test('every edge of the real tracker has its event', { skip }, () => {
  const counts = { parent: 0, depends_on: 0, related_to: 0 }
  for (const { id, dependencies = [] } of lines) {
    const state = foldIssue(issueIds.get(id) as IssueId, eventsOf(id))
    const { parent } = fieldsOf(state)
    const present = presentDependencies(state)
    for (const { depends_on_id, type } of dependencies) {
      const target = issueIds.get(depends_on_id)
      const how = present.filter((one) => one.target === target).map((one) => one.type)
      const kind =
        type === 'blocks' ? 'depends_on' : type === 'parent-child' && parent === target ? 'parent' : 'related_to'
      assert.ok(kind === 'parent' || how.includes(kind), `${id} ${type} ${depends_on_id}`)
      counts[kind] += 1
    }
  }
  assert.deepEqual(counts, { parent: 651, depends_on: 644, related_to: 88 })
})

test('imported states and fields equal those in the file', { skip }, () => {
  for (const { id, status, priority, issue_type } of lines) {
    const state = foldIssue(issueIds.get(id) as IssueId, eventsOf(id))
    assert.equal(currentState(state), status === 'closed' || status === 'tombstone' ? 'closed' : 'open')
    assert.equal(fieldsOf(state).priority, `P${priority}`)
    assert.equal(fieldsOf(state).type, issue_type)
    assert.equal(fieldsOf(state).status, status === 'hooked' ? 'hooked' : undefined)
  }
})

test('no event of the real tracker is dated at or before its creation', { skip }, () => {
  for (const events of all.byIssue.values()) {
    const [creation, ...others] = [...events].sort(compareVersions)
    for (const { tsUnixMs } of others) assert.ok(tsUnixMs > (creation?.tsUnixMs ?? 0))
  }
})

test('an import without tombstones is a subset and fits ten batches', { skip }, async () => {
  const log = makeLog()
  const { counts } = await importFile(log, text)
  assert.deepEqual(counts.skipped, { tombstone: 346 })
  assert.equal(counts.created, 2657)
  assert.equal(counts.events, 19_784)
  assert.ok(counts.events <= 10 * limits.batchEventsMax)
  assert.equal(counts.facts.duplicate, 0)
  for (const id of log.ids) assert.ok(all.ids.has(id))
})

test('importing the real tracker again in either order adds nothing', { skip }, async () => {
  assert.deepEqual((await importFile(all, text, { includeTombstones: true })).appended, [])
  const reversed = text.trim().split('\n').reverse().join('\n')
  const again = await importFile(all, reversed)
  assert.deepEqual(again.appended, [])
  assert.equal(again.counts.unchanged, 2657)
})
