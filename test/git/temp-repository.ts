import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRepository } from '../../src/git/discover.ts'
import type { RepositoryLayout } from '../../src/git/port.ts'
import { whyGitLacks } from './git-features.ts'

/** Registers clean-ups of a test: the context of node:test, or an object like it. */
export interface CleanUp {
  after(callback: () => void | Promise<void>): void
}

/** A temporary directory with its own HOME, without system configuration, and with a fixed identity and clock. */
export interface Sandbox {
  readonly dir: string
  readonly environment: Readonly<Record<string, string>>
  /** Runs git in a directory of the sandbox and returns its output without the last newline. */
  git(cwd: string, ...args: readonly string[]): string
  /** As `git`, with bytes for stdin. */
  gitWith(input: string | Uint8Array, cwd: string, ...args: readonly string[]): string
}

export function createSandbox(t: CleanUp): Sandbox {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'grite-git-')))
  t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }))
  const home = join(dir, 'home')
  mkdirSync(home)
  const environment = hermeticEnvironment(home)
  const gitWith = (input: string | Uint8Array, cwd: string, ...args: readonly string[]) =>
    execFileSync('git', args, {
      cwd,
      env: environment,
      input,
      encoding: 'utf8',
      stdio: 'pipe',
      maxBuffer: 1 << 30,
    }).replace(/\n$/, '')
  return { dir, environment, gitWith, git: (cwd, ...args) => gitWith('', cwd, ...args) }
}

function hermeticEnvironment(home: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    TMPDIR: process.env.TMPDIR ?? '/tmp',
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    // A background process could still run when the directory is removed.
    GRITE_NO_MAINTENANCE: '1',
    // Tests of the daemon start their own.
    GRITE_NO_DAEMON: '1',
    GIT_AUTHOR_NAME: 'Test Author',
    GIT_AUTHOR_EMAIL: 'author@example.com',
    GIT_AUTHOR_DATE: '@1700000000 +0000',
    GIT_COMMITTER_NAME: 'Test Committer',
    GIT_COMMITTER_EMAIL: 'committer@example.com',
    GIT_COMMITTER_DATE: '@1700000000 +0000',
  }
}

export const repositoryKinds = [
  'plain',
  'bare',
  'linked work tree',
  'packed',
  'alternates',
  'sha256',
  'reftable',
] as const
export type RepositoryKind = (typeof repositoryKinds)[number]

export interface TempRepository extends Sandbox {
  /** Working directory for commands: the top of the work tree, or the bare repository. */
  readonly path: string
  readonly layout: RepositoryLayout
  /** Runs git in `path`. */
  run(...args: readonly string[]): string
}

/** Makes a repository of a kind, with one commit on `main` unless it is bare. Removed when the test ends. */
export async function createTempRepository(t: CleanUp, kind: RepositoryKind = 'plain'): Promise<TempRepository> {
  const sandbox = createSandbox(t)
  const path = copyOrMakeRepository(sandbox, kind)
  const layout = await findRepository({ cwd: path, env: sandbox.environment })
  return { ...sandbox, path, layout, run: (...args) => sandbox.git(path, ...args) }
}

/** Creates a repository without commits at a path, with the branch `main`: a copy, ten times faster than `git init`. */
export function createEmptyRepository(path: string, kind: 'plain' | 'bare' = 'plain'): void {
  let original = empty.get(kind)
  if (original === undefined) {
    const sandbox = createLastingSandbox()
    original = join(sandbox.dir, 'repository')
    sandbox.git(sandbox.dir, ...init, ...(kind === 'bare' ? ['--bare'] : []), original)
    empty.set(kind, original)
  }
  cpSync(original, path, { recursive: true, preserveTimestamps: true })
}

const empty = new Map<'plain' | 'bare', string>()

/** Removed when the process ends. */
const createLastingSandbox = (): Sandbox =>
  createSandbox({ after: (callback) => process.once('exit', () => void callback()) })

/** Without the template's twenty files, git init is three times faster. */
const init = ['-c', 'init.defaultBranch=main', 'init', '-q', '--template=']

const originals = new Map<RepositoryKind, Sandbox>()

/** Copies a repository made before: ten times faster than five git processes. */
function copyOrMakeRepository(sandbox: Sandbox, kind: RepositoryKind): string {
  let original = originals.get(kind)
  if (original === undefined) {
    original = createLastingSandbox()
    makeRepository(original, kind)
    originals.set(kind, original)
  }
  for (const name of readdirSync(original.dir)) {
    if (name === 'home') continue
    cpSync(join(original.dir, name), join(sandbox.dir, name), { recursive: true, preserveTimestamps: true })
  }
  for (const name of filesWithPaths[kind] ?? []) {
    const path = join(sandbox.dir, name)
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(original.dir, sandbox.dir))
  }
  return join(sandbox.dir, kind === 'linked work tree' ? 'linked' : 'repository')
}

/** Files of a kind that contain absolute paths. */
const filesWithPaths: Partial<Record<RepositoryKind, readonly string[]>> = {
  'linked work tree': ['linked/.git', 'repository/.git/worktrees/linked/gitdir'],
  alternates: ['repository/.git/config', 'repository/.git/objects/info/alternates'],
}

function makeRepository(sandbox: Sandbox, kind: RepositoryKind): void {
  const { dir, git } = sandbox
  const main = join(dir, 'repository')
  switch (kind) {
    case 'plain':
      git(dir, ...init, main)
      commitFile(sandbox, main)
      return
    case 'bare':
      git(dir, ...init, '--bare', main)
      return
    case 'linked work tree':
      git(dir, ...init, main)
      commitFile(sandbox, main)
      git(main, 'worktree', 'add', '-q', join(dir, 'linked'))
      return
    case 'packed':
      git(dir, ...init, main)
      commitFile(sandbox, main)
      git(main, 'gc', '-q')
      git(main, 'pack-refs', '--all')
      return
    case 'alternates':
      git(dir, ...init, join(dir, 'source'))
      commitFile(sandbox, join(dir, 'source'))
      git(dir, 'clone', '-q', '--shared', join(dir, 'source'), main)
      return
    case 'sha256':
      git(dir, ...init, '--object-format=sha256', main)
      commitFile(sandbox, main)
      return
    case 'reftable':
      git(dir, ...init, '--ref-format=reftable', main)
      commitFile(sandbox, main)
      return
  }
}

function commitFile({ git }: Sandbox, path: string): void {
  writeFileSync(join(path, 'README'), 'a repository for a test\n')
  git(path, 'add', 'README')
  git(path, 'commit', '-q', '-m', 'first')
}

/** Returns the reason why the installed git cannot make this kind of repository; null when it can. */
export function whyNotMakeable(kind: RepositoryKind): string | null {
  return (kind === 'reftable' && whyGitLacks('the reftable format')) || null
}
