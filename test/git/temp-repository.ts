import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
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

/** Kinds that contain no absolute path and so can be copied: ten times faster than five git processes. */
const copyableKinds: readonly RepositoryKind[] = ['plain', 'bare', 'packed', 'sha256', 'reftable']
const originals = new Map<RepositoryKind, string>()

function copyOrMakeRepository(sandbox: Sandbox, kind: RepositoryKind): string {
  if (!copyableKinds.includes(kind)) return makeRepository(sandbox, kind)
  let original = originals.get(kind)
  if (original === undefined) {
    const made = createSandbox({ after: (callback) => process.once('exit', () => void callback()) })
    original = makeRepository(made, kind)
    originals.set(kind, original)
  }
  const path = join(sandbox.dir, 'repository')
  cpSync(original, path, { recursive: true, preserveTimestamps: true })
  return path
}

function makeRepository(sandbox: Sandbox, kind: RepositoryKind): string {
  const { dir, git } = sandbox
  const main = join(dir, 'repository')
  // Without the template's twenty files, git init is three times faster.
  const init = ['-c', 'init.defaultBranch=main', 'init', '-q', '--template=']
  switch (kind) {
    case 'plain':
      git(dir, ...init, main)
      commitFile(sandbox, main)
      return main
    case 'bare':
      git(dir, ...init, '--bare', main)
      return main
    case 'linked work tree':
      git(dir, ...init, main)
      commitFile(sandbox, main)
      git(main, 'worktree', 'add', '-q', join(dir, 'linked'))
      return join(dir, 'linked')
    case 'packed':
      git(dir, ...init, main)
      commitFile(sandbox, main)
      git(main, 'gc', '-q')
      git(main, 'pack-refs', '--all')
      return main
    case 'alternates':
      git(dir, ...init, join(dir, 'source'))
      commitFile(sandbox, join(dir, 'source'))
      git(dir, 'clone', '-q', '--shared', join(dir, 'source'), main)
      return main
    case 'sha256':
      git(dir, ...init, '--object-format=sha256', main)
      commitFile(sandbox, main)
      return main
    case 'reftable':
      git(dir, ...init, '--ref-format=reftable', main)
      commitFile(sandbox, main)
      return main
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
