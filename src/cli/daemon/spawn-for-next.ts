/**
 * Starts a daemon after a command, for the next ones: the command has finished and its output is out.
 *
 * Invariants
 * - Nothing is started where it was not wanted (CI, hooks, --no-daemon, GRITE_NO_DAEMON, `daemon.autospawn`), nor in a repository that
 *   has no actor, which grite has only read.
 * - Of many commands at once only one starts a daemon, and one that could not start is not tried again for a while: a note beside
 *   the endpoint, which the daemon removes.
 */
import { closeSync, existsSync, openSync, rmSync, statSync } from 'node:fs'
import { isOwnerDead, ownerFileAt } from '../../git/index.ts'
import { endpointName, guessCommonDir, parseEndpoint } from '../../ipc/endpoint.ts'
import { refusesDaemon } from '../../ipc/refuses-daemon.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { readTextIfThere } from './read-text-if-there.ts'

/** Milliseconds. */
const retryMs = 10 * 60_000

/** Never throws. */
export async function spawnForNext({ paths, facts, shared }: Workspace, argv: readonly string[]): Promise<void> {
  const { env } = facts
  const { CI: ci = '' } = env
  if ((ci !== '' && ci !== 'false' && ci !== '0') || refusesDaemon(argv, env)) return
  const name = endpointName()
  if (name === undefined) return
  const endpoint = `${paths.home}/${name}`
  // Clients find the daemon from a `.git` above them.
  if (guessCommonDir(facts.cwd) === undefined) return
  if (!existsSync(paths.actors) || isServed(endpoint)) return
  try {
    const { readRepoConfig } = await import('../../tracker/local/repo-config.ts')
    const note = `${endpoint}.start`
    if (!(await readRepoConfig(paths.config)).daemon.autospawn || !takeNote(note)) return
    // One that another command has started may have removed its note in between.
    if (isServed(endpoint)) {
      rmSync(note, { force: true })
      return
    }
    const { spawnDaemon } = await import('../../ipc/spawn-daemon.ts')
    spawnDaemon({ program: process.argv[1] ?? '', directory: shared.layout.workTree ?? shared.layout.commonDir, env })
  } catch {
    // A command that has done its work does not fail for it.
  }
}

/** Whether a daemon seems to be there. The pid alone does not tell: it may be that of a killed process that nobody has collected. */
function isServed(path: string): boolean {
  const endpoint = parseEndpoint(readTextIfThere(path) ?? '')
  return endpoint !== undefined && !isOwnerDead(endpoint, ownerFileAt(path)) && existsSync(endpoint.socket)
}

/** False if another process has started one, or failed to, not long ago. */
function takeNote(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found !== undefined && Math.abs(Date.now() - found.mtimeMs) < retryMs) return false
  if (found !== undefined) rmSync(path, { force: true })
  closeSync(openSync(path, 'wx', 0o600))
  return true
}
