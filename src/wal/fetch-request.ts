import type { FetchRequest, RefName } from '../git/index.ts'
import { isFollowedBeside, streamRefspec, streamStart } from './ref-names.ts'
import type { RefsAlongside, SyncRequest } from './sync-request.ts'

/** The fetch of a stream and of the refs alongside. */
export function fetchRequestOf(
  stream: RefName,
  { remote, alongside, onProgress }: Pick<SyncRequest<never>, 'remote' | 'alongside' | 'onProgress'>,
): FetchRequest {
  return {
    remote,
    refspecs: [streamRefspec(remote, stream), ...(alongside?.refspecs ?? [])],
    refsMax: followedBeside(stream, alongside),
    isFollowed: (ref) => isFollowedBeside(stream, ref),
    onProgress,
  }
}

/**
 * How many refs a sync follows, by the left side of a refspec: one stream, and of the refs alongside as many as they
 * allow.
 */
export function followedBeside(stream: RefName, alongside?: Pick<RefsAlongside, 'refsMax'>): (left: string) => number {
  return (left) => (left === streamStart(stream) ? 1 : (alongside?.refsMax(left) ?? Number.POSITIVE_INFINITY))
}
