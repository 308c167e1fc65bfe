/** The context store by whole commands: which files have facts, and what becomes of them. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkBytes } from '../support/log.ts'
import { createLineSandbox, type Json } from './grite-process.ts'

const place = createLineSandbox({ after })
const write = (path: string, text: string | Uint8Array) => {
  mkdirSync(dirname(join(place.path, path)), { recursive: true })
  writeFileSync(join(place.path, path), text)
}
const run = (...args: readonly string[]) => place.git(place.path, ...args)

/** Files that have no facts, by the reason. */
const leftOut = {
  binary: ['bin.rs', new Uint8Array([102, 0, 110])],
  encoding: ['latin.rs', new Uint8Array([0xe9, 0x0a])],
  generated: ['gen/api.ts', 'function generated() {}'],
  'no-diff': ['min/app.js', 'function min() {}'],
  large: ['large.js', `${'// a long comment\n'.repeat(70_000)}function large() {}`],
  language: ['notes.txt', 'function text() {}'],
} as const

describe('context index', () => {
  test('keeps the symbols of tracked files, and counts the others by their reason', () => {
    for (const [path, text] of Object.values(leftOut)) write(path, text)
    write('.gitattributes', 'gen/** linguist-generated\nmin/** -diff\n')
    symlinkSync('/etc/passwd', join(place.path, 'link.py'))
    write('src/größe "x".ts', 'export function ünit() {}\n')
    write('src/deep.js', `${'['.repeat(10_000)}\nfunction deep() {}\n`)
    write('src/many.js', 'function f() {}\n'.repeat(10_001))
    write('src/a.ts', 'export class Store {}\nexport const open = () => 1\n')
    write('untracked.ts', 'function untracked() {}')
    run('add', '-A', ':!untracked.ts')
    const data = place.data('context', 'index')
    assert.deepEqual([data.left_out.symlink, data.left_out['too-many-symbols']], [1, 1])
    for (const reason of Object.keys(leftOut)) assert.ok(data.left_out[reason] >= 1, reason)
    assert.deepEqual(names('Store'), ['src/a.ts:1'])
    assert.deepEqual(names('ün'), ['src/größe "x".ts:1'])
    for (const name of ['generated', 'min', 'large', 'text', 'untracked']) assert.deepEqual(names(name), [], name)
  })

  test('writes nothing when nothing has changed', () => {
    const head = place.head()
    const data = place.data('context', 'index')
    assert.deepEqual([data.indexed, data.removed, place.head()], [0, 0, head])
  })

  test('sees a change that is not committed, and a file that is gone', () => {
    write('src/a.ts', 'export class Shop {}\n')
    rmSync(join(place.path, 'src/größe "x".ts'))
    assert.equal(place.data('context', 'query', 'Store').matches[0].state, 'changed')
    assert.deepEqual(
      [place.grite('context', 'stale').status, place.data('context', 'show', 'src/größe "x".ts').state],
      [1, 'missing'],
    )
    const data = place.data('context', 'index')
    assert.deepEqual([data.indexed, data.removed], [1, 1])
    assert.deepEqual([names('Store'), names('Shop'), names('ün')], [[], ['src/a.ts:1'], []])
    assert.equal(place.grite('context', 'show', 'src/größe "x".ts').status, 3)
  })

  test('a changed file that could not be parsed is not parsed again', () => {
    const memory = join(place.path, '.git/grite/content-hashes')
    const counted = () => place.data('context', 'index').left_out
    write('src/many.js', 'function g() {}\n'.repeat(10_001))
    assert.deepEqual([counted()['too-many-symbols'], counted()['too-many-symbols']], [1, 1])
    // Another reason, to tell what was remembered from what was found.
    writeFileSync(memory, readFileSync(memory, 'utf8').replace('too-many-symbols', 'too-slow'))
    assert.equal(counted()['too-slow'], 1)
    write('src/many.js', 'function h() {}\n'.repeat(10_001))
    assert.equal(counted()['too-many-symbols'], 1)
  })

  test('indexes again what was removed and came back', () => {
    write('src/größe "x".ts', 'export function ünit() {}\n')
    assert.equal(place.data('context', 'index').indexed, 1)
    assert.deepEqual(names('ün'), ['src/größe "x".ts:1'])
  })

  test('takes paths and a pattern, and leaves the facts of other files', () => {
    write('src/a.ts', 'export class A {}\n')
    write('lib/b.ts', 'export class B {}\n')
    write('lib/-c.ts', 'export class C {}\n')
    run('add', '-A')
    const at = (...words: readonly string[]) => place.data('context', 'index', ...words)
    assert.equal(at('--path=lib', '--pattern=*/-?.ts').indexed, 1)
    assert.deepEqual([names('A'), names('B'), names('C')], [[], [], ['lib/-c.ts:1']])
    assert.equal(at('--path=lib/b.ts').indexed, 1)
    run('rm', '-q', '--cached', 'lib/b.ts', 'lib/-c.ts')
    assert.equal(at('--path=src').removed, 0)
    assert.equal(at('--no-prune').removed, 0)
    assert.equal(at('--prune').removed, 2)
  })

  test('reads the files of a commit', () => {
    run('add', '-A')
    run('commit', '-qm', 'all')
    write('src/a.ts', 'export class Later {}\n')
    const data = place.data('context', 'index', '--rev', 'HEAD')
    assert.deepEqual([data.indexed >= 0, names('Later'), names('A')], [true, [], ['src/a.ts:1']])
    const { status, stderr } = place.grite('context', 'index', '--rev', 'nothing')
    assert.deepEqual([status, /--rev must be a commit.*'nothing'/.test(stderr)], [2, true])
  })

  test('refuses a path outside the work tree', () => {
    const { status, stderr } = place.grite('context', 'index', '--path', '../x')
    assert.deepEqual([status, /--path must be in the work tree/.test(stderr)], [2, true])
  })
})

