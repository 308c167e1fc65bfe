import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Oid } from '../../../src/git/index.ts'
import type { Event } from '../../../src/model/index.ts'
import { findNewestEvent, walRef } from '../../../src/wal/index.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'
import {
  actors,
  batchOf,
  comment,
  creation,
  filesOf,
  issueId,
  makeEvent,
  writeBatch,
  writeCommit,
} from '../../support/log.ts'

const issue = issueId('a1')
const by = (actor: (typeof actors)[number], ts?: number): Event =>
  makeEvent(issue, { type: 'CommentAdded', body: 'x' }, { actor, ...(ts === undefined ? {} : { ts }) })

test('an actor’s newest event comes from its newest commit', async (t) => {
  const { withRepository } = createCommandSandbox(t)
  await withRepository(async ({ git }) => {
    const older = by(actors[0], 9_000_000_000_000)
    const newer = [by(actors[0], 5000), by(actors[0], 7000), by(actors[0], 6000), by(actors[1], 8000)]
    let head: Oid | null = null
    for (const events of [[creation(issue)], [older], newer, [by(actors[1])]]) {
      head = await writeBatch(git, batchOf(events), head)
    }
    assert.equal((await findNewestEvent(git, head as Oid, actors[0]))?.eventId, newer[1]?.eventId)
    assert.equal(await findNewestEvent(git, head as Oid, 'ff'.repeat(16) as Event['actor']), undefined)
  })
})

test('an actor’s newest event is found far back and past damage', async (t) => {
  const { withRepository } = createCommandSandbox(t)
  await withRepository(async ({ git }) => {
    const wanted = by(actors[1])
    const objects: Event[][] = [[creation(issue)], [wanted], ...Array.from({ length: 60 }, () => [comment(issue, 'x')])]
    let head: Oid | null = null
    for (const events of objects) head = await writeBatch(git, batchOf(events), head)
    const files = filesOf(batchOf([by(actors[1])]), head)
    for (const path of files.keys()) if (path.endsWith('.bin')) files.set(path, Buffer.from('garbage'))
    head = await writeCommit(git, files, [head as Oid])
    assert.equal((await findNewestEvent(git, head, actors[1]))?.eventId, wanted.eventId)
    assert.equal(await git.readRef(walRef), null)
  })
})
