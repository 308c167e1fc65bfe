import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Oid } from '../../../src/git/index.ts'
import { batchesOfMissing, type IssueSegment } from '../../../src/wal/index.ts'
import { countSteps } from '../../support/count-steps.ts'
import { strangeRecord } from '../../support/damage.ts'
import { batchOf, creation, issueId, segmentOf } from '../../support/log.ts'

const a = issueId('a0')

/** A commit of `size` records, with as many files beside its chunk. */
function crowded(size: number): IssueSegment {
  const records = Array.from({ length: size }, (_, index) => strangeRecord(a, 15, [`${index}`]))
  const segment = segmentOf(batchOf([creation(a)], { records }), '1'.repeat(40))
  const extras = Array.from({ length: size }, (_, index): [string, Oid] => {
    return [`ext/${index % 7}/${index}`, index.toString(16).padStart(40, '0') as Oid]
  })
  return { ...segment, extras: new Map(extras) }
}

it('the cost of a re-append grows linearly with records and files', () => {
  const works = [300, 600].map((size) => {
    const segment = crowded(size)
    return () => {
      const [batch, ...others] = batchesOfMissing([segment], () => true, 1_700_000_000_000)
      assert.deepEqual([batch?.records.length, batch?.extras?.size, others], [size, size, []])
    }
  })
  const [steps = 0, stepsOfTwice = 0] = countSteps(works)
  assert.ok(steps > 1000, `${steps} steps`)
  assert.ok(stepsOfTwice < 2.2 * steps, `${steps} steps for 300 records and files, ${stepsOfTwice} for 600`)
})
