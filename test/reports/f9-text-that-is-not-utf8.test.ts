/** Arguments, variables and settings that are not UTF-8 are refused. Node would decode them with U+FFFD. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createGriteSandbox, type GriteSandbox, gritePath } from '../contract/grite-process.ts'

const skip = process.platform === 'linux' ? false : 'needs the bytes that Linux tells'

/** Runs a line of sh with `grite`; `$e` is `é` in Latin-1, which Node could not pass. */
function shell({ path, environment }: GriteSandbox, line: string) {
  const script = `grite() { "${process.execPath}" "${gritePath}" "$@"; }; e=$(printf '\\351'); ${line}`
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], { cwd: path, env: environment, encoding: 'utf8' })
  return { status, stdout, stderr }
}

test('arguments that are not UTF-8 are refused before any write', { skip }, (t) => {
  const sandbox = createGriteSandbox(t)
  const lines = [
    'issue create --title "caf$e"',
    'issue create --title x --label "caf$e"',
    'export -f json -o "caf$e.json"',
  ]
  for (const line of lines) {
    const { status, stderr } = shell(sandbox, `grite ${line} --json`)
    assert.equal(status, 2)
    const { code, message } = JSON.parse(stderr).error
    assert.equal(code, 'invalid_args')
    assert.match(message, /^invalid arguments: argument \d+ is not valid UTF-8: 'caf\\xe9(\.json)?'$/)
  }
  assert.equal(sandbox.head(), null)
  assert.deepEqual(readdirSync(sandbox.path), ['.git'])
})

test('a valid U+FFFD is ordinary text', (t) => {
  const { create, grite } = createGriteSandbox(t)
  create('was caf\ufffd')
  assert.match(grite('issue', 'list').stdout, /was caf\ufffd/)
})

test('variables naming a file or actor must be UTF-8', { skip }, (t) => {
  const sandbox = createGriteSandbox(t)
  for (const name of ['GRITE_ACTOR', 'GIT_DIR', 'HOME']) {
    const { status, stderr } = shell(sandbox, `${name}="caf$e"; export ${name}; grite issue list`)
    assert.equal(status, 2, stderr)
    assert.match(stderr, new RegExp(`the environment variable ${name} is not valid UTF-8: 'caf\\\\xe9'`))
  }
  assert.equal(shell(sandbox, 'UNUSED="caf$e"; export UNUSED; grite issue list').status, 0)
  assert.equal(shell(sandbox, 'GRITE_HOME="no\ufffd"; export GRITE_HOME; grite issue list').status, 3)
})

test('a user.name that is not UTF-8 is refused as actor name', (t) => {
  const sandbox = createGriteSandbox(t)
  // In both places: git before 2.32 does not know the variable.
  const settings = join(sandbox.environment.HOME ?? '', '.gitconfig')
  writeFileSync(settings, Buffer.from('[user]\n\tname = Ren\xe9\n', 'latin1'))
  const env = { GIT_CONFIG_GLOBAL: settings }
  const { status, stderr } = sandbox.griteWith({ env }, 'issue', 'create', '--title', 'x')
  assert.equal(status, 2)
  assert.match(stderr, /user\.name in the git configuration is not UTF-8/)
  assert.equal(sandbox.head(), null)
  assert.equal(sandbox.griteWith({ env }, 'actor', 'init', '--label', 'René').status, 0)
  assert.equal(sandbox.griteWith({ env }, 'issue', 'create', '--title', 'x').status, 0)
})
