/** Runs each example of docs/library.md in a new repository with the built library. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { transformSync } from 'esbuild'
import { createSandbox } from '../git/temp-repository.ts'
import { fencesOf } from '../tidy/commands-in-text.ts'
import { projectDir, read } from '../tidy/source-files.ts'

const examples = fencesOf(read('docs/library.md')).filter(({ language }) => language === 'ts')

test('docs/library.md has at least five examples', () => assert.ok(examples.length >= 5))

for (const { text, line } of examples) {
  test(`the example in docs/library.md, line ${line}, runs`, (t) => {
    const sandbox = createSandbox(t)
    const path = join(sandbox.dir, 'repository')
    sandbox.git(sandbox.dir, 'init', '-q', '-b', 'main', path)
    mkdirSync(join(path, 'node_modules'))
    symlinkSync(projectDir, join(path, 'node_modules/grite'))
    writeFileSync(join(path, 'example.mjs'), transformSync(text, { loader: 'ts', target: 'node20' }).code)
    const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], {
      cwd: path,
      env: sandbox.environment,
      encoding: 'utf8',
    })
    assert.deepEqual([status, stderr], [0, ''])
    assert.notEqual(stdout, '')
  })
}
