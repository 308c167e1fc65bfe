/** How a sync joins the remote log with the local one. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Oid } from '../../src/git/index.ts'
import type { EventBody } from '../../src/model/index.ts'
import { listSnapshots, openSnapshot, readSnapshot, trackingRef, walRef } from '../../src/wal/index.ts'
import { type CommandRunner, commandRunner } from '../support/command-runner.ts'
import { segmentsOf } from '../support/log.ts'
import { createClones, type Member } from './clones.ts'

function createPair(t: TestContext) {
  const setup = createClones(t)
  return { ...setup, ann: setup.clone('ann'), bo: setup.clone('bo') }
}

/** Runs commands in the same folder with other options, such as standard input or a disk. */
const runnerIn = ({ path }: { path: string }, env: Readonly<Record<string, string>>, more = {}): CommandRunner =>
  commandRunner({ cwd: path, env, ...more })

test('a fetch leaves the local log unchanged until the join', async (t) => {
  const { ann, bo, originHead, environment } = createPair(t)
  await ann.create('of ann')
  await ann.sync()
  await bo.create('of bo')
  const before = bo.head()
  const seen: string[][] = []
  const atSync = (point: string) => {
    if (point === 'fetched') seen.push([bo.head(), bo.git('rev-parse', trackingRef('origin', walRef))])
  }
  const theirs = originHead()
  await runnerIn(bo, environment, { atSync }).run('sync', { pull: true })
  assert.deepEqual(seen, [[before, theirs]])
  assert.deepEqual(await bo.titles(), ['of ann', 'of bo'])
})

test('events keep their order through a join and a snapshot', async (t) => {
  const { ann, bo, environment } = createPair(t)
  await ann.create('of ann')
  await ann.sync()
  const words = ['delta', 'alpha', 'charlie', 'bravo']
  const lines = words.map((title) => JSON.stringify({ op: 'create', title }))
  await runnerIn(bo, environment, { stdin: lines.join('\n') }).run('batch')
  const titleOf = ({ event: { body } }: { event: { body: EventBody } }) =>
    body.type === 'IssueCreated' ? [body.title] : []
  const inLog = (clone: Member) =>
    clone.withRepository(async ({ git }) =>
      (await segmentsOf(git, (await git.readRef(walRef)) as Oid)).flatMap(({ items }) => items.flatMap(titleOf)),
    )
  assert.deepEqual(await inLog(bo), words)
  assert.equal((await bo.sync()).events_rebased, 4)
  await ann.sync()
  assert.deepEqual(await inLog(ann), ['of ann', ...words])
  await ann.run('snapshot create')
  const inSnapshot = await ann.withRepository(async ({ git }) => {
    const [row] = await listSnapshots(git, assert.fail)
    const titles: string[] = []
    for await (const segments of readSnapshot(git, await openSnapshot(git, row as never))) {
      titles.push(...segments.flatMap(({ items }) => items.flatMap(titleOf)))
    }
    return titles
  })
  assert.deepEqual(inSnapshot, ['of ann', ...words])
})

test('a sync reads only new events, not older history', async (t) => {
  const { ann, bo } = createPair(t)
  for (const title of ['one', 'two', 'three']) await bo.create(title)
  await bo.sync()
  await ann.sync()
  // Reading one of these again would fail.
  const old = bo.git('rev-list', '--objects', '--no-object-names', `${walRef}~1`).split('\n')
  const commits = bo.git('rev-list', `${walRef}~1`).split('\n')
  const unread = old.filter((oid) => !commits.includes(oid))
  assert.deepEqual([commits.length, unread.length > 4], [2, true])
  for (const oid of unread) rmSync(join(bo.path, '.git/objects', oid.slice(0, 2), oid.slice(2)))
  await ann.create('of ann')
  await ann.sync()
  assert.equal((await bo.sync()).pull_events, 1)
  await ann.create('more of ann')
  await ann.sync()
  await bo.create('of bo')
  assert.equal((await bo.sync()).events_rebased, 1)
  assert.deepEqual(await bo.titles(), ['more of ann', 'of ann', 'of bo', 'one', 'three', 'two'])
  assert.deepEqual(bo.takeWarnings(), [])
})
