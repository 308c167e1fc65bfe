/**
 * A pushed folder can be a bare repository with a configuration that names programs. safe.bareRepository=explicit
 * makes git refuse a bare repository found by discovery, and grite refuses it as well.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findRepository } from '../../src/git/index.ts'
import { RepositoryRefusedError } from '../../src/model/index.ts'
import { createGriteSandbox, griteIn } from '../contract/grite-process.ts'
import { checksOwners, ownersAreNotChecked } from '../git/git-features.ts'

function trap(t: Parameters<typeof createGriteSandbox>[0]) {
  const sandbox = createGriteSandbox(t)
  const path = join(sandbox.path, 'vendored/evil.git')
  mkdirSync(path, { recursive: true })
  sandbox.git(path, 'init', '-q', '--bare')
  const pawned = join(sandbox.dir, 'pawned')
  appendFileSync(
    join(path, 'config'),
    `[remote "origin"]\n\turl = ssh://x/y\n[core]\n\tsshCommand = "touch ${pawned}; false"\n`,
  )
  return { ...griteIn(sandbox, path), wasRun: () => existsSync(pawned), settings: join(sandbox.dir, 'settings') }
}

const explicit = '[safe]\n\tbareRepository = explicit\n'
const places: Readonly<Record<string, (file: string) => Record<string, string>>> = {
  'the global configuration': (file) => {
    writeFileSync(file, explicit)
    return { GIT_CONFIG_GLOBAL: file }
  },
  'a file that it includes': (file) => {
    writeFileSync(`${file}.inc`, explicit)
    writeFileSync(file, `[include]\n\tpath = ${file}.inc\n`)
    return { GIT_CONFIG_GLOBAL: file }
  },
  GIT_CONFIG_COUNT: () => ({
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'safe.bareRepository',
    GIT_CONFIG_VALUE_0: 'explicit',
  }),
  GIT_CONFIG_PARAMETERS: () => ({ GIT_CONFIG_PARAMETERS: "'safe.bareRepository'='explicit'" }),
}

/** A git before 2.38 has no such setting. */
function refusesIt(cwd: string, env: Record<string, string>): boolean {
  return spawnSync('git', ['rev-parse', '--git-dir'], { cwd, env }).status === 128
}

for (const [place, set] of Object.entries(places)) {
  test(`safe.bareRepository=explicit is honoured in ${place}`, async (t) => {
    const { path, environment, settings } = trap(t)
    const env = { ...environment, ...set(settings) }
    if (!refusesIt(path, env)) return t.skip('this git does not know the setting')
    await assert.rejects(findRepository({ cwd: path, env }), RepositoryRefusedError)
    await assert.rejects(findRepository({ cwd: join(path, 'objects'), env }), RepositoryRefusedError)
  })
}

test('the configuration of a refused repository runs no program', (t) => {
  const { path, environment, griteWith, wasRun, settings } = trap(t)
  writeFileSync(settings, explicit)
  const env = { GIT_CONFIG_GLOBAL: settings }
  if (!refusesIt(path, { ...environment, ...env })) return t.skip('this git does not know the setting')
  const { status, stderr } = griteWith({ env }, 'init', '--json')
  assert.equal(status, 5)
  const { code, message, details } = JSON.parse(stderr).error
  assert.equal(code, 'io_error')
  assert.match(message, /git refuses the bare repository at .*evil\.git: safe\.bareRepository is 'explicit'/)
  assert.match(details.suggestions.join(), /set GIT_DIR=\S+evil\.git/)
  assert.equal(wasRun(), false)
})

test('a bare repository named by GIT_DIR is used, as by git', (t) => {
  const { griteWith, settings, path } = trap(t)
  writeFileSync(settings, explicit)
  const env = { GIT_CONFIG_GLOBAL: settings, GIT_DIR: path }
  assert.equal(griteWith({ env }, 'issue', 'create', '--title', 'first').status, 0)
})

test('a repository of another user is refused', {
  skip: process.getuid?.() === 0 ? false : 'needs root',
}, (t) => {
  const { grite, path, environment } = createGriteSandbox(t)
  if (!checksOwners(path, environment)) return t.skip(ownersAreNotChecked)
  chownSync(path, 12_345, 12_345)
  const { status, stderr } = grite('issue', 'list', '--json')
  const { code, message } = JSON.parse(stderr).error
  assert.deepEqual([status, code], [5, 'io_error'])
  assert.match(message, /git refuses the repository at .*repository: it belongs to another user/)
})
