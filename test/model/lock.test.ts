import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type ActorId,
  clockAllowanceMs,
  describeWrongClock,
  type EventId,
  formatLock,
  formatUuid,
  hasLongEnded,
  InvalidArgsError,
  type IssueId,
  isCollectable,
  isRenewalDue,
  issueOfResource,
  issueResource,
  type Lock,
  type LockRequest,
  localTtlMsMax,
  lockStateAt,
  lockTerms,
  parseLock,
  planAcquire,
  planRelease,
  planRenew,
  requireResource,
  resourcesOverlap,
} from '../../src/model/index.ts'

const [ann, bo] = ['0a'.repeat(16), '0b'.repeat(16)] as [ActorId, ActorId]
const now = 1_800_000_000_000
const id = '3f2a91c0'.repeat(4)

const lockOf = (owner: string, over: Partial<Lock> = {}): Lock => ({
  owner,
  nonce: 'n',
  expiresUnixMs: now + 60_000,
  resource: 'plain',
  ttlMs: 60_000,
  fence: 7,
  claim: null,
  ...over,
})

const requestOf = (owner: ActorId, over: Partial<LockRequest> = {}): LockRequest => ({
  owner,
  resource: 'plain',
  ttlMs: 60_000,
  nonce: 'new',
  nowUnixMs: now,
  terms: lockTerms.local,
  ...over,
})

describe('overlap of resources', () => {
  const cases: readonly (readonly [left: string, right: string, overlap: boolean])[] = [
    ['repo:global', 'repo:other', true],
    ['repo', 'anything', true],
    ['repo:global', `issue:${id}`, true],
    ['repository:x', 'path:a', false],
    ['path:src', 'path:src', true],
    ['path:src', 'path:src//', true],
    ['path:src', 'path:src/a.ts', true],
    ['path:src/', 'path:src/a.ts', true],
    ['path:src', 'path:srcs', false],
    ['path:src/a', 'path:src/b', false],
    ['path:src', 'path:./src', false],
    ['path:src', 'path:SRC/a', false],
    ['path:', 'path:src', false],
    ['path:/', 'path:/src', true],
    ['path:', 'path:/src', true],
    ['path:a:b', 'path:a', false],
    [`issue:${id}`, `issue:${id}`, true],
    [`issue:${id}`, 'issue:3f2a', true],
    [`issue:${id}`, 'issue:3F2A', true],
    [`issue:${id}`, 'issue:3f2b', false],
    [`issue:${id}`, 'issue:', false],
    ['issue:active', 'issue:act', false],
    ['issue:active', 'issue:active', true],
    ['plain', 'plain', true],
    ['plain', 'plainer', false],
    ['plain:a', 'plain:a/b', false],
    ['path:src', 'issue:src', false],
  ]
  for (const [left, right, overlap] of cases) {
    test(`${left} and ${right} ${overlap ? 'overlap' : 'do not overlap'}`, () => {
      assert.equal(resourcesOverlap(left, right), overlap)
      assert.equal(resourcesOverlap(right, left), overlap)
    })
  }

  test('an issue resource needs the full id', () => {
    assert.equal(issueOfResource(issueResource(id as IssueId)), id)
    for (const other of ['issue:3f2a', `issue:${id}0`, `path:${id}`, id]) assert.equal(issueOfResource(other), null)
  })
})

describe('lock resources', () => {
  for (const good of [
    'repo:global',
    'path:src/größe',
    'path:.github/x',
    'path:a/..b',
    'issue:bd-1',
    'plain',
    'a:b:c',
  ]) {
    test(`a lock may be named ${good}`, () => requireResource(good))
  }
  const bad: Readonly<Record<string, RegExp>> = {
    '': /must not be empty/,
    '  ': /must not be empty/,
    'a\nb': /one line of printable text/,
    'a\u0000': /one line of printable text/,
    'a\ud800': /one line of printable text/,
    [`x${'y'.repeat(1024)}`]: /has 1025 bytes; at most 1024/,
    'path:': /names no path/,
    'issue:': /names no issue/,
    'path:./src': /without \. and \.\./,
    'path:src/../x': /without \. and \.\./,
    'path:..': /without \. and \.\./,
  }
  for (const [text, says] of Object.entries(bad)) {
    test(`a lock cannot be named ${JSON.stringify(text.slice(0, 20))}`, () => {
      assert.throws(
        () => requireResource(text),
        (error) => error instanceof InvalidArgsError && says.test(error.message),
      )
    })
  }
})

