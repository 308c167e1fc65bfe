/** What everyday commands load: a start is fast as long as they load little. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createGriteSandbox, gritePath } from './grite-process.ts'

const sandbox = createGriteSandbox({ after })
const report = join(sandbox.dir, 'report.json')
const preload = join(sandbox.dir, 'preload.cjs')

/** Parts of Node that no bare start has and that any command may load: what parses the line. */
const parsing = ['internal/util/parse_args/parse_args', 'internal/util/parse_args/utils']
/** What LevelDB takes: its binding is found by Node's loader of modules. */
const levelDb = [
  'internal/modules/esm/assert',
  'internal/modules/esm/loader',
  'internal/source_map/source_map',
  'module',
]

/** Packages that are linked into the scripts. Loading any other, or cold modules, takes too long. */
const configPackages = ['smol-toml']
const hashPackages = ['@noble/hashes/blake2.js']

interface Allowed {
  readonly scripts: readonly string[]
  readonly packages: readonly string[]
  readonly builtins: readonly string[]
}

const readsRows: Allowed = { scripts: ['hot'], packages: configPackages, builtins: parsing }
const reads: Allowed = {
  scripts: ['hot', 'warm'],
  packages: [...configPackages, ...hashPackages, 'classic-level'],
  builtins: [...parsing, ...levelDb],
}
const syncs = { scripts: ['sync', 'settle'], packages: configPackages }
const syncsView = { scripts: ['sync', 'settle', 'exchange'], packages: reads.packages }
const rebuilds = { scripts: ['rebuild', 'refill'], packages: reads.packages }
const creates: Allowed = { scripts: ['hot'], packages: [...configPackages, ...hashPackages], builtins: parsing }

interface Loaded {
  readonly scripts: readonly string[]
  readonly modules: readonly string[]
  readonly builtins: readonly string[]
}

/**
 * Runs a line as the loader does, and returns what the process had loaded at its exit.
 *
 * @param isReadLate - whether the output fills a pipe before it is read
 */
function loadedBy(words: readonly string[], isReadLate = false): Loaded {
  const { path, environment } = sandbox
  const args = ['--require', preload, '-e', 'globalThis.runGrite()', '--', ...words]
  const stdio: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'pipe']
  const options = { cwd: path, env: environment, encoding: 'utf8', stdio } as const
  const { status, stderr } = isReadLate
    ? spawnSync('bash', ['-c', 'set -o pipefail; "$@" | (sleep 0.5; cat)', '-', process.execPath, ...args], options)
    : spawnSync(process.execPath, args, options)
  assert.equal(status, 0, stderr)
  return JSON.parse(readFileSync(report, 'utf8'))
}

const isPackage = (id: string) => !existsSync(join(gritePath, '../../src', `${id}.ts`)) && !id.endsWith('.json')

function assertLoads(words: readonly string[], allowed: Allowed, isReadLate = false): void {
  const { scripts, modules, builtins } = loadedBy(words, isReadLate)
  const beyond = (found: readonly string[], list: readonly string[]) => found.filter((name) => !list.includes(name))
  assert.deepEqual(
    {
      scripts: beyond(scripts, allowed.scripts),
      packages: beyond(modules.filter(isPackage), allowed.packages),
      builtins: beyond(builtins, allowed.builtins),
    },
    { scripts: [], packages: [], builtins: [] },
    words.join(' '),
  )
}

