/** Object lookups when the log is read. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Event } from '../../../src/model/index.ts'
import { createCommandSandbox } from '../../support/command-runner.ts'
import { batchOf, comment, creation, issueId, segmentsOf } from '../../support/log.ts'
import { writeLog } from '../../support/snapshots.ts'

/** A repository whose log holds the issue aa. */
async function createLog(t: TestContext) {
  const { withRepository } = createCommandSandbox(t)
  const issue = issueId('aa')
  const append = (events: readonly Event[]) => withRepository(({ git }) => writeLog(git, [batchOf(events)]))
  await append([creation(issue, 'good')])
  return { issue, append, withRepository }
}

test('all events of one commit are read with four lookups', async (t) => {
  const { issue, append, withRepository } = await createLog(t)
  const head = await append([...Array.from({ length: 300 }, (_, index) => comment(issue, `${index}`))])
  await withRepository(async ({ git }) => {
    let lookups = 0
    const counting = {
      ...git,
      async *readHistory(options: Parameters<typeof git.readHistory>[0]) {
        for await (const entries of git.readHistory(options)) {
          for (const { files } of entries) lookups += 2 + files.length
          yield entries
        }
      },
    }
    assert.equal((await segmentsOf(counting, head)).flatMap(({ items }) => items).length, 301)
    // For each of the two commits: the commit, its tree and two files.
    assert.equal(lookups, 8)
  })
})
