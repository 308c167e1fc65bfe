/** The client of the SDK, connected to `grite mcp` as a real process. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { gritePath, type Json } from '../contract/grite-process.ts'
import type { CleanUp, Sandbox } from '../git/temp-repository.ts'

export interface McpClient {
  readonly client: Client
  readonly pid: number
  /** What the server has written to standard error. */
  readonly stderr: () => string
  /** Calls a tool and returns its document. Throws when it fails. */
  data(name: string, input?: object): Promise<Json>
  /** Calls a tool that fails, and returns its error. */
  failure(name: string, input?: object): Promise<Json>
}

export async function connectMcp(
  t: CleanUp,
  { environment }: Pick<Sandbox, 'environment'>,
  cwd: string,
  ...words: readonly string[]
): Promise<McpClient> {
  const transport = new StdioClientTransport({
    ...{ command: process.execPath, args: [gritePath, 'mcp', ...words], cwd, env: environment },
    stderr: 'pipe',
  })
  let stderr = ''
  transport.stderr?.on('data', (bytes: Buffer) => {
    stderr += bytes.toString()
  })
  const client = new Client({ name: 'test', version: '1' })
  t.after(() => client.close())
  await client.connect(transport)
  // The client checks structured results against the schemas of this list.
  await client.listTools()
  const call = (name: string, input: object) =>
    client.callTool({ name, arguments: { ...input } }) as Promise<{ isError?: boolean; content: Json }>
  return {
    client,
    pid: transport.pid ?? 0,
    stderr: () => stderr,
    async data(name, input = {}) {
      const { isError, content } = await call(name, input)
      if (isError === true) throw new Error(`${name}: ${content[0].text}`)
      return JSON.parse(content[0].text).data
    },
    async failure(name, input = {}) {
      const { isError, content } = await call(name, input)
      if (isError !== true) throw new Error(`${name} succeeded: ${content[0].text}`)
      return JSON.parse(content[0].text).error
    },
  }
}

/** Waits for what must come; the runner ends a test that waits in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10)
}
