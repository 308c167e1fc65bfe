/**
 * Opens the repository for the calls of a server, which lives long: one port to git and one view for all of them, or the daemon of
 * the repository, where one runs.
 *
 * Invariants
 * - A repository that cannot be opened fails the call, and the next call tries again.
 * - An idle view is closed soon, so that other processes need not wait for it.
 * - A command that a daemon would leave to its caller has a repository of its own, as in a process of its own: it may run for long and
 *   start programs, and a cancelled call ends both.
 */
import type { AnyCommand } from '../commands/define-command.ts'
import { isServed } from '../commands/is-served.ts'
import type { DaemonConnection } from '../ipc/index.ts'
import { refusesDaemon } from '../ipc/refuses-daemon.ts'
import { findDaemon } from '../library/connect.ts'
import { DaemonSession } from '../library/daemon-session.ts'
import type { Effects } from '../library/options.ts'
import { type CommandSession, Session } from '../library/session.ts'
import type { CommandContext } from '../tracker/effects.ts'
import { openSharedRepository, type SharedRepository } from '../tracker/shared-repository.ts'
import { openWorkspace, type RequestFacts, Workspace } from '../tracker/workspace.ts'

/** How long an idle view stays open. Milliseconds. */
const viewIdleMs = 100

/** What a call brings with it. */
export interface CallEffects extends Pick<Effects, 'warn' | 'signal' | 'progress'> {
  /** The daemon looks only for old keys in the log, so a repeated call runs here. */
  readonly isRepeated?: boolean
}

export class RepositoryAccess {
  readonly #context: CommandContext
  readonly #directory: string
  readonly #usesDaemon: boolean
  #shared: Promise<SharedRepository> | undefined
  #connection: DaemonConnection | undefined

  /** @param directory - in the repository */
  constructor(context: CommandContext, directory: string) {
    this.#context = context
    this.#directory = directory
    this.#usesDaemon = context.noDaemon !== true && !refusesDaemon([], context.env)
  }

  /** A session for one call. @throws {NotFoundError} when there is no repository */
  async session(
    command: AnyCommand,
    input: Readonly<Record<string, unknown>>,
    { isRepeated = false, ...call }: CallEffects,
  ): Promise<CommandSession> {
    const { env, identity, clock, random } = this.#context
    const effects: Effects = { cwd: this.#directory, env, identity, clock, random, ...call }
    if (!isServed(command, input)) {
      return new Session({ open: (facts) => openUntilAborted(facts, call.signal), close: async () => {} }, effects)
    }
    const shared = await this.#open()
    const openLocal = async () =>
      new Session({ open: (facts) => new Workspace(shared, facts), close: async () => {} }, effects)
    if (!this.#usesDaemon || isRepeated) return openLocal()
    return new DaemonSession({ effects, connect: () => this.#connect(shared), openLocal })
  }

  async close(): Promise<void> {
    this.#connection?.close()
    await (await this.#shared?.catch(() => undefined))?.close()
  }

  #open(): Promise<SharedRepository> {
    if (this.#shared === undefined) {
      const { env, warn } = this.#context
      const opening = openSharedRepository(this.#directory, { env, warn, viewIdleMs })
      this.#shared = opening
      opening.catch(() => {
        this.#shared = undefined
      })
    }
    return this.#shared
  }

  async #connect({ layout }: SharedRepository): Promise<DaemonConnection | undefined> {
    if (this.#connection?.isOpen !== true) this.#connection = await findDaemon(layout.commonDir)
    return this.#connection
  }
}

/** Closes the repository below a command that nobody waits for any more, which ends it as an interrupt ends a process. */
async function openUntilAborted(facts: RequestFacts, signal: AbortSignal | undefined): Promise<Workspace> {
  const workspace = await openWorkspace(facts)
  let closing: Promise<void> | undefined
  const close = workspace.close.bind(workspace)
  workspace.close = () => {
    closing ??= close()
    return closing
  }
  const end = () => {
    workspace.stopReading()
    // The command itself fails, and closes the repository, too.
    workspace.close().catch(() => {})
  }
  if (signal?.aborted === true) end()
  else signal?.addEventListener('abort', end)
  return workspace
}
