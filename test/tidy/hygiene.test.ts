import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findLines, importsOf, listFiles, listSource, projectDir, read, readCode } from './source-files.ts'

const code = [...listSource('src'), ...listSource('bin'), ...listSource('test'), ...listSource('bench')]
const scripts = listFiles('scripts')
const data = /\.(bundle|png|gz|jsonl)$|^(fixtures|test\/vectors)\//
const text = listFiles().filter((path) => !data.test(path) && path !== 'package-lock.json')

test('file names are kebab case', () => {
  const wrong = [...code, ...scripts].filter(
    (path) => !/^(?:[\w.-]+\/)*[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)+$/.test(path),
  )
  assert.deepEqual(
    wrong.filter((path) => !path.endsWith('.py')),
    [],
  )
})

test('no file has a catch-all name', () => {
  const drawers = /\/(utils?|helpers?|misc|common|shared|types)\.(ts|mjs)$/
  assert.deepEqual(
    [...code, ...scripts].filter((path) => drawers.test(path)),
    [],
    'put it under its one caller, or into a file of its own name',
  )
})

test('no file has a default export', () => {
  assert.deepEqual(
    [...code, ...scripts].flatMap((path) => findLines(path, readCode(path), /^\s*export\s+default\b|\bas\s+default\b/)),
    [],
  )
})

test('no file contains leftover markers', () => {
  const marker = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`)
  const left = text.filter((path) => !path.startsWith('docs/')).flatMap((path) => findLines(path, read(path), marker))
  assert.deepEqual(left, [], 'do it, or say in plain words what is missing and when it can go')
})

test('no test runs alone or is skipped without a reason', () => {
  const alone = /\b(test|it|describe|suite)\.only\(|\bonly:\s*true/
  const unexplained = /\.skip\(\s*\)|\b(skip|todo):\s*true\b|\b(test|it|describe|suite)\.(skip|todo)\(/
  const self = 'test/tidy/hygiene.test.ts'
  const wrong = listSource('test')
    .filter((path) => path !== self)
    .flatMap((path) => [...findLines(path, readCode(path), alone), ...findLines(path, readCode(path), unexplained)])
  assert.deepEqual(wrong, [], 'give the reason as text: { skip: why } or t.skip(why)')
})

test('every test file is run', () => {
  const files = listSource('test')
  const used = reachableFrom(files.filter((path) => path.endsWith('.test.ts')))
  const lost = files.filter(
    (path) =>
      !path.endsWith('.test.ts') && !path.startsWith('test/soak/') && !used.has(path) && !isStarted(path, files),
  )
  assert.deepEqual(lost, [], 'the runner takes test/**/*.test.ts; name it so, or use it in a test')
})

/** Programs started by a test are named in it as text. */
function isStarted(path: string, files: readonly string[]): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return files.some((other) => other !== path && read(other).includes(name))
}

function reachableFrom(paths: readonly string[]): Set<string> {
  const seen = new Set<string>()
  const walk = (one: string): void => {
    if (seen.has(one) || !existsSync(join(projectDir, one))) return
    seen.add(one)
    importsOf(one).forEach(walk)
  }
  paths.forEach(walk)
  return seen
}

test('no file names a path or host of one machine', () => {
  const places = [
    /\/(home|Users)\/[a-z]/,
    /(?<![\w.])\/(root|work|mnt|workspace)\//,
    /\bregistry\.[a-z]/,
    /:\/\/(localhost|127\.|10\.|192\.168\.)/,
  ]
  const self = 'test/tidy/hygiene.test.ts'
  const wrong = text
    .filter((path) => path !== self)
    .flatMap((path) => places.flatMap((place) => findLines(path, read(path), place)))
  assert.deepEqual(wrong, [])
})

test('package.json names existing files', () => {
  const { bin, files, man, exports } = JSON.parse(read('package.json'))
  // Type declarations are generated when the package is packed; test/long/package.test.ts uses them.
  const imported = Object.values<string | Readonly<Record<string, string>>>(exports)
    .flatMap((entry) => (typeof entry === 'string' ? entry : Object.values(entry)))
    .filter((path) => !path.endsWith('.d.ts'))
  const named = [...Object.values(bin as Record<string, string>), ...files, ...man, ...imported]
  assert.deepEqual(
    // A path after `!` is excluded, whether it exists or not.
    named.filter((path) => !path.startsWith('!') && !existsSync(join(projectDir, path))),
    [],
  )
  for (const program of Object.values(bin as Record<string, string>)) {
    assert.ok(statSync(join(projectDir, program)).mode & 0o100, `${program} is executable`)
    assert.match(read(program).slice(0, 40), /^#!\/usr\/bin\/env node\n/)
  }
})

test('package scripts name existing files', () => {
  const commands: Record<string, string> = JSON.parse(read('package.json')).scripts
  const missing = Object.entries(commands).flatMap(([name, command]) =>
    [...command.matchAll(/(?:scripts|bench)\/[\w./-]+/g)]
      .filter(([path]) => !existsSync(join(projectDir, path)))
      .map(([path]) => `npm run ${name}: ${path}`),
  )
  assert.deepEqual(missing, [])
})

test('.ci/run is executable', () => {
  assert.ok(statSync(join(projectDir, '.ci/run')).mode & 0o100)
})
