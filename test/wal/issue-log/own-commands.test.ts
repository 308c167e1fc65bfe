import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GitPort, Oid } from '../../../src/git/index.ts'
import type { Event } from '../../../src/model/index.ts'
import { listOwnCommands, type OwnCommand, walRef } from '../../../src/wal/index.ts'
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

async function listAll(git: GitPort, head: Oid, actor: Event['actor']): Promise<OwnCommand[]> {
  const commands: OwnCommand[] = []
  for await (const command of listOwnCommands(git, head, actor)) commands.push(command)
  return commands
}

/** Ids of the events of an actor's commands, newest first. */
async function commandsOf(git: GitPort, head: Oid, actor: Event['actor']) {
  return (await listAll(git, head, actor)).map(({ events }) => events.map(({ eventId }) => eventId))
}

test('a commit without notes is one command of each actor in it', async (t) => {
  const { withRepository } = createCommandSandbox(t)
  await withRepository(async ({ git }) => {
    const older = by(actors[0], 9_000_000_000_000)
    const newer = [by(actors[0], 5000), by(actors[0], 7000), by(actors[0], 6000), by(actors[1], 8000)]
    let head: Oid | null = null
    for (const events of [[creation(issue)], [older], newer, [by(actors[1])]]) {
      head = await writeBatch(git, batchOf(events), head)
    }
    const [first, second] = await commandsOf(git, head as Oid, actors[0])
    assert.deepEqual(
      first,
      newer.slice(0, 3).map(({ eventId }) => eventId),
    )
    assert.deepEqual(second, [older.eventId])
    assert.deepEqual(await commandsOf(git, head as Oid, 'ff'.repeat(16) as Event['actor']), [])
  })
})

test('notes of requests tell the commands of one commit apart', async (t) => {
  const { withRepository } = createCommandSandbox(t)
  await withRepository(async ({ git }) => {
    const events = [by(actors[0], 5000), by(actors[0], 6000), by(actors[0], 7000)]
    const [first = '', second = '', third = ''] = events.map(({ eventId }) => eventId)
    const requests = [
      { key: null, events: [first, second] },
      { key: 'k', events: [third], undoes: [first] },
      { events: 'damaged' },
    ]
    const base = await writeBatch(git, batchOf([creation(issue)]), null)
    const head = await writeBatch(git, { ...batchOf(events), meta: { requests } }, base)
    const commands = await listAll(git, head, actors[0])
    assert.deepEqual(commands.map(({ events, undoes }) => [events.map(({ eventId }) => eventId), undoes]).slice(0, 2), [
      [[third], [first]],
      [[first, second], null],
    ])
  })
})

test('commands are found far back, and beside damage', async (t) => {
  const { withRepository } = createCommandSandbox(t)
  await withRepository(async ({ git }) => {
    const wanted = by(actors[1])
    const objects: Event[][] = [[creation(issue)], [wanted], ...Array.from({ length: 60 }, () => [comment(issue, 'x')])]
    let head: Oid | null = null
    for (const events of objects) head = await writeBatch(git, batchOf(events), head)
    const files = filesOf(batchOf([by(actors[1])]), head)
    for (const path of files.keys()) if (path.endsWith('.bin')) files.set(path, Buffer.from('garbage'))
    head = await writeCommit(git, files, [head as Oid])
    assert.deepEqual(await commandsOf(git, head, actors[1]), [[wanted.eventId]])
    assert.equal(await git.readRef(walRef), null)
  })
})
