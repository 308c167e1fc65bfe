/** `grite mcp` as clients use it: cancelled calls, progress, beside a daemon and other processes. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { listProcessTree } from '../../src/git/process-tree.ts'
import { errorKinds } from '../../src/model/errors/index.ts'
import { createGriteSandbox, type Json } from '../contract/grite-process.ts'
import { createDaemonSandbox } from '../daemon/daemon-process.ts'
import type { CleanUp } from '../git/temp-repository.ts'
import { lastFirst } from '../support/last-first.ts'
import { connectMcp, until } from '../support/mcp-client.ts'

/** A process that has ended and was not waited for is over, too. */
const isRunning = (pid: number): boolean => listProcessTree(pid).length > 0

/** A repository whose remote never answers. */
function createSilentSandbox(t: CleanUp) {
  const place = createGriteSandbox(t)
  const [ssh, pidFile] = [join(place.dir, 'ssh'), join(place.dir, 'pid')]
  writeFileSync(ssh, `#!/bin/sh\necho $$ > ${pidFile}.new && mv ${pidFile}.new ${pidFile}\nexec sleep 600\n`)
  chmodSync(ssh, 0o755)
  place.git(place.path, 'remote', 'add', 'origin', 'ssh://host.example/repository')
  const environment = { ...place.environment, GIT_SSH_COMMAND: ssh }
  const pidOfSsh = async () => {
    await until(() => existsSync(pidFile))
    return Number(readFileSync(pidFile, 'utf8'))
  }
  return { place, environment, pidOfSsh }
}

test('a cancelled sync ends its programs, and the server goes on', async (test) => {
  const t = lastFirst(test)
  const { place, environment, pidOfSsh } = createSilentSandbox(t)
  const { client, data } = await connectMcp(t, { environment }, place.path)
  await data('issue_create', { title: 'One' })
  const cancel = new AbortController()
  const syncing = client.callTool({ name: 'sync', arguments: {} }, undefined, { signal: cancel.signal })
  const pid = await pidOfSsh()
  assert.ok(isRunning(pid))
  cancel.abort()
  await assert.rejects(syncing)
  await until(() => !isRunning(pid))
  await data('issue_create', { title: 'Two' })
  assert.equal((await data('ready')).total, 2)
})

for (const [how, end] of [
  ['its input ends', (pid: number, close: () => Promise<void>) => close().then(() => pid)],
  ['it is asked to', async (pid: number) => process.kill(pid, 'SIGTERM')],
] as const) {
  test(`the server ends when ${how}, with its programs and its locks`, async (test) => {
    const t = lastFirst(test)
    const { place, environment, pidOfSsh } = createSilentSandbox(t)
    const { client, data, pid: server } = await connectMcp(t, { environment }, place.path)
    await data('issue_create', { title: 'One' })
    const syncing = client.callTool({ name: 'sync', arguments: {} }).catch(() => undefined)
    const ssh = await pidOfSsh()
    await end(server, () => client.close())
    await until(() => !isRunning(ssh) && !isRunning(server))
    await syncing
    place.create('Two')
    assert.deepEqual(
      place.data('doctor').checks.filter(({ status }: Json) => status === 'error'),
      [],
    )
  })
}

for (const where of ['here', 'in a daemon'] as const)
  test(`a call that is cancelled and made again is carried out once, ${where}`, async (test) => {
    const t = lastFirst(test)
    const place = createDaemonSandbox(t)
    if (where === 'in a daemon') place.startDaemon()
    const { client, data } = await connectMcp(t, place, place.path, '--tools', 'all')
    const { issue_id: issue } = await data('issue_create', { title: 'One' })
    await data('stream_create', { stream: 'agent/plan' })
    const callTwice = async (name: string, input: Record<string, unknown>, waitMs: number) => {
      const cancel = new AbortController()
      const first = client.callTool({ name, arguments: input }, undefined, { signal: cancel.signal })
      await sleep(waitMs)
      cancel.abort()
      const answer = await first.catch(() => undefined)
      if (answer === undefined) await data(name, input)
    }
    const texts = Array.from({ length: 10 }, (_, round) => `Text ${round}`)
    for (const [round, text] of texts.entries()) {
      // Before, during and after the write.
      await callTwice('issue_comment', { issue, body: text }, round * 3)
      await callTwice('stream_append', { stream: 'agent/plan', payload: text }, round)
    }
    const { comments } = (await data('issue_show', { issue })).issue
    assert.deepEqual(
      comments.map(({ body }: Json) => body),
      texts,
    )
    const { records } = await data('stream_read', { stream: 'agent/plan' })
    assert.deepEqual(
      records.map(({ payload }: Json) => payload),
      texts,
    )
  })

