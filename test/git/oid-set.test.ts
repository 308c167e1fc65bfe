import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OidSet } from '../../src/git/oid-set.ts'
import type { Oid } from '../../src/git/port.ts'

for (const [format, length] of [
  ['sha1', 40],
  ['sha256', 64],
] as const) {
  test(`a set of ids has what was added, ${format}`, () => {
    const oidOf = (number: number, first = '') =>
      `${first}${Math.imul(number, 0x9e37_79b1).toString(16).replace('-', 'f')}`.padEnd(length, 'a') as Oid
    const set = new OidSet(format)
    const added = [...Array(5000).keys()].flatMap((number) => [oidOf(number), oidOf(number, '00000000')])
    const others = [...Array(5000).keys()].flatMap((number) => [
      oidOf(number, '11'),
      oidOf(number, '00000000').replace(/a$/, 'b') as Oid,
    ])
    for (const oid of [...added, ...added.slice(0, 100)]) set.add(oid)
    assert.deepEqual(
      added.filter((oid) => !set.has(oid)),
      [],
    )
    const known = new Set(added)
    assert.deepEqual(
      others.filter((oid) => set.has(oid) !== known.has(oid)),
      [],
    )
    assert.equal(set.has('0'.repeat(length) as Oid), false)
    assert.equal(set.has('abcd' as Oid), false)
    assert.equal(set.size, known.size)
    const numbers = new Set([...known].map((oid) => set.numberOf(oid)))
    assert.equal(numbers.size, known.size)
    assert.ok(Math.max(...numbers) < added.length + 100)
    assert.equal(set.numberOf('0'.repeat(length) as Oid), -1)
  })

  test(`a set of ids that grows between lookups has what was added, ${format}`, () => {
    const oidOf = (number: number) => `${(number % 16).toString(16)}${number}`.padEnd(length, 'f') as Oid
    const set = new OidSet(format)
    assert.equal(set.has(oidOf(0)), false)
    for (let number = 0; number < 5000; number++) {
      set.add(oidOf(number))
      if (number % 7 !== 0) continue
      set.add(oidOf(number))
      assert.equal(set.has(oidOf(number)), true)
      assert.equal(set.has(oidOf(Math.floor(number / 2))), true)
      assert.equal(set.has(oidOf(number + 1)), false)
    }
  })
}
