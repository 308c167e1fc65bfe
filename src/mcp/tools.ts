/**
 * Tools: commands as a client of MCP sees them. Name, input, output and hints derive from the definition of the command and from
 * its schemas (`grite schema`).
 */
import type { Tool as ToolDefinition } from '@modelcontextprotocol/sdk/types.js'
import type { AnyCommand, Effect } from '../commands/define-command.ts'
import { camelCase, optionEntries } from '../commands/option-text.ts'
import { InvalidArgsError } from '../model/errors/index.ts'

type JsonSchema = Readonly<Record<string, unknown>>

/** The schemas of a command, as `grite schema` gives them. */
export interface CommandSchemas {
  readonly command: string
  readonly input: JsonSchema
  readonly data: JsonSchema
}

export interface Tool {
  readonly command: AnyCommand
  readonly definition: ToolDefinition
}

/** What an agent needs for its loop. Each more costs its context, in every session. */
export const defaultCommands: readonly string[] = [
  'prime',
  'ready',
  'search',
  'issue show',
  'issue create',
  'issue update',
  'issue comment',
  'issue close',
  'issue claim',
  'issue unclaim',
  'issue dep add',
  'remember',
  'recall',
  'context query',
  'sync',
]

/** What an absent input means in a tool, where its answer would be longer than a model wants it. */
export const toolDefaults: Readonly<Record<string, unknown>> = { limit: 50, noEvents: true }

/** `issue dep add` → `issue_dep_add`. */
export function toolName(command: string): string {
  return command.replaceAll(' ', '_')
}

/** The key of an input that has what a command reads from standard input. */
export const stdinKey = 'stdin'

/**
 * Chooses the commands that become tools.
 *
 * @param choice - names of tools or commands, `all`, or undefined for the default ones
 * @throws {InvalidArgsError} on a name that is no tool
 */
export function chooseCommands(
  commands: readonly AnyCommand[],
  choice: { readonly names: readonly string[] | undefined; readonly isReadOnly: boolean },
): AnyCommand[] {
  const possible = commands.filter(isPossible)
  const { names = defaultCommands, isReadOnly } = choice
  const byName = new Map(possible.map((command) => [toolName(command.name), command]))
  const named = new Set(names.filter((name) => name !== 'all').map((name) => requireTool(byName, name)))
  const chosen = names.includes('all') ? possible : [...named]
  return isReadOnly ? chosen.filter(({ effect }) => effect === 'reads') : chosen
}

/** A feed has no end, and a tool has no terminal, standard input or output. */
function isPossible({ isFeed, cliOnly }: AnyCommand): boolean {
  return isFeed !== true && cliOnly !== true
}

function requireTool(byName: ReadonlyMap<string, AnyCommand>, name: string): AnyCommand {
  const command = byName.get(toolName(name))
  if (command !== undefined) return command
  throw new InvalidArgsError(`--tools must be all, or names of tools, got '${name}'`, {
    details: { field: 'tools', value: name, allowed: ['all', ...byName.keys()] },
  })
}

export function describeTool(command: AnyCommand, schemas: CommandSchemas): Tool {
  return {
    command,
    definition: {
      name: toolName(command.name),
      description: command.summary,
      inputSchema: inputSchema(command, schemas.input),
      outputSchema: outputSchema(schemas.data),
      annotations: { ...hints[command.effect], openWorldHint: command.served !== true },
    },
  }
}

const hints: Readonly<Record<Effect, ToolDefinition['annotations']>> = {
  reads: { readOnlyHint: true },
  adds: { destructiveHint: false },
  sets: { destructiveHint: false, idempotentHint: true },
  destroys: { idempotentHint: true },
}

/** The input of the command, without what only a command line needs. */
function inputSchema(command: AnyCommand, { properties = {}, ...input }: JsonSchema): ToolDefinition['inputSchema'] {
  const left = new Set(
    optionEntries(command)
      .filter(([, { cliOnly }]) => cliOnly === true)
      .map(([name]) => camelCase(name)),
  )
  const kept = Object.entries(properties as Readonly<Record<string, JsonSchema>>)
    .filter(([key]) => !left.has(key))
    .map(([key, schema]) => [key, key in toolDefaults ? { ...schema, default: toolDefaults[key] } : schema])
  const { readsStdin } = command
  const stdin = readsStdin === undefined ? {} : { [stdinKey]: { description: readsStdin, type: 'string' } }
  return {
    ...input,
    type: 'object',
    properties: { ...Object.fromEntries(kept), ...stdin },
  } as ToolDefinition['inputSchema']
}

/**
 * The schema of a structured result: only the first level of the data, because clients put it into the context of a model.
 * `grite schema` has all of it.
 */
function outputSchema(data: JsonSchema): ToolDefinition['outputSchema'] {
  const variants = (data.anyOf as readonly JsonSchema[] | undefined) ?? [data]
  const lists = variants.map(({ required = [] }) => required as readonly string[])
  const [first = []] = lists
  const always = first.filter((key) => lists.every((list) => list.includes(key)))
  return {
    type: 'object',
    properties: { data: { type: 'object', ...(always.length === 0 ? {} : { required: always }) } },
    required: ['data'],
  }
}
