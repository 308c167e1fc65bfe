import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Oid, RefName } from '../../src/git/index.ts'
import { findCause, parsePushReport } from '../../src/git/native/push-report.ts'

const log = { ref: 'refs/grite/wal' as RefName, next: 'a'.repeat(40) as Oid }
const lease = { ref: 'refs/grite-leases/00' as RefName, next: 'b'.repeat(40) as Oid }

const single: readonly (readonly [line: string, outcome: string, reason: string])[] = [
  ['*\tx:refs/grite/wal\t[new reference]', 'ok', ''],
  [' \tx:refs/grite/wal\t1111111..2222222', 'ok', ''],
  ['-\t:refs/grite/wal\t[deleted]', 'ok', ''],
  ['=\tx:refs/grite/wal\t[up to date]', 'up-to-date', ''],
  ['!\tx:refs/grite/wal\t[rejected] (non-fast-forward)', 'stale', 'non-fast-forward'],
  ['!\tx:refs/grite/wal\t[rejected] (fetch first)', 'stale', 'fetch first'],
  ['!\t(delete):refs/grite/wal\t[rejected] (stale info)', 'stale', 'stale info'],
  ['!\tx:refs/grite/wal\t[remote rejected] (failed to update ref)', 'stale', 'failed to update ref'],
  ['!\tx:refs/grite/wal\t[remote rejected] (incorrect old value provided)', 'stale', 'incorrect old value provided'],
  ['!\tx:refs/grite/wal\t[remote failure] (remote did not report status)', 'stale', 'remote did not report status'],
  ['!\tx:refs/grite/wal\t[remote rejected] (pre-receive hook declined)', 'rejected', 'pre-receive hook declined'],
  ['!\tx:refs/grite/wal\t[remote rejected] (deny updating a hidden ref)', 'rejected', 'deny updating a hidden ref'],
  ['', 'stale', 'did not report status'],
]
for (const [line, outcome, reason] of single) {
  test(`a push reported as ${JSON.stringify(line)} is ${outcome}`, () => {
    assert.deepEqual(parsePushReport(`To somewhere\n${line}\nDone\n`, [log]), [{ ref: log.ref, outcome, reason }])
  })
}

test('a ref of a failed atomic push shares the outcome of the cause', () => {
  const outcomes = (why: string) =>
    parsePushReport(`!\tx:refs/grite-leases/00\t[rejected] (atomic push failed)\n!\tx:refs/grite/wal\t${why}\n`, [
      log,
      lease,
    ]).map(({ outcome }) => outcome)
  assert.deepEqual(outcomes('[rejected] (fetch first)'), ['stale', 'stale'])
  assert.deepEqual(outcomes('[remote rejected] (hook declined)'), ['rejected', 'rejected'])
})

test('findCause skips refs that failed only with the atomic push', () => {
  const cause = (...lines: readonly string[]) => {
    const rows = parsePushReport(lines.map((line) => `!\tx:${line}\n`).join(''), [log, lease])
    return findCause(rows, rows[0]?.outcome ?? 'ok')?.ref
  }
  const fell = '[remote rejected] (atomic push failure)'
  assert.equal(cause(`${log.ref}\t${fell}`, `${lease.ref}\t[remote rejected] (hook declined)`), lease.ref)
  assert.equal(cause(`${log.ref}\t[remote rejected] (hook declined)`, `${lease.ref}\t${fell}`), log.ref)
  assert.equal(cause(`${log.ref}\t${fell}`, `${lease.ref}\t[rejected] (fetch first)`), lease.ref)
  assert.equal(cause(`${log.ref}\t${fell}`, `${lease.ref}\t${fell}`), log.ref)
  assert.equal(findCause([], 'rejected'), undefined)
})

test('a ref is pushed only if all addresses of the remote accepted it', () => {
  const [taken, had, stale, refused] = [
    '*\tx:R\t[new]',
    '=\tx:R\t[up to date]',
    '!\tx:R\t[rejected] (fetch first)',
    '!\tx:R\t[x] (no)',
  ]
  const outcome = (...lines: readonly (string | undefined)[]) =>
    parsePushReport(lines.join('\n').replaceAll('R', log.ref), [log])[0]
  assert.deepEqual(
    [
      [taken, had],
      [had, had],
      [stale, stale],
      [stale, refused],
      [taken, stale],
      [refused, had],
    ].map((lines) => outcome(...lines)),
    [
      { ref: log.ref, outcome: 'ok', reason: '' },
      { ref: log.ref, outcome: 'up-to-date', reason: '' },
      { ref: log.ref, outcome: 'stale', reason: 'fetch first' },
      { ref: log.ref, outcome: 'rejected', reason: 'no' },
      { ref: log.ref, outcome: 'rejected', reason: '1 of 2 URLs: fetch first' },
      { ref: log.ref, outcome: 'rejected', reason: '1 of 2 URLs: no' },
    ],
  )
})
