/** Runs the built command line as real processes in a sandbox isolated from the user's settings. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type CleanUp, createEmptyRepository, createSandbox, type Sandbox } from '../git/temp-repository.ts'
import { createTwinSandbox, startTwinOnce } from '../support/daemon-twin.ts'
import { runInThread } from './line-thread.ts'

/** The output of `npm run build`; `npm test` builds it first. */
export const gritePath = fileURLToPath(new URL('../../dist/grite.cjs', import.meta.url))

export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
}

/** A repository with functions that run grite in it. */
export interface GriteSandbox extends Sandbox {
  readonly path: string
  /** Runs `grite` with these words until it exits. */
  grite(...words: readonly string[]): Outcome
  griteWith(options: RunOptions, ...words: readonly string[]): Outcome
  /** Runs `grite … --json` and returns the data. Throws when it fails or warns. */
  data(...words: readonly string[]): Json
  /** Starts `grite` without waiting for its exit. */
  start(...words: readonly string[]): ChildProcessWithoutNullStreams
  /** Returns the head commit of the log; null before the first write. */
  head(): string | null
  /** The same in another directory of the sandbox. */
  inDirectory(path: string): GriteSandbox
  /** Creates an issue and returns its id. */
  create(title: string, ...words: readonly string[]): string
}

// biome-ignore lint/suspicious/noExplicitAny: parsed output, whose shape is what the tests assert
export type Json = any

/** Time after which a process counts as hanging. */
const runMsMax = 60_000

/**
 * With GRITE_TEST_TWIN=daemon, every sandbox has a daemon, so that the same tests run through it (`test/long/twins-*`).
 * @param init - options for `git init`; none for a plain repository
 */
export function createGriteSandbox(t: CleanUp, ...init: readonly string[]): GriteSandbox {
  const { sandbox, path } = createTwinnedRepository(t, init)
  return griteIn(sandbox, path)
}

/** As `createGriteSandbox`, for tests of what a line answers: lines run in a thread of this process, but not in a twin. */
export function createLineSandbox(t: CleanUp, ...init: readonly string[]): GriteSandbox {
  const { sandbox, path } = createTwinnedRepository(t, init)
  return isTwin ? griteIn(sandbox, path) : griteIn(sandbox, path, runInThread)
}

const isTwin = process.env.GRITE_TEST_TWIN === 'daemon'

function createTwinnedRepository(t: CleanUp, init: readonly string[]) {
  const sandbox = isTwin ? createTwinSandbox(t) : createSandbox(t)
  const path = `${sandbox.dir}/repository`
  if (init.length === 0) createEmptyRepository(path)
  else sandbox.git(sandbox.dir, 'init', '-q', '-b', 'main', '--template=', ...init, path)
  return { sandbox, path }
}

/** Runs a line of grite until it ends. */
export type RunLine = (
  words: readonly string[],
  at: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly stdin: string },
) => Outcome

const runProcess: RunLine = (words, { cwd, env, stdin }) => {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [gritePath, ...words], {
    ...{ cwd, env, input: stdin, encoding: 'utf8', timeout: runMsMax, maxBuffer: 1 << 28 },
  })
  if (error !== undefined) throw error
  return { status, stdout, stderr }
}

/** Runs grite in another directory of the sandbox. */
export function griteIn(sandbox: Sandbox, path: string, runLine: RunLine = runProcess): GriteSandbox {
  const griteWith = (options: RunOptions, ...words: readonly string[]): Outcome => {
    startTwinOnce(sandbox, path)
    const { cwd = path, env, stdin = '' } = options
    return runLine(words, { cwd, env: { ...sandbox.environment, ...env }, stdin })
  }
  const grite = (...words: readonly string[]) => griteWith({}, ...words)
  const data = (...words: readonly string[]) => {
    const { status, stdout, stderr } = grite(...words, '--json')
    if (status !== 0 || stderr !== '') throw new Error(`grite ${words.join(' ')}: exit ${status}\n${stderr}`)
    const { data, warnings } = JSON.parse(stdout)
    if (warnings !== undefined) throw new Error(`grite ${words.join(' ')} warned: ${JSON.stringify(warnings)}`)
    return data
  }
  return {
    ...sandbox,
    path,
    grite,
    griteWith,
    data,
    inDirectory: (path) => griteIn(sandbox, path, runLine),
    start(...words) {
      startTwinOnce(sandbox, path)
      return spawn(process.execPath, [gritePath, ...words], { cwd: path, env: sandbox.environment })
    },
    head() {
      const found = spawnSync('git', ['rev-parse', '-q', '--verify', 'refs/grite/wal'], {
        cwd: path,
        env: sandbox.environment,
        encoding: 'utf8',
      })
      return found.status === 0 ? found.stdout.trim() : null
    },
    create: (title, ...words) => data('issue', 'create', `--title=${title}`, ...words).issue_id,
  }
}

/** Returns the error of a failed command; throws unless standard output is empty and standard error is one envelope. */
export function readFailure({ status, stdout, stderr }: Outcome): Json & { readonly status: number } {
  if (stdout !== '') throw new Error(`a failure wrote to standard output: ${stdout.slice(0, 200)}`)
  const envelope = JSON.parse(stderr)
  if (envelope.schema_version !== 1 || envelope.ok !== false)
    throw new Error(`not the envelope of a failure: ${stderr}`)
  return { status, ...envelope.error }
}
