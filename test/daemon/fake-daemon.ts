/** A daemon in this process on an empty repository, whose command lines a test runs. */
import {
  type Daemon,
  type DaemonOptions,
  endpointPath,
  type Line,
  type LineEffects,
  type LineOutcome,
  type LineStreams,
  startDaemon,
} from '../../src/daemon/index.ts'
import { makeFolder } from '../../src/tracker/local/write-file-atomically.ts'
import { openSharedRepository, type SharedRepository } from '../../src/tracker/shared-repository.ts'
import { type CleanUp, createSandbox, type Sandbox } from '../git/temp-repository.ts'
import { lastFirst } from '../support/last-first.ts'
import { WireClient } from './wire-client.ts'

export interface FakeDaemon extends Sandbox {
  readonly daemon: Daemon
  readonly path: string
  readonly shared: SharedRepository
  /** Absolute path of the endpoint file. */
  readonly endpoint: string
  /** Messages of the log. */
  readonly logged: string[]
  /** A client that has said hello. */
  client(version?: number, build?: string): Promise<WireClient>
  /** A client that has said nothing. */
  connect(): Promise<WireClient>
}

export type RunFake = (line: Line, streams: LineStreams, effects: LineEffects) => Promise<LineOutcome>

/** By default a line does nothing and exits with 0. */
export async function startFakeDaemon(
  t: CleanUp,
  runLine: RunFake = async () => ({ status: 0 }),
  options: Partial<DaemonOptions> = {},
): Promise<FakeDaemon> {
  const cleanUp = lastFirst(t)
  const place = await openFakeRepository(cleanUp)
  const logged: string[] = []
  const accepting: RunFake = (line, streams, effects) => {
    streams.accept()
    return runLine(line, streams, effects)
  }
  const daemon = await startDaemon({ ...optionsFor(place.shared, logged), runLine: accepting, ...options })
  if (!('ended' in daemon)) throw new Error('another daemon is there')
  cleanUp.after(async () => {
    daemon.stop('the test is over')
    await daemon.ended
  })
  const clients: WireClient[] = []
  cleanUp.after(() => {
    for (const client of clients) client.close()
  })
  const keep = (client: WireClient) => {
    clients.push(client)
    return client
  }
  return {
    ...place,
    daemon,
    logged,
    endpoint: endpointPath(place.shared.paths.home),
    client: async (version, build) => keep(await WireClient.greet(daemon.socket, version, build)),
    connect: async () => keep(await WireClient.connect(daemon.socket)),
  }
}

export async function openFakeRepository(t: CleanUp) {
  const sandbox = createSandbox(t)
  const path = `${sandbox.dir}/repository`
  sandbox.git(sandbox.dir, 'init', '-q', '-b', 'main', '--template=', path)
  const shared = await openSharedRepository(path, { env: sandbox.environment, warn: () => {}, viewIdleMs: 50 })
  await makeFolder(shared.paths.home, shared.paths.permissions)
  return { ...sandbox, path, shared }
}

/** Options of a daemon without an environment, that does nothing and never becomes idle. */
export function optionsFor(shared: SharedRepository, logged: string[] = []): DaemonOptions {
  const note = (_facts: unknown, message: string) => void logged.push(message)
  return {
    shared,
    env: {},
    version: '0.0.0',
    log: { path: '/dev/null', info: note, warn: note },
    idleMs: 0,
    runLine: async () => ({ status: 0 }),
    clock: { nowUnixMs: Date.now },
    random: { bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) },
    interrupted: new AbortController().signal,
  }
}