describe('lock.json', () => {
  test('lock.json is pretty JSON with the published keys first', () => {
    assert.equal(
      formatLock(lockOf(ann)),
      `{\n  "owner": "${ann}",\n  "nonce": "n",\n  "expires_unix_ms": 1800000060000,\n  "resource": "plain",\n  "ttl_ms": 60000,\n  "fence": 7\n}`,
    )
    assert.equal(
      formatLock(lockOf(ann, { ttlMs: null, fence: null, expiresUnixMs: 0 })),
      `{\n  "owner": "${ann}",\n  "nonce": "n",\n  "expires_unix_ms": 0,\n  "resource": "plain"\n}`,
    )
  })

  test('any lock is read back from its lock.json', () => {
    const text = fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme' }).filter((one) => one.length <= 256)
    const time = fc.maxSafeNat()
    const plain = { noNullPrototype: true }
    const eventIds = fc.array(fc.constantFrom('ab'.repeat(32), 'cd'.repeat(32)), { maxLength: 3 }) as fc.Arbitrary<
      EventId[]
    >
    const lock = fc.record(
      {
        owner: text,
        nonce: text,
        resource: text,
        expiresUnixMs: time,
        ttlMs: fc.option(fc.nat({ max: localTtlMsMax })),
        fence: fc.option(fc.nat({ max: 2 ** 52 })),
        claim: fc.option(fc.record({ assignee: text, sinceUnixMs: time, beside: eventIds, stale: eventIds }, plain)),
      },
      plain,
    )
    fc.assert(fc.property(lock, (one) => assert.deepEqual(parseLock(formatLock(one)), { lock: one, problem: null })))
  })

  test('unknown or invalid extra keys of lock.json are ignored', () => {
    const { lock } = parseLock(
      '{"more":[1],"owner":"o","nonce":"n","expires_unix_ms":5,"resource":"r","ttl_ms":-1,"fence":"x","claim":{"assignee":1}}',
    )
    assert.deepEqual(lock, {
      owner: 'o',
      nonce: 'n',
      expiresUnixMs: 5,
      resource: 'r',
      ttlMs: null,
      fence: null,
      claim: null,
    })
  })

  test('a time beyond 2^53 in lock.json expires at once', () => {
    const { lock } = parseLock('{"owner":"o","nonce":"n","expires_unix_ms":18446744073709551615,"resource":"r"}')
    assert.equal(lock?.expiresUnixMs, Number.MAX_SAFE_INTEGER)
    for (const terms of Object.values(lockTerms)) assert.equal(lockStateAt(lock as Lock, now, terms), 'expired')
  })

  test('an impossible fence or ttl in lock.json is ignored', () => {
    const text = (fence: number, ttl: number) =>
      `{"owner":"o","nonce":"n","expires_unix_ms":5,"resource":"r","fence":${fence},"ttl_ms":${ttl}}`
    const read = (fence: number, ttl: number) => {
      const { lock } = parseLock(text(fence, ttl))
      return [lock?.fence, lock?.ttlMs]
    }
    assert.deepEqual(read(2 ** 52, localTtlMsMax), [2 ** 52, localTtlMsMax])
    assert.deepEqual(read(2 ** 52 + 1, localTtlMsMax + 1), [null, null])
    assert.deepEqual(read(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), [null, null])
  })

  const damaged: Readonly<Record<string, RegExp>> = {
    '': /not JSON/,
    '{"owner":': /not JSON/,
    '[]': /must be an object, got a list/,
    null: /must be an object, got null/,
    '{"nonce":"n","expires_unix_ms":5,"resource":"r"}': /owner/,
    '{"owner":"","nonce":"n","expires_unix_ms":5,"resource":"r"}': /owner/,
    '{"owner":"o","nonce":7,"expires_unix_ms":5,"resource":"r"}': /nonce/,
    '{"owner":"o","nonce":"n","expires_unix_ms":-1,"resource":"r"}': /expires_unix_ms/,
    '{"owner":"o","nonce":"n","expires_unix_ms":1.5,"resource":"r"}': /expires_unix_ms/,
    '{"owner":"o","nonce":"n","expires_unix_ms":"5","resource":"r"}': /expires_unix_ms/,
    '{"owner":"o","nonce":"n","expires_unix_ms":5}': /resource/,
    '{"owner":"o","nonce":"n","expires_unix_ms":5,"resource":"\\ud800"}': /resource/,
    [JSON.stringify({ owner: 'o', nonce: 'n', expires_unix_ms: 5, resource: 'r'.repeat(2000) })]: /resource/,
    '{"owner":"o","nonce":"n","expires_unix_ms":5,"resource":"repo:x\\n\\nSuggestions:"}': /resource/,
    '{"owner":"o\\u009b2J","nonce":"n","expires_unix_ms":5,"resource":"r"}': /owner/,
  }
  for (const [text, says] of Object.entries(damaged)) {
    test(`lock.json of ${text.slice(0, 70)} is damaged`, () => {
      const { lock, problem } = parseLock(text)
      assert.equal(lock, null)
      assert.match(problem ?? '', says)
    })
  }
})

