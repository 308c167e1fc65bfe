/** Writes that the log cannot take. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { nodeDisk } from '../../src/git/durable/disk.ts'
import { type CommandRunner, commandRunner, createCommandSandbox } from '../support/command-runner.ts'

/** Runs commands in the same folder with other options, such as standard input or a disk. */
const runnerIn = ({ path }: { path: string }, env: Readonly<Record<string, string>>, more = {}): CommandRunner =>
  commandRunner({ cwd: path, env, ...more })

const titlesOf = async ({ run }: Pick<CommandRunner, 'run'>) =>
  ((await run('issue list')) as { issues: { title: string }[] }).issues.map(({ title }) => title).sort()

test('a write that the log rejects fails and leaves no issue', async (t) => {
  const place = createCommandSandbox(t)
  const { path, environment, run } = place
  await run('issue create', { title: 'first' })
  const lock = join(path, '.git/refs/grite/wal.lock')
  writeFileSync(lock, '')
  const hurried = runnerIn(place, environment, { gitOptions: { lockWaitMs: 50 } })
  await assert.rejects(hurried.run('issue create', { title: 'second' }), { code: 'conflict' })
  const full = () => {
    throw Object.assign(new Error('simulated'), { code: 'ENOSPC' })
  }
  rmSync(lock)
  const disk = runnerIn(place, environment, { gitOptions: { disk: { ...nodeDisk, createFile: full } } })
  await assert.rejects(disk.run('issue create', { title: 'third' }), { code: 'io_error' })
  assert.deepEqual(await titlesOf(place), ['first'])
})
