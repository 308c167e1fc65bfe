/** Streams in clones that grite 0.5 uses, which pushes and pulls every ref below `refs/grite/` in place, without force. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { StreamReadData } from '../../src/commands/stream/read.ts'
import type { StreamRescueData } from '../../src/commands/stream/rescue.ts'
import { ConflictError } from '../../src/model/index.ts'
import { type CommandRunner, commandRunner, createCommandSandbox } from '../support/command-runner.ts'

interface Clone extends CommandRunner {
  readonly path: string
  append(stream: string, ...payloads: readonly string[]): Promise<void>
  payloads(stream: string): Promise<readonly string[]>
  titles(): Promise<readonly string[]>
  /** The status of doctor's check of diverged streams. */
  divergence(): Promise<unknown>
  /** As grite 0.5 pulls: what is no fast-forward is left alone. */
  rustPull(): void
  /** As grite 0.5 pushes: one ref that is no fast-forward, and nothing is pushed. @returns whether it was pushed */
  rustPush(): boolean
}

async function createClones(t: TestContext) {
  const { dir, path, environment, git } = createCommandSandbox(t)
  git(dir, 'init', '-q', '--bare', 'remote.git')
  git(path, 'remote', 'add', 'origin', join(dir, 'remote.git'))
  const at = (name: string): Clone => {
    const cwd = join(dir, name)
    const runner = commandRunner({ cwd, env: environment })
    const { run } = runner
    const gitStatus = (...args: readonly string[]) => spawnSync('git', args, { cwd, env: environment }).status
    return {
      ...runner,
      path: cwd,
      async append(stream, ...payloads) {
        for (const payload of payloads) await run('stream append', { stream, payload })
      },
      payloads: async (stream) =>
        ((await run('stream read', { stream })) as StreamReadData).records.map(({ payload }) => payload ?? ''),
      titles: async () =>
        ((await run('issue list')) as { issues: { title: string }[] }).issues.map(({ title }) => title),
      async divergence() {
        const { checks } = (await run('doctor')) as { checks: { id: string; status: string }[] }
        return checks.find(({ id }) => id === 'diverged_streams')?.status
      },
      rustPull: () => void gitStatus('fetch', '-q', 'origin', 'refs/grite/*:refs/grite/*'),
      rustPush: () => gitStatus('push', '-q', '--atomic', 'origin', 'refs/grite/*:refs/grite/*') === 0,
    }
  }
  const copy = (from: string, to: string) => {
    cpSync(join(dir, from), join(dir, to), { recursive: true })
    return at(to)
  }
  return { owner: at('repository'), dir, git, at, copy }
}

test('beside twenty published streams, grite 0.5 pulls, creates and pushes', async (t) => {
  const { owner, dir, git, at } = await createClones(t)
  const names = Array.from({ length: 20 }, (_, index) => `agent/${index}`)
  for (const stream of names) {
    await owner.run('stream create', { stream })
    await owner.append(stream, 'one')
  }
  await owner.run('stream publish', { stream: names, seal: true })
  await owner.run('issue create', { title: 'from grite' })
  await owner.run('sync')

  git(dir, 'clone', '-q', 'remote.git', 'rust')
  const rust = at('rust')
  for (const title of ['first', 'second']) {
    rust.rustPull()
    await rust.run('issue create', { title })
    assert.ok(rust.rustPush())
    await owner.append('agent/3', title)
    await owner.run('stream publish', { stream: ['agent/3'], seal: true })
    await owner.run('sync')
  }
  assert.deepEqual((await owner.titles()).toSorted(), ['first', 'from grite', 'second'])
  rust.rustPull()
  assert.deepEqual((await rust.titles()).toSorted(), ['first', 'from grite', 'second'])
  assert.deepEqual(await rust.payloads('agent/3'), ['one', 'first', 'second'])
  assert.ok(rust.rustPush())
  assert.deepEqual([await owner.divergence(), await rust.divergence()], ['ok', 'ok'])
})

test('a diverged stream blocks pushes of grite 0.5 until it is rescued, and doctor names it', async (t) => {
  const { owner, copy } = await createClones(t)
  await owner.run('stream create', { stream: 'log' })
  await owner.append('log', 'a')
  await owner.run('issue create', { title: 'one' })
  await owner.run('sync')
  await owner.run('stream publish', { stream: ['log'], seal: true })
  const both = copy('repository', 'both')
  await owner.append('log', 'b')
  await owner.run('stream publish', { stream: ['log'], seal: true })
  await both.append('log', 'c', 'd')
  await both.run('stream seal', { stream: 'log' })
  await both.append('log', 'e')
  both.rustPull()
  assert.ok(!both.rustPush())
  await both.run('stream fetch', { stream: ['log'] })
  assert.equal(await both.divergence(), 'error')
  assert.deepEqual(await both.payloads('log'), ['a', 'c', 'd', 'e'])
  const { rescues } = (await both.run('stream rescue', { stream: 'log' })) as StreamRescueData
  const branch = rescues[0]?.branch ?? assert.fail()
  assert.deepEqual(await both.payloads(branch), ['a', 'c', 'd', 'e'])
  assert.deepEqual(await both.payloads('log'), ['a', 'b'])
  assert.equal(await both.divergence(), 'ok')
  assert.ok(both.rustPush())
  owner.rustPull()
  assert.deepEqual(await owner.payloads(branch), ['a', 'c', 'd', 'e'])
  await owner.append('log', 'f')
})

test('a pull of grite 0.5 that moves a stream under its journal is noticed', async (t) => {
  const { owner, copy } = await createClones(t)
  await owner.run('stream create', { stream: 'log' })
  await owner.append('log', 'a')
  await owner.run('stream publish', { stream: ['log'], seal: true })
  const both = copy('repository', 'both')
  await owner.append('log', 'b', 'c')
  await owner.run('stream publish', { stream: ['log'], seal: true })
  await both.append('log', 'mine')
  both.rustPull()
  assert.equal(await both.divergence(), 'error')
  await assert.rejects(both.append('log', 'no'), (error) => {
    assert.ok(error instanceof ConflictError)
    assert.equal(error.details.reason, 'diverged')
    return true
  })
  const { rescues } = (await both.run('stream rescue', { stream: 'log' })) as StreamRescueData
  assert.deepEqual(await both.payloads(rescues[0]?.branch ?? ''), ['a', 'mine'])
  assert.deepEqual(await both.payloads('log'), ['a', 'b', 'c'])
  assert.equal(await both.divergence(), 'ok')
  assert.ok(both.rustPush())
})
