/** Streams in a file, in this process, with real git. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { ExportData } from '../../../src/commands/export.ts'
import type { ImportData } from '../../../src/commands/import.ts'
import type { StreamExportData } from '../../../src/commands/stream/export.ts'
import type { StreamImportData } from '../../../src/commands/stream/import.ts'
import type { StreamListData } from '../../../src/commands/stream/list.ts'
import type { StreamReadData } from '../../../src/commands/stream/read.ts'
import { createBundle, type RefName } from '../../../src/git/index.ts'
import { type ErrorCode, GriteError } from '../../../src/model/index.ts'
import { commandRunner, createCommandSandbox } from '../../support/command-runner.ts'

const fails = (code: ErrorCode, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof GriteError, `${error}`)
  assert.equal(error.code, code, error.message)
  assert.match(error.message, message)
  return true
}

test('streams are exported to a file, and restored from it', async (t) => {
  const { run, git, dir, path, environment } = createCommandSandbox(t)
  const at = (name: string) => commandRunner({ cwd: `${dir}/${name}`, env: environment }).run
  await run('stream create', { stream: 'log' })
  await run('stream append', { stream: 'log', payload: 'a' })
  await run('stream append', { stream: 'log', payload: 'b' })
  await run('stream branch', { stream: 'child', parent: 'log@0' })
  await run('stream append', { stream: 'child', payload: 'c' })
  const file = `${dir}/streams.bundle`
  const exported = (await run('stream export', { file })) as StreamExportData
  assert.deepEqual(exported.streams.map(({ stream, next_offset }) => [stream, next_offset]).sort(), [
    ['child', 2],
    ['log', 2],
  ])

  git(dir, 'init', '-q', 'other')
  const other = at('other')
  const imported = (await other('stream import', { file })) as StreamImportData
  assert.deepEqual(
    imported.streams.map(({ outcome }) => outcome),
    ['created', 'created'],
  )
  const facts = async (runIn: typeof run) =>
    ((await runIn('stream list', {})) as StreamListData).streams.map((one) => [one.stream, one.incarnation, one.root])
  assert.deepEqual(await facts(other), await facts(run))
  const read = async (runIn: typeof run) =>
    ((await runIn('stream read', { stream: 'child' })) as StreamReadData).records
  assert.deepEqual(await read(other), await read(run))
  const again = (await other('stream import', { file })) as StreamImportData
  assert.equal(again.streams[0]?.outcome, 'unchanged')
  assert.equal(git(`${dir}/other`, 'for-each-ref', 'refs/grite-remotes/'), '', 'no tracking refs stay')
  await assert.rejects(other('stream append', { stream: 'log', payload: 'x' }), GriteError, 'another clone owns it')

  await run('stream append', { stream: 'log', payload: 'd' })
  await run('stream export', { file, stream: ['log'] })
  const moved = (await other('stream import', { file })) as StreamImportData
  assert.deepEqual([moved.streams[0]?.outcome, moved.streams[0]?.remote.next_offset], ['moved', 3])
  await assert.rejects(run('stream export', { file, stream: ['none'] }), fails('not_found', /none/))

  git(dir, 'init', '-q', 'twin')
  const twin = at('twin')
  await twin('stream create', { stream: 'log' })
  await assert.rejects(
    twin('stream import', { file }),
    fails('conflict', /diverged \(both were created\): here it is at next offset 0 .* at next offset 3 /),
  )

  git(dir, 'init', '-q', 'fresh')
  const fresh = at('fresh')
  const bad = `${dir}/bad.bundle`
  const refuses = async (code: ErrorCode, message: RegExp) => {
    await assert.rejects(fresh('stream import', { file: bad }), fails(code, message))
    assert.equal(git(`${dir}/fresh`, 'for-each-ref', 'refs/grite-remotes/'), '')
    assert.equal(((await fresh('stream list', {})) as StreamListData).streams.length, 0)
  }
  await refuses('not_found', /cannot read/)
  writeFileSync(bad, 'log')
  await refuses('invalid_args', /not a bundle of git/)
  writeFileSync(bad, readFileSync(file).subarray(0, -40))
  await refuses('invalid_args', /cannot read the bundle/)
  git(path, 'commit', '-q', '--allow-empty', '-m', 'code')
  git(path, 'bundle', 'create', bad, 'HEAD')
  await refuses('invalid_args', /holds no streams/)
  const [ref = ''] = git(path, 'for-each-ref', '--format=%(refname)', 'refs/grite/streams/').split('\n')
  git(path, 'update-ref', ref, 'HEAD')
  git(path, 'bundle', 'create', bad, ref)
  await refuses('invalid_args', /is damaged: .*nothing was imported/)
})

test('export --streams and import take the same bundles, also through pipes', async (t) => {
  const { run, git, dir, path, environment, withRepository } = createCommandSandbox(t)
  await run('stream create', { stream: 'log' })
  await run('stream append', { stream: 'log', payload: 'a' })
  git(dir, 'init', '-q', 'other')
  git(dir, 'init', '-q', 'fresh')
  const from = (stdin: Uint8Array, name = 'other') =>
    commandRunner({ cwd: `${dir}/${name}`, env: environment, stdin }).run
  const other = from(new Uint8Array())
  const file = `${dir}/streams.bundle`
  const exported = (await run('export', { streams: true, output: file })) as ExportData
  assert.deepEqual([exported.format, exported.output_path, exported.streams?.[0]?.next_offset], ['bundle', file, 1])
  const [ref = ''] = git(path, 'for-each-ref', '--format=%(refname)', 'refs/grite/streams/').split('\n')
  const phases: string[] = []
  await withRepository((repository) =>
    createBundle(repository.git, `${dir}/shown.bundle`, [ref as RefName], (phase) => phases.push(phase)),
  )
  assert.ok(phases.length > 0, 'git says how far it is')
  const printed = (await run('export', { streams: true })) as ExportData
  const piped = (await run('stream export', { file: '-', stream: ['log'] })) as StreamExportData
  const bytes = Buffer.from(piped.content ?? '', 'base64')
  assert.equal(printed.content, piped.content)
  assert.deepEqual(bytes, readFileSync(file))
  const outcomesOf = (data: unknown) => (data as ImportData).streams?.map(({ outcome }) => outcome)
  const counted = async () => ((await other('stream list', {})) as StreamListData).streams.length
  assert.deepEqual(outcomesOf(await other('import', { file, dryRun: true })), ['created'])
  assert.equal(await counted(), 0)
  const piping = from(bytes)
  assert.deepEqual(outcomesOf(await piping('stream import', { file: '-', dryRun: true })), ['created'])
  assert.equal(await counted(), 0)
  assert.deepEqual(outcomesOf(await piping('import', { file: '-' })), ['created'])
  assert.deepEqual(outcomesOf(await other('import', { file })), ['unchanged'])
  assert.equal(git(`${dir}/other`, 'for-each-ref', 'refs/grite-remotes/'), '', 'no tracking refs stay')
  assert.deepEqual(readdirSync(`${dir}/other/.git/grite/tmp`), [], 'no copies stay')
  for (const more of [{ format: 'json' as const }, { since: '7d' }, { attachments: true }])
    await assert.rejects(run('export', { streams: true, ...more }), fails('invalid_args', /and --streams exclude/))
  await assert.rejects(run('export', {}), fails('invalid_args', /--format must be json/))
  await assert.rejects(
    other('import', { file, includeTombstones: true }),
    fails('invalid_args', /--include-tombstones/),
  )
  await assert.rejects(
    from(bytes.subarray(0, -40), 'fresh')('import', { file: '-' }),
    fails('invalid_args', /cannot read the bundle standard input/),
  )
})
