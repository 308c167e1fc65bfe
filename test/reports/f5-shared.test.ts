/** A repository shared by several users: modes like git's, one actor per user, errors that name the file. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { gritePath } from '../contract/grite-process.ts'
import { createSandbox } from '../git/temp-repository.ts'

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a shell script as a user, with `g` for grite. */
function runAs(dir: string, env: Readonly<Record<string, string>>, user: number | null, script: string): Ended {
  const words = ['sh', '-c', `g() { '${process.execPath}' '${gritePath}' "$@"; }; ${script}`]
  const [program = '', ...args] =
    user === null ? words : ['setpriv', `--reuid=${user}`, '--regid=2000', '--clear-groups', ...words]
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: dir, env, encoding: 'utf8' })
  return { status, stdout, stderr }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? [path, ...filesBelow(path)] : [path]
  })
}

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8)

describe('core.sharedRepository', () => {
  for (const [value, folder, file] of [
    ['group', '2770', '660'],
    ['0640', '2750', '640'],
  ] as const) {
    it(`core.sharedRepository=${value} overrides umask 077 below .git/grite`, (t) => {
      const { dir, environment, git } = createSandbox(t)
      const path = join(dir, 'repository')
      git(dir, 'init', '-q', '--bare', 'origin.git')
      const { status, stderr } = runAs(
        dir,
        environment,
        null,
        `umask 077; git init -q --shared=${value} repository && cd repository && git remote add origin ../origin.git &&
         g actor init --generate-key -q && g list -q; g issue create --title one -q && g issue list -q && g sync -q &&
         g lock acquire path:x -q && g rebuild -q`,
      )
      assert.equal(status, 0, stderr)
      const found = filesBelow(join(path, '.git/grite'))
      const names = found.map((name) => name.slice(path.length))
      for (const expected of [/config\.toml$/, /level\/\d+\/\d+\.log$/, /level\/current$/, /fetch\/[0-9a-v]+\/HEAD$/]) {
        assert.ok(
          names.some((name) => expected.test(name)),
          `${expected} of ${names}`,
        )
      }
      for (const name of [join(path, '.git/grite'), ...found]) {
        const isSecret = name.endsWith('/signing_key')
        const wanted = statSync(name).isDirectory() ? folder : isSecret ? '600' : file
        assert.equal(modeOf(name), wanted, name)
      }
      // Like git's own files.
      assert.deepEqual([modeOf(join(path, '.git/refs/heads')), modeOf(join(path, '.git/HEAD'))], [folder, file])
      assert.equal(modeOf(join(path, '.git/refs/grite/wal')), file)
      assert.equal(modeOf(join(path, '.git/logs/refs/grite/wal')), file)
    })
  }
})

const whyNot = whyNoUsers()

function whyNoUsers(): string | false {
  if (process.geteuid?.() !== 0) return 'only root can act as two other users'
  if (spawnSync('setpriv', ['--version']).status !== 0) return 'setpriv is not installed'
  const { status } = runAs('/', {}, 1001, `test -r '${gritePath}' && test -x '${process.execPath}'`)
  return status === 0 ? false : 'another user cannot read what was built here'
}

describe('two users of one group', { skip: whyNot }, () => {
  function createShared(t: TestContext, umask: string, ...init: readonly string[]) {
    const { environment } = createSandbox(t)
    // Temporary folders may be closed to other users.
    const dir = mkdtempSync('/tmp/grite-shared-')
    t.after(() => rmSync(dir, { recursive: true, force: true }))
    chmodSync(dir, 0o2775)
    chownSync(dir, 0, 2000)
    const environmentOf = (user: number) => {
      const home = join(dir, `home${user}`)
      mkdirSync(home, { recursive: true })
      chownSync(home, user, 2000)
      const { GIT_CONFIG_GLOBAL: _global, ...rest } = environment
      return {
        ...rest,
        HOME: home,
        XDG_CONFIG_HOME: home,
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'safe.directory',
        GIT_CONFIG_VALUE_0: '*',
      }
    }
    const as = (user: number, script: string) => runAs(dir, environmentOf(user), user, script)
    const make = `mkdir -m 2775 repository; umask ${umask}; git init -q ${init.join(' ')} repository`
    const made = as(1001, `${make}; cd repository; g issue create --title one --json`)
    assert.equal(made.status, 0, made.stderr)
    return { dir, as: (user: number, script: string) => as(user, `cd repository; ${script}`) }
  }

  it('two users of a group write as separate actors', (t) => {
    const { as } = createShared(t, '077', '--shared=group')
    for (const title of ['two', 'three']) {
      const { status, stderr } = as(1002, `umask 077; g issue create --title ${title} --json`)
      assert.equal(status, 0, stderr)
    }
    assert.equal(as(1001, 'g issue create --title four').status, 0)
    const issues = JSON.parse(as(1001, 'g issue list --json').stdout).data.issues
    const authors = new Map(issues.map(({ title, author }: { title: string; author: string }) => [title, author]))
    assert.equal(authors.size, 4)
    assert.equal(authors.get('two'), authors.get('three'))
    assert.equal(authors.get('one'), authors.get('four'))
    assert.notEqual(authors.get('one'), authors.get('two'))
    const currentOf = (user: number) => JSON.parse(as(user, 'g actor current --json').stdout).data
    assert.deepEqual([currentOf(1001).actor_id, currentOf(1002).actor_id], [authors.get('one'), authors.get('two')])
  })

  it('each user has an own default actor, a named one still works', (t) => {
    const { as } = createShared(t, '077', '--shared=group')
    const actorOf = (user: number) => JSON.parse(as(user, 'g actor current --json').stdout).data.actor_id
    const first = actorOf(1001)
    const made = JSON.parse(as(1002, 'g actor init --label second --json').stdout).data.actor_id
    const other = JSON.parse(as(1002, 'g actor init --label other --json').stdout).data.actor_id
    for (const id of [made, other, made]) {
      assert.equal(as(1002, `g actor use ${id}`).status, 0)
      assert.deepEqual([actorOf(1001), actorOf(1002)], [first, id])
    }
    assert.equal(JSON.parse(as(1002, `g actor current --actor ${first} --json`).stdout).data.actor_id, first)
  })

  it('an unreadable file of another user is named by its path', (t) => {
    const { as, dir } = createShared(t, '022')
    chmodSync(join(dir, 'repository/.git/grite/config.toml'), 0o600)
    const { status, stderr } = as(1002, 'g issue list --json')
    const { error } = JSON.parse(stderr)
    assert.deepEqual([status, error.code], [5, 'io_error'])
    assert.match(error.message, /\.git\/grite\/config\.toml cannot be read: EACCES/)
    assert.equal(error.details.path, join(dir, 'repository/.git/grite/config.toml'))
  })
})