describe('what everyday commands load', () => {
  let id = ''
  const { create, grite } = sandbox

  before(() => {
    writeFileSync(
      preload,
      `globalThis.runGrite = () => {
        process.argv.splice(1, 0, 'grite')
        const { load, loaded, scripts } = require(${JSON.stringify(gritePath)})
        const before = new Set(process.moduleLoadList)
        process.on('exit', () => {
          const builtins = process.moduleLoadList.filter((name) => !before.has(name) && name.startsWith('NativeModule '))
          require('node:fs').writeFileSync(${JSON.stringify(report)}, JSON.stringify({
            scripts: Object.keys(scripts),
            modules: [...loaded.keys()],
            builtins: builtins.map((name) => name.slice('NativeModule '.length)),
          }))
        })
        load('cli/bundle').runProcess()
      }`,
    )
    sandbox.git(sandbox.path, 'config', 'user.name', 'Ann')
    id = create('First', '--label=bug', '--body=Text')
  })

  const upToDate = () => void grite('issue', 'list')

  it('the version needs only the hot script', () => {
    assertLoads(['--version'], { scripts: ['hot'], packages: [], builtins: [] })
  })

  for (const words of [
    ['issue', 'create', '--title', 'x', '--body', 'Some text', '--label', 'ui'],
    ['new', 'x', '--json'],
  ]) {
    it(`${words.slice(0, 2).join(' ')} loads neither LevelDB nor crypto`, () => assertLoads(words, creates))
  }

  for (const words of [
    ['issue', 'list', '--json'],
    ['list'],
    ['list', '--label', 'bug', '--limit', '1'],
    ['issue', 'show', 'ID', '--json'],
    ['show', 'ID'],
    ['ready', '--json'],
    ['ready'],
  ]) {
    it(`${words.join(' ')} loads no LevelDB while the rows files serve`, () => {
      upToDate()
      assertLoads(
        words.map((word) => (word === 'ID' ? id : word)),
        words.includes('show') || words.includes('--label')
          ? { ...readsRows, packages: [...readsRows.packages, ...hashPackages] }
          : readsRows,
      )
    })
  }

  for (const words of [
    ['issue', 'comment', 'ID', '--body', 'More'],
    ['comment', 'ID', '--body', 'More', '--json'],
    ['issue', 'update', 'ID', '--title', 'Other'],
    ['close', 'ID'],
    ['issue', 'reopen', 'ID', '--json'],
  ]) {
    it(`${words.join(' ')} loads nothing cold`, () => {
      assertLoads(
        words.map((word) => (word === 'ID' ? id : word)),
        reads,
      )
    })
  }

  it('a list after a write loads nothing cold', () => {
    create('Another')
    assertLoads(['issue', 'list', '--json'], reads)
  })

  it('an answer longer than a pipe takes loads no other script', () => {
    const long = create('Long', `--body=${'x'.repeat(100_000)}`)
    upToDate()
    const allowed = { ...readsRows, packages: [...readsRows.packages, ...hashPackages] }
    for (const isReadLate of [false, true]) assertLoads(['show', long, '--json'], allowed, isReadLate)
  })
})

describe('what a sync and a rebuild load', () => {
  const { path, dir, git, grite, create } = sandbox
  const peer = sandbox.inDirectory(join(dir, 'peer'))
  let id = ''

  before(() => {
    const remote = join(dir, 'remote')
    git(dir, 'init', '-q', '--bare', remote)
    git(dir, 'init', '-q', peer.path)
    for (const clone of [path, peer.path]) git(clone, 'remote', 'add', 'origin', remote)
    id = create('Shared')
    grite('sync')
    peer.grite('sync')
  })

  it('nothing cold and no LevelDB when nothing is new', () => assertSyncLoads(syncs))

  it('nothing cold and no LevelDB when only this clone has news', () => {
    create('Ours')
    grite('issue', 'list')
    assertSyncLoads({ ...syncsView, packages: configPackages })
  })

  it('nothing cold when the remote has news', () => {
    for (let count = 0; count < 8; count++) peer.grite('comment', id, `--body=${count}`)
    peer.grite('sync')
    assertSyncLoads(syncsView)
  })

  it('nothing cold when both have news', () => {
    peer.grite('comment', id, '--body=Theirs')
    peer.grite('sync')
    grite('comment', id, '--body=Ours')
    assertSyncLoads(syncsView)
  })

  it('nothing cold for a rebuild', () => assertLoadsOnly(['rebuild'], rebuilds))

  it('nothing cold when hundreds are new, here, there or in both', () => {
    const allowed = { ...syncsView, packages: [...syncsView.packages, 'hash-wasm'] }
    const createMany = (clone: string) => {
      const operations = Array.from({ length: 800 }, (_, index) => ({ op: 'create', title: `${clone} ${index}` }))
      const input = operations.map((operation) => JSON.stringify(operation)).join('\n')
      const { status, stderr } = spawnSync(process.execPath, [gritePath, 'batch'], {
        ...{ cwd: clone, env: sandbox.environment, input, encoding: 'utf8' },
      })
      assert.equal(status, 0, stderr)
    }
    createMany(path)
    assertSyncLoads(allowed)
    peer.grite('sync')
    createMany(peer.path)
    peer.grite('sync')
    assertSyncLoads(allowed)
    createMany(peer.path)
    peer.grite('sync')
    createMany(path)
    assertSyncLoads(allowed)
    git(path, 'repack', '-adq')
    assertLoadsOnly(['rebuild'], { ...rebuilds, packages: allowed.packages })
  })

  const assertSyncLoads = (allowed: Pick<Allowed, 'scripts' | 'packages'>) => assertLoadsOnly(['sync'], allowed)

  function assertLoadsOnly(
    words: readonly string[],
    { scripts, packages }: Pick<Allowed, 'scripts' | 'packages'>,
  ): void {
    const loaded = loadedBy(words)
    assert.deepEqual(
      {
        scripts: loaded.scripts.filter((name) => !scripts.includes(name)),
        packages: loaded.modules.filter((id) => isPackage(id) && !packages.includes(id)),
      },
      { scripts: [], packages: [] },
    )
  }
})
