/** `doctor` on a log with a damaged event. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Event } from '../../../src/model/index.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'
import { withWrongId } from '../../support/damage.ts'
import { issueMaker } from '../../support/issue-maker.ts'
import { batchOf, comment, recordOf } from '../../support/log.ts'
import { writeLog } from '../../support/snapshots.ts'

function setUp(t: TestContext) {
  const place = createCommandSandbox(t)
  return {
    ...place,
    ...issueMaker(place),
    head: () => place.git(place.path, 'for-each-ref', '--format=%(objectname)', 'refs/grite/wal'),
    append: (events: readonly Event[], records = events.map(recordOf)) =>
      place.withRepository((repository) => writeLog(repository.git, [batchOf(events, { records })])),
  }
}

test('doctor --fix reports a damaged log and does not change it', async (t) => {
  const { append, head, outcome, create } = setUp(t)
  const id = await create('one')
  const note = comment(id, 'note')
  await append([note], [recordOf(note), withWrongId(recordOf(comment(id, 'damaged')))])
  const before = head()
  for (const fix of [true, false]) {
    const { data, exitStatus } = await outcome('doctor', { fix })
    const { checks } = data as { checks: { id: string; status: string }[] }
    assert.deepEqual([exitStatus, checks.find((check) => check.id === 'log_integrity')?.status], [1, 'error'])
  }
  assert.equal(head(), before)
})
