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
  })
}
