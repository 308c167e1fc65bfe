import type { ChildProcess } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'
import { GitError } from '../model/errors/index.ts'

/** Objects read in this process before others have their turn: signals are noticed only then. */
const turnObjects = 256

/** What is being read from a repository, so that it ends at once when the process is to end. */
export class Reads {
  readonly #children = new Set<ChildProcess>()
  #isStopped = false
  /** Whether git's own export of the history may be taken; not once it came to a commit that it gets lost in. */
  mayExport = true
  #objects = 0

  /** Ends a process of git with `stop`. */
  watch(child: ChildProcess): void {
    this.#children.add(child)
    child.once('close', () => this.#children.delete(child))
    if (this.#isStopped) child.kill()
  }

  /** A caller that waits for what is being read gets an error, now or with the next object. */
  stop(): void {
    this.#isStopped = true
    for (const child of this.#children) child.kill()
  }

  /** @throws {GitError} when reading was stopped */
  requireGoing(): void {
    if (this.#isStopped) throw new GitError('reading the repository was stopped')
  }

  /** As `requireGoing`, after each of many objects that are read without waiting. */
  async afterObject(): Promise<void> {
    this.#objects += 1
    if (this.#objects % turnObjects === 0) await setImmediate()
    this.requireGoing()
  }
}
