/** The scripts in dist/: which modules they have, and that they share one registry. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { runInThisContext } from 'node:vm'
import { gritePath } from '../contract/grite-process.ts'

interface LoaderExports {
  readonly load: (id: string) => Readonly<Record<string, unknown>>
  readonly scripts: Readonly<Record<string, unknown>>
}

const loader = (): LoaderExports => createRequire(import.meta.url)(gritePath)

function moduleIds(script: 'hot' | 'cold'): string[] {
  const text = readFileSync(join(dirname(gritePath), `${script}.cjs`), 'latin1')
  const none = () => ({})
  return Object.keys(runInThisContext(text)(none, none, none))
}

describe('scripts of the command line', () => {
  it('each module is in one script', () => {
    const cold = new Set(moduleIds('cold'))
    const both = moduleIds('hot').filter((id) => cold.has(id))
    assert.deepEqual(both, [])
  })

  it('everyday modules are in the hot script, others in the cold one', () => {
    const [hot, cold] = [moduleIds('hot'), moduleIds('cold')]
    for (const id of ['cli/main', 'commands/issue/list', 'tracker/writer']) assert.ok(hot.includes(id), id)
    for (const id of ['cli/help', 'commands/sync/sync', 'cli/all-commands']) assert.ok(cold.includes(id), id)
  })

  it('a module of the cold script uses the classes of the hot one', () => {
    const { load, scripts } = loader()
    assert.deepEqual(Object.keys(scripts), ['hot'])
    const { describeFailure } = load('cli/failure') as { describeFailure: (thrown: unknown) => { code: string } }
    assert.deepEqual(Object.keys(scripts), ['hot', 'cold'])
    const { NotFoundError } = load('model/errors/errors') as { NotFoundError: new (message: string) => Error }
    assert.equal(describeFailure(new NotFoundError('nothing')).code, 'not_found')
  })

  it('every module can be evaluated', () => {
    const { load } = loader()
    for (const id of [...moduleIds('hot'), ...moduleIds('cold')]) assert.equal(load(id), load(id))
  })
})
