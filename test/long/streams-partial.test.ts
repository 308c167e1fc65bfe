/** Streams in shallow and treeless clones, and in the quarantine of a push. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { StreamReadData } from '../../src/commands/stream/read.ts'
import { GriteError } from '../../src/model/index.ts'
import { gritePath } from '../contract/grite-process.ts'
import { commandRunner, createCommandSandbox } from '../support/command-runner.ts'

const payloads = ['a', 'b', 'c', 'd']

/** A bare repository at `file://…/origin.git` with a stream of four commits, a branch of it, and a merge of both. */
async function createOrigin(t: TestContext) {
  const { run, dir, path, environment, git } = createCommandSandbox(t)
  git(dir, 'init', '-q', '--bare', '-b', 'main', 'origin.git')
  git(join(dir, 'origin.git'), 'config', 'uploadpack.allowFilter', 'true')
  git(path, 'remote', 'add', 'origin', join(dir, 'origin.git'))
  for (const message of ['first', 'second']) git(path, 'commit', '-q', '--allow-empty', '-m', message)
  git(path, 'push', '-q', 'origin', 'main')
  await run('stream create', { stream: 'log' })
  for (const payload of payloads) {
    await run('stream append', { stream: 'log', payload })
    await run('stream seal', { stream: 'log' })
  }
  await run('stream branch', { stream: 'child', parent: 'log@2' })
  await run('stream append', { stream: 'child', payload: 'x' })
  await run('stream publish', { stream: ['log', 'child'], seal: true })
  const at = (name: string) => {
    const runner = commandRunner({ cwd: join(dir, name), env: environment })
    const read = async (stream: string) =>
      ((await runner.run('stream read', { stream })) as StreamReadData).records.map(({ payload }) => payload)
    const verify = async (stream: string) => await runner.outcome('stream verify', { stream: [stream] })
    return { ...runner, read, verify, git: (...args: readonly string[]) => git(join(dir, name), ...args) }
  }
  const clone = (...options: readonly string[]) => {
    git(dir, 'clone', '-q', ...options, `file://${join(dir, 'origin.git')}`, 'clone')
    return at('clone')
  }
  return { run, dir, path, environment, git, at, clone }
}

for (const option of ['--depth=1', '--filter=tree:0', '--filter=blob:none']) {
  test(`a clone with ${option} fetches whole streams, takes them over and publishes`, async (t) => {
    const { clone, at, git, dir } = await createOrigin(t)
    const { run, read, verify } = clone(option)
    await run('stream fetch', { all: true })
    assert.deepEqual([await read('log'), await read('child')], [payloads, ['a', 'b', 'c', 'x']])
    assert.equal((await verify('log')).exitStatus ?? 0, 0)
    await run('stream takeover', { stream: 'log' })
    await run('stream append', { stream: 'log', payload: 'e' })
    await run('stream publish', { stream: ['log'], seal: true })
    git(dir, 'clone', '-q', 'origin.git', 'other')
    const other = at('other')
    await other.run('stream fetch', { all: true })
    assert.deepEqual(await other.read('log'), [...payloads, 'e'])
  })
}

test('a stream that was cut off by a shallow fetch says so, and is completed by a fetch', async (t) => {
  const { clone } = await createOrigin(t)
  const cut = clone('--depth=1')
  cut.git('fetch', '-q', '--depth=1', 'origin', 'refs/grite/streams/*:refs/grite/streams/*')
  assert.deepEqual(await cut.read('log'), ['d'])
  assert.match(cut.warnings.map(({ message }) => message).join(), /[0-9a-f]{40} is missing/)
  assert.equal((await cut.verify('log')).exitStatus, 1)
  await assert.rejects(cut.run('stream branch', { stream: 'early', parent: 'log@0' }), GriteError)
  await cut.run('stream fetch', { stream: ['log'] })
  assert.deepEqual(await cut.read('log'), payloads)
  assert.equal((await cut.verify('log')).exitStatus ?? 0, 0)
  assert.equal(cut.git('rev-list', '--count', 'main'), '1', 'branches stay shallow')
})

test('a hook in the quarantine of a push reads streams, and moves none', async (t) => {
  const { dir, git, at } = await createOrigin(t)
  const bare = join(dir, 'origin.git')
  const server = at('origin.git')
  await server.run('stream create', { stream: 'own' })
  await server.run('stream append', { stream: 'own', payload: 'one' })
  const hook = join(bare, 'hooks/pre-receive')
  mkdirSync(join(bare, 'hooks'), { recursive: true })
  const grite = `'${process.execPath}' '${gritePath}'`
  const out = join(dir, 'out')
  writeFileSync(
    hook,
    `#!/bin/sh
exec > '${out}' 2>&1
${grite} consume log -q
${grite} stream append own two -q
${grite} consume own -q
${grite} stream seal own 2>&1 | head -n 1
${grite} stream create new 2>&1 | head -n 1
exit 0
`,
  )
  chmodSync(hook, 0o755)
  git(join(dir, 'repository'), 'commit', '-q', '--allow-empty', '-m', 'second')
  git(join(dir, 'repository'), 'push', '-q', 'origin', 'main')
  const refused = 'cannot write while git is checking a push (GIT_QUARANTINE_PATH is set)'
  assert.deepEqual(readFileSync(out, 'utf8').trimEnd().split('\n'), [
    ...[...payloads, '1', 'one', 'two'],
    `error: IO error: sealing stream 'own' failed: ${refused}; every acknowledged record is safe`,
    `error: IO error: ${refused}`,
  ])
  await server.run('stream seal', { stream: 'own' })
  assert.deepEqual(await server.read('own'), ['one', 'two'])
  assert.equal((await server.verify('own')).exitStatus ?? 0, 0)
})