describe('lock states', () => {
  test('a lock expires at its time, for other machines 30 seconds later', () => {
    const lock = lockOf(ann)
    assert.equal(lockStateAt(lock, now + 59_999, lockTerms.local), 'live')
    assert.equal(lockStateAt(lock, now + 60_000, lockTerms.local), 'expired')
    assert.equal(lockStateAt(lock, now + 89_999, lockTerms.lease), 'live')
    assert.equal(lockStateAt(lock, now + 90_000, lockTerms.lease), 'expired')
    assert.equal(lockStateAt(planRelease(lock), 0, lockTerms.lease), 'released')
  })

  const facts = { committedAtUnixMs: now, nowUnixMs: now, terms: lockTerms.lease }
  const day = 86_400_000
  for (const [title, lock, over, says] of [
    ['of an ordinary lease are in order', lockOf(ann), {}, null],
    ['before its own commit are wrong', lockOf(ann, { expiresUnixMs: now - 1 }), {}, /before it was written/],
    ['of a released one say nothing', lockOf(ann, { expiresUnixMs: 0 }), {}, null],
    ['for ever are wrong', lockOf(ann, { expiresUnixMs: Number.MAX_SAFE_INTEGER }), {}, /so it is ignored/],
    [
      'for ever of a local lock are wrong',
      lockOf(ann, { expiresUnixMs: Number.MAX_SAFE_INTEGER }),
      { terms: lockTerms.local },
      /more than ten years/,
    ],
    ['two days ahead of a lease are wrong', lockOf(ann, { expiresUnixMs: now + 2 * day }), {}, /more than a day/],
    [
      'ten years ahead of a local lock are allowed',
      lockOf(ann, { expiresUnixMs: now + 3650 * day }),
      { terms: lockTerms.local },
      null,
    ],
  ] as const) {
    test(`lock times ${title}`, () => {
      const found = describeWrongClock(lock, { ...facts, ...over })
      if (says === null) assert.equal(found, null)
      else assert.match(found ?? '', says)
    })
  }

  test('a lock beyond its maximum length has expired', () => {
    const day = 86_400_000
    for (const [terms, lengthMs] of [
      [lockTerms.lease, day],
      [lockTerms.remoteLock, 3650 * day],
      [lockTerms.local, 3650 * day],
    ] as const) {
      const at = (aheadMs: number) => lockStateAt(lockOf(bo, { expiresUnixMs: now + aheadMs }), now, terms)
      assert.deepEqual([at(lengthMs + clockAllowanceMs), at(lengthMs + clockAllowanceMs + 1)], ['live', 'expired'])
    }
  })

  test('a lease of a wrong clock may be collected from its remote', () => {
    const never = Number.MAX_SAFE_INTEGER
    const day = 86_400_000
    const written = { committedAtUnixMs: now - 2 * day, nowUnixMs: now }
    assert.equal(isCollectable(lockOf(bo, { expiresUnixMs: never, fence: null }), written), true)
    assert.equal(isCollectable(lockOf(bo, { expiresUnixMs: never, fence: 2 ** 52 }), written), true)
    assert.equal(isCollectable(lockOf(bo, { expiresUnixMs: never, fence: now }), written), false)
    const future = { committedAtUnixMs: never, nowUnixMs: now }
    assert.equal(isCollectable(lockOf(bo, { expiresUnixMs: 0, fence: 1 }), future), true)
    const fresh = { committedAtUnixMs: now, nowUnixMs: now }
    assert.equal(isCollectable(lockOf(bo, { expiresUnixMs: never, fence: 1 }), fresh), false)
  })

  test('renewal is due after half the ttl', () => {
    assert.equal(isRenewalDue(lockOf(ann), now + 30_000), false)
    assert.equal(isRenewalDue(lockOf(ann), now + 30_001), true)
    assert.equal(isRenewalDue(lockOf(ann, { ttlMs: null }), now + 59_999), false)
  })

  for (const [title, over, nowUnixMs, ended, collectable] of [
    ['released a day ago', { expiresUnixMs: 0, fence: now }, now + day, false, false],
    ['released more than a day ago', { expiresUnixMs: 0, fence: now }, now + day + 1, true, true],
    ['expired more than a day ago', { expiresUnixMs: now + 60_000, fence: now }, now + 60_001 + day, true, true],
    ['with a fence less than a day in the past', { expiresUnixMs: 0, fence: now + 2 }, now + day + 1, true, false],
    ['without a fence', { expiresUnixMs: 0, fence: null }, now + day + 1, true, true],
    ['with a time that is still to come', { expiresUnixMs: now + 9 * day, fence: now }, now + day + 1, true, true],
  ] as const) {
    test(`a lock ${title} has ${ended ? '' : 'not '}long ended and ${collectable ? 'may be collected' : 'stays'}`, () => {
      const facts = { committedAtUnixMs: now, nowUnixMs }
      const lock = lockOf(ann, over)
      assert.deepEqual([hasLongEnded(lock, facts), isCollectable(lock, facts)], [ended, collectable])
    })
  }
})

