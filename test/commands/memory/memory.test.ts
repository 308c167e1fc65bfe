import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ForgetData, RecallData, RememberData } from '../../../src/commands/memory/memory.ts'
import { GriteError, limits } from '../../../src/model/index.ts'
import type { PrimeFacts } from '../../../src/tracker/prime/format-prime.ts'
import { commandRunner, createCommandSandbox } from '../../support/command-runner.ts'

function openMemories(t: Parameters<typeof createCommandSandbox>[0]) {
  let nowUnixMs = Date.UTC(2026, 3, 5)
  const sandbox = createCommandSandbox(t, { nowUnixMs: () => (nowUnixMs += 1000) })
  const { run, path } = sandbox
  const remember = async (text: string, more: object = {}) => (await run('remember', { text, ...more })) as RememberData
  const recall = async (query: readonly string[] = [], more: object = {}) =>
    (await run('recall', { query, ...more })) as RecallData
  const forget = async (key: string) => (await run('forget', { key })) as ForgetData
  const keys = async (...given: Parameters<typeof recall>) => (await recall(...given)).memories.map(({ key }) => key)
  const create = async (title: string, more: object = {}) =>
    ((await run('issue create', { title, ...more })) as { issue_id: string }).issue_id
  mkdirSync(join(path, 'src/deep'), { recursive: true })
  writeFileSync(join(path, 'src/parser.ts'), '')
  return { ...sandbox, remember, recall, forget, keys, create }
}

const refused = (field: string, value?: string) => (error: unknown) =>
  error instanceof GriteError &&
  error.code === 'invalid_args' &&
  error.details.field === field &&
  (value === undefined || error.details.value === value)

test('remember - reads the note from standard input', async (t) => {
  const { path, environment } = openMemories(t)
  const piped = commandRunner({ cwd: path, env: environment, stdin: 'Port 8080 is taken\n' })
  assert.equal(((await piped.run('remember', { text: '-' })) as RememberData).text, 'Port 8080 is taken')
})

test('remember makes a key, and the same text changes nothing', async (t) => {
  const { remember, recall } = openMemories(t)
  const first = await remember('Tests need Docker')
  assert.deepEqual(
    [first.key, first.outcome, first.about, first.replaced],
    ['tests-need-docker', 'changed', null, null],
  )
  const again = await remember('Tests need Docker')
  assert.deepEqual([again.key, again.outcome, again.event_id], ['tests-need-docker', 'unchanged', null])
  assert.equal((await remember('Tests need docker!')).key, 'tests-need-docker-2')
  const { memories, total } = await recall()
  assert.deepEqual([memories.map(({ text }) => text), total], [['Tests need docker!', 'Tests need Docker'], 2])
})

test('a key replaces a text and keeps what it is about', async (t) => {
  const { remember, recall } = openMemories(t)
  await remember('Port 8080', { key: 'port', about: 'src' })
  const changed = await remember('Port 8081', { key: 'port' })
  assert.deepEqual([changed.about, changed.replaced], ['src', 'Port 8080'])
  const cleared = await remember('Port 8081', { key: 'port', about: '' })
  assert.deepEqual([cleared.about, cleared.replaced, cleared.outcome], [null, null, 'changed'])
  assert.equal((await recall()).total, 1)
})

test('recall filters by words and by path or issue', async (t) => {
  const { remember, keys, create, path, environment } = openMemories(t)
  const issue = await create('Crash')
  await remember('on the file', { key: 'file', about: 'src/parser.ts' })
  await remember('on the folder', { key: 'folder', about: 'src/' })
  await remember('on the deep folder', { key: 'deep', about: './src/deep' })
  await remember('on everything', { key: 'all', about: '.' })
  await remember('on the issue', { key: 'crash', about: issue.slice(0, 8) })
  assert.deepEqual(await keys([], { about: 'src/parser.ts' }), ['all', 'folder', 'file'])
  assert.deepEqual(await keys([], { about: 'src' }), ['all', 'folder'])
  assert.deepEqual(await keys([], { about: issue }), ['crash'])
  assert.deepEqual(await keys(['FOLDER', 'on']), ['deep', 'folder'])
  assert.deepEqual(await keys(['parser.ts']), ['file'])
  assert.deepEqual(await keys([], { limit: 2 }), ['crash', 'all'])
  const inside = commandRunner({ cwd: join(path, 'src'), env: environment })
  const { memories } = (await inside.run('recall', { about: 'parser.ts' })) as RecallData
  assert.deepEqual(
    memories.map(({ key }) => key),
    ['all', 'folder', 'file'],
  )
})

test('forget removes a memory and undo brings it back', async (t) => {
  const { remember, forget, keys, run } = openMemories(t)
  await remember('Port 8080', { about: 'src/parser.ts' })
  const { text, about, outcome } = await forget('port-8080')
  assert.deepEqual([text, about, outcome, await keys()], ['Port 8080', 'src/parser.ts', 'changed', []])
  await assert.rejects(
    forget('port-8081'),
    (error) => error instanceof GriteError && error.code === 'not_found' && error.details.value === 'port-8081',
  )
  const undone = (await run('undo')) as { commands: readonly { changes: readonly { field: string; new: string }[] }[] }
  const [change] = undone.commands[0]?.changes ?? []
  assert.deepEqual([change?.field, change?.new], ['memory port-8080', 'Port 8080'])
  assert.deepEqual(await keys(), ['port-8080'])
})

