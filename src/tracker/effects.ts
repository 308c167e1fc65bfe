/**
 * What a command may touch besides its input. Built once at the entry (cli, daemon, a test); nothing below reads
 * `process`, the clock or randomness by itself.
 */
import type { Workspace } from './workspace.ts'

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  readonly nowUnixMs: () => number
  /** Minutes east of UTC at a moment, where the request comes from; default UTC. */
  readonly offsetMinutesAt?: (unixMs: number) => number
}

export interface Random {
  readonly bytes: (count: number) => Uint8Array
}

/** Something the user should know though the command goes on. `code` is stable, `message` is for people. */
export interface Warning {
  readonly code: string
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
  /** Printed with --quiet, too: it says why a command failed that prints nothing else. */
  readonly isEssential?: boolean
}

/** A bar on a terminal for work that takes longer than half a second; silent elsewhere. */
export interface Progress {
  /** @param done - units finished so far, of `total` when that is known */
  readonly report: (done: number, total: number | null) => void
  /** Whether anybody will see it; then it may pay to ask for what is to be shown. */
  readonly isShown?: boolean
  readonly end: () => void
}

/** Where text comes from that is not on the command line. */
export interface TextInput {
  /** All of standard input as UTF-8. @throws {InvalidArgsError} beyond `bytesMax` */
  readonly readStdin: (bytesMax: number) => Promise<string>
  /** Standard input as it comes, for files that say themselves which of their bytes are text. */
  readonly stdinChunks: () => AsyncIterable<Uint8Array>
  /** Standard input line by line, without the line ends. */
  readonly readStdinLines: () => AsyncIterable<string>
  /** True when a person sits at both standard input and output, so an editor may be opened. */
  readonly interactive: boolean
  /** Opens the user's editor on a draft; undefined when the text was left empty. Only when `interactive`. */
  readonly editText: (draft: string) => Promise<string | undefined>
}

export interface CommandContext {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly random: Random
  readonly text: TextInput
  readonly warn: (warning: Warning) => void
  /** Whether the answer is printed as JSON: for a command whose answer must not be longer than asked for. */
  readonly isJson?: boolean
  readonly progress: (label: string) => Progress
  /**
   * Tells one piece of data at once, for commands that are feeds: a line of JSON with `--json`, else a line for
   * people. Resolves when the system has taken it, so that a slow reader slows the command down; fails when nobody
   * reads any more, which ends the command.
   */
  readonly emit: (item: unknown) => Promise<void>
  /** Aborted when the process is asked to end. Long waits listen to it, and what was started ends with it. */
  readonly interrupted: AbortSignal
  /** The values of the global options that concern identity. */
  readonly identity: { readonly actor: string | undefined; readonly dataDir: string | undefined }
  /** Opens the repository that `cwd` lies in, once. @throws {NotFoundError} naming the directory when there is none */
  readonly repository: () => Promise<Workspace>
}
