import assert from 'node:assert/strict'
import { test } from 'node:test'
import { streamBenches } from '../../bench/streams/benches.ts'

/** The work that each bench has done: its last line. */
const results = new Map([
  ['stream-append', '10 records, digest df9122571f502e63'],
  ['stream-group', '2048 records, digest 6a09cf3d7bcad5c4'],
  ['stream-daemon', '170 records'],
  ['stream-produce', '2000 records'],
  ['stream-replay', '4096 records, digest c42ab29943898209'],
  ['stream-list', '4 and 9 streams'],
  ['stream-tiny', '8 records, digest 1953b71cc866e248'],
  ['stream-remote', '500 records restored'],
  ['stream-stored', '2000 records of 0.3 MiB: zstd 0.2 MiB, packed 0.2 MiB, loose 0.2 MiB'],
])

for (const { name, run } of streamBenches) {
  test(`the bench ${name} does its work`, async () => {
    const lines = await run({ small: true })
    assert.match(lines[0] ?? '', /(met|MISSED)/)
    assert.equal(lines.at(-1), results.get(name))
  })
}
