/** Malformed configuration is reported with file and line and never overwritten. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLineSandbox, readFailure } from './grite-process.ts'

interface Malformed {
  readonly title: string
  readonly text: string
  readonly says: RegExp
}

const malformed: readonly Malformed[] = [
  { title: 'an incomplete line', text: '# mine\ndefault_actor = "\n', says: /config\.toml, line 2/ },
  { title: 'a repeated key', text: 'a = 1\nb = 2\na = 3\n', says: /config\.toml, line 3/ },
  {
    title: 'a malformed actor id',
    text: 'default_actor = "me"\n',
    says: /config\.toml: default_actor must be 32 hex.*"me"/,
  },
  {
    title: 'a numeric actor',
    text: 'default_actor = 7\n',
    says: /config\.toml: default_actor must be 32 hex.*got 7/,
  },
  {
    title: 'an unknown lock policy',
    text: 'lock_policy = "maybe"\n',
    says: /config\.toml: lock_policy must be off, warn, require, got "maybe"/,
  },
  {
    title: 'a snapshot threshold of zero',
    text: '[snapshot]\nmax_events = 0\n',
    says: /config\.toml: snapshot\.max_events must be a whole number from 1, got 0/,
  },
  {
    title: 'text in place of a section',
    text: 'sync = "origin"\n',
    says: /config\.toml: sync must be a table, got "origin"/,
  },
]

const commands: readonly (readonly string[])[] = [
  ['init'],
  ['issue', 'create', '--title=x'],
  ['issue', 'list'],
  ['actor', 'current'],
]

for (const { title, text, says } of malformed) {
  test(`a repository config with ${title} is reported and unchanged`, (t) => {
    const place = createLineSandbox(t)
    const file = join(place.path, '.git/grite/config.toml')
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, text)
    for (const words of commands) {
      const failure = readFailure(place.grite(...words, '--json'))
      assert.deepEqual([failure.code, failure.status], ['invalid_args', 1], words.join(' '))
      assert.match(failure.message, says)
      assert.ok(failure.message.includes(file))
    }
    assert.equal(readFileSync(file, 'utf8'), text)
    assert.equal(place.head(), null)
  })
}

test('a malformed actor config is reported and unchanged', (t) => {
  const place = createLineSandbox(t)
  const { actor_id, data_dir } = place.data('init')
  place.create('before')
  const head = place.head()
  const file = join(data_dir, 'config.toml')
  const text = `actor_id = "${actor_id}"\nlabel = [\n`
  writeFileSync(file, text)
  for (const words of [...commands, ['actor', 'show'], ['issue', 'list', `--data-dir=${data_dir}`]]) {
    const failure = readFailure(place.grite(...words, '--json'))
    assert.deepEqual([failure.code, failure.status], ['invalid_args', 1], words.join(' '))
    assert.match(failure.message, /config\.toml, line [23]/)
  }
  assert.equal(readFileSync(file, 'utf8'), text)
  assert.equal(place.head(), head)
})

test('actor use keeps other settings and comments in the config', (t) => {
  const place = createLineSandbox(t)
  place.data('init')
  const file = join(place.path, '.git/grite/config.toml')
  const { actor_id } = place.data('actor', 'init')
  writeFileSync(file, `# mine\n${readFileSync(file, 'utf8')}\n[colours]\nmode = "off" # kept\n`)
  place.data('actor', 'use', actor_id)
  const text = readFileSync(file, 'utf8')
  assert.match(text, /^# mine\n/)
  assert.match(text, /\[colours\]\nmode = "off" # kept\n$/)
  assert.equal(place.data('actor', 'current').actor_id, actor_id)
})

test('a malformed signing key stops writing but not reading', (t) => {
  const place = createLineSandbox(t)
  place.data('init')
  const { actor_id, data_dir } = place.data('actor', 'init', '--generate-key')
  place.data('actor', 'use', actor_id)
  place.create('signed')
  assert.deepEqual(
    (({ signatures_checked, signatures_valid, error_count }) => [signatures_checked, signatures_valid, error_count])(
      place.data('db', 'verify'),
    ),
    // The issue, and the actor card that holds the public key.
    [2, 2, 0],
  )
  writeFileSync(join(data_dir, 'signing_key'), 'not a key')
  const failure = readFailure(place.grite('issue', 'create', '--title=x', '--json'))
  assert.deepEqual([failure.code, failure.status], ['invalid_args', 1])
  assert.match(failure.message, /signing_key is not a key/)
  assert.equal(place.data('issue', 'list').total, 1)
})
