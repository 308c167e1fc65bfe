/** The request for a sync of a stream with a remote, and its result; see `syncRef`. */
import type { GitPort, LeftOutRefs, Oid, OnProgress, PushedRef, RemotePort } from '../git/index.ts'
import type { Queue } from './append-queue.ts'
import type { EarlyFetch } from './early-fetch.ts'
import type { Inspection } from './join-ref.ts'
import type { Segment } from './segment-codec.ts'
import type { Stream } from './stream.ts'

export type SyncPoint = 'fetched' | 'staged' | 'moved' | 'pushed' | 'tracked'

export interface SyncTarget<Batch, Item, Sealed extends Segment<Item>> extends SyncPlace {
  readonly stream: Stream<Batch, Item, Sealed>
}

/** Context of a sync, for any stream. */
export interface SyncPlace {
  readonly git: GitPort
  readonly remotes: RemotePort
  /** Local writers wait here while the local log moves. */
  readonly queue: Queue
  readonly clock: { readonly nowUnixMs: () => number }
  /** A number from 0 up to, not including, 1. */
  readonly jitter: () => number
  /** Aborts the pauses between rounds; the sync rejects with its reason. */
  readonly signal?: AbortSignal | undefined
  /** For tests: points of a sync. */
  readonly at?: ((point: SyncPoint) => void | Promise<void>) | undefined
}

/** Refs of a remote that are fetched along with a stream. */
export interface RefsAlongside {
  readonly refspecs: readonly string[]
  /** How many refs to follow, by the left side of a refspec. */
  readonly refsMax: (left: string) => number
}

export interface SyncRequest<Sealed> {
  readonly remote: string
  /** The local stream follows its home remote's; with any other remote, each side keeps its own order of commits. */
  readonly isHome: boolean
  readonly pull: boolean
  readonly push: boolean
  readonly runHooks: boolean
  readonly alongside?: RefsAlongside | undefined
  /** The first fetch, if it has started already. */
  readonly early?: EarlyFetch | undefined
  /** Whether items may be on the local chain more than once; see `JoinRequest`. Called when it matters. */
  readonly mayRepeat: () => Promise<boolean>
  /** Starts checking what the local stream is about to take from the remote. */
  readonly inspect?: (() => Inspection<Sealed>) | undefined
  /** Fetches the parts of a head's history that a partial clone lacks. */
  readonly hydrate?: ((head: Oid, exclude: readonly Oid[]) => Promise<void>) | undefined
  /** Runs in parallel to the first fetch, and is awaited before anything is compared. */
  readonly meanwhile?: (() => Promise<unknown>) | undefined
  /** Called when the two sides turn out to be at different heads, or to be once objects arrive. */
  readonly whenApart?: (() => void) | undefined
  /** Runs in parallel to the push after a join, when the local stream has moved. */
  readonly whilePushing?: ((gained: Gained<Sealed> | null) => Promise<unknown>) | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface RefSync<Sealed extends Segment<unknown>> {
  /** Local head before and after. */
  readonly before: Oid | null
  readonly after: Oid | null
  /** The remote's last known head; null when it has no such ref. */
  readonly remoteHead: Oid | null
  /** Our items that were re-appended on top of the remote's because both sides had written. */
  readonly rejoined: number
  /** The local stream's gain, when small enough to keep: it updates a view from one head to another. */
  readonly gained: Gained<Sealed> | null
  /** Whether the remote's ref moved. */
  readonly pushed: boolean
  /** The remote's answer when it refused the push for good. */
  readonly refused: PushedRef | null
  /** `lost`: the remote had the ref when it was last seen. `rewound`: it lacks items that it had. */
  readonly remoteChange: 'lost' | 'rewound' | null
  /** Unreadable parts of the local stream, which stayed behind. */
  readonly unread: Sealed['problems']
  /** Unreadable parts of a remote's stream other than the home remote's, which were not taken in. */
  readonly unreadOfRemote: Sealed['problems']
  /** Why the refs alongside are unknown, when they could not be fetched with the stream. */
  readonly othersUnread: string | null
  /** Refs of the remote that are not followed because there are too many. */
  readonly leftOut: readonly LeftOutRefs[]
  /** Result for a history that a shallow clone had cut off; null when nothing was cut off. */
  readonly completion: Completion | null
  readonly rounds: number
}

/**
 * `remote-cut`: the remote does not have the rest either. `failed`: git cannot request it from this remote, for the
 * given reason.
 */
export type Completion =
  | { readonly outcome: 'whole' | 'remote-cut' }
  | { readonly outcome: 'failed'; readonly reason: string }

export interface Gained<Sealed> {
  readonly from: Oid
  readonly to: Oid
  /** `extension`: `to` is above `from`; `join`: the segments come from beside it. */
  readonly how: 'extension' | 'join'
  readonly segments: readonly Sealed[]
}
