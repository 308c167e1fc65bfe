import type { GitPort, Oid } from '../git/index.ts'
import { findGaps } from './find-gaps.ts'
import { stageJoin } from './issue-log/join.ts'
import { walRef } from './ref-names.ts'
import { findParentByReflog } from './sound-head.ts'

/** Missing commits of one chain that are gone around. */
const holesMax = 16

/**
 * Puts the log around commits that are missing: what stands above one is re-appended onto what stood below it by the
 * reflog. Nothing readable is left behind, and what a missing commit held is put back should it be found.
 *
 * @returns the new head; null when that cannot be done: nobody knows what stood below, or more than commits is missing
 */
export async function rejoinAround(git: GitPort, head: Oid, nowUnixMs: number): Promise<Oid | null> {
  const sound = await soundOf(git, head, nowUnixMs, holesMax)
  if (sound === null || sound === head) return null
  const reflogMessage = 'grite: rejoin around missing commits'
  const update = { ref: walRef, expected: head, next: sound, reflogMessage, keepsReflog: true }
  await git.publish({ objects: [], updates: [update] })
  return sound
}

/** A head that holds what can be read at and below another, and lacks nothing. */
async function soundOf(git: GitPort, head: Oid, nowUnixMs: number, holesLeft: number): Promise<Oid | null> {
  const { gaps, count } = await findGaps(git, head)
  const [hole] = gaps
  if (hole === undefined) return head
  if (count > 1 || hole.kind !== 'commit' || hole.reason === 'shallow' || holesLeft === 0) return null
  const below = await findParentByReflog(git, hole.objectId)
  if (below === undefined) return null
  const onto = below === null ? null : await soundOf(git, below, nowUnixMs, holesLeft - 1)
  if (below !== null && onto === null) return null
  return (await stageJoin(git, { from: head, onto, base: null, mayRepeat: false, nowUnixMs })).head
}
