/** grite on a machine that has no git program: all but what needs a remote works, and answers the same. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { createLineSandbox, type GriteSandbox, type Outcome } from './grite-process.ts'

interface Machine extends GriteSandbox {
  /** Runs `grite` with a PATH that leads to no git. */
  without(...words: readonly string[]): Outcome
}

function createMachine(t: TestContext): Machine {
  const sandbox = createLineSandbox(t)
  const empty = join(sandbox.dir, 'no-programs')
  mkdirSync(empty)
  return { ...sandbox, without: (...words) => sandbox.griteWith({ env: { PATH: empty } }, ...words) }
}

function assertDone({ status, stderr }: Outcome, command: string): void {
  assert.deepEqual({ command, status, stderr }, { command, status: 0, stderr: '' })
}

const reads = [
  'issue list --json',
  'issue list --state all --label bug --json',
  'search one --json',
  'ready --json',
  'blocked --json',
  'db check --json',
  'lock status --json',
  'snapshot list --json',
  'query list --json',
  'actor list --json',
  'export --format csv',
  'issue dep topo --json',
]

describe('without a git program', () => {
  it('each command of a working day runs in a new repository without git', async (t) => {
    const { without, grite } = createMachine(t)
    assertDone(without('init'), 'init')
    const first = JSON.parse(without('issue', 'create', '--title', 'one', '--label', 'bug', '--json').stdout).data
      .issue_id
    const second = JSON.parse(without('issue', 'create', '--title', 'two', '--json').stdout).data.issue_id
    const walk = [
      `issue show ${first}`,
      `issue update ${first} --title renamed`,
      `issue comment ${first} --body text`,
      `issue label add ${first} --label ui`,
      `issue dep add ${first} --target ${second}`,
      `issue claim ${second}`,
      `issue unclaim ${second}`,
      `issue close ${second}`,
      `issue reopen ${second}`,
      `issue history ${first}`,
      'undo',
      'lock acquire part',
      'lock release part',
      'query save mine is:open',
      'snapshot create',
      'rebuild',
      'rebuild --from-snapshot',
      'export --format json -o out.json',
      'import out.json',
      'db stats',
      'db verify',
      'prime',
      'doctor',
    ]
    for (const command of walk) assertDone(without(...command.split(' ')), command)
    assert.equal(grite('db', 'check', '--json').stdout, without('db', 'check', '--json').stdout)
  })

  it('a packed log is read, and written on, without git', async (t) => {
    const { without, create, grite, path, git } = createMachine(t)
    for (const title of ['one', 'two', 'three']) create(title, '--label', 'bug')
    grite('snapshot', 'create')
    git(path, 'gc', '-q')
    git(path, 'pack-refs', '--all')
    assertDone(without('rebuild'), 'rebuild')
    assertDone(without('issue', 'create', '--title', 'four'), 'create')
    for (const command of reads) {
      const words = command.split(' ')
      const withGit = grite(...words)
      assert.equal(withGit.status, 0, command)
      assert.deepEqual(without(...words), withGit, command)
    }
    git(path, 'fsck', '--strict')
  })

  it('doctor warns of the missing git and finds nothing else', async (t) => {
    const { without, create } = createMachine(t)
    create('one')
    const { checks } = JSON.parse(without('doctor', '--json').stdout).data
    const notOk = checks.filter(({ status }: { status: string }) => status !== 'ok')
    assert.deepEqual(
      notOk.map(({ id, status }: { id: string; status: string }) => ({ id, status })),
      [{ id: 'git_version', status: 'warn' }],
    )
  })

  it('remotes and the actor name are read from the configuration files', async (t) => {
    const { without, path, git } = createMachine(t)
    git(path, 'remote', 'add', 'origin', '/nowhere')
    git(path, 'config', 'user.name', 'Ann')
    assertDone(without('issue', 'create', '--title', 'one'), 'create')
    assert.match(without('actor', 'list', '--json').stdout, /"Ann"/)
  })

  it('sync names the missing git as an io_error', async (t) => {
    const { without, path, git, create } = createMachine(t)
    git(path, 'remote', 'add', 'origin', '/nowhere')
    create('one')
    const { status, stderr } = without('sync', '--json')
    assert.equal(status, 5)
    const { code, message, details } = JSON.parse(stderr).error
    assert.equal(code, 'io_error')
    assert.match(message, /the git program was not found/)
    assert.equal(details.reason, 'git-not-found')
  })

  it('packs of a SHA-256 repository need git, and the error says so', async (t) => {
    const { path, dir, git, griteWith } = createMachine(t)
    git(path, 'init', '-q', '--object-format=sha256', 'other')
    const other = join(path, 'other')
    griteWith({ cwd: other }, 'issue', 'create', '--title', 'one')
    git(other, 'gc', '-q')
    const { status, stderr } = griteWith({ cwd: other, env: { PATH: dir } }, 'rebuild')
    assert.equal(status, 5)
    assert.match(stderr, /the git program was not found/)
  })

  it('a configuration with includes names the file that only git can read', async (t) => {
    const { without, path, git } = createMachine(t)
    git(path, 'config', 'include.path', '/nowhere')
    const { status, stderr } = without('issue', 'create', '--title', 'one')
    assert.equal(status, 5)
    assert.match(stderr, /cannot read .*config without the git program, which was not found/)
  })
})
