/** Suggested commands are pasted into shells. Foreign names and paths in them must stay one word. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { makeVisible, shellWord } from '../../src/model/index.ts'
import { createGriteSandbox, griteIn } from '../contract/grite-process.ts'
import { checksOwners, ownersAreNotChecked } from '../git/git-features.ts'
import { anyCharacter } from '../support/any-character.ts'
import { findLines, listSource, readCode } from '../tidy/source-files.ts'

const hostile = [
  '',
  '-n',
  '~',
  '=ls',
  'a b',
  "a'; touch PWNED; echo '",
  'a"; touch PWNED; echo "',
  '$(touch PWNED)',
  '`touch PWNED`',
  '$' + '{HOME}',
  '!!',
  'a\\',
  "\\'",
  '*?[a]{b,c}',
  '%s%n',
  '#no comment',
  'a\nb',
  '\n\n',
  'a\n',
  '\ttab\r',
  'esc\u001b[2J\u0007',
  'bidi\u202e\u2066',
  'zero\u200bwidth',
  'naïve 日本 🎉',
  '\u001b1',
] as const

/** The words as a shell parses them, and its stderr. */
function readBack(shell: string, words: readonly string[]) {
  // fish has no `set -f`, and zsh no word splitting; quoted words need neither.
  const script = words.map((word) => `printf '%s\\000' ${shellWord(word)}`).join('\n')
  const { stdout, stderr, error } = spawnSync(shell, ['-c', script], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: '/' },
  })
  return { words: stdout.split('\0').slice(0, -1), stderr, error }
}

for (const shell of ['sh', 'bash', 'zsh', 'fish']) {
  const missing = spawnSync(shell, ['-c', 'true']).error !== undefined
  test(`${shell} parses quoted hostile words unchanged`, { skip: missing && `${shell} is not installed` }, () => {
    // A trailing line end needs a quoting form that not every POSIX shell has.
    const words = hostile.filter((word) => !word.endsWith('\n') || shell === 'bash' || shell === 'zsh')
    const { words: found, stderr } = readBack(shell, words)
    assert.deepEqual([found, stderr], [words, ''])
  })
}

test('any quoted word survives sh and hides nothing on a terminal', () => {
  const word = fc
    .string({ unit: anyCharacter, maxLength: 12 })
    .filter((text) => text.isWellFormed() && !text.includes('\0') && !text.endsWith('\n'))
  fc.assert(
    fc.property(fc.array(word, { minLength: 200, maxLength: 200 }), (words) => {
      for (const each of words) assert.equal(makeVisible(shellWord(each)), shellWord(each))
      assert.deepEqual(readBack('sh', words).words, words)
    }),
    { numRuns: 5 },
  )
})

test('the safe.directory hint trusts only that repository', {
  skip: process.getuid?.() === 0 ? false : 'needs root',
}, (t) => {
  const sandbox = createGriteSandbox(t)
  if (!checksOwners(sandbox.path, sandbox.environment)) return t.skip(ownersAreNotChecked)
  for (const name of ["a'; touch PWNED; echo '", '$(touch PWNED)', 'line\nend', 'naïve']) {
    const path = join(sandbox.dir, name)
    mkdirSync(path)
    sandbox.git(path, 'init', '-q', '--template=')
    chownSync(path, 12_345, 12_345)
    const { status, stderr } = griteIn(sandbox, path).grite('issue', 'list')
    assert.equal(status, 5)
    const command = /If you trust it: (.*)/.exec(stderr)?.[1] ?? ''
    const env = { ...sandbox.environment, GIT_CONFIG_GLOBAL: join(sandbox.dir, 'settings') }
    assert.equal(spawnSync('sh', ['-c', command], { cwd: sandbox.dir, env }).status, 0, command)
    const trusted = sandbox.git(sandbox.dir, 'config', '--file', 'settings', '--null', '--get-all', 'safe.directory')
    assert.equal(trusted.split('\0').at(-2), path)
    assert.equal(existsSync(join(sandbox.dir, 'PWNED')), false)
    assert.equal(griteIn(sandbox, path).griteWith({ env }, 'issue', 'list').status, 0)
  }
})

test('a remote of another user is refused with a quoted hint', {
  skip: process.getuid?.() === 0 ? false : 'needs root',
}, (t) => {
  const { grite, git, dir, path, create, environment } = createGriteSandbox(t)
  const remote = join(dir, "it's theirs")
  git(dir, 'init', '-q', '--bare', '--template=', remote)
  chownSync(remote, 12_345, 12_345)
  git(path, 'remote', 'add', 'origin', remote)
  const isRefused = spawnSync('git', ['ls-remote'], { cwd: path, env: environment }).status !== 0
  if (!isRefused) return t.skip('this git does not check who owns a remote')
  create('one')
  const { status, stderr } = grite('sync', '--json')
  const { code, message, details } = JSON.parse(stderr).error
  assert.deepEqual([status, code, details.reason], [5, 'remote_error', 'denied'])
  assert.match(
    message,
    /no access to 'origin': git refuses the repository at .*it's theirs: it belongs to another user/,
  )
  assert.ok(details.suggestions[0].endsWith(`--add safe.directory ${shellWord(remote)}`), details.suggestions[0])
})

test('every suggested command with a name is built by the helper', () => {
  // A command between backticks or in a list of hints, with an unquoted expression. Names ending in
  // `…Option` are our own words.
  const inText = /\\`(?:grite|git) [^`\n]*?\$\{(?!shell(?:Word|Command)\(|\w*Option\})/
  const inHints = /\b(?:grite|git) [a-z-][^`\n]*?\$\{(?!shell(?:Word|Command)\(|\w*Option\})/
  const wrong = listSource('src').flatMap((path) => {
    const code = readCode(path)
    const hints = [...code.matchAll(/\b(?:hints|plan|suggestions)\b[^\n]*\[[\s\S]*?\]/g)]
      .map(([text]) => text)
      .join('\n')
    return [...findLines(path, code, inText), ...findLines(path, hints, inHints)]
  })
  assert.deepEqual(wrong, [])
})
