/** Streams across clones, in this process, with real git. */
import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { StreamAppendData } from '../../../src/commands/stream/append.ts'
import type { StreamFetchData } from '../../../src/commands/stream/fetch.ts'
import type { StreamFollowData } from '../../../src/commands/stream/follow.ts'
import type { StreamProbeData } from '../../../src/commands/stream/probe.ts'
import type { StreamPublishData } from '../../../src/commands/stream/publish.ts'
import type { StreamReadData } from '../../../src/commands/stream/read.ts'
import type { StreamRescueData } from '../../../src/commands/stream/rescue.ts'
import { GriteError } from '../../../src/model/index.ts'
import { selectionOf } from '../../../src/tracker/streams/follow-list.ts'
import { commandRunner, createCommandSandbox } from '../../support/command-runner.ts'

test('streams are published, followed, restored and rescued', async (t) => {
  const { run, git, dir, path, environment } = createCommandSandbox(t)
  git(dir, 'init', '-q', '--bare', 'remote.git')
  git(path, 'remote', 'add', 'origin', `${dir}/remote.git`)
  const at = (name: string) => commandRunner({ cwd: `${dir}/${name}`, env: environment }).run
  const payloads = async (runIn: typeof run, stream: string) =>
    ((await runIn('stream read', { stream })) as StreamReadData).records.map(({ payload }) => payload)

  await run('stream create', { stream: 'log' })
  await run('stream append', { stream: 'log', payload: 'a' })
  const dry = (await run('stream publish', { dryRun: true })) as StreamPublishData
  assert.deepEqual([dry.streams[0]?.outcome, dry.streams[0]?.unsealed_records], ['pending', 1])
  const published = (await run('stream publish', { stream: ['log'], seal: true })) as StreamPublishData
  assert.deepEqual([published.streams[0]?.outcome, published.streams[0]?.local.next_offset], ['published', 1])

  git(dir, 'clone', '-q', 'remote.git', 'reader')
  const reader = at('reader')
  await assert.rejects(reader('stream fetch', {}), GriteError, 'nothing is followed')
  assert.deepEqual(((await reader('stream follow', { stream: 'l*' })) as StreamFollowData).follow, ['l*'])
  const fetched = (await reader('stream fetch', {})) as StreamFetchData
  assert.deepEqual([fetched.streams[0]?.outcome, await payloads(reader, 'log')], ['created', ['a']])
  const gone = (await reader('stream fetch', { stream: ['other'] })) as StreamFetchData
  assert.deepEqual(gone.missing, ['other'])
  assert.deepEqual(((await reader('stream unfollow', { stream: 'l*' })) as StreamFollowData).follow, [])

  const replicated = async (more: object) =>
    (
      (await run('stream append', {
        stream: 'log',
        payload: 'r',
        durability: 'replicated',
        ...more,
      })) as StreamAppendData
    ).level
  assert.equal(await replicated({ remote: `${dir}/nowhere.git` }), 'local', 'what it reached')
  assert.equal(await replicated({}), 'replicated')
  await reader('stream fetch', { stream: ['log'] })
  assert.deepEqual(await payloads(reader, 'log'), ['a', 'r', 'r'])

  const pushes = `${dir}/pushes`
  const counting = `#!/bin/sh\necho push >> '${pushes}'\nexec git receive-pack "$@"\n`
  writeFileSync(`${dir}/receive-pack`, counting, { mode: 0o755 })
  git(path, 'config', 'remote.origin.receivepack', `${dir}/receive-pack`)
  await run('stream create', { stream: 'many' })
  const levels = await Promise.all(Array.from({ length: 8 }, () => replicated({ stream: 'many' })))
  assert.deepEqual(levels, Array(8).fill('replicated'))
  const pushCount = readFileSync(pushes, 'utf8').trim().split('\n').length
  assert.ok(pushCount <= 4, `appends that wait together share pushes: ${pushCount} for 8`)
  await reader('stream fetch', { stream: ['many'] })
  assert.equal((await payloads(reader, 'many')).length, 8)

  // A copied repository has the id of its original, and writes on.
  cpSync(path, `${dir}/copy`, { recursive: true })
  const copy = at('copy')
  await run('stream append', { stream: 'log', payload: 'b' })
  await run('sync', { streams: true })
  await copy('stream append', { stream: 'log', payload: 'c' })
  await assert.rejects(copy('stream publish', { stream: ['log'], seal: true }), (error) => {
    assert.ok(error instanceof GriteError)
    assert.deepEqual([error.code, error.details.reason], ['conflict', 'diverged'])
    return true
  })
  const { rescues } = (await copy('stream rescue', { stream: 'log' })) as StreamRescueData
  assert.deepEqual([rescues[0]?.from_offset, rescues[0]?.records], [3, 1])
  assert.deepEqual(await payloads(copy, rescues[0]?.branch ?? ''), ['a', 'r', 'r', 'c'])
  assert.deepEqual(await payloads(copy, 'log'), ['a', 'r', 'r', 'b'])
})

test('a probe proves what a remote can do, and leaves no ref', async (t) => {
  const { run, git, dir, path, warnings } = createCommandSandbox(t)
  const probe = async (input: object) => (await run('stream probe', { ...input })) as StreamProbeData
  const outcomes = ({ checks }: StreamProbeData) => checks.map(({ check, outcome }) => `${check} ${outcome}`)
  const refs = (folder: string) => git(folder, 'for-each-ref', 'refs/grite-probe', 'refs/grite-remotes').trim()

  const alone = await probe({})
  assert.deepEqual([alone.remote, alone.able, outcomes(alone)], [null, true, ['flush ok', 'swap ok']])

  git(dir, 'init', '-q', '--bare', 'remote.git')
  git(path, 'remote', 'add', 'origin', '../remote.git')
  git(`${dir}/remote.git`, 'config', 'uploadpack.allowFilter', 'true')
  const all = await probe({})
  const disk = ['flush ok', 'swap ok']
  assert.deepEqual(outcomes(all), [...disk, 'push ok', 'swap ok', 'atomic ok', 'filter ok', 'size ok'])
  assert.deepEqual([refs(path), refs(`${dir}/remote.git`), all.able], ['', '', true])

  git(`${dir}/remote.git`, 'config', 'receive.advertiseAtomic', 'false')
  git(`${dir}/remote.git`, 'config', 'uploadpack.allowFilter', 'false')
  git(`${dir}/remote.git`, 'config', 'receive.maxInputSize', '1m')
  const weak = await probe({})
  assert.deepEqual(outcomes(weak), [...disk, 'push ok', 'swap ok', 'atomic missing', 'filter missing', 'size missing'])
  assert.deepEqual([refs(path), refs(`${dir}/remote.git`), weak.able], ['', '', true])

  writeFileSync(`${dir}/remote.git/hooks/pre-receive`, '#!/bin/sh\necho no probes >&2\nexit 1\n', { mode: 0o755 })
  const refused = await probe({})
  assert.deepEqual(outcomes(refused).slice(2, 4), ['push missing', 'swap unknown'])
  assert.deepEqual([refused.able, warnings.map(({ code }) => code)], [false, []])
})

test('a pattern matches any characters at a star', () => {
  const matches = (pattern: string, id: string) => selectionOf([pattern]).isWanted(id as never)
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['agent/*', 'agent/a/b', true],
    ['agent/*', 'agents', false],
    ['*/plan', 'a/plan', true],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['a*a', 'a', false],
    ['log', 'logs', false],
    ['*', 'x', true],
  ]
  for (const [pattern, id, expected] of cases) assert.equal(matches(pattern, id), expected, `${pattern} ${id}`)
})
