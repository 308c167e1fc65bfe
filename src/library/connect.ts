import { setTimeout as sleep } from 'node:timers/promises'
import { findRepository } from '../git/index.ts'
import { buildId, DaemonConnection, endpointName, readEndpoint, spawnDaemon } from '../ipc/index.ts'
import { IpcError } from '../model/errors/index.ts'
import { DaemonSession } from './daemon-session.ts'
import { type Effects, fillIn, type RepositoryOptions } from './options.ts'
import { Repository } from './repository.ts'
import type { CommandSession } from './session.ts'

/** How to reach the daemon of a repository. The daemon has a clock and randomness of its own. */
export interface ConnectOptions extends Omit<RepositoryOptions, 'clock' | 'random'> {
  /** Whether to start a daemon where none runs. Default true. */
  readonly start?: boolean | undefined
  /** The grite program that is started; default: the one that this library belongs to. */
  readonly program?: string | undefined
}

/** A daemon that has not answered after this time has failed. Milliseconds. */
const startMsMax = 5_000
const pollMs = 20

export async function connectSession(
  options: ConnectOptions,
  openLocal: (effects: Effects) => Promise<CommandSession>,
): Promise<Repository> {
  const effects = fillIn(options)
  const { cwd, env } = effects
  const { commonDir, workTree } = await findRepository({ cwd, env })
  const find = () => findDaemon(commonDir)
  const connection = (await find()) ?? (await startAndFind(options, workTree ?? commonDir, find))
  if (connection === undefined) {
    throw new IpcError(`no daemon runs for ${commonDir}`, {
      details: { repository: commonDir },
      hints: ['Run `grite daemon start`, or call openRepository(), which needs none'],
    })
  }
  return new Repository(new DaemonSession({ effects, connect: find, openLocal: () => openLocal(effects) }, connection))
}

/** The daemon of this build; undefined when there is none. */
export async function findDaemon(commonDir: string): Promise<DaemonConnection | undefined> {
  const name = endpointName()
  const endpoint = name === undefined ? undefined : readEndpoint(`${commonDir}/grite/${name}`)
  if (endpoint === undefined) return undefined
  const connection = await DaemonConnection.open(endpoint.socket, buildId).catch(() => undefined)
  // Calls keep the program running, an idle connection does not.
  connection?.unref()
  return connection
}

async function startAndFind(
  { start = true, program = programBeside(), env = process.env }: ConnectOptions,
  directory: string,
  find: () => Promise<DaemonConnection | undefined>,
): Promise<DaemonConnection | undefined> {
  if (!start || program === undefined || spawnDaemon({ program, directory, env }) === undefined) return undefined
  for (let waitedMs = 0; waitedMs < startMsMax; waitedMs += pollMs) {
    await sleep(pollMs)
    const connection = await find()
    if (connection !== undefined) return connection
  }
  return undefined
}

/** In `dist/`, library and program are in one folder. */
function programBeside(): string | undefined {
  return typeof __dirname === 'undefined' ? undefined : `${__dirname}/grite.cjs`
}
