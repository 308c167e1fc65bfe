/** Pages of a history. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCommandSandbox } from '../../support/command-runner.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are read like JSON
type Data = any

test('a page of a history counts changes and holds their parts', async (t) => {
  let nowUnixMs = 1_700_000_000_000
  const place = createCommandSandbox(t, { nowUnixMs: () => (nowUnixMs += 1000) })
  const run = (name: string, input: object = {}): Promise<Data> => place.run(name, { ...input })
  await run('actor init', { label: 'ann' })
  const { issue_id: issue } = await run('issue create', { title: 'Crash', priority: 'P2' })
  await run('issue update', { issue: [issue], priority: 'P1' })
  await run('issue update', { issue: [issue], title: 'Crash on start', body: 'Long', priority: 'P0' })
  const whole = await run('issue history', { issue, reverse: true })
  const isChange = ({ part_of }: Data) => part_of === null
  const total = whole.entries.filter(isChange).length
  assert.ok(total < whole.total)
  for (const limit of [1, 2, 3]) {
    const seen: Data[] = []
    for (let after: string | null = null; ; ) {
      const page = await run('issue history', { issue, reverse: true, limit, ...(after === null ? {} : { after }) })
      assert.ok(page.next_cursor === null || page.entries.filter(isChange).length === limit)
      seen.push(...page.entries)
      after = page.next_cursor
      if (after === null) break
    }
    assert.deepEqual(seen, whole.entries)
  }
})
