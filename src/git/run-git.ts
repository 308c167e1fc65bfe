import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import { GitError } from '../model/errors/index.ts'
import { classifyGitFailure, type GitFailure } from './classify-git-failure.ts'
import { type Environment, locateGit } from './locate-git.ts'
import type { RepositoryLayout } from './port.ts'

/** Kept of what git prints on stderr; a fetch prints progress without end. */
const stderrBytesMax = 64 * 1024
/** Default bound of an answer that is kept in memory. */
const stdoutBytesMaxDefault = 256 * 1024 * 1024

/** Runs the git program on one repository. Starts nothing until asked. */
export interface GitRunner {
  /** The program that will run. @throws {GitNotFoundError} */
  locate(): string
  /** Runs to the end; a status in `okStatuses` (default 0) is a result, any other throws its classification. */
  run(args: readonly string[], options?: RunGitOptions): Promise<GitResult>
  /** Starts git with pipes; the caller owns the process. */
  start(args: readonly string[], options?: StartGitOptions): Promise<StartedGit>
  /** Starts git in a process group of its own, without input and output, and lets go of it. */
  startDetached(args: readonly string[]): Promise<void>
}

export interface RunGitOptions {
  /** Bytes or a stream for stdin; none means an empty one. */
  readonly input?: Uint8Array | readonly Uint8Array[] | Readable
  readonly okStatuses?: readonly number[]
  readonly stdoutBytesMax?: number
  /** Each piece of stderr as it comes, for progress. */
  readonly onStderr?: (text: string) => void
  readonly signal?: AbortSignal
  /** Added to the environment. */
  readonly environment?: Environment
  readonly cwd?: string
  /** Gets the process as soon as it runs. */
  readonly onStart?: (child: ChildProcess) => void
}

export interface StartGitOptions {
  /** What git reads: a pipe of ours, or the stdout of another process, which git then reads without us. */
  readonly stdin?: 'pipe' | 'ignore' | Readable
  readonly onStderr?: (text: string) => void
  readonly signal?: AbortSignal
  readonly environment?: Environment
  readonly cwd?: string
}

export interface GitResult {
  readonly exitStatus: number
  readonly stdout: Buffer
  readonly stderr: string
}

export interface StartedGit {
  readonly child: ChildProcess
  /** Settles when the process is gone and its pipes are closed; never rejects. */
  readonly ended: Promise<GitFailure>
}

/**
 * Builds a runner.
 *
 * @param layout - the repository commands run in; null for commands that find it themselves (`cwd` given)
 * @param suspects - of a repository that is not found yet, folders that may belong to it
 */
export function createGitRunner(
  layout: RepositoryLayout | null,
  environment: Environment,
  suspects: readonly string[] = [],
): GitRunner {
  const childEnvironment = gitEnvironment(layout, environment)
  const roots =
    layout === null ? suspects : [layout.commonDir, layout.gitDir, ...(layout.workTree ? [layout.workTree] : [])]
  let program: string | undefined

  function locate(): string {
    program ??= locateGit(environment, roots)
    return program
  }

  async function start(args: readonly string[], options: StartGitOptions = {}): Promise<StartedGit> {
    const { spawn } = await import('node:child_process')
    const child = spawn(locate(), [...args], {
      cwd: options.cwd ?? layout?.commonDir,
      env: { ...childEnvironment, ...options.environment },
      stdio: [options.stdin ?? 'pipe', 'pipe', 'pipe'],
      signal: options.signal,
      windowsHide: true,
    })
    return { child, ended: watchEnd(child, args, options.onStderr) }
  }

  async function run(args: readonly string[], options: RunGitOptions = {}): Promise<GitResult> {
    const { input, okStatuses = [0], stdoutBytesMax = stdoutBytesMaxDefault } = options
    const { child, ended } = await start(args, { ...options, stdin: input === undefined ? 'ignore' : 'pipe' })
    options.onStart?.(child)
    const collected = collect(child, args, stdoutBytesMax)
    if (input !== undefined) await feed(child, input)
    const [stdout, end] = await Promise.all([collected, ended])
    if (end.exitStatus === null || !okStatuses.includes(end.exitStatus)) throw classifyGitFailure(end)
    return { exitStatus: end.exitStatus, stdout, stderr: end.stderr }
  }

  async function startDetached(args: readonly string[]): Promise<void> {
    const { spawn } = await import('node:child_process')
    const child = spawn(locate(), [...args], {
      // The folder that git is to work on; nothing else stays in use by a process that outlives this one.
      cwd: layout?.commonDir,
      env: childEnvironment,
      stdio: 'ignore',
      detached: true,
      windowsHide: true,
    })
    child.once('error', () => {})
    child.unref()
  }

  return { locate, run, start, startDetached }
}

