/** Runs the layouts of test/git/discover-like-git.test.ts with other seeds. */
import { test } from 'node:test'
import { compareWithGit } from '../git/discovery-layouts.ts'
import { createSandbox } from '../git/temp-repository.ts'

test('findRepository agrees with git in 600 generated layouts', async (t) => {
  const seed = Number(process.env.DISCOVERY_SEED ?? Date.now() % 0x7fff_ffff)
  t.diagnostic(`seed ${seed}`)
  t.diagnostic(JSON.stringify(await compareWithGit(createSandbox(t), { runs: 600, seed })))
})
