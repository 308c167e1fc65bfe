/** Pipes, closed inputs, colours off a terminal, the debug log and completion. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createGriteSandbox, gritePath } from './grite-process.ts'
import { trackerOf } from './tracker-file.ts'

const place = createGriteSandbox({ after })

/** Enough issues that any listing is larger than a pipe buffer. */
const issueCount = 2000

before(() => {
  writeFileSync(join(place.path, 'tracker.jsonl'), trackerOf(issueCount))
  assert.equal(place.data('import', 'tracker.jsonl').created, issueCount)
})

test('a command exits 0 when its reader closes the pipe', () => {
  const grite = `'${process.execPath}' '${gritePath}'`
  for (const words of ['issue list', 'issue list --json', 'export --format json']) {
    const script = `set -o pipefail; ${grite} ${words} | head -1; echo "status \${PIPESTATUS[0]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', script], {
      cwd: place.path,
      env: place.environment,
      encoding: 'utf8',
    })
    assert.deepEqual(
      [stderr, stdout.split('\n').length, stdout.trimEnd().split('\n').at(-1)],
      ['', 3, 'status 0'],
      words,
    )
  }
})

test('export writes through a named pipe or symbolic link', async (t) => {
  const pipe = join(place.path, 'pipe')
  spawnSync('mkfifo', [pipe])
  const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => reader.kill())
  let read = ''
  reader.stdout.on('data', (part) => {
    read += part
  })
  const ended = once(reader, 'close')
  const writer = place.start('export', '--format=csv', `--output=${pipe}`)
  assert.deepEqual(await once(writer, 'close'), [0, null])
  await ended
  assert.ok(lstatSync(pipe).isFIFO())
  assert.equal(read.split('\r\n').length, issueCount + 2)

  const target = join(place.path, 'target.csv')
  writeFileSync(target, 'old', { mode: 0o600 })
  symlinkSync(target, join(place.path, 'link.csv'))
  place.data('export', '--format=csv', '--output=link.csv')
  assert.ok(lstatSync(join(place.path, 'link.csv')).isSymbolicLink())
  assert.equal(readFileSync(target, 'utf8'), read)
  assert.equal(lstatSync(target).mode & 0o777, 0o600)
})

test('export --since as CSV or Markdown lists only changed issues', () => {
  assert.equal(place.data('export', '--format=csv', '--since=2030-01-01').content.trim().split('\r\n').length, 1)
  assert.match(place.data('export', '--format=md', '--since=2030-01-01').content, /0 open, 0 closed/)
  const sinceLast = Date.UTC(2025, 0, 1, 0, 0, issueCount - 2) + 1
  assert.equal(place.data('export', '--format=csv', `--since=${sinceLast}`).content.trim().split('\r\n').length, 2)
})

test('import from a pipe skips an unreadable line', (t) => {
  const sandbox = createGriteSandbox(t)
  const line = (id: string) =>
    `{"id":"${id}","title":"T","status":"open","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}\n`
  const input = Buffer.concat([
    Buffer.from(line('a-1')),
    Buffer.from([0x22, 0xff, 0xfe, 0x0a]),
    Buffer.from(line('a-2')),
  ])
  const { status, stdout } = spawnSync(process.execPath, [gritePath, 'import', '-', '--json'], {
    cwd: sandbox.path,
    env: sandbox.environment,
    input,
    encoding: 'utf8',
  })
  const { created, malformed, errors } = JSON.parse(stdout).data
  assert.deepEqual(
    { status, created, malformed, line: errors[0].line },
    { status: 1, created: 2, malformed: 1, line: 2 },
  )
})

test('commands run with a closed standard input', async () => {
  const child = spawn(process.execPath, [gritePath, 'issue', 'list', '--limit=1', '--json'], {
    cwd: place.path,
    env: place.environment,
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  assert.deepEqual(await once(child, 'close'), [0, null])
  const script = `'${process.execPath}' '${gritePath}' issue create --json <&-`
  const { status, stderr } = spawnSync('bash', ['-c', script], {
    cwd: place.path,
    env: place.environment,
    encoding: 'utf8',
  })
  assert.equal(status, 2)
  assert.match(JSON.parse(stderr).error.message, /a title is required/)
})

test('a piped list has no colour, and NO_COLOR beats CLICOLOR_FORCE', () => {
  const list = (env: Record<string, string>) => place.griteWith({ env }, 'issue', 'list', '--limit=1').stdout
  assert.doesNotMatch(list({}), /\x1b/)
  assert.match(list({ CLICOLOR_FORCE: '1' }), /^[^\n]*\S/)
  assert.doesNotMatch(list({ CLICOLOR_FORCE: '1', NO_COLOR: '1' }), /\x1b/)
})

test('GRITE_LOG logs command and option names but no values', () => {
  const { status, stderr, stdout } = place.griteWith(
    { env: { GRITE_LOG: 'debug' } },
    ...['issue', 'create', '--title=Secret plan', '--body=secret body', '--label=secret', '--json'],
  )
  assert.equal(status, 0)
  assert.equal(JSON.parse(stdout).data.title, 'Secret plan')
  assert.doesNotMatch(stderr, /secret/i)
  const [start, end] = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual([start.msg, start.given], ['issue create', ['title', 'body', 'label']])
  assert.deepEqual([end.msg, end.exit_status, typeof end.duration_ms], ['issue create done', 0, 'number'])
})

test('completion offers issues, labels, users, queries, memories and actors', (t) => {
  const known = createGriteSandbox(t)
  const [first, second] = [known.create('Open\x1b one', '--label=bug', '--assignee=ann'), known.create('Closed')]
  known.data('issue', 'close', second)
  const complete = (...words: string[]) =>
    known
      .grite('__complete', ...words)
      .stdout.trimEnd()
      .split('\n')
  assert.deepEqual(complete('issue', 'show', ''), [`${first.slice(0, 7)}\tOpen\\x1b one`])
  assert.deepEqual(complete('issue', 'close', second.slice(0, 20)), [`${second.slice(0, 20)}\tClosed`])
  assert.deepEqual(complete('issue', 'list', '--label', ''), ['bug'])
  assert.deepEqual(complete('issue', 'list', '--label=b'), ['--label=bug'])
  assert.deepEqual(complete('issue', 'list', '--assignee', 'a'), ['ann'])
  known.data('query', 'save', 'mine', 'assignee:me')
  assert.deepEqual(complete('query', 'run', 'm'), ['mine\tassignee:me'])
  known.data('remember', 'Port 8080 is taken')
  assert.deepEqual(complete('forget', 'p'), ['port-8080-is-taken\tPort 8080 is taken'])
  const [actor] = known.data('actor', 'list').actors
  assert.deepEqual(complete('actor', 'use', ''), [actor.actor_id.slice(0, 8)])
  const outside = known.griteWith({ cwd: known.dir }, '__complete', 'issue', 'show', '')
  assert.deepEqual(outside, { status: 0, stdout: '', stderr: '' })
})
