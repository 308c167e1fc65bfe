/** The daemon of a repository, as the `daemon` commands see it. */
import { endpointPath } from '../../daemon/ownership.ts'
import { isOwnerDead, ownerFileAt } from '../../git/index.ts'
import { ask, DaemonConnection, type Endpoint, readEndpoint, type WireMap } from '../../ipc/index.ts'
import type { GritePaths } from '../../tracker/local/paths.ts'

export interface FoundDaemon {
  readonly endpoint: Endpoint
  readonly connection: DaemonConnection
}

/** The living daemon of a repository; undefined when there is none, or none that answers. */
export async function findDaemon(paths: Pick<GritePaths, 'home'>): Promise<FoundDaemon | undefined> {
  const path = endpointPath(paths.home)
  const endpoint = readEndpoint(path)
  if (endpoint === undefined || isOwnerDead(endpoint, ownerFileAt(path))) return undefined
  const connection = await DaemonConnection.open(endpoint.socket, '').catch(() => undefined)
  return connection && { endpoint, connection }
}

/** What a daemon says of itself. @throws {IpcError} when it does not answer */
export async function askStatus(connection: DaemonConnection): Promise<WireMap> {
  return (await connection.ask(ask.status)) as WireMap
}
