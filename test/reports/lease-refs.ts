import assert from 'node:assert/strict'
import type { CleanUp } from '../git/temp-repository.ts'
import { createTeamScene } from '../tracker/locks/lock-clones.ts'
import { makeClosedClaims } from './claimed-issues.ts'

/** Asserts that `count` claimed and closed issues leave at most 200 refs on the remote a day later. */
export async function leaveFewLeases(t: CleanUp, count: number): Promise<void> {
  const team = await createTeamScene(t, 'ann', 'bo')
  const [ann, bo] = team.clones
  await makeClosedClaims(team, ann, count)
  assert.equal(team.leases().length, count)
  team.clock.nowUnixMs += 86_400_000 + 1000
  const { claims } = await bo.run('sync')
  const left = team.refs('refs', team.origin)
  assert.ok(left.length <= 200, `${left.length} refs, ${claims.collected} deleted`)
  await ann.run('sync')
  assert.ok(team.refs('refs/grite-remotes', ann.path).length <= 200)
  assert.deepEqual([...ann.warned(), ...bo.warned()], [])
}
