/**
 * What the command line takes from its process, so that a test or the daemon can hand in its own. Only `bin/` reads
 * the real one.
 */

/** A stream that text is written to, in order. */
export interface TextSink {
  readonly isTerminal: boolean
  /** Columns of the terminal; undefined off a terminal or when it does not say. */
  readonly columns: () => number | undefined
  /** Lines of the terminal; undefined off a terminal or when it does not say. */
  readonly rows: () => number | undefined
  /** Resolves when the text has been handed to the system. @throws {ClosedPipeError} when nobody reads any more */
  readonly write: (text: string) => Promise<void>
  /**
   * Calls back when nobody reads any more, without a write, where the system can tell. The returned function takes it
   * back.
   */
  readonly onUnread: (callback: () => void) => () => void
}

/** The reader of our output went away, as `| head` does. Not a failure of the command. */
export class ClosedPipeError extends Error {
  override readonly name = 'ClosedPipeError'
}

export interface ProcessFacts {
  readonly cwd: () => string
  readonly env: Readonly<Record<string, string | undefined>>
  /** The last so many arguments as bytes; null where the system does not tell. */
  readonly rawArguments: (count: number) => readonly Buffer[] | null
  /** A variable of the environment as bytes; null where the system does not tell. */
  readonly rawVariable: (name: string) => Buffer | null
  readonly stdin: { readonly isTerminal: boolean; readonly chunks: () => AsyncIterable<Uint8Array> }
  readonly stdout: TextSink
  readonly stderr: TextSink
  readonly nowUnixMs: () => number
  readonly randomBytes: (count: number) => Uint8Array
  /** Registers what must be undone if the process is interrupted; the returned function takes it back. */
  readonly onInterrupt: (cleanup: () => void | Promise<void>) => () => void
  /** Whether a signal has asked the process to end; what fails from then on fails because everything is being closed. */
  readonly isInterrupted: () => boolean
  /** Leaves Ctrl-C to a program that has the terminal, an editor or pager, until the returned function is called. */
  readonly leaveInterrupts: () => () => void
}