test('long work tells its progress', async (test) => {
  const t = lastFirst(test)
  const place = createGriteSandbox(t)
  const { client } = await connectMcp(t, place, place.path, '--tools', 'import,rebuild')
  const times = '"created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z"'
  const lines = Array.from({ length: 500 }, (_, n) => `{"id":"bd-${n}","title":"T","status":"open",${times}}\n`)
  writeFileSync(join(place.path, 'tracker.jsonl'), lines.join(''))
  const run = async (name: string, input: Record<string, unknown>) => {
    const told: number[] = []
    const onprogress = ({ progress }: { readonly progress: number }) => void told.push(progress)
    const { isError } = await client.callTool({ name, arguments: input }, undefined, { onprogress })
    assert.notEqual(isError, true)
    assert.ok(told.length > 0, name)
    assert.deepEqual(
      told,
      told.toSorted((one, other) => one - other),
    )
  }
  await run('import', { file: 'tracker.jsonl' })
  await run('rebuild', {})
})

test('beside a daemon the server uses it, and goes on without it', async (test) => {
  const t = lastFirst(test)
  const place = createDaemonSandbox(t)
  place.startDaemon()
  const { data } = await connectMcp(t, place, place.path)
  const served = await place.countServed(async () => {
    for (let count = 0; count < 5; count++) await data('issue_create', { title: `Issue ${count}` })
  })
  assert.ok(served >= 5, `${served}`)
  place.data('daemon', 'stop')
  await data('issue_create', { title: 'Without' })
  assert.equal((await data('ready')).total, 6)
  assert.equal((await data('search', { query: ['Without'] })).total, 1)
})

test('calls at the same time, of one server, of two and of other processes, all succeed', async (test) => {
  const t = lastFirst(test)
  const place = createGriteSandbox(t)
  place.git(place.dir, 'init', '-q', '--bare', 'origin.git')
  place.git(place.path, 'remote', 'add', 'origin', '../origin.git')
  place.create('First')
  const servers = await Promise.all([1, 2].map(() => connectMcp(t, place, place.path, '--tools', 'all')))
  await Promise.all([
    ...servers.flatMap(({ data }, server) => [
      ...Array.from({ length: 5 }, (_, n) => data('issue_create', { title: `Of server ${server}, ${n}` })),
      data('rebuild'),
      data('sync'),
      data('ready'),
      data('doctor'),
      data('context_index'),
      data('batch', { stdin: `{"op":"create","title":"Of a batch of ${server}"}\n` }),
    ]),
    ...Array.from({ length: 3 }, async (_, n) => place.create(`Of a process, ${n}`)),
  ])
  assert.equal((await servers[0]?.data('ready'))?.total, 1 + 10 + 2 + 3)
})

test('every tool answers an empty input, and the server survives all', async (test) => {
  const t = lastFirst(test)
  const place = createGriteSandbox(t)
  place.create('One')
  const { client, stderr } = await connectMcp(t, place, place.path, '--tools', 'all')
  const { tools } = await client.listTools()
  const codes = new Set<string>(Object.values(errorKinds).map(({ code }) => code))
  const wrong: string[] = []
  let answered = 0
  for (const { name, inputSchema } of tools) {
    const result = await client.callTool({ name, arguments: {} })
    const [{ text }] = result.content as [{ text: string }]
    const { error, data } = JSON.parse(text)
    if (error === undefined ? data === undefined : !codes.has(error.code) || error.code === 'internal_error')
      wrong.push(`${name}: ${text}`)
    if (error === undefined) answered++
    if (error === undefined && (inputSchema.required ?? []).length > 0) wrong.push(`${name} needs no input`)
  }
  assert.deepEqual(wrong, [])
  assert.ok(answered > 20, `${answered} of ${tools.length}`)
  assert.equal(stderr(), '')
})
