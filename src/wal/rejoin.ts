import type { GitPort, Oid } from '../git/index.ts'
import { findGaps } from './find-gaps.ts'
import { stageJoin } from './join-ref.ts'
import type { Segment } from './segment-codec.ts'
import { findParentByReflog } from './sound-head.ts'
import { type UnionStream, updateOf } from './stream.ts'

/** Missing commits of one chain that are bypassed. */
const holesMax = 16

/**
 * Moves a stream around missing commits: commits above one are re-appended onto its predecessor from the reflog.
 * Nothing readable is lost, and a missing commit's items are restored if it is found later.
 *
 * @returns the new head; null when that is impossible: the predecessor is unknown, or more than commits is missing
 */
export async function rejoinAround<Batch, Item, Sealed extends Segment<Item>>(
  git: GitPort,
  stream: UnionStream<Batch, Item, Sealed>,
  { head, nowUnixMs }: { readonly head: Oid; readonly nowUnixMs: number },
): Promise<Oid | null> {
  const sound = await soundOf({ git, stream, nowUnixMs }, head, holesMax)
  if (sound === null || sound === head) return null
  const reflogMessage = 'grite: rejoin around missing commits'
  const update = updateOf(stream, { expected: head, next: sound, reflogMessage })
  await git.publish({ objects: [], updates: [update] })
  return sound
}

interface Rejoin<Batch, Item, Sealed extends Segment<Item>> {
  readonly git: GitPort
  readonly stream: UnionStream<Batch, Item, Sealed>
  readonly nowUnixMs: number
}

/** A complete head with the readable items at and below another. */
async function soundOf<Batch, Item, Sealed extends Segment<Item>>(
  target: Rejoin<Batch, Item, Sealed>,
  head: Oid,
  holesLeft: number,
): Promise<Oid | null> {
  const { git, stream, nowUnixMs } = target
  const { gaps, count } = await findGaps(git, stream, head)
  const [hole] = gaps
  if (hole === undefined) return head
  if (count > 1 || hole.kind !== 'commit' || hole.reason === 'shallow' || holesLeft === 0) return null
  const below = await findParentByReflog(git, stream.ref, hole.objectId)
  if (below === undefined) return null
  const onto = below === null ? null : await soundOf(target, below, holesLeft - 1)
  if (below !== null && onto === null) return null
  return (await stageJoin(git, stream, { from: head, onto, base: null, mayRepeat: false, nowUnixMs })).head
}
