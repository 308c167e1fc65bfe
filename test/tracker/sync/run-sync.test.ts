import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSync } from '../../../src/tracker/sync/run-sync.ts'
import { createClones } from '../../sync/clones.ts'

test('optimization is postponed only when the two sides differ', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  let count = 0
  const context = {
    progress: () => ({ report() {}, end() {} }),
    clock: { nowUnixMs: Date.now },
    random: { bytes: (size: number) => new Uint8Array(size) },
    warn() {},
    postponeOptimization: () => void count++,
  }
  const counts: number[] = []
  const sync = async (member: typeof ann) => {
    count = 0
    const remote = { name: 'origin', isHome: true }
    await member.withRepository((repository) => runSync(context, repository, remote, { pull: true, push: true }))
    counts.push(count)
  }
  await ann.create('One')
  for (const member of [ann, ann, bo, bo]) await sync(member)
  assert.deepEqual(counts, [1, 0, 1, 0])
})
