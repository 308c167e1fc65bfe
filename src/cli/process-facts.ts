/**
 * The process as the command line sees it, so that a test or the daemon can replace it. Only `bin/` uses the real one.
 */

/** An ordered output stream for text. */
export interface TextSink {
  readonly isTerminal: boolean
  /** Columns of the terminal; undefined without a terminal or when unknown. */
  readonly columns: () => number | undefined
  /** Lines of the terminal; undefined without a terminal or when unknown. */
  readonly rows: () => number | undefined
  /** Resolves when the system has accepted the text. @throws {ClosedPipeError} when the reader has closed the pipe */
  readonly write: (text: string) => Promise<void>
  /** Writes bytes as they are; as `write`. The caller must not change them before. */
  readonly writeBytes: (bytes: Uint8Array) => Promise<void>
  /**
   * Calls back when the reader closes the pipe, even without a write, if the system can detect that. The returned function
   * unsubscribes.
   */
  readonly onUnread: (callback: () => void) => () => void
}

/** The reader of our output closed the pipe, as `| head` does. Not a failure of the command. */
export class ClosedPipeError extends Error {
  override readonly name = 'ClosedPipeError'
}

export interface ProcessFacts {
  readonly cwd: () => string
  readonly env: Readonly<Record<string, string | undefined>>
  /** GRITE_REQUEST, where it is no longer in `env`: programs that a command starts have requests of their own. */
  readonly request?: string | undefined
  /** The last `count` arguments as bytes; null if the system does not provide them. */
  readonly rawArguments: (count: number) => readonly Buffer[] | null
  /** A variable of the environment as bytes; null if the system does not provide it. */
  readonly rawVariable: (name: string) => Buffer | null
  readonly stdin: { readonly isTerminal: boolean; readonly chunks: () => AsyncIterable<Uint8Array> }
  readonly stdout: TextSink
  readonly stderr: TextSink
  readonly nowUnixMs: () => number
  readonly randomBytes: (count: number) => Uint8Array
  /** Registers a cleanup for interrupts; the returned function unregisters it. */
  readonly onInterrupt: (cleanup: () => void | Promise<void>) => () => void
  /** Whether a signal has asked the process to stop; later errors are expected during shutdown. */
  readonly isInterrupted: () => boolean
  /**
   * In the daemon, which has no terminal: leaves the command to the process of the caller. Called before an editor or a pager
   * starts; throws.
   */
  readonly leaveToCaller?: () => never
  /** Leaves Ctrl-C to an editor or pager that uses the terminal, until the returned function is called. */
  readonly leaveInterrupts: () => () => void
}
