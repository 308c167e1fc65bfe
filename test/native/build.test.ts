import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createSandbox } from '../git/temp-repository.ts'
import { whyNoCompiler } from './compile-launcher.ts'

const projectDir = fileURLToPath(new URL('../../', import.meta.url))
const dist = join(projectDir, 'dist')

/** Calls `buildLauncher` and returns its result. */
function build(folder: string, options: { readonly entry?: string; readonly compiler?: string }): string | undefined {
  const program = `
    import { buildLauncher } from ${JSON.stringify(join(projectDir, 'scripts/build-launcher.mjs'))}
    console.log(buildLauncher(${JSON.stringify(folder)}, ${JSON.stringify(options)}) ?? '')`
  writeFileSync(join(folder, 'build-id'), `${'ab'.repeat(16)}\n`)
  const words = ['--input-type=module', '-e', program]
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: projectDir, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout.trim() || undefined
}

test('the launcher of the build runs the Node entry beside it', { skip: whyNoCompiler }, (t) => {
  const { dir, environment } = createSandbox(t)
  const run = (program: string, ...words: readonly string[]) =>
    spawnSync(program, words, { cwd: dir, env: environment, encoding: 'utf8' }).stdout
  const expected = run(process.execPath, join(dist, 'grite.cjs'), '--version')
  assert.match(expected, /^grite /)
  assert.equal(run(join(dist, 'grite-fast'), '--version'), expected)
})

test('the launcher reports a missing Node entry', { skip: whyNoCompiler }, (t) => {
  const { dir, environment } = createSandbox(t)
  const entry = join(dir, 'gone.cjs')
  assert.equal(build(dir, { entry }), undefined)
  const launcher = join(dir, 'grite-fast')
  const options = { cwd: dir, env: environment, encoding: 'utf8' } as const
  const { status, stdout, stderr } = spawnSync(launcher, ['list'], options)
  assert.deepEqual([status, stdout], [6, ''])
  assert.ok(stderr.startsWith(`error: IPC error: cannot read ${entry}: No such file or directory\n`), stderr)
  const { error } = JSON.parse(spawnSync(launcher, ['list', '--json'], options).stderr)
  assert.deepEqual([error.code, error.message.includes(entry)], ['ipc_error', true])
})

test('the launcher reports that node is missing', { skip: whyNoCompiler }, (t) => {
  const { dir } = createSandbox(t)
  const { status, stderr } = spawnSync(join(dist, 'grite-fast'), ['list'], {
    cwd: dir,
    env: { PATH: dir },
    encoding: 'utf8',
  })
  assert.equal(status, 6)
  assert.match(stderr, /^error: IPC error: cannot start node: No such file or directory\n/)
})

test('the build goes on without a launcher when there is no compiler', (t) => {
  const { dir } = createSandbox(t)
  assert.equal(build(dir, { compiler: 'no-such-cc' }), 'there is no C compiler (no-such-cc)')
  assert.ok(!existsSync(join(dir, 'grite-fast')))
})

test('the build goes on without a launcher when the compiler fails', (t) => {
  const { dir } = createSandbox(t)
  const compiler = join(dir, 'cc')
  writeFileSync(compiler, '#!/bin/sh\necho "cc: out of ideas" >&2\necho details >&2\nexit 1\n', { mode: 0o755 })
  assert.equal(build(dir, { compiler }), `${compiler} failed: cc: out of ideas`)
  assert.match(build(dir, { entry: '/a "b"/grite.cjs' }) ?? '', /special characters/)
})
