/** The library in one process. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConflictError, InvalidArgsError, NotFoundError, openRepository } from '../../src/library/index.ts'
import { judgeRepository } from '../conformance/repository.ts'
import { createSandbox } from '../git/temp-repository.ts'

judgeRepository({
  name: 'openRepository',
  open: openRepository,
  errors: { ConflictError, InvalidArgsError, NotFoundError },
})

test('openRepository takes clock, randomness and actor from its options', async (t) => {
  const { dir, environment: env, git } = createSandbox(t)
  const cwd = join(dir, 'repository')
  git(dir, 'init', '-q', '-b', 'main', cwd)
  const fixed = {
    cwd,
    env,
    clock: { nowUnixMs: () => 1_800_000_000_000 },
    random: { bytes: (count: number) => new Uint8Array(count).fill(7) },
  }
  await using repo = await openRepository(fixed)
  const { actor_id } = await repo.actors.create({ label: 'ci' })
  assert.equal(actor_id, '07'.repeat(16))
  await using own = await openRepository({ ...fixed, actor: actor_id.slice(0, 8) })
  const { issue_id } = await own.issues.create({ title: 'Fixed' })
  assert.equal(issue_id, '07'.repeat(16))
  const { issue } = await own.issues.show(issue_id)
  assert.deepEqual([issue.created_ts, issue.author], [1_800_000_000_000, actor_id])
})
