/** Events with the greatest numbers a record can hold: every command works, and later changes count. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Oid } from '../../src/git/index.ts'
import {
  type ActorId,
  type Event,
  type EventBody,
  type IssueId,
  limits,
  projectContextIssueId,
} from '../../src/model/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { batchOf, filesOf, issueId, makeEvent, writeCommit } from '../support/log.ts'
import { createClones } from '../sync/clones.ts'

const last = limits.tsUnixMsMax
/** Events of one time sort by actor, so any other actor's events come later. */
const lowest = '0'.repeat(32) as ActorId
const a = issueId('a0')
const b = issueId('b0')

interface Row {
  readonly title: string
  readonly state: string
  readonly labels: readonly string[]
  readonly comment_count: number
}

test('events at the last possible time fail no command', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  await ann.create('good one')
  await ann.sync()
  const at = (issue: IssueId, body: EventBody): Event => makeEvent(issue, body, { ts: last, actor: lowest })
  const hash = 'd'.repeat(64) as never
  const line = 2 ** 32 - 1
  const events: readonly Event[] = [
    at(a, { type: 'IssueCreated', title: 'from the end of time', body: '', labels: ['due:275760-09-13'] }),
    at(a, { type: 'CommentAdded', body: 'late' }),
    at(a, { type: 'StateChanged', state: 'closed' }),
    at(a, { type: 'AssigneeAdded', user: 'eve' }),
    makeEvent(b, { type: 'IssueCreated', title: 'early', body: '', labels: [] }, { ts: 0 }),
    at(b, { type: 'IssueUpdated', title: 'renamed for ever', body: null }),
    at(b, { type: 'LabelAdded', label: 'for-ever' }),
    at(projectContextIssueId, { type: 'ProjectContextUpdated', key: 'k', value: 'v' }),
    at(issueId('c0'), {
      ...{ type: 'ContextUpdated', path: 'p', language: 'l', summary: '', content_hash: hash },
      symbols: [{ name: 's', kind: 'k', lineStart: line, lineEnd: line }],
    }),
  ]
  await ann.withRepository(async ({ git }) => {
    const head = (await git.readRef(walRef)) as Oid
    const commit = await writeCommit(git, filesOf(batchOf(events), head), [head])
    ann.git('push', '-q', 'origin', `${commit}:${walRef}`)
  })
  await bo.sync()
  for (const [name, input] of [
    ['issue list', { state: 'all' }],
    ['issue show', { issue: a }],
    ['issue history', { issue: a }],
    ['ready', {}],
    ['search', { query: ['late'] }],
    ['prime', {}],
    ['doctor', {}],
    ['db check', {}],
    ['export', { format: 'json', output: '-' }],
    ['snapshot create', {}],
    ['rebuild', {}],
    ['rebuild', { fromSnapshot: true }],
    ['issue reopen', { issue: [a] }],
    ['issue assignee remove', { issue: [a], user: ['eve'] }],
    ['issue update', { issue: [b], title: 'mine' }],
    ['issue label remove', { issue: [b], label: ['for-ever'] }],
    ['issue comment', { issue: a, body: 'after' }],
    ['issue claim', { issue: a }],
    ['sync', {}],
  ] as const) {
    assert.ok((await bo.outcome(name, input)).data, name)
  }
  await ann.sync()
  for (const clone of [ann, bo]) {
    const { issues } = (await clone.run('issue list', { state: 'all' })) as { issues: Row[] }
    const rows = issues.map(({ title, state, labels, comment_count }) => ({ title, state, labels, comment_count }))
    assert.deepEqual(
      rows.sort((left, right) => (left.title < right.title ? -1 : 1)),
      [
        { title: 'from the end of time', state: 'open', labels: ['due:275760-09-13'], comment_count: 2 },
        { title: 'good one', state: 'open', labels: [], comment_count: 0 },
        { title: 'mine', state: 'open', labels: [], comment_count: 0 },
      ],
    )
  }
})
