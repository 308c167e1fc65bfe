import type { FetchRequest, LeftOutRefs, Oid, RefName, RemotePort } from '../git/index.ts'

/** A fetch that starts before the local stream was checked. No ref moves until it is landed. */
export interface EarlyFetch {
  /** Resolves when git runs, or the fetch has failed. */
  readonly started: Promise<void>
  /** Resolves with the number of objects as soon as the remote sends any; with 0 when the fetch ends without. */
  readonly arriving: Promise<number>
  /**
   * Resolves with the remote's refs when a transfer without objects is complete; with null as soon as objects arrive, and
   * with undefined when the fetch has failed.
   */
  readonly found: () => Promise<ReadonlyMap<RefName, Oid> | null | undefined>
  /**
   * Moves the tracking refs when the transfer is complete.
   * @throws {GriteError} like `RemotePort.fetch`
   */
  readonly land: () => Promise<readonly LeftOutRefs[]>
  /** Ends the fetch unless it was landed, and resolves when its processes are gone. Never throws. */
  readonly cancel: () => Promise<void>
}

export function startEarlyFetch(remotes: Pick<RemotePort, 'fetch'>, request: FetchRequest): EarlyFetch {
  let allow: () => void = () => {}
  let refuse: (reason: Error) => void = () => {}
  const mayMove = new Promise<void>((resolve, reject) => {
    allow = resolve
    refuse = reject
  })
  mayMove.catch(() => {})
  let isStarted: () => void = () => {}
  const started = new Promise<void>((resolve) => {
    isStarted = resolve
  })
  let arrive: (objectCount: number) => void = () => {}
  const arriving = new Promise<number>((resolve) => {
    arrive = resolve
  })
  let find: (found: ReadonlyMap<RefName, Oid> | null | undefined) => void = () => {}
  const found = new Promise<ReadonlyMap<RefName, Oid> | null | undefined>((resolve) => {
    find = resolve
  })
  const fetched = remotes.fetch({
    ...request,
    mayMove,
    onStart: isStarted,
    onTransferred: find,
    onProgress(phase, done, total) {
      if (phase.endsWith(' objects')) {
        arrive(total)
        find(null)
      }
      request.onProgress?.(phase, done, total)
    },
  })
  const end = () => {
    isStarted()
    arrive(0)
    find(undefined)
  }
  fetched.then(end, end)
  return {
    started,
    arriving,
    found: () => found,
    land() {
      allow()
      return fetched
    },
    async cancel() {
      refuse(new Error('the fetch was cancelled'))
      await fetched.catch(() => {})
    },
  }
}
