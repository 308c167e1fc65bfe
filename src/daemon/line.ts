/** How the daemon runs a command line without knowing the command line layer, which passes in a `RunLine`. */
import type { RequestFacts, Workspace } from '../tracker/workspace.ts'

/** A command line as a client has sent it (docs/ipc.md, Run). */
export interface Line {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly key: string | null
  readonly terminal: {
    readonly stdin: boolean
    readonly stdout: boolean
    readonly stderr: boolean
    /** 0 where unknown. */
    readonly columns: number
    readonly rows: number
  }
}

/** What a running line does besides its work. */
export interface LineStreams {
  /** Resolves when the connection takes more; `closed` when the client or its reader is gone. */
  readonly write: (stream: 'stdout' | 'stderr', output: string | Uint8Array) => Promise<'written' | 'closed'>
  readonly stdin: () => AsyncIterable<Uint8Array>
  /** Calls back when nobody reads standard output any more. The returned function unsubscribes. */
  readonly onUnread: (callback: () => void) => () => void
  /** Says that the line begins here; before, it may be refused. */
  readonly accept: () => void
  /** Says that the line goes on until it is ended: a daemon that ends does not wait for it. */
  readonly setEndless: () => void
  /** Aborted when the client cancels or is gone. */
  readonly cancelled: AbortSignal
  /** Whether the client may have carried the request out by itself, as of now. */
  readonly mayBeRepeated: () => boolean
}

export interface LineEffects {
  readonly nowUnixMs: () => number
  readonly randomBytes: (count: number) => Uint8Array
  /** Opens the repository of the daemon for one request. */
  readonly openRepository: (facts: RequestFacts, leave: LeaveToCaller) => Promise<Workspace>
}

/** Why only the process of the caller can do it: its network and terminal, or another repository. */
export type LocalReason = 'local' | 'repository'

/** Leaves the request to the process of the caller; throws. */
export type LeaveToCaller = (reason: LocalReason) => never

/**
 * The exit status of the line, and whether it would be answered alike as long as the repository does not change; or that the client has to run it, when nothing was written and nothing printed.
 */
export type LineOutcome =
  | { readonly status: number; readonly isRepeatable?: boolean }
  | { readonly refused: LocalReason }

export type RunLine = (line: Line, streams: LineStreams, effects: LineEffects) => Promise<LineOutcome>
