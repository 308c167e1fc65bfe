/** A `.git` file that leads nowhere: git stops, and so does grite, which must not write to the outer repository. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createGriteSandbox, griteIn } from '../contract/grite-process.ts'

test('a submodule without its repository is not taken for the outer one', (t) => {
  const outer = createGriteSandbox(t)
  outer.git(outer.dir, 'init', '-q', 'library')
  outer.git(join(outer.dir, 'library'), 'commit', '-q', '--allow-empty', '-m', 'first')
  const add = ['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', join(outer.dir, 'library'), 'library']
  outer.git(outer.path, ...add)
  const inner = griteIn(outer, join(outer.path, 'library'))
  inner.create('of the library')
  renameSync(join(outer.path, '.git/modules'), join(outer.path, '.git/modules.old'))

  assert.equal(spawnSync('git', ['status'], { cwd: inner.path, env: outer.environment }).status, 128)
  const { status, stderr } = inner.grite('issue', 'create', '--title', 'meant for the library', '--json')
  assert.equal(status, 3)
  const { code, message, details } = JSON.parse(stderr).error
  assert.equal(code, 'not_found')
  assert.match(
    message,
    /a \.git file at or above .*library points to .*modules\/library, which is not a git repository/,
  )
  assert.match(details.suggestions.join(), /git submodule update --init/)
  assert.equal(outer.head(), null, 'nothing was written into the outer repository')
})

const brokenFiles = {
  'of another kind': ['not a git file\n', /\.git is neither a git repository nor a valid \.git file/],
  'that names nothing': ['gitdir: \n', /\.git is neither a git repository nor a valid \.git file/],
  empty: ['', /\.git is neither a git repository nor a valid \.git file/],
} as const

for (const [name, [content, message]] of Object.entries(brokenFiles)) {
  test(`a .git file ${name} stops grite as it stops git`, (t) => {
    const outer = createGriteSandbox(t)
    const path = join(outer.path, 'inner')
    mkdirSync(path)
    writeFileSync(join(path, '.git'), content)
    assert.equal(spawnSync('git', ['status'], { cwd: path, env: outer.environment }).status, 128)
    const { status, stderr } = griteIn(outer, path).grite('issue', 'list')
    assert.equal(status, 5)
    assert.match(stderr, message)
  })
}
