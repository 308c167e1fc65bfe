/** A git process killed while it fetches for us leaves nothing that blocks the next sync. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { parseFetchHead } from '../../src/git/native/fetch-room.ts'
import { commandRunner } from '../support/command-runner.ts'
import { createDyingGit } from '../support/dying-git.ts'
import { createClones } from '../sync/clones.ts'

const tmpOf = (path: string) => join(path, '.git', 'grite', 'tmp')
const namesIn = (folder: string) => (existsSync(folder) ? readdirSync(folder) : [])

it('a fetch killed with its lock does not block the next one', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  await ann.create('one')
  await ann.sync()
  const dying = createDyingGit(setup, { command: 'fetch', below: 'GIT_DIR', leaves: 'refs/worktree/grite/wal.lock' })
  const runner = commandRunner({ cwd: bo.path, env: dying.environment })
  // A failure in a new fetch folder is retried for the log alone, one in a used folder is retried in a new one.
  for (const titles of [['one'], ['one', 'two']]) {
    dying.arm()
    await runner.run('sync')
    assert.ok(dying.hasDied())
    assert.deepEqual(await bo.titles(), titles)
    await ann.create('two')
    await ann.sync()
  }
  assert.deepEqual(namesIn(tmpOf(bo.path)), [])
})

it('the next sync deletes the fetch folder of a killed process', async (t) => {
  const setup = createClones(t)
  const ann = setup.clone('ann')
  await ann.create('one')
  await ann.sync()
  const left = join(tmpOf(ann.path), `${'0'.repeat(8)}.1.1.1-0123456789ab`)
  mkdirSync(join(left, 'refs', 'worktree', 'grite'), { recursive: true })
  writeFileSync(join(left, 'refs', 'worktree', 'grite', 'wal.lock'), '')
  await ann.sync()
  assert.deepEqual(namesIn(tmpOf(ann.path)), [])
})

it('a damaged stored fetch folder is replaced', async (t) => {
  const setup = createClones(t)
  const ann = setup.clone('ann')
  await ann.create('one')
  await ann.sync()
  const rooms = join(ann.path, '.git', 'grite', 'fetch')
  const [room = ''] = namesIn(rooms)
  for (const [file, content] of [
    ['refs/worktree/grite/wal', `${'1'.repeat(40)}\n`],
    ['refs/worktree/grite/wal', 'no id\n'],
    ['HEAD', ''],
  ] as const) {
    mkdirSync(join(rooms, room, 'refs/worktree/grite'), { recursive: true })
    writeFileSync(join(rooms, room, file), content)
    await ann.sync()
    assert.deepEqual(ann.takeWarnings(), [], file)
  }
})

it('a fetch takes no repository lock and runs no hooks', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  await ann.create('one')
  await ann.sync()
  const hooks = join(setup.dir, 'hooks')
  mkdirSync(hooks)
  writeFileSync(join(hooks, 'reference-transaction'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  bo.git('config', 'core.hooksPath', hooks)
  // A concurrent `git pack-refs` would stop git from deleting a ref.
  writeFileSync(join(bo.path, '.git', 'packed-refs.lock'), '')
  await bo.sync({ pull: true })
  assert.deepEqual(await bo.titles(), ['one'])
  assert.ok(!existsSync(join(bo.path, '.git', 'FETCH_HEAD')))
})

it('FETCH_HEAD parsing skips lines that name no stream ref', () => {
  const [a, b] = ['a'.repeat(40), 'b'.repeat(64)]
  const text = [
    `${a}\t\t'refs/grite/wal' of ../remote`,
    `${b}\tnot-for-merge\t'refs/grite-leases/0' of https://host/'refs/x' of y`,
    `${a}\t\tbranch 'main' of ../remote`,
    `${'c'.repeat(41)}\t\t'refs/grite/x' of ../remote`,
    'garbage',
    '',
  ].join('\n')
  assert.deepEqual(
    [...parseFetchHead(text)],
    [
      ['refs/grite/wal', a],
      ['refs/grite-leases/0', b],
    ],
  )
})

it('a fetch without a temporary folder is a disk error', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  await ann.create('one')
  await ann.sync()
  mkdirSync(join(bo.path, '.git', 'grite'))
  writeFileSync(tmpOf(bo.path), '')
  const { code, exit } = await bo.failSync()
  assert.deepEqual([code, exit, bo.git('for-each-ref')], ['io_error', 5, ''])
})
