import type { RemotePort } from '../../git/index.ts'
import type { Workspace } from '../workspace.ts'

/** A remote operation may hold the view this long. Reopening it costs a few milliseconds. */
const viewIdleMsMax = 250

/**
 * Creates a function that closes the view during a slow remote operation: other processes would otherwise wait for it,
 * and then fold the log themselves.
 */
export function createLender(repository: Workspace) {
  return async <Result>(talk: () => Promise<Result>): Promise<Result> => {
    let lent: Promise<void> | undefined
    const timer = setTimeout(() => {
      lent = repository.closeView()
    }, viewIdleMsMax)
    try {
      return await talk()
    } finally {
      clearTimeout(timer)
      await lent
    }
  }
}

/** Wraps the remotes of a repository so that the view is closed during slow remote operations. */
export function lendingView(repository: Workspace): RemotePort {
  const { remotes } = repository
  const lend = createLender(repository)
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
