import assert from 'node:assert/strict'
import type { CleanUp } from '../git/temp-repository.ts'
import { createActorClones } from '../tracker/locks/lock-clones.ts'
import { makeClosedClaims } from './claimed-issues.ts'

/** Asserts that `count` claimed and closed issues leave at most 200 refs on the remote a day later. */
export async function leaveFewLeases(t: CleanUp, count: number): Promise<void> {
  const setup = await createActorClones(t, 'ann', 'bo')
  const [ann, bo] = setup.clones
  await makeClosedClaims(setup, ann, count)
  assert.equal(setup.leases().length, count)
  setup.clock.nowUnixMs += 86_400_000 + 1000
  const { claims } = await bo.run('sync')
  const left = setup.refs('refs', setup.origin)
  assert.ok(left.length <= 200, `${left.length} refs, ${claims.collected} deleted`)
  await ann.run('sync')
  assert.ok(setup.refs('refs/grite-remotes', ann.path).length <= 200)
  assert.deepEqual([...ann.warned(), ...bo.warned()], [])
}
