/** Damaged remotes, end to end. `npm run soak -- foreign` runs more of them. */
import { test } from 'node:test'
import { playDamagedRemote } from '../sync/damaged-remote.ts'

for (const seed of [1, 2, 3]) {
  test(`no command fails with an internal error on a damaged remote (seed ${seed})`, (t) => playDamagedRemote(t, seed))
}
