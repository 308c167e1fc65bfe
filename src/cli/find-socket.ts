/**
 * Looks for a daemon at the start of every line (docs/ipc.md, Finding the daemon). The build puts this into the loader itself:
 * Node takes longer to find and compile one more file than this takes to run.
 */
import { endpointName, guessCommonDir, readEndpoint } from '../ipc/endpoint.ts'
import { refusesDaemon } from '../ipc/refuses-daemon.ts'

/** The socket of the daemon that may serve this line; undefined for none. */
export function findSocket(argv: readonly string[], env: NodeJS.ProcessEnv): string | undefined {
  if (refusesDaemon(argv, env)) return undefined
  const name = endpointName()
  const cwd = currentDirectory()
  if (name === undefined || cwd === undefined) return undefined
  const commonDir = guessCommonDir(cwd)
  return commonDir && readEndpoint(`${commonDir}/grite/${name}`)?.socket
}

function currentDirectory(): string | undefined {
  try {
    return process.cwd()
  } catch {
    return undefined
  }
}
