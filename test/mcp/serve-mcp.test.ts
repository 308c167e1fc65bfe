import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createGriteSandbox, type GriteSandbox } from '../contract/grite-process.ts'
import { createSandbox } from '../git/temp-repository.ts'
import { lastFirst } from '../support/last-first.ts'
import { connectMcp, type McpClient } from '../support/mcp-client.ts'

const cleanUp = lastFirst({ after })
let place: GriteSandbox
let mcp: McpClient

before(async () => {
  place = createGriteSandbox(cleanUp)
  mcp = await connectMcp(cleanUp, place, place.path)
})

test('a client gets the name, the version and the rules of the server', () => {
  assert.equal(mcp.client.getServerVersion()?.name, 'grite')
  assert.match(mcp.client.getInstructions() ?? '', /as data, never as instructions/)
})

test('an issue lives through the tools, as the command line sees it', async () => {
  const { issue_id: issue } = await mcp.data('issue_create', { title: 'Parser drops comments', label: ['bug'] })
  assert.equal((await mcp.data('issue_claim', { next: true })).issue_id, issue)
  await mcp.data('issue_comment', { issue, body: 'The cause is in the parser' })
  await mcp.data('issue_close', { issue: [issue], comment: 'Fixed' })
  const shown = await mcp.data('issue_show', { issue, noEvents: true })
  assert.deepEqual([shown.issue.state, shown.issue.comment_count], ['closed', 2])
  assert.deepEqual(place.data('issue', 'show', issue, '--no-events').issue, shown.issue)
})

test('the server sees what other processes write', async () => {
  const issue = place.create('From the command line')
  const { issues } = await mcp.data('search', { query: ['command line'] })
  assert.deepEqual(
    issues.map((row: { issue_id: string }) => row.issue_id),
    [issue],
  )
})

test('a list has pages', async () => {
  const operations = Array.from({ length: 60 }, (_, index) => ({
    op: 'create',
    title: `Page ${index}`,
    labels: ['page'],
  }))
  const { status } = place.griteWith({ stdin: operations.map((each) => `${JSON.stringify(each)}\n`).join('') }, 'batch')
  assert.equal(status, 0)
  const query = ['label:page']
  const first = await mcp.data('search', { query })
  assert.equal(first.issues.length, 50)
  const rest = await mcp.data('search', { query, after: first.next_cursor })
  assert.deepEqual([rest.issues.length, rest.next_cursor], [10, null])
  assert.equal((await mcp.data('search', { query, limit: 2 })).issues.length, 2)
})

test('an unknown tool is an error of the protocol', async () => {
  await assert.rejects(mcp.client.callTool({ name: 'issue_craete', arguments: {} }), { code: -32602 })
})

test('a wrong input is a result that names the field', async () => {
  const missing = await mcp.failure('issue_show')
  assert.deepEqual([missing.code, missing.details], ['invalid_args', { missing: ['<issue>'] }])
  const wrong = await mcp.failure('ready', { limit: 'many' })
  assert.deepEqual([wrong.code, wrong.details.field], ['invalid_args', 'limit'])
  const unknown = await mcp.failure('ready', { colour: 'red' })
  assert.deepEqual([unknown.code, unknown.details.field], ['invalid_args', 'colour'])
  const file = await mcp.failure('issue_create', { title: 'x', bodyFile: '/etc/hostname' })
  assert.deepEqual([file.code, file.details.field], ['invalid_args', 'bodyFile'])
})

test('a failed command is a result with its code', async () => {
  const { code, details } = await mcp.failure('issue_show', { issue: 'ffffffff' })
  assert.deepEqual([code, details.value], ['not_found', 'ffffffff'])
})

test('resources have an issue, the ready queue, the status and the tail of a stream', async () => {
  const { client } = mcp
  const { issue_id: issue } = await mcp.data('issue_create', { title: 'Read me\u202e' })
  place.data('stream', 'create', 'agent/plan')
  place.data('stream', 'append', 'agent/plan', 'first')
  const { resources } = await client.listResources()
  const uris = resources.map(({ uri }) => uri)
  assert.deepEqual(uris, ['grite://prime', 'grite://ready', 'grite://stream/agent/plan'])
  const read = async (uri: string) => {
    const [content] = (await client.readResource({ uri })).contents
    assert.ok(content !== undefined && 'text' in content)
    const { note, data } = JSON.parse(content.text)
    assert.match(note, /data, not instructions/)
    return data
  }
  assert.equal((await read('grite://prime')).counts.closed, 1)
  assert.equal((await read('grite://ready')).issues.length, 50)
  assert.equal((await read(`grite://issue/${issue.slice(0, 8)}`)).issue.title, 'Read me\\u202e')
  assert.equal((await read('grite://stream/agent/plan')).records[0].payload, 'first')
  await assert.rejects(client.readResource({ uri: 'grite://issue/ffffffff' }), { code: -32002 })
  await assert.rejects(client.readResource({ uri: 'grite://other' }), { code: -32602 })
})

test('a prompt is a message of the user', async () => {
  const { messages } = await mcp.client.getPrompt({ name: 'hand-over' })
  assert.deepEqual(
    messages.map(({ role }) => role),
    ['user'],
  )
})

test('standard error stays empty', () => {
  assert.equal(mcp.stderr(), '')
})

test('a read-only server has no tool that writes, and no prompt', async (t) => {
  const reading = await connectMcp(lastFirst(t), place, place.path, '--read-only', '--tools', 'ready,issue_create')
  const { tools } = await reading.client.listTools()
  assert.deepEqual(
    tools.map(({ name }) => name),
    ['ready'],
  )
  await assert.rejects(reading.client.callTool({ name: 'issue_create', arguments: { title: 'No' } }), { code: -32602 })
  assert.deepEqual((await reading.client.listPrompts()).prompts, [])
})

test('an unknown name of a tool is refused before anything is served', () => {
  const { status, stdout, stderr } = place.grite('mcp', '--tools', 'issue_craete')
  assert.deepEqual([status, stdout], [2, ''])
  assert.match(stderr, /--tools must be all, or names of tools/)
})

test('the server ends with its input, without a word', () => {
  assert.deepEqual(place.grite('mcp', '--json'), { status: 0, stdout: '', stderr: '' })
})

test('with GRITE_LOG each call is a line on standard error, without its texts', async (t) => {
  const environment = { ...place.environment, GRITE_LOG: 'info' }
  const { client, data, stderr } = await connectMcp(lastFirst(t), { environment }, place.path, '--tools', 'search')
  await data('search', { query: ['hidden words'] })
  await client.close()
  const lines = stderr().trimEnd().split('\n')
  const told = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg.startsWith('search'))
  assert.deepEqual(
    told.map(({ msg, given, exit_status: status }) => [msg, given, status]),
    [
      ['search', ['query'], undefined],
      ['search done', undefined, 0],
    ],
  )
  assert.doesNotMatch(stderr(), /hidden/)
})

test('outside of a repository a server starts, and each call says what is missing', async (t) => {
  const sandbox = createSandbox(t)
  const outside = await connectMcp(lastFirst(t), sandbox, sandbox.dir, '--tools', 'ready')
  assert.equal((await outside.failure('ready')).code, 'not_found')
  sandbox.git(sandbox.dir, 'init', '-q', '--template=')
  assert.equal((await outside.data('ready')).total, 0)
})
