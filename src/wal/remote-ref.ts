import {
  type GitPort,
  type LeftOutRefs,
  metadataBytesMax,
  type Oid,
  type PushedRef,
  type RefName,
  setAsideCorruptObject,
  showRemote,
} from '../git/index.ts'
import {
  CorruptObjectError,
  type GriteError,
  NotFoundError,
  ObjectTooLargeError,
  RemoteError,
  StorageError,
  shellCommand,
} from '../model/index.ts'
import type { EarlyFetch } from './early-fetch.ts'
import { fetchRequestOf } from './fetch-request.ts'
import { fetchWithRetry } from './fetch-with-retry.ts'
import { remoteRefOf, trackingRef } from './ref-names.ts'
import { noteRemoteHead } from './remote-head.ts'
import type { StreamRef } from './stream.ts'
import type { SyncPlace, SyncRequest } from './sync-request.ts'

type RemoteRequest = Pick<SyncRequest<never>, 'remote' | 'alongside' | 'runHooks' | 'onProgress' | 'early'>

/** A stream's ref on a remote during one sync: fetches it to its tracking ref, and pushes to it. */
export class RemoteRef {
  readonly #place: SyncPlace & { readonly stream: StreamRef }
  readonly #request: RemoteRequest
  #early: EarlyFetch | undefined
  #begun: BegunPush | undefined
  readonly tracking: RefName
  /** Whether a push moved the ref. */
  pushed = false
  /** The remote's answer when it refused a push for good. */
  refused: PushedRef | null = null
  /** The remote's answer to the last push when the ref seemed to have moved. */
  stale: PushedRef | null = null
  /** Why only the stream is fetched, when the remote's other refs cannot be. */
  othersUnread: string | null = null
  leftOut: readonly LeftOutRefs[] = []
  /** Whether the remote had something that a fetch did not show, as with separate fetch and push URLs. */
  hadItAll = false

  constructor(place: SyncPlace & { readonly stream: StreamRef }, request: RemoteRequest) {
    this.#place = place
    this.#request = request
    this.#early = request.early
    this.tracking = trackingRef(request.remote, place.stream.ref)
  }

  /** The result of the last fetch; an unreadable ref is deleted, because it would make git's fetch fail. */
  async readTracked(): Promise<Oid | null> {
    const { git } = this.#place
    const oid = await git.readRef(this.tracking)
    if (oid === null || (await isReadable(git, oid))) return oid
    await git.publish({ objects: [], updates: [{ ref: this.tracking, expected: oid, next: null, reflogMessage: '' }] })
    setAsideCorruptObject(git.layout, oid)
    return null
  }

  /**
   * Fetches the stream and the refs alongside; only the stream when the others cannot be read.
   *
   * @param prepare - runs before any fetch other than the early one
   */
  async fetch(prepare: () => Promise<void>): Promise<void> {
    const { alongside } = this.#request
    try {
      const leftOut = await this.#landEarly()
      if (leftOut === null) await prepare()
      this.leftOut = leftOut ?? (await this.#fetchNow())
    } catch (error) {
      // One lock with a broken object must not block the log.
      if (alongside === undefined || this.othersUnread !== null || !isUnsound(error)) throw error
      this.othersUnread = error.message
      await prepare()
      this.leftOut = await this.#fetchNow()
    }
    await this.#place.at?.('fetched')
  }

  /** Null when there is no early fetch, or it failed for a local reason, which may be gone by now. */
  async #landEarly(): Promise<readonly LeftOutRefs[] | null> {
    const early = this.#early
    this.#early = undefined
    try {
      return (await early?.land()) ?? null
    } catch (error) {
      const isOfRemote = error instanceof RemoteError ? isUnreachable(error) : isUnknownRemote(error)
      if (isOfRemote) throw error
      return null
    }
  }

