/**
 * The effects available to a command besides its input. Built once at the entry point (cli, daemon, a test); no code below
 * reads `process`, the clock or randomness directly.
 */
import type { JsonLayout } from './export/json-pieces.ts'
import type { SharedRepository } from './shared-repository.ts'
import type { Workspace } from './workspace.ts'

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  readonly nowUnixMs: () => number
  /** Offset from UTC in minutes, east positive, at a moment in the caller's time zone; default UTC. */
  readonly offsetMinutesAt?: (unixMs: number) => number
}

export interface Random {
  readonly bytes: (count: number) => Uint8Array
}

/** A problem that does not stop the command. `code` is stable, `message` is for people. */
export interface Warning {
  readonly code: string
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
  /** Printed even with --quiet, because it is the only explanation of the exit status. */
  readonly isEssential?: boolean
}

/** A progress bar on a terminal for work longer than half a second; silent elsewhere. */
export interface Progress {
  /** @param done - finished units; `total` is null when unknown */
  readonly report: (done: number, total: number | null) => void
  /** Whether the bar is visible, so that computing its values is worth the cost. */
  readonly isShown?: boolean
  readonly end: () => void
}

/** Sources of text other than the command line. */
export interface TextInput {
  /** All of standard input as UTF-8. @throws {InvalidArgsError} beyond `bytesMax` */
  readonly readStdin: (bytesMax: number) => Promise<string>
  /** Standard input as raw bytes, for formats with their own encoding rules. */
  readonly stdinChunks: () => AsyncIterable<Uint8Array>
  /** Standard input line by line, without the line ends. */
  readonly readStdinLines: () => AsyncIterable<string>
  /** True when standard input and output are terminals, so that an editor may be opened. */
  readonly interactive: boolean
  /** Opens the user's editor with a draft; undefined when the result is empty. Only when `interactive`. */
  readonly editText: (draft: string) => Promise<string | undefined>
}

/** How a process becomes the daemon of a repository. */
export interface ServeRequest {
  readonly shared: SharedRepository
  /** It ends after this time without a request; 0 for never. Seconds. */
  readonly idleSeconds: number
}

export interface Served {
  readonly started: boolean
  /** Of the daemon: this process, or the living one that was there before. */
  readonly pid: number
  readonly endpoint: string
  readonly log: string
  readonly reason: 'already running' | null
  /** Why it ended; null if it was not started. */
  readonly ended: string | null
}

export interface ByteOutput {
  /** Whether a person reads it: foreign text must then be made visible. */
  readonly isTerminal: boolean
  /** Resolves and rejects as `emit` does. */
  readonly write: (bytes: Uint8Array) => Promise<void>
}

export interface CommandContext {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly random: Random
  readonly text: TextInput
  readonly warn: (warning: Warning) => void
  /** Whether the output is JSON; false for text, which is for people and short scripts. */
  readonly isJson?: boolean
  /** Layout of the output if it is JSON, for a command that limits the length of its output. */
  readonly jsonLayout?: JsonLayout | undefined
  readonly progress: (label: string) => Progress
  /**
   * Prints one item of a feed immediately: a line of JSON with `--json`, else a line for people. Resolves when the system
   * has accepted it, so that a slow reader slows the command down; rejects when the reader has closed the output, which
   * ends the command.
   */
  readonly emit: (item: unknown) => Promise<void>
  /** The output as bytes, for items or files that have a form of their own. Absent where the answer is a value. */
  readonly output?: ByteOutput
  /** Aborted when the process is asked to stop. Long waits and child processes end with it. */
  readonly interrupted: AbortSignal
  /** Whether the caller wants no daemon to be used. */
  readonly noDaemon?: boolean
  /** The global options that select the actor. */
  readonly identity: { readonly actor: string | undefined; readonly dataDir: string | undefined }
  /** Serves a repository in this process until the daemon ends. Only the entry of the command line has it. */
  readonly serve?: (request: ServeRequest) => Promise<Served>
  /**
   * Makes V8 optimize code later, before work of a fraction of a second: compiling its functions takes longer than it saves. Absent
   * where a process lives long.
   */
  readonly postponeOptimization?: () => void
  /** Opens the repository that contains `cwd`, once. @throws {NotFoundError} naming the directory when there is none */
  readonly repository: () => Promise<Workspace>
}