test('the byte checker finds no fault in the events of the context store', (t) => {
  place.data('context', 'set', 'größe 😀', 'ja')
  place.data('context', 'unset', 'größe 😀')
  const said = checkBytes(place.path)
  if (said === undefined) return t.skip('the byte checker is not available')
  assert.match(said, /\bContextUpdated ([5-9]|\d\d+)\b[\s\S]*\bProjectContextUpdated 2\b[\s\S]*\bviolations 0\b/)
})

test('reads what the Rust tool has indexed, and finds the same', (t) => {
  const folder = fileURLToPath(new URL('../../fixtures/repos/small/', import.meta.url))
  const theirs = createLineSandbox(t)
  const git = (...args: readonly string[]) => theirs.git(theirs.path, ...args)
  git('fetch', '-q', join(folder, 'repo.bundle'), 'refs/grite/*:refs/grite/*', 'refs/heads/main:refs/heads/sources')
  git('checkout', '-q', 'sources')
  // All contents are those that it has indexed; a second parse finds its symbols.
  assert.equal(theirs.data('context', 'index').indexed, 0)
  assert.equal(theirs.data('context', 'index', '--force').indexed, 0)
  assert.deepEqual(
    theirs.data('context', 'project').entries.map(({ key, value }: Json) => [key, value]),
    [
      ['build', 'make'],
      ['größe 😀', 'ja'],
    ],
  )
  const { matches } = theirs.data('context', 'query', 'S')
  assert.deepEqual(
    matches.map(({ path, symbol }: Json) => `${path} ${symbol}`),
    ['cmd/serve.go Server', 'src/lib.rs Store', 'src/lib.rs Store'],
  )
})

function names(query: string): string[] {
  return place.data('context', 'query', query).matches.map(({ path, line_start }: Json) => `${path}:${line_start}`)
}