  #fetchNow(): Promise<readonly LeftOutRefs[]> {
    const { remotes, stream } = this.#place
    const alongside = this.othersUnread === null ? this.#request.alongside : undefined
    return fetchWithRetry(remotes, fetchRequestOf(stream.ref, { ...this.#request, alongside }), this.#place)
  }

  /** The result of the last fetch. @throws {RemoteError} when refs below the stream's own name make it impossible to create */
  async readFetched(): Promise<Oid | null> {
    const { git } = this.#place
    const oid = await git.readRef(this.tracking)
    if (oid !== null) return oid
    const [below] = await git.listRefs(`${this.tracking}/`)
    if (below === undefined) return null
    const name = remoteRefOf(this.#request.remote, below.ref)
    throw this.corrupt(`cannot exist beside the ref ${name}`, name, below.oid)
  }

  corrupt(what: string, ref: RefName, object: Oid): RemoteError {
    const remote = showRemote(this.#request.remote)
    return new RemoteError(`${this.#place.stream.title} of '${remote}' ${what}`, {
      details: { remote, reason: 'corrupt', ref, object_id: object },
      hints: [`Nothing was merged; inspect it with \`${shellCommand('git', 'show', '--stat', object.slice(0, 12))}\``],
    })
  }

  /** Starts to push a head. `push` gives the result, or waits for the end before it pushes another head. */
  beginPush(head: Oid): void {
    let refuse: (reason: Error) => void = () => {}
    let end: () => void = () => {}
    const isWanted = new Promise<void>((resolve, reject) => {
      refuse = reject
      end = resolve
    })
    isWanted.catch(() => {})
    const result = this.#pushNow(head, isWanted)
    // From then on there is nothing to cancel.
    result.then(end, end)
    this.#begun = { head, result, cancel: () => refuse(new Error('the push was cancelled')) }
  }

  /** Ends a push that nothing waits for. Never throws. */
  async cancelPush(): Promise<void> {
    const begun = this.#begun
    this.#begun = undefined
    begun?.cancel()
    const result = await begun?.result.catch(() => undefined)
    this.pushed ||= result?.outcome === 'ok'
  }

  async #pushNow(head: Oid, isWanted?: Promise<unknown>): Promise<PushedRef | undefined> {
    const { stream, remotes } = this.#place
    const { remote, runHooks, onProgress } = this.#request
    const updates = [{ ref: stream.ref, next: head }]
    const [result] = await remotes.push({ remote, updates, atomic: false, runHooks, onProgress, isWanted })
    return result
  }

  /** True when the push is settled: the remote has the head, or will never accept it. */
  async push(head: Oid): Promise<boolean> {
    const { git, at } = this.#place
    const begun = this.#begun
    this.#begun = undefined
    const expected = await git.readRef(this.tracking)
    const first = await begun?.result
    const isAnother = begun !== undefined && begun.head !== head
    if (isAnother) this.pushed ||= first?.outcome === 'ok'
    const result = begun === undefined || isAnother ? await this.#pushNow(head) : first
    if (result === undefined) return false
    if (result.outcome === 'stale') {
      this.stale = result
      return false
    }
    if (result.outcome === 'rejected') {
      this.refused = result
      return true
    }
    this.pushed ||= result.outcome === 'ok'
    this.hadItAll = result.outcome === 'up-to-date'
    await at?.('pushed')
    await noteRemoteHead(git, this.tracking, expected, head)
    await at?.('tracked')
    return true
  }
}

interface BegunPush {
  readonly head: Oid
  readonly result: Promise<PushedRef | undefined>
  readonly cancel: () => void
}

async function isReadable(git: GitPort, oid: Oid): Promise<boolean> {
  try {
    return (await git.readObject(oid, metadataBytesMax)) !== null
  } catch (error) {
    if (error instanceof CorruptObjectError) return false
    // git can read it, so git can fetch.
    if (error instanceof ObjectTooLargeError) return true
    throw error
  }
}

/** Whether another attempt would fail the same way, whatever the state of this clone. */
export function isUnreachable({ details }: RemoteError): boolean {
  return ['unreachable', 'denied', 'silent'].includes(`${details.reason}`)
}

/** Other `NotFoundError`s of git are about missing objects. */
function isUnknownRemote(error: unknown): boolean {
  return error instanceof NotFoundError && error.details.field !== undefined
}

/** @returns true also when git was killed, as by a full memory: the log alone needs less */
function isUnsound(error: unknown): error is GriteError {
  if (error instanceof StorageError) return typeof error.details.signal === 'string'
  return error instanceof RemoteError && (error.details.reason === 'corrupt' || error.details.reason === 'failed')
}
