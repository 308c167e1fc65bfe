import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createCrashSandbox, type DieAt } from '../tracker/crashed-command.ts'

interface Counts {
  readonly event_count: number
  readonly commit_count: number
}

describe('a killed import', { concurrency: 4 }, () => {
  const lines = Array.from({ length: 700 }, (_, index) =>
    JSON.stringify({
      id: `bd-${index}`,
      title: `Issue ${index}`,
      description: 'x',
      status: index % 3 === 0 ? 'closed' : 'open',
      priority: index % 5,
      issue_type: 'task',
      created_at: '2026-01-01T00:00:00Z',
      updated_at: '2026-01-02T00:00:00Z',
    }),
  )

  /** Number of events that an undisturbed import writes. */
  const eventsOfTracker = 4201
  it('an undisturbed import writes the tracker in several commits', async (t) => {
    const log = await createCrashSandbox(t)
    const { event_count, commit_count } = (await log.run('import', { file: writeTracker(log.dir) })) as Counts
    assert.equal(event_count, eventsOfTracker)
    assert.ok(commit_count > 1)
  })

  function writeTracker(dir: string): string {
    mkdirSync(join(dir, 'tracker'))
    const file = join(dir, 'tracker', 'issues.jsonl')
    writeFileSync(file, `${lines.join('\n')}\n`)
    return file
  }

  const points: Readonly<Record<string, DieAt>> = {
    'between two batches': { publish: 'published', nth: 1 },
    'before the second ref': { publish: 'objects-written', nth: 2 },
    'inside the view’s second batch': { viewBatch: 'inside', nth: 2 },
  }
  for (const [title, dieAt] of Object.entries(points)) {
    it(`an import killed ${title} is completed by running it again`, async (t) => {
      const log = await createCrashSandbox(t)
      const file = writeTracker(log.dir)
      await log.runAndDie([{ name: 'import', input: { file } }], dieAt)
      const half = await log.ids()
      assert.ok(half.length > 1000, `${half.length} events`)
      const finished = (await log.run('import', { file })) as { event_count: number; malformed: number }
      assert.equal(finished.malformed, 0)
      assert.equal(half.length - 1 + finished.event_count, eventsOfTracker)
      const again = (await log.run('import', { file })) as { event_count: number }
      assert.equal(again.event_count, 0)
      assert.equal((await log.assertSound()).length, 701)
    })
  }
})
