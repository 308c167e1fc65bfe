import type { RemotePort } from '../../git/index.ts'
import type { Workspace } from '../workspace.ts'

/** A view is kept over a conversation with a remote that takes no longer. Opening it again costs some milliseconds. */
const viewIdleMsMax = 250

/**
 * The remotes of a repository, with the view given up to other processes while one of them is slow: they would wait for
 * it, and then fold the log for themselves.
 */
export function lendingView(repository: Workspace): RemotePort {
  const { remotes } = repository
  async function lend<Result>(talk: () => Promise<Result>): Promise<Result> {
    let lent: Promise<void> | undefined
    const timer = setTimeout(() => {
      lent = repository.letGoOfView()
    }, viewIdleMsMax)
    try {
      return await talk()
    } finally {
      clearTimeout(timer)
      await lent
    }
  }
  return {
    ...remotes,
    fetch: (request) => lend(() => remotes.fetch(request)),
    push: (request) => lend(() => remotes.push(request)),
    fetchObjects: (remote, oids) => lend(() => remotes.fetchObjects(remote, oids)),
    refetchObjects: (remote, oids) => lend(() => remotes.refetchObjects(remote, oids)),
    refetchRef: (remote, ref) => lend(() => remotes.refetchRef(remote, ref)),
    completeRef: (remote, ref) => lend(() => remotes.completeRef(remote, ref)),
  }
}
