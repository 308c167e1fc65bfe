import type { GitPort, Oid, RefName } from '../../git/index.ts'
import { parseStreamRef, type StreamId, streamRefOf, streamRefPrefix } from '../../model/streams/index.ts'

/** The ref of one generation of a stream. */
export function refOfStream(id: StreamId, generation: number): RefName {
  return streamRefOf(id, generation) as RefName
}

export interface FoundStreamRef {
  readonly ref: RefName
  readonly oid: Oid
  readonly encoded: string
  readonly generation: number
}

export type OnBadRef = (ref: RefName, oid: Oid | null, reason: string) => void

/** All refs of streams, by name. */
export async function listStreamRefs(git: GitPort, onBadRef: OnBadRef): Promise<readonly FoundStreamRef[]> {
  const rows = await git.listRefs(streamRefPrefix, (ref, reason) => onBadRef(ref, null, reason))
  return rows.flatMap(({ ref, oid }) => {
    const parsed = parseStreamRef(ref)
    if (parsed !== null) return [{ ref, oid, ...parsed }]
    onBadRef(ref, oid, 'is not the name of a stream')
    return []
  })
}
