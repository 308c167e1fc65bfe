/** Many requests in one process on one open repository. */

import type { Warning } from '../../src/tracker/effects.ts'
import { createIssue } from '../../src/tracker/issues/changes.ts'
import { openSharedRepository, type SharedOptions, type SharedRepository } from '../../src/tracker/shared-repository.ts'
import { type RequestFacts, Workspace, type Written } from '../../src/tracker/workspace.ts'
import { type CleanUp, createEmptyRepository, createSandbox, type Sandbox } from '../git/temp-repository.ts'

export interface SharedRequests extends Sandbox {
  readonly path: string
  readonly shared: SharedRepository
  /** Warnings of all requests. */
  readonly warnings: Warning[]
  /** Runs one request in a separate workspace. */
  request<Result>(work: (workspace: Workspace) => Promise<Result>, facts?: Partial<RequestFacts>): Promise<Result>
  createIssue(title: string, facts?: Partial<RequestFacts>): Promise<Written<unknown>>
}

export async function openSharedRequests(
  t: CleanUp,
  { viewIdleMs = 50, ...more }: Partial<Pick<SharedOptions, 'viewIdleMs' | 'gitOptions'>> = {},
): Promise<SharedRequests> {
  const sandbox = createSandbox(t)
  const path = `${sandbox.dir}/repository`
  createEmptyRepository(path)
  const warnings: Warning[] = []
  const warn = (warning: Warning) => void warnings.push(warning)
  const shared = await openSharedRepository(path, { env: sandbox.environment, warn, viewIdleMs, ...more })
  t.after(() => shared.close())
  const usual: RequestFacts = {
    cwd: path,
    env: sandbox.environment,
    clock: { nowUnixMs: Date.now },
    random: { bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) },
    warn,
    progress: () => ({ report() {}, end() {} }),
    identity: { actor: undefined, dataDir: undefined },
  }
  const request: SharedRequests['request'] = async (work, facts = {}) => {
    const workspace = new Workspace(shared, { ...usual, ...facts })
    try {
      return await work(workspace)
    } finally {
      await workspace.close()
    }
  }
  return {
    ...sandbox,
    path,
    shared,
    warnings,
    request,
    createIssue: (title, facts) =>
      request((workspace) => workspace.write((draft) => createIssue(draft, newIssue(title))), facts),
  }
}

export function newIssue(title: string) {
  return { title, body: '', labels: [], assignees: [], fields: [] }
}
