/** Copies of one sound repository, to break one thing in each. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { CheckResult } from '../../../src/commands/doctor/doctor.ts'
import type { Oid } from '../../../src/git/index.ts'
import type { Event } from '../../../src/model/index.ts'
import { openDiskStore, type Store } from '../../../src/view/store.ts'
import { walRef } from '../../../src/wal/index.ts'
import { type CleanUp, createSandbox, type Sandbox } from '../../git/temp-repository.ts'
import { type CommandRunner, commandRunner, type RunnerOptions } from '../../support/command-runner.ts'
import { batchOf, writeBatch } from '../../support/log.ts'

export interface RepositoryCopy extends Sandbox, CommandRunner {
  readonly path: string
  readonly gitDir: string
  readonly actor: string
  /** Ids of its issues, by title. */
  readonly issues: Readonly<Record<'one' | 'two', string>>
  /** Runs git in it. */
  inside(...args: readonly string[]): string
  /** A runner in it with other options. */
  as(options: Partial<RunnerOptions>): CommandRunner
  /** Appends events as given, without the checks of a command. */
  append(...events: readonly Event[]): Promise<Oid>
  /** Changes the view's store directly. */
  inStore(work: (store: Store) => Promise<void>): Promise<void>
  /** Folder of the actor's views. */
  readonly level: string
}

let made = 0

/** An original, created by `prepare`, and copies of it. */
export function createRepositoryCopies(t: CleanUp) {
  const sandbox = createSandbox(t)
  const original = join(sandbox.dir, 'original')
  const issues = { one: '', two: '' }

  async function prepare(): Promise<void> {
    const { run } = commandRunner({ cwd: original, env: sandbox.environment })
    sandbox.git(sandbox.dir, 'init', '-q', '--bare', '--template=', 'origin.git')
    sandbox.git(sandbox.dir, 'init', '-q', '-b', 'main', '--template=', original)
    sandbox.git(original, 'remote', 'add', 'origin', join(sandbox.dir, 'origin.git'))
    for (const title of ['one', 'two'] as const) {
      issues[title] = ((await run('issue create', { title })) as { issue_id: string }).issue_id
    }
    await run('issue comment', { issue: issues.one, body: 'hello' })
    await run('sync')
  }

  function newCopy(): RepositoryCopy {
    const path = join(sandbox.dir, `copy-${made++}`)
    cpSync(original, path, { recursive: true, preserveTimestamps: true })
    const as = (options: Partial<RunnerOptions>) => commandRunner({ cwd: path, env: sandbox.environment, ...options })
    const own = as({})
    const [actor = ''] = readdirSync(join(path, '.git/grite/actors'))
    const level = join(path, '.git/grite/actors', actor, 'level')
    return {
      ...sandbox,
      ...own,
      path,
      gitDir: join(path, '.git'),
      actor,
      issues,
      level,
      as,
      inside: (...args) => sandbox.git(path, ...args),
      append: (...events) =>
        own.withRepository(async ({ git }) => {
          const parent = await git.readRef(walRef)
          const next = await writeBatch(git, batchOf(events), parent)
          const update = { ref: walRef, expected: parent, next, reflogMessage: 'grite: test', keepsReflog: true }
          await git.publish({ objects: [], updates: [update] })
          return next
        }),
      async inStore(work) {
        const store = await openDiskStore(join(level, '1'), { create: false })
        await work(store)
        await store.close()
      },
    }
  }

  return { prepare, newCopy }
}

export interface Diagnosis {
  readonly exitStatus: number
  readonly checks: readonly CheckResult[]
  readonly applied: readonly string[]
  /** Status of every check that does not pass, by id. */
  readonly wrong: Readonly<Record<string, string>>
  of(id: string): CheckResult
}

export async function diagnose(runner: CommandRunner, input: { readonly fix?: boolean } = {}): Promise<Diagnosis> {
  const { data, exitStatus = 0 } = await runner.outcome('doctor', input)
  const { checks, applied } = data as Pick<Diagnosis, 'checks' | 'applied'>
  return {
    exitStatus,
    checks,
    applied,
    wrong: Object.fromEntries(checks.filter(({ status }) => status !== 'ok').map(({ id, status }) => [id, status])),
    of(id) {
      const found = checks.find((check) => check.id === id)
      assert.ok(found, id)
      return found
    },
  }
}

/** Everything below a folder: kind, time of the last change, content. */
export function listing(folder: string): Record<string, string> {
  const all: Record<string, string> = {}
  const walk = (path: string, name: string) => {
    const found = lstatSync(path)
    const kind = found.isDirectory() ? 'folder' : found.isSymbolicLink() ? `link to ${readlinkSync(path)}` : 'file'
    const content = found.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''
    all[name] = [kind, found.mode, found.mtimeMs, content].join(' ')
    if (found.isDirectory()) for (const each of readdirSync(path)) walk(join(path, each), `${name}/${each}`)
  }
  walk(folder, '')
  return all
}

/** Writes a file or makes a folder, dated an hour ago. */
export function leave(path: string, content: string | null = ''): void {
  if (content === null) mkdirSync(path, { recursive: true })
  else writeFileSync(path, content)
  const hourAgo = Date.now() / 1000 - 3600
  utimesSync(path, hourAgo, hourAgo)
}
