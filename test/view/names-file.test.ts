import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { privatePermissions } from '../../src/git/index.ts'
import { NameTable } from '../../src/model/index.ts'
import { readNames, writeNames } from '../../src/view/index.ts'
import { newSymbolsMark } from '../../src/view/names-file.ts'
import { createSandbox } from '../git/temp-repository.ts'

test('a names file is read back under its mark only', (t) => {
  const { dir } = createSandbox(t)
  const mark = newSymbolsMark()
  assert.equal(readNames(dir, mark), undefined)
  for (const names of [['größe', 'openStore'], ['store'], []]) {
    const table = NameTable.of(names)
    writeNames(dir, mark, table, privatePermissions)
    const read = readNames(dir, mark)
    assert.deepEqual(
      [read?.block, read?.others].map((bytes) => Buffer.from(bytes ?? 'none')),
      [table.block, table.others].map(Buffer.from),
    )
    assert.equal(readNames(dir, newSymbolsMark()), undefined)
  }
  assert.deepEqual(readdirSync(dir).sort(), ['home', 'names'])
})

test('a damaged names file is none', (t) => {
  const { dir } = createSandbox(t)
  const mark = newSymbolsMark()
  writeNames(dir, mark, NameTable.of(['openStore', 'store']), privatePermissions)
  const path = join(dir, 'names')
  const bytes = readFileSync(path)
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes)
    changed[index] = (changed[index] as number) ^ 1
    writeFileSync(path, changed)
    assert.equal(readNames(dir, mark), undefined, `byte ${index}`)
    writeFileSync(path, bytes.subarray(0, index))
    assert.equal(readNames(dir, mark), undefined, `first ${index} bytes`)
  }
  writeFileSync(path, bytes)
  assert.deepEqual([...(readNames(dir, mark)?.match('store', 'substring') ?? [])], ['store', 'openStore'])
})

test('a names file that cannot be written is no error', (t) => {
  const { dir } = createSandbox(t)
  mkdirSync(join(dir, 'names'))
  writeNames(dir, newSymbolsMark(), NameTable.of(['store']), privatePermissions)
  assert.deepEqual(readdirSync(dir).sort(), ['home', 'names'])
})
