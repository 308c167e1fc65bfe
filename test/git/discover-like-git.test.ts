import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareWithGit } from './discovery-scenes.ts'
import { createSandbox } from './temp-repository.ts'

// Fixed, so that a run says the same as the one before; test/long/discover-like-git.test.ts takes others.
const seed = 20_260_504

test('finds in odd folders, environments and settings what git finds', async (t) => {
  const counts = await compareWithGit(createSandbox(t), { runs: 150, seed })
  t.diagnostic(JSON.stringify(counts))
  for (const [kind, count] of Object.entries(counts)) assert.ok(count > 10, `${kind}: ${count}`)
})
