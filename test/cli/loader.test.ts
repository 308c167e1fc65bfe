/** The scripts in dist/: which modules they have, and that they share one registry. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { runInThisContext, type Script } from 'node:vm'
import { gritePath } from '../contract/grite-process.ts'

interface LoaderExports {
  readonly run: (script: string) => Readonly<Record<string, unknown>>
  readonly load: (id: string) => Readonly<Record<string, unknown>>
  readonly scripts: Readonly<Record<string, Script>>
}

const loader = (): LoaderExports => createRequire(import.meta.url)(gritePath)

const scriptNames = ['hot', 'warm', 'cold', 'sync', 'settle', 'exchange', 'rebuild', 'refill'] as const

function moduleIds(script: (typeof scriptNames)[number]): string[] {
  const text = readFileSync(join(dirname(gritePath), `${script}.cjs`), 'latin1')
  const none = () => ({})
  return Object.keys(runInThisContext(text)(none, none, none))
}

describe('scripts of the command line', () => {
  const ids = Object.fromEntries(scriptNames.map((name) => [name, moduleIds(name)])) as Record<
    (typeof scriptNames)[number],
    string[]
  >
  const { hot, warm, cold, sync, settle, exchange, rebuild, refill } = ids
  const everywhere = [...hot, ...warm, ...cold]

  it('each module is in one script, and in one of a sync or a rebuild at most', () => {
    assert.equal(new Set(everywhere).size, everywhere.length)
    for (const own of [
      [...sync, ...settle, ...exchange],
      [...rebuild, ...refill],
    ]) {
      assert.equal(new Set(own).size, own.length)
      for (const id of own) assert.ok(everywhere.includes(id), id)
    }
  })

  it('everyday modules are in the hot script, LevelDB in the warm one, and others in the cold one', () => {
    for (const id of ['cli/main', 'commands/issue/list', 'tracker/writer']) assert.ok(hot.includes(id), id)
    for (const id of ['classic-level', 'commands/issue/comment', 'view/projector']) assert.ok(warm.includes(id), id)
    for (const id of ['cli/help', 'cli/all-commands', 'commands/sync/sync']) assert.ok(cold.includes(id), id)
  })

  it('a sync has its own scripts: until its git runs, for one that finds nothing new, and for what is new', () => {
    for (const id of ['cli/main', 'commands/sync/sync', 'git/run-git']) assert.ok(sync.includes(id), id)
    for (const id of ['commands/sync/complete-sync', 'wal/sync-ref', 'view/view']) assert.ok(settle.includes(id), id)
    for (const id of ['classic-level', 'git/native/history', 'view/projector', 'view/replace-file'])
      assert.ok(exchange.includes(id), id)
    for (const id of ['commands/issue/list', 'tracker/streams/sync-streams'])
      assert.ok(![...sync, ...settle, ...exchange].includes(id), id)
  })

  it('a rebuild has its own scripts: until its git runs, and for the rest', () => {
    for (const id of ['cli/main', 'commands/rebuild', 'git/native/history']) assert.ok(rebuild.includes(id), id)
    for (const id of ['classic-level', 'view/projector', 'wal/bulk-hashing']) assert.ok(refill.includes(id), id)
  })

  it('a module of the cold script uses the classes of the hot one', () => {
    const { load, scripts } = loader()
    assert.deepEqual(Object.keys(scripts), ['hot'])
    const { describeFailure } = load('commands/describe-failure') as {
      describeFailure: (thrown: unknown) => { code: string }
    }
    assert.deepEqual(Object.keys(scripts), ['hot', 'warm', 'cold'])
    const { NotFoundError } = load('model/errors/errors') as { NotFoundError: new (message: string) => Error }
    assert.equal(describeFailure(new NotFoundError('nothing')).code, 'not_found')
  })

  it('a sync and a rebuild have compiled code of their own', () => {
    const names = readdirSync(join(dirname(gritePath), 'code'))
    const code = ['sync-sync-', 'settle-sync-', 'exchange-sync-', 'rebuild-rebuild-', 'refill-rebuild-']
    for (const start of code)
      assert.ok(
        names.some((name) => name.startsWith(start)),
        start,
      )
  })

  it('the client of the daemon is compiled from shipped code', () => {
    const { run, scripts } = loader()
    assert.deepEqual(Object.keys(run('client')), ['runThroughDaemon'])
    assert.equal(scripts.client?.cachedDataRejected, false)
  })

  it('every module can be evaluated', () => {
    const { load } = loader()
    for (const id of everywhere) assert.equal(load(id), load(id))
  })
})
