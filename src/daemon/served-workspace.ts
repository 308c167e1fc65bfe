/** The workspace of a request that the daemon serves. */
import { findRepository, type RemotePort, type RepositoryLayout } from '../git/index.ts'
import type { SharedRepository } from '../tracker/shared-repository.ts'
import { type RequestFacts, Workspace } from '../tracker/workspace.ts'
import type { LeaveToCaller } from './line.ts'

class ServedWorkspace extends Workspace {
  readonly #layout: RepositoryLayout

  readonly #leaveToCaller: LeaveToCaller

  /** @param layout - of the work tree of the caller; it has the common directory of the shared one */
  constructor(shared: SharedRepository, facts: RequestFacts, layout: RepositoryLayout, leave: LeaveToCaller) {
    // The daemon has the view itself open.
    super(shared, { ...facts, readsRows: false })
    this.#layout = layout
    this.#leaveToCaller = leave
  }

  override get layout(): RepositoryLayout {
    return this.#layout
  }

  /** The network belongs to the caller: its agents, its terminal, its environment. */
  override get remotes(): RemotePort {
    return this.#leaveToCaller('local')
  }

  /** Other requests go on reading. */
  override stopReading(): void {}
}

/** Leaves the request when git finds another repository for it, or none. */
export async function openServedWorkspace(
  shared: SharedRepository,
  facts: RequestFacts,
  leave: LeaveToCaller,
): Promise<Workspace> {
  const layout = await findRepository({ cwd: facts.cwd, env: facts.env }).catch(() => undefined)
  if (layout?.commonDir !== shared.layout.commonDir) return leave('repository')
  return new ServedWorkspace(shared, facts, layout, leave)
}
