import type { GitPort, Oid } from '../../../git/index.ts'
import { GriteError } from '../../../model/index.ts'
import { streamRefPrefix } from '../../../model/streams/index.ts'
import { remoteRefOf, trackingRef } from '../../ref-names.ts'
import type { StreamSummary } from '../record-streams.ts'

export interface DivergedRef {
  readonly stream: StreamSummary
  /** The remote's commit, as of the last fetch or push. */
  readonly theirs: Oid
}

/**
 * Finds streams whose ref and the remote's each have commits that the other lacks. Does not use the network.
 *
 * @param streams - of this clone, ended ones included
 */
export async function findDivergedRefs(
  git: GitPort,
  remote: string,
  streams: readonly StreamSummary[],
): Promise<readonly DivergedRef[]> {
  const byRef = new Map(streams.map((stream) => [stream.ref, stream]))
  const found: DivergedRef[] = []
  for (const { ref, oid } of await git.listRefs(trackingRef(remote, streamRefPrefix), () => {})) {
    const stream = byRef.get(remoteRefOf(remote, ref))
    if (stream === undefined || stream.head === oid) continue
    if (await isAside(git, stream.head, oid)) found.push({ stream, theirs: oid })
  }
  return found
}

async function isAside(git: GitPort, ours: Oid, theirs: Oid): Promise<boolean> {
  try {
    return !(await git.isAncestor(theirs, ours)) && !(await git.isAncestor(ours, theirs))
  } catch (error) {
    // A fetched commit that is unreadable has a check of its own.
    if (error instanceof GriteError) return false
    throw error
  }
}
