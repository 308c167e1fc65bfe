/** A request that is repeated under its key is carried out once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLineSandbox } from '../contract/grite-process.ts'

const keyOf = (digit: string, ageMs = 0) => `${Date.now() - ageMs}-${digit.repeat(32)}`

test('a create that is repeated answers with the issue that it made, and writes nothing', (t) => {
  const place = createLineSandbox(t)
  place.create('Other')
  const env = { GRITE_REQUEST: keyOf('a') }
  const words = ['issue', 'create', '--title', 'Once', '--label', 'bug', '--json']
  const first = place.griteWith({ env }, ...words)
  const head = place.head()
  const again = place.griteWith({ env }, ...words)
  assert.deepEqual(again, first)
  assert.equal(place.head(), head)
  assert.equal(JSON.parse(first.stdout).data.wal_head, head)
})

test('the first create of an actor, which brings its card, can be repeated', (t) => {
  const place = createLineSandbox(t)
  const env = { GRITE_REQUEST: keyOf('a') }
  const words = ['issue', 'create', '--title', 'Once', '--json']
  const first = place.griteWith({ env }, ...words)
  assert.deepEqual(place.griteWith({ env }, ...words), first)
})

test('a change is found under the commits of others, on the state that it saw', (t) => {
  const place = createLineSandbox(t)
  const id = place.create('One', '--label', 'old')
  const env = { GRITE_REQUEST: keyOf('b') }
  const words = ['issue', 'update', id, '--title', 'Two', '--add-label', 'new', '--json']
  const first = place.griteWith({ env }, ...words)
  assert.equal(first.status, 0)
  place.grite('issue', 'update', id, '--title', 'Three', '--remove-label', 'new')
  place.create('Later')
  const head = place.head()
  const again = place.griteWith({ env }, ...words)
  assert.deepEqual(again, first)
  assert.equal(place.head(), head)
  assert.equal(place.data('issue', 'show', id).issue.title, 'Three')
})

test('each write of a request has a key of its own', (t) => {
  const place = createLineSandbox(t)
  const env = { GRITE_REQUEST: keyOf('c') }
  const stdin = [
    { op: 'issue create', title: 'One', as: 'one' },
    { op: 'issue comment', issue: '@one', body: 'Text' },
  ]
  const words = ['batch', '--json']
  const input = stdin.map((line) => JSON.stringify(line)).join('\n')
  const first = place.griteWith({ env, stdin: input }, ...words)
  assert.deepEqual(place.griteWith({ env, stdin: input }, ...words), first)
})

test('another command under a key that the log has is refused, and writes nothing', (t) => {
  const place = createLineSandbox(t)
  const env = { GRITE_REQUEST: keyOf('d') }
  place.griteWith({ env }, 'issue', 'create', '--title', 'One')
  const head = place.head()
  const { status, stderr } = place.griteWith({ env }, 'issue', 'create', '--title', 'Other', '--json')
  assert.equal(status, 4)
  const { error } = JSON.parse(stderr)
  assert.equal(error.code, 'conflict')
  assert.equal(error.details.reason, 'request-key-used')
  assert.equal(place.head(), head)
})

test('a key that is older than the log is new', (t) => {
  const place = createLineSandbox(t)
  place.create('One')
  const env = { GRITE_REQUEST: keyOf('e', 86_400_000) }
  const words = ['issue', 'create', '--title', 'Two', '--json']
  const first = place.griteWith({ env }, ...words)
  assert.equal(first.status, 0)
  assert.deepEqual(place.griteWith({ env }, ...words), first)
})

for (const key of ['x', '12', `-${'a'.repeat(32)}`, `1-${'A'.repeat(32)}`, `1-${'a'.repeat(33)}`]) {
  test(`${key} is no key of a request`, (t) => {
    const { status, stderr } = createLineSandbox(t).griteWith({ env: { GRITE_REQUEST: key } }, 'issue', 'list')
    assert.equal(status, 2)
    assert.match(stderr, /GRITE_REQUEST must be milliseconds/)
  })
}
