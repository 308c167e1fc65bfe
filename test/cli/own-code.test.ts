/** The loader in dist/: the code cache for a Node version other than the build's, and Node versions too old for grite. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { transform } from 'esbuild'
import { createGriteSandbox, gritePath } from '../contract/grite-process.ts'
import { createSandbox } from '../git/temp-repository.ts'
import { projectDir } from '../tidy/source-files.ts'

const { dir: place } = createSandbox({ after })
/** A copy of dist/ as another Node version sees it: without a code cache it can use. */
const otherDist = join(place, 'dist')

before(() => {
  cpSync(dirname(gritePath), otherDist, { recursive: true })
  rmSync(join(otherDist, 'code'), { recursive: true })
  symlinkSync(join(projectDir, 'node_modules'), join(place, 'node_modules'))
})

function setUp(t: TestContext) {
  const { path, environment } = createGriteSandbox(t)
  const home = environment.HOME as string
  const cache = join(home, '.cache/grite')
  const node = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    spawnSync(process.execPath, args, { cwd: path, env: { ...environment, ...env }, encoding: 'utf8' })
  return {
    home,
    cache,
    files: () => readdirSync(cache).map((name) => join(cache, name)),
    /** Names of the scripts and commands whose code is cached. */
    names: () =>
      readdirSync(cache)
        .map((name) => /^(.*)-[0-9a-f]{32}-v/.exec(name)?.[1])
        .sort(),
    run(words: readonly string[], env?: Readonly<Record<string, string>>) {
      const { status, stderr } = node([join(otherDist, 'grite.cjs'), ...words], env)
      assert.deepEqual([status, stderr], [0, ''])
    },
  }
}

const exists = (path: string) => statSync(path, { throwIfNoEntry: false }) !== undefined

describe('code cache for another Node version', () => {
  it('everyday commands cache their code when they first run', (t) => {
    const { run, files, cache, names } = setUp(t)
    for (const words of [['--version'], ['db', 'stats']]) run(words)
    assert.equal(exists(cache), false)
    run(['issue', 'list'])
    const file = files().find((path) => path.includes('/hot-')) as string
    assert.deepEqual(names(), ['hot-issue-list', 'warm-issue-list'])
    assert.deepEqual([statSync(cache).mode & 0o777, statSync(file).mode & 0o777], [0o700, 0o600])
    const first = statSync(file)
    run(['list', '--json'])
    assert.equal(statSync(file).ino, first.ino)
    run(['new', '--title=x'])
    assert.deepEqual(names(), ['hot-issue-create', 'hot-issue-list', 'warm-issue-create', 'warm-issue-list'])
  })

  it('no code cache is written when dist/ contains a usable one', (t) => {
    const { environment, create } = createGriteSandbox(t)
    create('x')
    assert.equal(exists(join(environment.HOME as string, '.cache')), false)
  })

  it('the code cache is written to XDG_CACHE_HOME if set', (t) => {
    const { run, home, cache } = setUp(t)
    const caches = join(home, 'caches')
    run(['issue', 'list'], { XDG_CACHE_HOME: caches })
    assert.deepEqual([readdirSync(join(caches, 'grite')).length, exists(cache)], [2, false])
  })

  it('no code cache is written when the user disables it or has no home', (t) => {
    const { run, cache } = setUp(t)
    run(['issue', 'list'], { NODE_DISABLE_COMPILE_CACHE: '1' })
    run(['issue', 'list'], { HOME: '' })
    assert.equal(exists(cache), false)
  })

  it('commands run without a code cache where none can be written', (t) => {
    const { run, home } = setUp(t)
    writeFileSync(join(home, '.cache'), 'a file')
    run(['issue', 'list'])
    rmSync(join(home, '.cache'))
    mkdirSync(join(home, '.cache'), { mode: 0o777 })
    chmodSync(join(home, '.cache'), 0o777)
    run(['issue', 'list'])
    assert.deepEqual(readdirSync(join(home, '.cache')), [])
  })

  it('no code cache is written to the home of another user', {
    skip: process.getuid?.() !== 0 && 'only root has another',
  }, (t) => {
    const { run, home, cache } = setUp(t)
    chownSync(home, 12_345, 12_345)
    run(['issue', 'list'])
    assert.equal(exists(cache), false)
  })

  it('a code cache that others could have written is replaced', (t) => {
    const { run, files } = setUp(t)
    run(['issue', 'list'])
    const [file = ''] = files()
    writeFileSync(file, 'what V8 would reject\n')
    chmodSync(file, 0o622)
    run(['issue', 'list'])
    assert.equal(statSync(file).mode & 0o777, 0o600)
  })

  it('a code cache that V8 rejects is replaced', (t) => {
    const { run, files } = setUp(t)
    run(['issue', 'list'])
    const [file = ''] = files()
    const { size } = statSync(file)
    writeFileSync(file, 'no code')
    run(['issue', 'list'])
    assert.ok(statSync(file).size > size / 2)
  })

  it('the code cache keeps at most 40 files', (t) => {
    const { run, files, cache } = setUp(t)
    mkdirSync(cache, { recursive: true })
    for (let index = 0; index < 45; index++) writeFileSync(join(cache, `old-${index}`), '')
    run(['issue', 'list'])
    assert.equal(files().length, 40)
    assert.equal(files().filter((file) => !file.includes('/old-')).length, 2)
  })
})

describe('Node versions too old for grite', () => {
  const loader = readFileSync(join(projectDir, 'scripts/loader.cjs'), 'utf8')

  it('the loader uses only syntax that old Node versions parse', async () => {
    const options = { minifyWhitespace: true, legalComments: 'none' } as const
    const [old, today] = await Promise.all(
      ['es2015', 'esnext'].map((target) => transform(loader, { ...options, target })),
    )
    assert.equal(old?.code, today?.code)
  })

  it('grite on an old Node fails with a one-line error', (t) => {
    const { dir, environment } = createSandbox(t)
    const preload = join(dir, 'preload.cjs')
    writeFileSync(preload, "Object.defineProperty(process, 'versions', { value: { node: '18.20.4' } })")
    const run = (...args: readonly string[]) =>
      spawnSync(process.execPath, ['--require', preload, ...args], { cwd: dir, env: environment, encoding: 'utf8' })
    const { status, stdout, stderr } = run(gritePath, 'issue', 'list', '--json')
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /^error: grite needs Node\.js 20 or newer, and this is v\S+ \(\/.*\)\n$/)
    assert.match(run('-e', `require(${JSON.stringify(gritePath)})`).stderr, /Error: grite needs Node\.js 20 or newer/)
  })
})
