import { ask, DaemonConnection, endpointName, readEndpoint } from '../ipc/index.ts'
import type { GritePaths } from './local/paths.ts'

/** A daemon waits 200 ms for its readers, and closes a view within 100 ms. Milliseconds. */
const yieldMsMax = 400

/** Asks the daemon of this user, if there is one, to close a view for a moment. Never throws. */
export async function askDaemonToYield({ home }: GritePaths, folder: string): Promise<void> {
  const name = endpointName()
  const endpoint = name === undefined ? undefined : readEndpoint(`${home}/${name}`)
  if (endpoint === undefined || endpoint.pid === process.pid) return
  try {
    const connection = await DaemonConnection.open(endpoint.socket, '', yieldMsMax)
    try {
      await connection.ask(ask.yield, folder)
    } finally {
      connection.close()
    }
  } catch {
    // It has ended or does not answer. The caller keeps polling for the view.
  }
}
