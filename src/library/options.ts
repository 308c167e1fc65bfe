import type { Clock, CommandContext, Random, Warning } from '../tracker/effects.ts'

/** How to open a repository. Every option has a default. */
export interface RepositoryOptions {
  /** Directory in the repository; the current directory by default. Relative paths of calls start here. */
  readonly cwd?: string | undefined
  /** Environment of git, and variables such as `GRITE_HOME`; default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Actor to write as: an id or a unique prefix. Default: the default actor of the repository. */
  readonly actor?: string | undefined
  /** Directory of the actor, instead of `actor`. */
  readonly dataDir?: string | undefined
  /** The machine's clock by default. */
  readonly clock?: Clock | undefined
  /** The machine's randomness by default. */
  readonly random?: Random | undefined
  /** Receives warnings. `process.emitWarning` by default. */
  readonly warn?: ((warning: Warning) => void) | undefined
  /** Aborts long calls and feeds. */
  readonly signal?: AbortSignal | undefined
}

/** Options with every default filled in. */
export interface Effects {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly identity: { readonly actor: string | undefined; readonly dataDir: string | undefined }
  readonly clock: Clock
  readonly random: Random
  readonly warn: (warning: Warning) => void
  readonly signal: AbortSignal | undefined
  /** Receives the progress of long calls; default: nobody. */
  readonly progress?: CommandContext['progress']
}

export function fillIn(options: RepositoryOptions): Effects {
  return {
    cwd: options.cwd ?? process.cwd(),
    env: options.env ?? process.env,
    identity: { actor: options.actor, dataDir: options.dataDir },
    clock: options.clock ?? { nowUnixMs: Date.now },
    random: options.random ?? { bytes: (count) => globalThis.crypto.getRandomValues(new Uint8Array(count)) },
    warn: options.warn ?? emitWarning,
    signal: options.signal,
  }
}

function emitWarning({ code, message }: Warning): void {
  process.emitWarning(message, { type: 'GriteWarning', code })
}
