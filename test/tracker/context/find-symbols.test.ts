import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { matchNames, type Sha256Hex } from '../../../src/model/index.ts'
import { findSymbols, type SymbolQuery } from '../../../src/tracker/context/find-symbols.ts'
import type { Workspace } from '../../../src/tracker/workspace.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'

/** More than those whose names are read from the view each time. */
const manySymbols = 2100

async function createPlace(t: TestContext) {
  const { withRepository, run } = createCommandSandbox(t)
  const fileWith = (path: string, names: readonly string[]) =>
    withRepository((repository) =>
      repository.write(async (draft) => {
        const symbols = names.map((name, index) => ({
          name,
          kind: 'function',
          lineStart: index + 1,
          lineEnd: index + 1,
        }))
        await draft.setFileContext({
          ...{ type: 'ContextUpdated', path, language: 'typescript', summary: 'functions' },
          ...{
            symbols: symbols.sort((a, b) => (a.name < b.name ? -1 : 1)),
            content_hash: 'ab'.repeat(32) as Sha256Hex,
          },
        })
      }),
    )
  const find = (query: Partial<SymbolQuery>) =>
    withRepository(async (repository: Workspace) => {
      const asked: SymbolQuery = { text: '', matching: 'substring', kind: undefined, limit: 50, ...query }
      const { found, isCut } = await findSymbols(await repository.view(), await repository.viewPlace(), asked)
      return { names: found.map(({ symbol }) => symbol.name), paths: found.map(({ file }) => file.body.path), isCut }
    })
  const namesFile = () => withRepository(async (repository) => join((await repository.viewPlace()).folder, 'names'))
  return { fileWith, find, run, namesFile }
}

const named = (word: string, count: number) => Array.from({ length: count }, (_, index) => `${word}${index}`)

test('a query finds what a scan finds, with a file of the names and without', async (t) => {
  const { fileWith, find, namesFile } = await createPlace(t)
  const names = [...named('openStore', manySymbols), 'Store', 'reStore', 'größe']
  await fileWith('a.ts', names)
  await fileWith('b.ts', ['Store', 'other'])
  const path = await namesFile()
  for (const matching of ['substring', 'fuzzy'] as const) {
    for (const text of ['STORE', 'os99', 'ö', '']) {
      const all = matchNames([...names, 'other'].sort(), text, matching).flatMap(({ name }) =>
        name === 'Store' ? [name, name] : [name],
      )
      rmSync(path, { force: true })
      for (const isKept of [false, true]) {
        assert.equal(existsSync(path), isKept)
        const { names, isCut } = await find({ text, matching })
        assert.deepEqual([names, isCut], [all.slice(0, 50), all.length > 50], `${matching} '${text}'`)
      }
    }
  }
  assert.deepEqual((await find({ text: 'Store', limit: 2 })).paths, ['a.ts', 'b.ts'])
  assert.deepEqual((await find({ text: 'store', kind: 'class' })).names, [])
})

test('a change of the symbols is seen at once', async (t) => {
  const { fileWith, find, run, namesFile } = await createPlace(t)
  await fileWith('a.ts', named('open', manySymbols))
  assert.deepEqual((await find({ text: 'newest' })).names, [])
  const path = await namesFile()
  const before = readFileSync(path)
  await run('issue create', { title: 'of no symbol' })
  await find({ text: 'newest' })
  assert.ok(readFileSync(path).equals(before), 'an issue changes no names')
  await fileWith('b.ts', ['newest'])
  assert.deepEqual((await find({ text: 'newest' })).names, ['newest'])
  assert.ok(!readFileSync(path).equals(before))
  await fileWith('b.ts', ['another'])
  assert.deepEqual((await find({ text: 'newest' })).names, [])
  assert.deepEqual((await find({ text: 'noth', matching: 'fuzzy' })).names, ['another'])
  // As a file that was restored from a copy.
  writeFileSync(path, before)
  assert.deepEqual((await find({ text: 'another' })).names, ['another'])
  await run('rebuild')
  assert.deepEqual((await find({ text: 'another' })).names, ['another'])
})

test('few names have no file', async (t) => {
  const { fileWith, find, namesFile } = await createPlace(t)
  await fileWith('a.ts', ['openStore'])
  assert.deepEqual((await find({ text: 'store' })).names, ['openStore'])
  assert.equal(existsSync(await namesFile()), false)
})
