/** `export --since`. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Event } from '../../../src/model/index.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'
import { batchOf, comment, creation, issueId, recordOf } from '../../support/log.ts'
import { writeLog } from '../../support/snapshots.ts'

function setUp(t: TestContext) {
  const place = createCommandSandbox(t)
  return {
    ...place,
    append: (events: readonly Event[], records = events.map(recordOf)) =>
      place.withRepository((repository) => writeLog(repository.git, [batchOf(events, { records })])),
  }
}

test('export --since returns only later events, in every format', async (t) => {
  const { run, append } = setUp(t)
  const [a, b] = [issueId('a0'), issueId('b0')]
  const events = [creation(a, 'old'), ...['1', '2', '3', '4', '5'].map((body) => comment(a, body)), creation(b, 'new')]
  await append(events)
  const ids = events.map(({ eventId }) => eventId)
  assert.notDeepEqual(ids.toSorted(), ids)
  for (const [index, since] of ids.entries()) {
    const { content } = (await run('export', { format: 'json', since })) as {
      content: { events: { event_id: string }[] }
    }
    assert.deepEqual(content.events.map(({ event_id }) => event_id).sort(), ids.slice(index + 1).sort())
  }
  for (const format of ['md', 'csv']) {
    for (const since of [ids[5], String(events[5]?.tsUnixMs)]) {
      const { content } = (await run('export', { format, since })) as { content: string }
      assert.match(content, /\bnew\b/)
      assert.doesNotMatch(content, /\bold\b/)
    }
  }
})
