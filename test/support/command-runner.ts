import { requireInput } from '../../src/commands/check-input.ts'
import type { CommandResult } from '../../src/commands/define-command.ts'
import { allCommands } from '../../src/commands/index.ts'
import type { CommandContext, Warning } from '../../src/tracker/effects.ts'
import { jsonPieces } from '../../src/tracker/export/json-pieces.ts'
import { openWorkspace, type RequestFacts, type Workspace } from '../../src/tracker/workspace.ts'
import { type CleanUp, createEmptyRepository, createSandbox, type Sandbox } from '../git/temp-repository.ts'

export interface RunnerOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Defaults to the clock of the machine. */
  readonly nowUnixMs?: () => number
  /** Defaults to the random generator of the machine. */
  readonly randomBytes?: (count: number) => Uint8Array
  readonly stdin?: string | Uint8Array
  /** What the user makes of a draft in the editor. Without it there is no terminal. */
  readonly editText?: (draft: string) => string | undefined | Promise<string>
  readonly actor?: string
  /** False for what people see; default as in the library. */
  readonly isJson?: boolean
  readonly gitOptions?: RequestFacts['gitOptions']
  readonly atSync?: RequestFacts['atSync']
  /** Called with each item of a feed. */
  readonly onEmit?: (item: unknown) => void | Promise<void>
  readonly interrupted?: AbortSignal
}

export interface CommandRunner {
  /** Runs a command by its name and returns its data. Every run opens and closes the repository, as a process does. */
  run(name: string, input?: Readonly<Record<string, unknown>>): Promise<unknown>
  /** Like `run`, and returns the exit status as well. */
  outcome(name: string, input?: Readonly<Record<string, unknown>>): Promise<CommandResult<unknown>>
  /** Warnings of all runs so far. */
  readonly warnings: Warning[]
  /** Feed items of all runs so far. */
  readonly emitted: unknown[]
  /** Runs a function on an open repository. */
  withRepository<Result>(work: (repository: Workspace) => Promise<Result>): Promise<Result>
}

/** Runs commands in this process without the command line. */
export function commandRunner(options: RunnerOptions): CommandRunner {
  const warnings: Warning[] = []
  const emitted: unknown[] = []
  const facts = {
    cwd: options.cwd,
    env: options.env,
    clock: { nowUnixMs: options.nowUnixMs ?? Date.now },
    random: { bytes: options.randomBytes ?? ((count: number) => crypto.getRandomValues(new Uint8Array(count))) },
    identity: { actor: options.actor, dataDir: undefined },
    warn: (warning: Warning) => void warnings.push(warning),
    progress: () => ({ report() {}, end() {} }),
    ...(options.isJson === undefined ? {} : { isJson: options.isJson }),
    ...(options.gitOptions === undefined ? {} : { gitOptions: options.gitOptions }),
    atSync: options.atSync,
  }
  const withRepository = async <Result>(work: (repository: Workspace) => Promise<Result>): Promise<Result> => {
    const repository = await openWorkspace(facts)
    try {
      return await work(repository)
    } finally {
      await repository.close()
    }
  }
  const outcome: CommandRunner['outcome'] = async (name, input = {}) => {
    const command = allCommands.find((candidate) => candidate.name === name)
    if (command === undefined) throw new TypeError(`no command '${name}'`)
    let open: Promise<Workspace> | undefined
    const context: CommandContext = {
      ...facts,
      async emit(item) {
        emitted.push(item)
        await options.onEmit?.(item)
      },
      interrupted: options.interrupted ?? new AbortController().signal,
      text: {
        interactive: options.editText !== undefined,
        readStdin: async () => `${options.stdin ?? ''}`,
        async *stdinChunks() {
          yield Buffer.from(options.stdin ?? '')
        },
        async *readStdinLines() {
          yield* `${options.stdin ?? ''}`.split('\n')
        },
        async editText(draft) {
          const text = (await options.editText?.(draft)) ?? ''
          return text.trim() === '' ? undefined : text
        },
      },
      repository() {
        open ??= openWorkspace(facts)
        return open
      },
    }
    try {
      const result = await command.run(context, requireInput(command, input) as never)
      return command.isDeferred === true ? { ...result, data: await readDeferred(result.data) } : result
    } finally {
      await (await open?.catch(() => undefined))?.close()
    }
  }
  const run: CommandRunner['run'] = async (name, input) => (await outcome(name, input)).data
  return { warnings, emitted, withRepository, run, outcome }
}

/** Reads an answer with deferred parts as scripts do. */
async function readDeferred(data: unknown): Promise<unknown> {
  let text = ''
  for await (const piece of jsonPieces(data)) text += piece
  return JSON.parse(text)
}

/** Creates an empty repository in a sandbox, with a command runner. */
export function createCommandSandbox(
  t: CleanUp,
  options: Partial<RunnerOptions> = {},
): Sandbox & CommandRunner & { readonly path: string } {
  const sandbox = createSandbox(t)
  const path = `${sandbox.dir}/repository`
  createEmptyRepository(path)
  return { ...sandbox, path, ...commandRunner({ cwd: path, env: sandbox.environment, ...options }) }
}
