/** Directories with names that are not UTF-8: git works in them, and so does grite. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { createGriteSandbox, gritePath } from '../contract/grite-process.ts'

/** `café` in Latin-1, for printf(1). Node would write its name as UTF-8. */
const latin1 = 'caf\\351'
const skip = process.platform === 'linux' ? false : 'other systems make no such names'

/** Runs lines of sh in a sandbox, where `grite` is the program and `$name` a directory name that is not UTF-8. */
function runShell(t: Parameters<typeof createGriteSandbox>[0], lines: readonly string[]) {
  const { path, environment } = createGriteSandbox(t)
  const script = [
    'set -e',
    `grite() { "${process.execPath}" "${gritePath}" "$@"; }`,
    `name=$(printf '${latin1}')`,
    ...lines,
  ]
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script.join('\n')], {
    cwd: path,
    env: environment,
    encoding: 'utf8',
  })
  return { status, stdout, stderr, path }
}

test('a folder with a non-UTF-8 name belongs to its repository', { skip }, (t) => {
  const { status, stdout, stderr } = runShell(t, [
    'mkdir "$name"; cd "$name"',
    'grite issue create --title one --quiet >../id',
    'cd ..; grite issue list',
    // The folder whose name Node would decode it to is a different one.
    `mkdir "$(printf 'caf\\357\\277\\275')"; git -c init.defaultBranch=main init -q "$(printf 'caf\\357\\277\\275')"`,
    'cd "$name"; grite issue list',
    `cd "../$(printf 'caf\\357\\277\\275')"; grite issue list`,
  ])
  assert.equal(status, 0, stderr)
  assert.deepEqual(
    stdout.match(/\tone\t/g)?.length,
    2,
    `the issue shows in the repository, and not in the one inside: ${stdout}`,
  )
})

test('a repository with a non-UTF-8 name works', { skip }, (t) => {
  const { status, stdout, stderr } = runShell(t, [
    'git init -q "$name"; cd "$name"',
    'grite issue create --title one --quiet',
    'mkdir -p a/b; cd a/b; grite issue create --title two --quiet',
    'cd ../../.git; grite issue list | wc -l',
    'git for-each-ref --format="%(refname)"',
  ])
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^2\nrefs\/grite\/wal$/m)
})

test('the error outside a repository names a non-UTF-8 folder', { skip }, (t) => {
  const { status, stderr, path } = runShell(t, ['rm -rf .git; mkdir "$name"; cd "$name"; grite issue list'])
  assert.equal(status, 3)
  assert.ok(stderr.includes(`no git repository at or above ${path}/caf`), stderr)
})