// Variables that would point git at another repository, or change what objects are, are replaced.
const dropped = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_COMMON_DIR',
  'GIT_NAMESPACE',
  'GIT_PREFIX',
  'GIT_GRAFT_FILE',
  'GIT_SHALLOW_FILE',
  'GIT_REPLACE_REF_BASE',
  'GIT_QUARANTINE_PATH',
]

function gitEnvironment(layout: RepositoryLayout | null, environment: Environment): Record<string, string | undefined> {
  const result: Record<string, string | undefined> = { ...environment, LC_ALL: 'C', GIT_NO_REPLACE_OBJECTS: '1' }
  if (layout === null) return result
  for (const name of dropped) delete result[name]
  result.GIT_DIR = layout.gitDir
  // A relative one was meant from where the command was started.
  if (environment.GIT_OBJECT_DIRECTORY) result.GIT_OBJECT_DIRECTORY = layout.objectDir
  if (layout.commonDir !== layout.gitDir) result.GIT_COMMON_DIR = layout.commonDir
  // `info/grafts` would hide parents, as replace refs would. git warns of any graft file that it can open.
  result.GIT_GRAFT_FILE = '/dev/null/none'
  // It may be relative to where the command was run.
  if (environment.GIT_OBJECT_DIRECTORY) result.GIT_OBJECT_DIRECTORY = layout.objectDir
  return result
}

/** For commands that only read: a partial clone must not start to fetch (GIT_NO_LAZY_FETCH is known from git 2.44 on). */
export const noLazyFetch: Environment = { GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: 'none' }

function watchEnd(
  child: ChildProcess,
  args: readonly string[],
  onStderr?: (text: string) => void,
): Promise<GitFailure> {
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    // The end says why git failed; progress before it may go.
    stderr = (stderr + text).slice(-stderrBytesMax)
    onStderr?.(text)
  })
  return new Promise((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined)
        resolve({ args, exitStatus: null, signal: null, stderr: `${stderr}${error.message}` })
    })
    child.once('close', (exitStatus, signal) => resolve({ args, exitStatus, signal, stderr }))
  })
}

function collect(child: ChildProcess, args: readonly string[], bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= bytesMax) {
        chunks.push(chunk)
        return
      }
      child.kill()
      reject(new GitError(`git ${args[0]} answered with more than ${bytesMax} bytes`))
    })
    child.stdout?.once('error', reject)
    child.stdout?.once('close', () => resolve(Buffer.concat(chunks)))
  })
}

// git may end before it has read everything; what it says then is on stderr, so a broken pipe is no news.
async function feed(child: ChildProcess, input: Uint8Array | readonly Uint8Array[] | Readable): Promise<void> {
  const stdin = child.stdin
  if (stdin === null) return
  const { Readable, promises } = await import('node:stream')
  stdin.on('error', () => {})
  const source = input instanceof Uint8Array ? [input] : input
  await promises
    .pipeline(source instanceof Readable ? source : Readable.from(source), stdin)
    .catch((error: unknown) => {
      if (input instanceof Readable && input.errored) throw error
    })
}
