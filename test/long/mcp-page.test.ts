/** docs/mcp.md is a walk: the entries of clients start a server, and its requests get the answers that it shows. */
import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { ResultSchema } from '@modelcontextprotocol/sdk/types.js'
import { parse as parseToml } from 'smol-toml'
import { createGriteSandbox, type GriteSandbox, gritePath, type Json } from '../contract/grite-process.ts'
import type { CleanUp } from '../git/temp-repository.ts'
import { lastFirst } from '../support/last-first.ts'
import { fencesOf } from '../tidy/commands-in-text.ts'
import { read } from '../tidy/source-files.ts'

const fences = fencesOf(read('docs/mcp.md'))
const documents: readonly { readonly line: number; readonly value: Json }[] = fences
  .filter(({ language }) => language === 'json' || language === 'toml')
  .map(({ language, text, line }) => ({ line, value: language === 'toml' ? parseToml(text) : JSON.parse(text) }))

/** The entry of a client for this server; undefined for another document. */
const entryOf = (value: Json): { readonly command: string; readonly args: readonly string[] } | undefined =>
  (value.mcpServers ?? value.servers ?? value.mcp_servers ?? value.context_servers)?.grite

/** What a user or a client replaces by the path of the repository. */
const placeholder = /^(?:\/path\/to\/repository|\$\{workspaceFolder\})$/

async function start(t: CleanUp, place: GriteSandbox, args: readonly string[]): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' })
  t.after(() => client.close())
  const env = { ...place.environment, PATH: `${place.dir}:${place.environment.PATH}` }
  await client.connect(
    new StdioClientTransport({
      ...{ command: 'grite', env },
      args: args.map((word) => (placeholder.test(word) ? place.path : word)),
      cwd: args.includes('--repo') ? place.dir : place.path,
    }),
  )
  return client
}

test('docs/mcp.md is a walk that gives what it shows', async (test) => {
  const t = lastFirst(test)
  const place = createGriteSandbox(t)
  symlinkSync(gritePath, join(place.dir, 'grite'))
  const entries = documents.flatMap(({ value }) => entryOf(value) ?? [])
  assert.equal(entries.length, 6)
  for (const { command, args } of entries) {
    assert.equal(command, 'grite')
    const client = await start(t, place, args)
    assert.ok((await client.listTools()).tools.length > 0)
    await client.close()
  }
  const client = await start(t, place, ['mcp'])
  let issue = '3f2a91c'
  const steps = documents.filter(({ value }) => entryOf(value) === undefined)
  for (const [index, { line, value }] of steps.entries()) {
    if (value.method === undefined) continue
    const named = (document: Json): Json => JSON.parse(JSON.stringify(document).replaceAll('3f2a91c', issue))
    const answer: Json = await client.request(named(value), ResultSchema)
    issue = answer.structuredContent?.data.issue_id ?? issue
    requirePart(answer, named(steps[index + 1]?.value), `line ${line}`)
  }
  assert.equal(place.data('issue', 'show', issue).issue.state, 'closed')
})

/** Objects may have more members than shown, and nothing else may. */
function requirePart(value: Json, shown: Json, where: string): void {
  if (typeof shown !== 'object' || shown === null) {
    assert.deepEqual(value, shown, where)
    return
  }
  if (Array.isArray(shown)) assert.equal(value?.length, shown.length, where)
  for (const [key, member] of Object.entries(shown)) requirePart(value?.[key], member, `${where} ${key}`)
}

test('docs/mcp.md names the default tools', async () => {
  const page = read('docs/mcp.md')
  const { defaultCommands, toolName } = await import('../../src/mcp/tools.ts')
  const [table = ''] = /\| tools \| for \|[\s\S]*?\n\n/.exec(page) ?? []
  const named = [...table.matchAll(/`(\w+)`/g)].map(([, name]) => name)
  assert.deepEqual(named.sort(), defaultCommands.map(toolName).sort())
})
