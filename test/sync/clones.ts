/** Clones of one bare remote, all run in this process: for tests that need many. */
import assert from 'node:assert/strict'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findRepository, type GitPort, type Oid, openRepository } from '../../src/git/index.ts'
import { GriteError } from '../../src/model/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { type CleanUp, createEmptyRepository, createSandbox, type Sandbox } from '../git/temp-repository.ts'
import { type CommandRunner, commandRunner, type RunnerOptions } from '../support/command-runner.ts'
import { checkBytes, dumpStore, idsOnChain } from '../support/log.ts'

export interface Member extends CommandRunner {
  readonly path: string
  /** Runs git in the clone. */
  git(...args: readonly string[]): string
  /** Creates an issue and returns the id of its event. */
  create(title: string): Promise<string>
  sync(input?: Readonly<Record<string, unknown>>): Promise<SyncAnswer>
  /** Runs a sync that must fail, and returns its error. */
  failSync(input?: Readonly<Record<string, unknown>>): Promise<SyncFailure>
  /** Titles of its issues, sorted. */
  titles(): Promise<string[]>
  /** Event ids in its log, sorted, with repeats. */
  ids(): Promise<string[]>
  /** Head of its log; empty when it has none. */
  head(): string
  /** Codes of the warnings since the last call. */
  takeWarnings(): string[]
  /** Asserts that git and the byte checker find it sound, that it has no stray refs, and that its view equals a rebuild. */
  assertSound(): Promise<void>
  /** Asserts that its view equals a rebuild. */
  assertView(): Promise<void>
}

export interface SyncAnswer {
  readonly success: boolean
  readonly pull_events: number
  readonly push_changed: boolean
  readonly push_success: boolean
  readonly events_rebased: number
  readonly rounds: number
  readonly message: string
  readonly wal_head: string | null
}

export interface SyncFailure {
  readonly exit: number
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

export interface Clones extends Sandbox {
  readonly origin: string
  inOrigin(...args: readonly string[]): string
  /** Runs git in the remote with standard input. */
  feedOrigin(input: string | Uint8Array, ...args: readonly string[]): string
  /** Runs work on the remote's git port. */
  onOrigin<Result>(work: (git: GitPort) => Promise<Result>): Promise<Result>
  /** Creates a clone. Its remote has the given address, else the path of the remote. */
  clone(name: string, options?: CloneOptions): Member
  /** Head of the remote's log; empty when it has none. */
  originHead(): string
}

export interface CloneOptions {
  readonly address?: string | undefined
  readonly env?: Readonly<Record<string, string>>
  readonly nowUnixMs?: RunnerOptions['nowUnixMs']
  readonly gitOptions?: RunnerOptions['gitOptions']
}

export function createClones(t: CleanUp, ...init: readonly string[]): Clones {
  const sandbox = createSandbox(t)
  const { dir, git, gitWith } = sandbox
  const [origin, blank] = [join(dir, 'origin.git'), join(dir, 'blank')]
  if (init.length === 0) {
    createEmptyRepository(origin, 'bare')
    createEmptyRepository(blank)
  } else {
    git(dir, 'init', '-q', '--bare', '-b', 'main', '--template=', ...init, origin)
    git(dir, 'init', '-q', '-b', 'main', '--template=', ...init, blank)
  }
  return {
    ...sandbox,
    origin,
    inOrigin: (...args) => git(origin, ...args),
    feedOrigin: (input, ...args) => gitWith(input, origin, ...args),
    async onOrigin(work) {
      const port = openRepository(await findRepository({ cwd: origin, env: sandbox.environment }), sandbox)
      try {
        return await work(port)
      } finally {
        await port.close()
      }
    },
    clone(name, options = {}) {
      const path = join(dir, name)
      cpSync(blank, path, { recursive: true })
      const address = options.address ?? '../origin.git'
      const remote = `[remote "origin"]\n\turl = ${address}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`
      writeFileSync(join(path, '.git/config'), remote, { flag: 'a' })
      return memberIn(sandbox, path, options)
    },
    originHead: () => git(origin, 'for-each-ref', '--format=%(objectname)', walRef),
  }
}

/** Commands run in a folder that is a repository already. */
export function memberIn(sandbox: Sandbox, path: string, { env, nowUnixMs, gitOptions }: CloneOptions = {}): Member {
  const runner = commandRunner({
    cwd: path,
    env: { ...sandbox.environment, ...env },
    ...(nowUnixMs === undefined ? {} : { nowUnixMs }),
    ...(gitOptions === undefined ? {} : { gitOptions }),
  })
  const git = (...args: readonly string[]) => sandbox.git(path, ...args)
  const onGit = <Result>(work: (git: GitPort) => Promise<Result>) =>
    runner.withRepository((repository) => work(repository.git))
  const sync = async (input?: Readonly<Record<string, unknown>>) => (await runner.run('sync', input)) as SyncAnswer
  const assertView = async () => {
    const live = await runner.withRepository(async (repository) => dumpStore((await repository.view()).store))
    const rebuilt = await runner.withRepository(async (repository) => dumpStore((await repository.rebuild()).store))
    assert.deepEqual(rebuilt, live)
  }
  return {
    ...runner,
    path,
    git,
    assertView,
    sync,
    async create(title) {
      return ((await runner.run('issue create', { title })) as { event_id: string }).event_id
    },
    async failSync(input) {
      try {
        await sync(input)
      } catch (error) {
        if (!(error instanceof GriteError)) throw error
        return { exit: error.exitStatus, code: error.code, message: error.message, details: { ...error.details } }
      }
      throw new assert.AssertionError({ message: 'the sync went well' })
    },
    async titles() {
      const { issues } = (await runner.run('issue list')) as { issues: { title: string }[] }
      return issues.map(({ title }) => title).sort()
    },
    ids: () => onGit(async (port) => idsOnChain(port, (await port.readRef(walRef)) as Oid | null)),
    head: () => git('for-each-ref', '--format=%(objectname)', walRef),
    takeWarnings: () => runner.warnings.splice(0).map(({ code }) => code),
    async assertSound() {
      git('fsck', '--strict', '--no-dangling')
      checkBytes(path)
      const refs = git('for-each-ref', '--format=%(refname)').split('\n')
      assert.deepEqual(
        refs.filter((ref) => !/^refs\/(heads|remotes|grite|grite-remotes)\//.test(ref)),
        [],
      )
      await assertView()
    },
  }
}
