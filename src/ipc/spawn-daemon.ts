/** Starts a daemon in the background: the program itself, in a session of its own, with no open files of the caller. */
import { spawn } from 'node:child_process'

/** Writes of one commit are flushed in parallel by this many threads of Node's pool. */
const flushThreads = 16

export interface SpawnOptions {
  /** Path of the program, a script for Node. */
  readonly program: string
  /** A directory in the repository. */
  readonly directory: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Seconds; undefined for the setting. */
  readonly idleTimeout?: number | undefined
}

/** Does not wait for it. @returns the pid; undefined when the process could not be started */
export function spawnDaemon({ program, directory, env, idleTimeout }: SpawnOptions): number | undefined {
  const idle = idleTimeout === undefined ? [] : ['--idle-timeout', `${idleTimeout}`]
  const words = ['--max-semi-space-size=4', program, 'daemon', 'start', '--foreground', ...idle, '--', directory]
  try {
    const child = spawn(process.execPath, words, {
      detached: true,
      stdio: 'ignore',
      cwd: '/',
      env: {
        ...env,
        UV_THREADPOOL_SIZE: env.UV_THREADPOOL_SIZE ?? `${flushThreads}`,
        // One heap of the C library for each thread would keep 20 MB that nobody uses.
        MALLOC_ARENA_MAX: env.MALLOC_ARENA_MAX ?? '1',
      },
    })
    child.on('error', () => {})
    child.unref()
    return child.pid
  } catch {
    return undefined
  }
}