describe('acquiring locks', () => {
  const plan = (current: Lock | null, over: Partial<LockRequest> = {}, owner = ann) =>
    planAcquire(current, requestOf(owner, over))

  test('a free lock starts its fence at the current time', () => {
    const { outcome, lock } = plan(null) as { outcome: string; lock: Lock }
    assert.equal(outcome, 'acquired')
    assert.deepEqual(lock, lockOf(ann, { nonce: 'new', fence: now }))
  })

  test('a held lock is refused with its holder', () => {
    const current = lockOf(bo)
    assert.deepEqual(plan(current), { outcome: 'held', by: current })
  })

  test('another actor’s expired lock is taken over with the next fence', () => {
    const current = lockOf(bo, { expiresUnixMs: now })
    const taken = plan(current) as { outcome: string; lock: Lock }
    assert.deepEqual([taken.outcome, taken.lock.fence, taken.lock.owner], ['taken-over', 8, ann])
    assert.equal(plan(current, { terms: lockTerms.lease }).outcome, 'held')
    assert.equal(plan(current, { terms: lockTerms.lease, nowUnixMs: now + clockAllowanceMs }).outcome, 'taken-over')
  })

  test('another actor’s endless lock is taken over', () => {
    const taken = plan(lockOf(bo, { expiresUnixMs: Number.MAX_SAFE_INTEGER })) as { outcome: string; lock: Lock }
    assert.deepEqual([taken.outcome, taken.lock.fence, taken.lock.owner], ['taken-over', 8, ann])
  })

  test('your own endless lock is acquired again', () => {
    const taken = plan(lockOf(ann, { expiresUnixMs: Number.MAX_SAFE_INTEGER })) as { outcome: string; lock: Lock }
    assert.deepEqual([taken.outcome, taken.lock.expiresUnixMs], ['acquired', now + 60_000])
  })

  test('the greatest fence restarts at the current time', () => {
    const taken = plan(planRelease(lockOf(bo, { fence: 2 ** 52 }))) as { lock: Lock }
    assert.equal(taken.lock.fence, now)
  })

  test('a released lock is acquired with the next fence', () => {
    const taken = plan(planRelease(lockOf(bo))) as { outcome: string; lock: Lock }
    assert.deepEqual([taken.outcome, taken.lock.fence, taken.lock.nonce], ['acquired', 8, 'new'])
  })

  test('a lock without a fence restarts at the current time', () => {
    const taken = plan(lockOf(bo, { fence: null, expiresUnixMs: 0 })) as { lock: Lock }
    assert.equal(taken.lock.fence, now)
  })

  test('re-acquiring your live lock extends it with nonce and fence kept', () => {
    const renewed = plan(lockOf(ann), { ttlMs: 90_000 })
    assert.deepEqual(renewed, { outcome: 'renewed', lock: lockOf(ann, { expiresUnixMs: now + 90_000, ttlMs: 90_000 }) })
  })

  test('re-acquiring your live lock never shortens it', () => {
    assert.deepEqual(plan(lockOf(ann), { ttlMs: 1000 }), { outcome: 'renewed', lock: lockOf(ann) })
  })

  test('re-acquiring your expired lock gives a new nonce and fence', () => {
    const taken = plan(lockOf(ann, { expiresUnixMs: now })) as { outcome: string; lock: Lock }
    assert.deepEqual([taken.outcome, taken.lock.fence, taken.lock.nonce], ['acquired', 8, 'new'])
  })

  test('re-acquiring your expired claim keeps its start', () => {
    const claim = { assignee: 'ann', sinceUnixMs: 5, beside: [], stale: [] }
    const lapsed = lockOf(ann, { expiresUnixMs: now, claim })
    const again = plan(lapsed, { claim: { ...claim, sinceUnixMs: now } }) as { lock: Lock }
    assert.equal(again.lock.claim?.sinceUnixMs, 5)
    const other = plan(lapsed, { claim: { ...claim, assignee: 'anna', sinceUnixMs: now } }) as { lock: Lock }
    assert.equal(other.lock.claim?.sinceUnixMs, now)
  })

  test('the fence grows with every new holder', () => {
    const step = fc.record({
      owner: fc.constantFrom(ann, bo),
      passMs: fc.nat(100_000),
      act: fc.constantFrom('acquire', 'release'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let current = null as Lock | null
        let clock = now
        for (const { owner, passMs, act } of steps) {
          clock += passMs
          if (act === 'release') {
            current = current?.owner === owner ? planRelease(current) : current
            continue
          }
          const next = planAcquire(current, requestOf(owner, { nowUnixMs: clock, nonce: String(clock) }))
          if (next.outcome === 'held') continue
          const before: number = current?.fence ?? 0
          const after = next.lock.fence as number
          if (next.outcome === 'renewed') assert.equal(after, before)
          else assert.ok(after > before)
          current = next.lock
        }
      }),
    )
  })
})

describe('renewing and releasing locks', () => {
  test('only the holder renews a lock, even after expiry', () => {
    const renewed = planRenew(lockOf(ann, { expiresUnixMs: 1 }), { owner: ann, ttlMs: 5, nowUnixMs: now })
    assert.deepEqual(renewed, lockOf(ann, { expiresUnixMs: now + 5, ttlMs: 5 }))
    const request = { owner: ann, ttlMs: 5, nowUnixMs: now }
    assert.equal(planRenew(lockOf(bo), request), null)
    assert.equal(planRenew(null, request), null)
    assert.equal(planRenew(planRelease(lockOf(ann)), request), null)
  })

  test('releasing changes only the expiry', () => {
    assert.deepEqual(planRelease(lockOf(ann)), lockOf(ann, { expiresUnixMs: 0 }))
  })
})

test('random bytes become a UUID of version 4', () => {
  assert.equal(formatUuid(new Uint8Array(16)), '00000000-0000-4000-8000-000000000000')
  assert.equal(formatUuid(new Uint8Array(16).fill(255)), 'ffffffff-ffff-4fff-bfff-ffffffffffff')
})