test('undo --list says of each step what that step changed', async (t) => {
  const { remember, forget, run } = openMemories(t)
  for (const text of ['one', 'two']) await remember(text, { key: 'k' })
  await forget('k')
  await remember('one', { key: 'k' })
  const { commands } = (await run('undo', { list: true })) as {
    commands: readonly { changes: readonly { old: string | null; new: string | null }[] }[]
  }
  assert.deepEqual(
    commands.map(({ changes }) => changes.map((change) => [change.old, change.new])),
    [[['one', null]], [[null, 'two']], [['two', 'one']], [['one', null]]],
  )
})

test('undo says what a memory was about, where its text is the same', async (t) => {
  const { remember, run } = openMemories(t)
  await remember('one', { key: 'k' })
  await remember('one', { key: 'k', about: 'src/parser.ts' })
  const { commands } = (await run('undo')) as { commands: readonly { changes: readonly Record<string, unknown>[] }[] }
  const [change] = commands[0]?.changes ?? []
  assert.deepEqual([change?.field, change?.old, change?.new], ['memory k about', 'src/parser.ts', null])
})

test('remember refuses bad texts, keys and subjects', async (t) => {
  const { remember, recall, keys } = openMemories(t)
  await assert.rejects(remember(' \n'), refused('text'))
  await assert.rejects(remember('x'.repeat(limits.memoryBytesMax + 1)), refused('text'))
  for (const key of ['a b', '', '-a', 'x'.repeat(65)]) await assert.rejects(remember('x', { key }), refused('key', key))
  for (const about of ['nowhere', '../out.ts', '/etc/passwd', 'abcdef']) {
    await assert.rejects(remember('x', { about }), refused('about', about))
  }
  const far = `a/${'b'.repeat(limits.memoryAboutBytesMax)}`
  await assert.rejects(remember('x', { about: far }), refused('about', far))
  await assert.rejects(recall([], { about: 'nowhere' }), refused('about', 'nowhere'))
  assert.deepEqual(await keys(), [])
  assert.equal((await remember('x', { about: 'src/not-yet.ts' })).about, 'src/not-yet.ts')
})

test('issues that serve as memories are recalled, but never ready', async (t) => {
  const { recall, create, run } = openMemories(t)
  const labelled = await create('Tests need Docker', { label: ['memory'], body: 'And a network' })
  await create('[Memory] Port 8080')
  await run('issue close', { issue: [await create('[memory] outdated')] })
  const { memories } = await recall()
  assert.deepEqual(
    memories.map(({ key, text }) => [key, text]),
    [
      [null, 'Port 8080'],
      [null, 'Tests need Docker\n\nAnd a network'],
    ],
  )
  assert.equal((await recall(['docker', 'network'])).memories[0]?.issue?.issue_id, labelled)
  assert.deepEqual(((await run('ready')) as { issues: readonly object[] }).issues, [])
})

test('memories of an imported tracker keep their keys', async (t) => {
  const { recall, remember, forget, run, path } = openMemories(t)
  writeFileSync(join(path, 'beads.jsonl'), '{"_type":"memory","key":"a key","value":"{\\"text\\":7}"}\n')
  await run('import', { file: join(path, 'beads.jsonl') })
  const { memories } = await recall()
  assert.deepEqual(
    memories.map(({ key, text, ts_unix_ms }) => [key, text, ts_unix_ms]),
    [['a key', '{"text":7}', 0]],
  )
  assert.equal((await remember('new', { key: 'a key' })).replaced, '{"text":7}')
  assert.equal((await forget('a key')).text, 'new')
})

test('a key made from a text never takes that of a memory beyond the limit', async (t) => {
  const { withRepository, remember } = openMemories(t)
  await withRepository((repository) =>
    repository.write(async (draft) => {
      for (let index = 0; index <= limits.memoriesMax; index++) await draft.setProjectContext(`memory.${index}`, 'x')
      await draft.setProjectContext('memory.zebra', 'kept')
    }),
  )
  const { key, replaced } = await remember('zebra')
  assert.notEqual(key, 'zebra')
  assert.equal(replaced, null)
})

test('recall reads a bounded number of memories and says so', async (t) => {
  const { withRepository, recall, warnings } = openMemories(t)
  await withRepository((repository) =>
    repository.write(async (draft) => {
      for (let index = 0; index <= limits.memoriesMax; index++) await draft.setProjectContext(`memory.${index}`, 'x')
    }),
  )
  assert.equal((await recall()).total, limits.memoriesMax)
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['too-many-memories'],
  )
})

test('prime shows memories about what is at hand first', async (t) => {
  const { remember, run, create, git, path } = openMemories(t)
  git(path, 'config', 'user.name', 'Ann')
  git(path, 'add', '.')
  git(path, 'commit', '-qm', 'files')
  const shown = async () => ((await run('prime')) as PrimeFacts).memories.map(({ key, about }) => [key, about])
  const mine = await create('mine', { assignee: ['Ann'] })
  await remember('on the issue', { key: 'issue', about: mine })
  await remember('on the file', { key: 'file', about: 'src/parser.ts' })
  for (let index = 0; index < 10; index++) await remember(`note ${index}`, { key: `n${index}` })
  assert.deepEqual((await shown()).slice(0, 2), [
    ['issue', mine.slice(0, 7)],
    ['n9', null],
  ])
  writeFileSync(join(path, 'src/parser.ts'), 'changed')
  assert.deepEqual((await shown()).slice(0, 2), [
    ['file', 'src/parser.ts'],
    ['issue', mine.slice(0, 7)],
  ])
  const { left_out, ready } = (await run('prime')) as PrimeFacts
  assert.deepEqual([left_out.memories, ready.length], [2, 0])
})
