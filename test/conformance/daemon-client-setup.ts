/** Runs a client of the daemon against a fake daemon, for the conformance suite of clients. */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type CleanUp, createSandbox, type Sandbox } from '../git/temp-repository.ts'
import { type FakeConnection, startFakeDaemon } from '../support/fake-daemon.ts'

/** A program that runs a command line of grite through the daemon, as docs/ipc.md describes it. */
export interface DaemonClient {
  readonly name: string
  /**
   * Starts it, in a process group of its own. The program grite that it runs without the daemon is
   * test/native/local-grite.cjs.
   */
  start(words: readonly string[], options: StartOptions): ChildProcess
}

export interface StartOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** A command that gets the command line of the client as further words. */
  readonly wrapper: readonly string[]
  /** For `spawn`; an ignored standard input is at its end. */
  readonly stdin: 'ignore' | 'pipe' | number
}

export interface Place extends Sandbox {
  readonly repository: string
  readonly commonDir: string
  readonly socket: string
}

export interface Outcome {
  readonly status: number | null
  /** As Latin-1, so that every byte is a character. */
  readonly stdout: string
  readonly stderr: string
  /** How the client ran grite by itself; null when it did not. */
  readonly local: LocalRun | null
}

export interface LocalRun {
  readonly words: readonly string[]
  readonly rawWords: readonly string[] | null
  readonly cwd: string
  readonly request: string | null
  readonly stdin: string
}

export interface RunOptions {
  readonly words?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly wrapper?: readonly string[]
  readonly stdin?: StartOptions['stdin']
  /** Gets the running client. */
  readonly drive?: (child: ChildProcess) => void
}

export type Talk = (connection: FakeConnection) => Promise<void>

/** Exit status of test/native/local-grite.cjs. */
export const localStatus = 17
const clientMsMax = 30_000
const pauseMsMax = 200
const attemptsMax = 5

/** The git directory of a repository; clients look at nothing else. */
export function createPlace(t: CleanUp): Place {
  const sandbox = createSandbox(t)
  const repository = join(sandbox.dir, 'repository')
  const commonDir = join(repository, '.git')
  mkdirSync(join(commonDir, 'grite'), { recursive: true })
  return { ...sandbox, repository, commonDir, socket: join(sandbox.dir, 'socket of a daemon') }
}

/**
 * Runs a client to its end, and the conversation with it. Does so again if this process was too slow for a client, which waits
 * only 500 ms.
 *
 * @param options - may depend on the place
 */
export async function converse(
  t: CleanUp,
  client: DaemonClient,
  talk: Talk,
  options: RunOptions | ((place: Place) => RunOptions) = {},
): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    const place = createPlace(t)
    const daemon = await startFakeDaemon(t, place, talk)
    const outcome = await runClient(client, place, typeof options === 'function' ? options(place) : options)
    if (daemon.longestPauseMs() > pauseMsMax && attempt < attemptsMax) continue
    assert.equal(daemon.connections(), 1, `the client did not connect: ${outcome.stderr}`)
    await daemon.finish()
    return outcome
  }
}

export async function runClient(client: DaemonClient, place: Place, options: RunOptions = {}): Promise<Outcome> {
  const { words = ['list'], env = {}, cwd = place.repository, wrapper = [], stdin = 'ignore', drive } = options
  const { GRITE_NO_DAEMON: _, ...environment } = place.environment
  const child = client.start(words, { cwd, env: { ...environment, ...env }, wrapper, stdin })
  // With the processes of a wrapper.
  const timer = setTimeout(() => process.kill(-(child.pid ?? Number.NaN), 'SIGKILL'), clientMsMax)
  const output: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (bytes: Buffer) => output[name].push(bytes)).on('error', () => undefined)
  drive?.(child)
  const [status] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  const [stdout, stderr] = [output.stdout, output.stderr].map((list) => Buffer.concat(list).toString('latin1'))
  return {
    status,
    stdout: stdout ?? '',
    stderr: stderr ?? '',
    local: readLocal(stdout ?? '') ?? readLocal(stderr ?? ''),
  }
}

function readLocal(stdout: string): LocalRun | null {
  return stdout.startsWith('{"isLocal":') ? JSON.parse(Buffer.from(stdout, 'latin1').toString()) : null
}

/** Asserts that the client ran grite with the same words, and with this key in GRITE_REQUEST. */
export function assertLocal(outcome: Outcome, words: readonly string[], key: string | null): void {
  const { local, status, stderr } = outcome
  assert.deepEqual(
    [local?.words, local?.request, status, stderr],
    [words, key, localStatus, ''],
    `standard output: ${outcome.stdout}`,
  )
}

/** Asserts that the client reported the loss of the daemon after this output. */
export function assertLost(outcome: Outcome, stdout: string): void {
  assert.deepEqual([outcome.status, outcome.stdout], [6, stdout], outcome.stderr)
  assert.match(outcome.stderr, /daemon ended before the answer was complete/)
}
