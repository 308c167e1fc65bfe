/**
 * Runs the command of a tool.
 *
 * Invariants
 * - The input is checked as that of every other caller, against the definition of the command.
 * - A failure of the command is a result, which a model can read; only what the client itself did wrong is an error of the protocol.
 */
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { requireInput } from '../commands/check-input.ts'
import type { CommandName } from '../commands/index.ts'
import { findCommand } from '../library/find-command.ts'
import { ConflictError, InternalError, InvalidArgsError } from '../model/errors/index.ts'
import type { CommandContext, Warning } from '../tracker/effects.ts'
import type { CallId, RepeatedCalls } from './repeated-calls.ts'
import type { CallEffects, RepositoryAccess } from './repository-access.ts'
import { type Answered, failedResult, formatAnswer, formatText, requireFitting } from './results.ts'
import type { ServeMcpOptions } from './serve-mcp.ts'
import { stdinKey, type Tool, toolDefaults } from './tools.ts'

/** Calls at the same time; each may run programs and hold memory. */
export const callsMax = 32

export interface CallFacts {
  readonly signal: AbortSignal
  /** Absent when the client has not asked for progress. */
  readonly progress?: CommandContext['progress']
}

export interface ToolCall extends CallFacts {
  readonly id: CallId
  readonly tool: Tool
  readonly input: Readonly<Record<string, unknown>>
}

export class Calls {
  readonly #access: Pick<RepositoryAccess, 'session'>
  readonly #repeated: RepeatedCalls
  readonly #running = new Set<Promise<unknown>>()
  readonly #logCall: ServeMcpOptions['logCall']

  constructor(access: Pick<RepositoryAccess, 'session'>, repeated: RepeatedCalls, logCall: ServeMcpOptions['logCall']) {
    this.#access = access
    this.#repeated = repeated
    this.#logCall = logCall
  }

  /** Never rejects. */
  async call(call: ToolCall): Promise<CallToolResult> {
    const logEnd = this.#logCall(call.tool.command.name, call.input)
    const result = await this.#track(this.#callTool(call).catch(failedResult))
    logEnd?.(result.isError === true ? 1 : 0)
    return result
  }

  /** Waits for the calls that run. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running)
  }

  /** Runs a command that reads. @throws {GriteError} */
  async read(name: CommandName, input: Readonly<Record<string, unknown>>, facts: CallFacts): Promise<Answered> {
    return this.#track(this.#run(name, input, {}, facts))
  }

  /** Runs a feed until it is aborted. @throws {GriteError} */
  async feed(
    name: CommandName,
    input: Readonly<Record<string, unknown>>,
    emit: CommandContext['emit'],
    { signal, warn }: { readonly signal: AbortSignal; readonly warn: CommandContext['warn'] },
  ): Promise<void> {
    const session = await this.#session(name, input, { signal, warn })
    await session.feed(name, input as never, emit, signal)
  }

  async #track<Result>(running: Promise<Result>): Promise<Result> {
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  async #callTool({ id, tool, input: given, ...facts }: ToolCall): Promise<CallToolResult> {
    const { command } = tool
    if (this.#running.size >= callsMax) {
      throw new ConflictError(`${callsMax} calls are running`, { hints: ['Wait for an answer, then call again'] })
    }
    const { [stdinKey]: stdin = '', ...input } = { ...defaultsOf(tool), ...given }
    requireKnown(tool, given)
    if (typeof stdin !== 'string') throw new InvalidArgsError('stdin must be text', { details: { field: stdinKey } })
    // Before a key is made: a refused input is no call.
    requireInput(command, input)
    // The definitions that tools are made of are those of the commands with these names.
    const name = command.name as CommandName
    const isReading = command.effect === 'reads'
    const answered = isReading
      ? await this.#run(name, input, { stdin }, facts)
      : await this.#repeated.run(id, command.name, given, (request) =>
          this.#run(name, input, { stdin, ...request }, facts),
        )
    const document = formatAnswer(answered)
    const shown = formatText(document)
    return {
      content: [{ type: 'text', text: isReading ? requireFitting(shown) : shown }],
      structuredContent: document,
    }
  }

  async #run(
    name: CommandName,
    input: Readonly<Record<string, unknown>>,
    {
      isRepeated = false,
      ...options
    }: { readonly stdin?: string; readonly key?: string; readonly isRepeated?: boolean },
    { signal, progress }: CallFacts,
  ): Promise<Answered> {
    // It may have been cancelled before it began.
    signal.throwIfAborted()
    const warnings: Warning[] = []
    const warn = (warning: Warning) => void warnings.push(warning)
    const effects = { signal, warn, isRepeated, ...(progress === undefined ? {} : { progress }) }
    const session = await this.#session(name, input, effects)
    const data = await session.run(name, input as never, { ...options, mayBeRepeated: () => isRepeated })
    return { data, warnings }
  }

  async #session(name: CommandName, input: Readonly<Record<string, unknown>>, effects: CallEffects) {
    const command = findCommand(name)
    if (command === undefined) throw new InternalError(`there is no command ${name}`)
    return this.#access.session(command, input, effects)
  }
}

/** The command has inputs that the tool has not. */
function requireKnown({ definition }: Tool, given: Readonly<Record<string, unknown>>): void {
  const allowed = Object.keys(definition.inputSchema.properties ?? {})
  const unknown = Object.keys(given).find((key) => !allowed.includes(key))
  if (unknown === undefined) return
  throw new InvalidArgsError(`${definition.name} has no input '${unknown}'; it has ${allowed.join(', ')}`, {
    details: { field: unknown, allowed },
  })
}

function defaultsOf({ definition }: Tool): Readonly<Record<string, unknown>> {
  const properties = definition.inputSchema.properties ?? {}
  return Object.fromEntries(Object.entries(toolDefaults).filter(([key]) => Object.hasOwn(properties, key)))
}
