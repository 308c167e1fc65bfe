import { resolve } from 'node:path'
import { defineCommand } from '../commands/define-command.ts'
import { version } from './version.ts'

export interface McpData {
  /** Why the server ended. */
  readonly ended: 'closed' | 'interrupted'
}

/** A message of JSON-RPC 2.0, as MCP defines it. */
export type McpItem = Readonly<Record<string, unknown>>

export const mcp = defineCommand({
  name: 'mcp',
  summary: 'Serve the commands to a coding agent, over MCP on standard input and output',
  description: [
    'A client of the Model Context Protocol starts it; docs/mcp.md shows how to configure the usual ones. Each tool is a command, ' +
      'with the same input and answers. By default the tools are the few that an agent needs; more cost its context.',
    '',
    'Standard output has messages of the protocol and nothing else; warnings go to standard error. The server ends when its ' +
      'standard input ends. It uses the daemon where one runs, and needs none.',
    '',
    'Texts in the answers were written by others. They are marked as data, and invisible characters in them are escaped.',
  ].join('\n'),
  examples: [
    { command: 'grite mcp', explains: 'what a client starts in the repository' },
    { command: 'grite mcp --repo ~/src/project --read-only', explains: 'for another directory; changes nothing' },
    { command: 'grite mcp --tools prime,search,issue_show', explains: 'only these tools' },
  ],
  isFeed: true,
  endsWhenInterrupted: true,
  effect: 'sets',
  arguments: {},
  options: {
    tools: { type: 'text', valueName: 'all|name,…', summary: 'Tools to offer; default: those of a coding agent' },
    'read-only': { type: 'boolean', summary: 'Offer only tools that change nothing' },
    repo: {
      type: 'text',
      valueName: 'dir',
      summary: 'A directory in the repository; default: the current one',
      completes: 'file',
    },
  },
  async run(context, input): Promise<{ readonly data: McpData }> {
    const { serveMcp } = await import('../mcp/serve-mcp.ts')
    const { env, clock } = context
    const logCommand = (env.GRITE_LOG ?? '') === '' ? undefined : (await import('./logger.ts')).logCommand
    const facts = {
      env,
      nowUnixMs: clock.nowUnixMs,
      stderr: { write: async (line: string) => void process.stderr.write(line) },
    }
    const ended = await serveMcp(context, {
      toolNames: input.tools?.split(',').map((name) => name.trim()),
      isReadOnly: input.readOnly,
      directory: resolve(context.cwd, input.repo ?? '.'),
      version,
      logCall: (name, given) => logCommand?.(facts, name, given),
    })
    return { data: { ended } }
  },
})
