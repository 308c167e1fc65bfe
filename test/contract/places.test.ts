/** Directories and names from which grite may be run. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createLineSandbox, griteIn, gritePath, readFailure } from './grite-process.ts'

const place = createLineSandbox({ after })
const { dir, path, git, griteWith } = place
writeFileSync(join(path, 'README'), 'x\n')
git(path, 'add', '.')
git(path, 'commit', '-qm', 'first')
const id = place.create('One log')
const statusBefore = git(path, 'status', '--porcelain')

/** Returns the titles that `issue list` shows with these options. */
function titles(options: Parameters<typeof griteWith>[0]): string[] {
  const { status, stdout, stderr } = griteWith(options, 'issue', 'list', '--json')
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout).data.issues.map((issue: { title: string }) => issue.title)
}

test('commands outside a repository fail and name the directory', () => {
  const outside = join(dir, 'out side')
  mkdirSync(outside)
  for (const words of [['init'], ['issue', 'list'], ['issue', 'create', '--title=x'], ['db', 'check'], ['rebuild']]) {
    const failure = readFailure(griteWith({ cwd: outside }, ...words, '--json'))
    assert.deepEqual([failure.code, failure.status], ['not_found', 3], words.join(' '))
    assert.ok(failure.message.includes(outside), failure.message)
  }
})

test('commands work in a subdirectory', () => {
  const deep = join(path, 'a/b c')
  mkdirSync(deep, { recursive: true })
  assert.deepEqual(titles({ cwd: deep }), ['One log'])
  writeFileSync(join(deep, 'note.md'), 'from here')
  const created = griteWith({ cwd: deep }, 'issue', 'create', '--title=Deep', '--body-file=note.md', '--json')
  assert.equal(created.status, 0, created.stderr)
  const { issue_id } = JSON.parse(created.stdout).data
  assert.equal(place.data('issue', 'show', issue_id).issue.body, 'from here')
  place.data('issue', 'close', issue_id)
})

test('a linked worktree shares the log', () => {
  git(path, 'worktree', 'add', '-q', join(dir, 'linked'))
  assert.deepEqual(titles({ cwd: join(dir, 'linked') }), ['One log', 'Deep'])
  const linked = griteIn(place, join(dir, 'linked'))
  linked.data('issue', 'comment', id, '--body=from the worktree')
  assert.equal(place.data('issue', 'show', id).issue.comments.length, 1)
  assert.equal(linked.head(), place.head())
})

test('commands work in a bare repository', (t) => {
  const bare = createLineSandbox(t, '--bare')
  const made = bare.create('In the bare')
  assert.equal(bare.data('issue', 'show', made).issue.title, 'In the bare')
  assert.equal(bare.git(bare.path, 'fsck', '--strict', '--no-dangling'), '')
})

test('commands work in a repository with SHA-256 objects', (t) => {
  const place = createLineSandbox(t, '--object-format=sha256')
  const made = place.create('Long ids')
  assert.equal(place.data('issue', 'close', made).wal_head.length, 64)
})

test('GIT_DIR selects the repository from any directory', () => {
  const outside = join(dir, 'elsewhere')
  mkdirSync(outside)
  assert.deepEqual(titles({ cwd: outside, env: { GIT_DIR: join(path, '.git') } }), ['One log', 'Deep'])
})

test('git grite runs grite with its exit status', () => {
  const bin = join(dir, 'bin')
  mkdirSync(bin)
  symlinkSync(gritePath, join(bin, 'git-grite'))
  const env = { ...place.environment, PATH: `${bin}:${place.environment.PATH}` }
  const run = (...words: string[]) => spawnSync('git', words, { cwd: path, env, encoding: 'utf8' })
  const listed = run('grite', 'issue', 'list', '--json')
  assert.equal(listed.status, 0, listed.stderr)
  assert.equal(JSON.parse(listed.stdout).data.total, 2)
  assert.equal(run('grite', 'issue', 'show', 'ffffffff').status, 3)
  assert.equal(run('-C', join(path, 'a'), 'grite', 'issue', 'show', id).status, 0)
})

test('commands change no file outside the git directory', () => {
  assert.equal(git(path, 'status', '--porcelain'), `${statusBefore}?? a/`)
})
