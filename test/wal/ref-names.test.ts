import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRefName } from '../../src/git/index.ts'
import { encodeNamePart, limits } from '../../src/model/index.ts'
import {
  followedBeside,
  followedRefsMax,
  leasePrefix,
  refspecsAlongside,
  remoteRefOf,
  streamRefspec,
  trackingPrefix,
  trackingRef,
  walRef,
} from '../../src/wal/index.ts'

test('a tracking ref encodes the remote and its ref', () => {
  const place = 'refs/grite-remotes/og5hhvmaolrg1vaee3ofe2ikd27corpd/'
  assert.equal(trackingPrefix('origin'), place)
  assert.equal(trackingRef('origin', walRef), `${place}grite/wal`)
  assert.equal(trackingRef('origin', `${leasePrefix}00ff`), `${place}grite-leases/00ff`)
})

for (const remote of ['origin', 'a/b', 'https://example.com/x.git?a=b', '../näher', '']) {
  test(`a remote ref is parsed back from its tracking ref of ${JSON.stringify(remote)}`, () => {
    for (const ref of [walRef, `${leasePrefix}00ff`]) {
      const tracking = trackingRef(remote, ref)
      assert.equal(parseRefName(tracking), tracking)
      assert.equal(remoteRefOf(remote, tracking), ref)
    }
    assert.match(encodeNamePart(remote), /^[0-9a-v]{32}$/)
  })
}

test('ref limits of a fetch match the limits table', () => {
  const { followedLeasesMax, followedLocksMax, followedSnapshotsMax } = limits
  const refsMax = followedBeside(walRef, { refsMax: followedRefsMax })
  assert.deepEqual(
    [streamRefspec('origin', walRef), ...refspecsAlongside('origin')]
      .map((refspec) => refsMax(refspec.replace(/^\+?(.*?)\*?:.*$/, '$1')))
      .sort((a, b) => a - b),
    [1, followedSnapshotsMax, followedLocksMax, followedLeasesMax],
  )
})
