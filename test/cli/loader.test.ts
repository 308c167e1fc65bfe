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

const scriptNames = ['hot', 'warm', 'cold', 'sync', 'exchange'] as const

function moduleIds(script: (typeof scriptNames)[number]): string[] {
  const text = readFileSync(join(dirname(gritePath), `${script}.cjs`), 'latin1')
  const none = () => ({})
  return Object.keys(runInThisContext(text)(none, none, none))
}

describe('scripts of the command line', () => {
  const [hot, warm, cold, sync, exchange] = scriptNames.map(moduleIds) as [
    string[],
    string[],
    string[],
    string[],
    string[],
  ]
  const everywhere = [...hot, ...warm, ...cold]

  it('each module is in one script, and in one of a sync at most', () => {
    assert.equal(new Set(everywhere).size, everywhere.length)
    assert.equal(new Set([...sync, ...exchange]).size, sync.length + exchange.length)
    for (const id of [...sync, ...exchange]) assert.ok(everywhere.includes(id), id)
  })

  it('everyday modules are in the hot script, LevelDB in the warm one, and others in the cold one', () => {
    for (const id of ['cli/main', 'commands/issue/list', 'tracker/writer']) assert.ok(hot.includes(id), id)
    for (const id of ['classic-level', 'commands/issue/comment', 'view/projector']) assert.ok(warm.includes(id), id)
    for (const id of ['cli/help', 'cli/all-commands', 'commands/sync/sync']) assert.ok(cold.includes(id), id)
  })

  it('a sync has its own scripts, the second one for what is new', () => {
    for (const id of ['cli/main', 'commands/sync/sync', 'wal/sync-ref']) assert.ok(sync.includes(id), id)
    for (const id of ['classic-level', 'git/native/history', 'view/projector', 'view/replace-file'])
      assert.ok(exchange.includes(id), id)
    for (const id of ['commands/issue/list', 'tracker/streams/sync-streams'])
      assert.ok(![...sync, ...exchange].includes(id), id)
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

  it('a rebuild has compiled code of its own', () => {
    const names = readdirSync(join(dirname(gritePath), 'code'))
    for (const script of ['hot', 'warm', 'cold'])
      assert.ok(
        names.some((name) => name.startsWith(`${script}-rebuild-`)),
        script,
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
