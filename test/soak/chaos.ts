/**
 * Two minutes of everything at once: writers killed at random moments, foreign commands that move the log,
 * deleted views, gc and rebuilds. At the end the log holds every acknowledged event once.
 *
 * SOAK_SECONDS and SOAK_SEED set length and course; the seed does not fix the timing of processes.
 */

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { walRef } from '../../src/wal/index.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { assertLogHolds, dumpStore, idsOnChain } from '../support/log.ts'

const seconds = Number(process.env.SOAK_SECONDS ?? 120)
const seed = Number(process.env.SOAK_SEED ?? Date.now() % 0x7fff_ffff)
const bundle = fileURLToPath(new URL('../../dist/grite.cjs', import.meta.url))

/** mulberry32: small, seeded, good enough to choose the next step. */
function randomFrom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

test(`${seconds} s of chaos lose no acknowledged event`, { timeout: (seconds + 300) * 1000 }, async (t) => {
  t.diagnostic(`seed ${seed}`)
  const random = randomFrom(seed)
  const sandbox = createCommandSandbox(t)
  const other = createCommandSandbox(t)
  const { path, environment, run, withRepository } = sandbox
  // With the fixed clock of tests, reflog entries would look years old and gc would expire them.
  const { GIT_COMMITTER_DATE: _fixed, ...now } = environment
  const git = (cwd: string, ...args: readonly string[]) =>
    execFileSync('git', args, { cwd, env: now, encoding: 'utf8', stdio: 'pipe' }).replace(/\n$/, '')
  /** Like `git`, but ignores a lock of a killed writer, which only grite knows to be dead. */
  const unlessLocked = (...args: readonly string[]) => {
    try {
      git(path, ...args)
    } catch (error) {
      if (!/\.lock'?: File exists/.test(String((error as { stderr?: unknown }).stderr))) throw error
    }
  }
  const acknowledged: string[] = []
  const counts: Record<string, number> = {}

  /** Runs the bundle; killed after a while when `dies`. */
  const grite = (dies: boolean, ...args: readonly string[]) =>
    new Promise<Record<string, unknown> | null>((resolve, reject) => {
      const child = spawn(process.execPath, [bundle, ...args, '--json'], {
        cwd: path,
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let stdout = ''
      let stderr = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text
      })
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text
      })
      const timer = dies ? setTimeout(() => child.kill('SIGKILL'), 40 + random() * 160) : undefined
      child.once('close', (exitStatus) => {
        clearTimeout(timer)
        if (exitStatus === 0) resolve(JSON.parse(stdout).data)
        else if (dies && exitStatus === null) resolve(null)
        else reject(new Error(`${args.join(' ')}: exit ${exitStatus}: ${stderr}`))
      })
    })

  const first = (await grite(false, 'issue', 'create', '--title', 'first')) as { issue_id: string; event_id: string }
  acknowledged.push(first.event_id)
  const level = await withRepository(async (repository) =>
    repository.paths.viewLevels((await repository.findActor())?.actor.id),
  )
  await other.run('issue create', { title: 'from elsewhere' })
  const write = async (dies: boolean) => {
    const args = random() < 0.5 ? ['create', '--title', 'more'] : ['comment', first.issue_id, '--body', 'x']
    const data = await grite(dies, 'issue', ...args)
    if (data !== null) acknowledged.push(data.event_id as string)
  }
  const someHead = () => {
    const heads = git(path, 'rev-list', '--max-count=30', walRef).split('\n')
    return heads[Math.floor(random() * heads.length)] as string
  }
  const happenings: readonly (readonly [string, number, () => Promise<unknown>])[] = [
    ['write', 6, () => write(false)],
    ['several writes', 3, () => Promise.all([write(false), write(false), write(true)])],
    ['killed write', 4, () => write(true)],
    ['list', 3, () => grite(false, 'issue', 'list')],
    ['killed list', 2, () => grite(true, 'issue', 'list')],
    ['rebuild', 1, () => grite(false, 'rebuild')],
    ['killed rebuild', 2, () => grite(true, 'rebuild')],
    ['two rebuilds', 1, () => Promise.all([grite(false, 'rebuild'), grite(false, 'rebuild')])],
    ['ref moved back', 2, async () => unlessLocked('update-ref', walRef, someHead())],
    [
      'ref moved back beside a write',
      1,
      () => Promise.all([write(false), Promise.resolve(unlessLocked('update-ref', walRef, someHead()))]),
    ],
    ['forced fetch', 1, async () => unlessLocked('fetch', '-q', other.path, '+refs/grite/wal:refs/grite/wal')],
    ['gc', 1, async () => unlessLocked('gc', '-q')],
    ['pack-refs', 1, async () => unlessLocked('pack-refs', '--all')],
    ['views deleted', 1, async () => rmSync(level, { recursive: true, force: true })],
  ]
  const total = happenings.reduce((sum, [, weight]) => sum + weight, 0)
  const choose = (place: number) => {
    let left = place
    const found = happenings.find(([, weight]) => {
      left -= weight
      return left < 0
    })
    return found as (typeof happenings)[number]
  }
  const deadline = performance.now() + seconds * 1000
  while (performance.now() < deadline) {
    const [name, , work] = choose(random() * total)
    counts[name] = (counts[name] ?? 0) + 1
    await work()
  }
  await run('issue list')
  const ids = await withRepository(async (repository) =>
    idsOnChain(repository.git, await repository.git.readRef(walRef)),
  )
  t.diagnostic(`${acknowledged.length} acknowledged, ${ids.length} in the log; ${JSON.stringify(counts)}`)
  assert.deepEqual(
    acknowledged.filter((id) => !ids.includes(id)),
    [],
    'acknowledged and lost',
  )
  await withRepository((repository) =>
    assertLogHolds(path, (...args) => git(path, ...args), repository.git, [...new Set(ids)]),
  )
  const live = await withRepository(async (repository) => dumpStore((await repository.view()).store))
  assert.deepEqual(await withRepository(async (repository) => dumpStore((await repository.rebuild()).store)), live)
})
