import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { answerOfGit, answerOfGrite, buildLayout, compareWithGit, singleOddities } from './discovery-layouts.ts'
import { createSandbox } from './temp-repository.ts'

// Fixed for repeatable runs; test/long/discover-like-git.test.ts uses other seeds.
const seed = 20_260_504

test('findRepository agrees with git in generated layouts', async (t) => {
  const counts = await compareWithGit(createSandbox(t), { runs: 120, seed })
  t.diagnostic(JSON.stringify(counts))
  for (const [kind, count] of Object.entries(counts)) assert.ok(count > 10, `${kind}: ${count}`)
})

test('findRepository agrees with git on unusual HEAD, config and .git files', async (t) => {
  const sandbox = createSandbox(t)
  const wrong: string[] = []
  for (const [name, layout] of Object.entries(singleOddities())) {
    const root = join(sandbox.dir, name)
    mkdirSync(root)
    const built = buildLayout(sandbox, root, layout)
    const { answer } = await answerOfGrite(built)
    const expected = answerOfGit(built)
    if (JSON.stringify(answer) !== JSON.stringify(expected)) wrong.push(name)
  }
  assert.deepEqual(wrong, [])
})
