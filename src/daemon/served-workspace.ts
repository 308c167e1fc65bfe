/** The workspace of a request that the daemon serves. */
import { findRepository, type RemotePort, type RepositoryLayout } from '../git/index.ts'
import type { SharedRepository } from '../tracker/shared-repository.ts'
import { type RequestFacts, Workspace } from '../tracker/workspace.ts'
import type { JointReads } from './joint-reads.ts'
import type { LeaveToCaller } from './line.ts'

interface Serving {
  readonly shared: SharedRepository
  readonly reads: JointReads
  readonly leave: LeaveToCaller
}

class ServedWorkspace extends Workspace {
  readonly #layout: RepositoryLayout
  readonly #serving: Serving

  /** @param layout - of the work tree of the caller; it has the common directory of the shared one */
  constructor(serving: Serving, facts: RequestFacts, layout: RepositoryLayout) {
    // The daemon has the view itself open.
    super(serving.shared, { ...facts, readsRows: undefined })
    this.#layout = layout
    this.#serving = serving
  }

  override get layout(): RepositoryLayout {
    return this.#layout
  }

  /** The network belongs to the caller: its agents, its terminal, its environment. */
  override get remotes(): RemotePort {
    return this.#serving.leave('local')
  }

  /** Other requests go on reading. */
  override stopReading(): void {}

  override async forgetActor(): Promise<void> {
    this.#serving.reads.forget()
    await super.forgetActor()
  }

  protected override readActor() {
    const { dataDir = '', actor = '' } = this.actorChoice
    return this.#serving.reads.read(`actor ${dataDir}\0${actor}`, () => super.readActor())
  }

  protected override readConfig() {
    return this.#serving.reads.read('config', () => super.readConfig())
  }
}

/** Leaves the request when git finds another repository for it, or none. */
export async function openServedWorkspace(serving: Serving, facts: RequestFacts): Promise<Workspace> {
  const { cwd, env } = facts
  // The other variables that matter are those of the daemon.
  const find = () => findRepository({ cwd, env }).catch(() => undefined)
  const layout = await serving.reads.read(`repository ${cwd}\0${env.PATH ?? ''}`, find)
  if (layout?.commonDir !== serving.shared.layout.commonDir) return serving.leave('repository')
  return new ServedWorkspace(serving, facts, layout)
}
