import type { ChildProcess } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'
import { GitError } from '../model/errors/index.ts'

/** Objects read before yielding to the event loop: signals are handled only then. */
const yieldObjects = 256

/** The running reads of a repository, so that they end at once when the process must end. */
export class Reads {
  readonly #children = new Set<ChildProcess>()
  #isStopped = false
  /** Whether git's own export of the history may be used; not after a commit on which it gets lost. */
  mayExport = true
  #objects = 0

  /** Registers a git process for `stop` to end. */
  watch(child: ChildProcess): void {
    this.#children.add(child)
    child.once('close', () => this.#children.delete(child))
    if (this.#isStopped) child.kill()
  }

  /** Makes waiting readers fail, now or at the next object. */
  stop(): void {
    this.#isStopped = true
    for (const child of this.#children) child.kill()
  }

  /** @throws {GitError} after `stop` */
  requireGoing(): void {
    if (this.#isStopped) throw new GitError('reading the repository was stopped')
  }

  /** Like `requireGoing`, after each of many objects that are read synchronously. */
  async afterObject(): Promise<void> {
    this.#objects += 1
    if (this.#objects % yieldObjects === 0) await setImmediate()
    this.requireGoing()
  }
}
