/** Commands flush their writes and replace files atomically before they answer. */
import assert from 'node:assert/strict'
import { linkSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Disk, nodeDisk } from '../../src/git/durable/disk.ts'
import type { Oid } from '../../src/git/index.ts'
import { looseObjectPath, looseRefPath } from '../../src/git/ref-paths.ts'
import { walRef } from '../../src/wal/index.ts'
import { type CommandRunner, commandRunner, createCommandSandbox } from '../support/command-runner.ts'

/** Runs commands in the same folder with other options, such as standard input or a disk. */
const runnerIn = ({ path }: { path: string }, env: Readonly<Record<string, string>>, more = {}): CommandRunner =>
  commandRunner({ cwd: path, env, ...more })

test('issue create flushes its objects and ref before it answers', async (t) => {
  const place = createCommandSandbox(t)
  const { environment, withRepository } = place
  const layout = await withRepository(async (repository) => repository.layout)
  const done: string[] = []
  const disk: Disk = {
    ...nodeDisk,
    async flushFiles(files) {
      await nodeDisk.flushFiles(files)
      done.push(...files.map(({ path }) => `flushed ${path}`))
    },
    async flushDirectories(paths) {
      await nodeDisk.flushDirectories(paths)
      done.push(...paths.map((path) => `flushed ${path}`))
    },
    rename(from, to) {
      nodeDisk.rename(from, to)
      done.push(`named ${from} ${to}`)
    },
  }
  await place.run('init')
  await runnerIn(place, environment, { gitOptions: { disk } }).run('issue create', { title: 'one' })
  const answered = [...done]
  const placeOf = (step: string) => {
    assert.ok(answered.includes(step), step)
    return answered.indexOf(step)
  }
  const ref = looseRefPath(layout, walRef)
  const moved = answered.findIndex((step) => step.startsWith('named ') && step.endsWith(` ${ref}`))
  assert.notEqual(moved, -1)
  const objects = place.git(place.path, 'rev-list', '--objects', '--no-object-names', walRef).split('\n')
  assert.equal(objects.length, 8)
  for (const oid of objects as Oid[]) {
    const path = looseObjectPath(layout, oid)
    const named = answered.findIndex((step) => step.endsWith(` ${path}`))
    const [, draft = ''] = (answered[named] ?? '').split(' ')
    assert.ok(placeOf(`flushed ${draft}`) < named, `${oid} is flushed before it has its name`)
    assert.ok(placeOf(`flushed ${join(path, '..')}`) < moved, `the folder of ${oid} is flushed before the ref moves`)
  }
  assert.ok(answered.lastIndexOf(`flushed ${join(ref, '..')}`) > moved)
})

test('configurations and exports are replaced, never written in place', async (t) => {
  const { run, path } = createCommandSandbox(t)
  await run('issue create', { title: 'one' })
  const { actor_id } = (await run('actor init', { label: 'second' })) as { actor_id: string }
  await run('export', { format: 'md', output: 'all.md' })
  const files = [join(path, '.git/grite/config.toml'), join(path, 'all.md')]
  // A hard link keeps the old content unless a command writes in place.
  const old = files.map((file) => {
    linkSync(file, `${file}.old`)
    return readFileSync(file, 'utf8')
  })
  await run('actor use', { actor: actor_id })
  await run('issue create', { title: 'two' })
  await run('export', { format: 'md', output: 'all.md' })
  for (const [index, file] of files.entries()) {
    assert.notEqual(readFileSync(file, 'utf8'), old[index])
    assert.equal(readFileSync(`${file}.old`, 'utf8'), old[index])
  }
})
