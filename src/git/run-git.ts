import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import { GitError } from '../model/errors/index.ts'
import { classifyGitFailure, type GitFailure } from './classify-git-failure.ts'
import { type Environment, locateGit } from './locate-git.ts'
import type { RepositoryLayout } from './port.ts'

/** Bytes of git's stderr to keep; a fetch prints endless progress. */
const stderrBytesMax = 64 * 1024
/** Default size limit of an answer held in memory. */
const stdoutBytesMaxDefault = 256 * 1024 * 1024

/** Runs the git program on one repository. Starts nothing until used. */
export interface GitRunner {
  /** The program that will run. @throws {GitNotFoundError} */
  locate(): string
  /** Runs git to its end; a status in `okStatuses` (default 0) is a result, any other throws its classification. */
  run(args: readonly string[], options?: RunGitOptions): Promise<GitResult>
  /** Starts git with pipes; the caller owns the process. */
  start(args: readonly string[], options?: StartGitOptions): Promise<StartedGit>
  /** Starts git detached: in its own process group, without input and output. */
  startDetached(args: readonly string[]): Promise<void>
}

export interface RunGitOptions {
  /** Bytes or a stream for stdin; empty by default. */
  readonly input?: Uint8Array | readonly Uint8Array[] | Readable
  readonly okStatuses?: readonly number[]
  readonly stdoutBytesMax?: number
  /** Receives each piece of stderr as it arrives, for progress. */
  readonly onStderr?: (text: string) => void
  readonly signal?: AbortSignal
  /** For a command that prints nothing there: no pipe is made. */
  readonly stdout?: 'ignore'
  /** Added to the environment. */
  readonly environment?: Environment
  readonly cwd?: string
  /** Receives the process as soon as it runs. */
  readonly onStart?: (child: ChildProcess) => void
}

export interface StartGitOptions {
  /** stdin of git: our pipe, or the stdout of another process, which git then reads directly. */
  readonly stdin?: 'pipe' | 'ignore' | Readable
  /** Descriptor of a file for stdout; default our pipe. */
  readonly stdout?: number | 'ignore' | undefined
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
 * @param layout - the repository that commands use; null for commands that find it themselves (`cwd` given)
 * @param suspects - before a repository is found: folders that may belong to it
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
      stdio: [options.stdin ?? 'pipe', options.stdout ?? 'pipe', 'pipe'],
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
      // git's working directory; a process that outlives this one keeps no other folder busy.
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

// Drops variables that would point git at another repository or change the meaning of objects.
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
  // A relative path was relative to where the command was started.
  if (environment.GIT_OBJECT_DIRECTORY) result.GIT_OBJECT_DIRECTORY = layout.objectDir
  if (layout.commonDir !== layout.gitDir) result.GIT_COMMON_DIR = layout.commonDir
  // `info/grafts` would hide parents, as replace refs would. git warns about any graft file that it can open.
  result.GIT_GRAFT_FILE = '/dev/null/none'
  return result
}

/** For read-only commands: a partial clone must not start to fetch (GIT_NO_LAZY_FETCH is known since git 2.44). */
export const noLazyFetch: Environment = { GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: 'none' }

function watchEnd(
  child: ChildProcess,
  args: readonly string[],
  onStderr?: (text: string) => void,
): Promise<GitFailure> {
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    // The end says why git failed; earlier progress may be dropped.
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
  if (child.stdout === null) return Promise.resolve(Buffer.alloc(0))
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

// git may exit before it has read everything; its message is on stderr, so a broken pipe is ignored.
async function feed(child: ChildProcess, input: Uint8Array | readonly Uint8Array[] | Readable): Promise<void> {
  const stdin = child.stdin
  if (stdin === null) return
  const { Readable, promises } = await import('node:stream')
  stdin.on('error', () => {})
  const source = input instanceof Uint8Array ? [input] : input
  await promises
    .pipeline(source instanceof Readable ? source : Readable.from(source), stdin)
    .catch((error: NodeJS.ErrnoException) => {
      // The stream ends with the error of a broken pipe, too.
      const isBroken = error.code === 'EPIPE' || error.code === 'ECONNRESET'
      if (input instanceof Readable && input.errored && !isBroken) throw error
    })
}
