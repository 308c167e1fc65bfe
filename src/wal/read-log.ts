import type { GitPort, Oid } from '../git/index.ts'
import { limits } from '../model/index.ts'
import type { Segment, SegmentCodec } from './segment-codec.ts'

/**
 * Reads a stream's segments, parents before children, verified. What is damaged is named in `problems`.
 *
 * @param exclude - segments reachable from these commits are left out (they are applied already)
 */
export async function* readLog<Batch, Item, Sealed extends Segment<Item>>(
  git: GitPort,
  codec: SegmentCodec<Batch, Item, Sealed>,
  { head, exclude = [] }: { readonly head: Oid; readonly exclude?: readonly Oid[] },
): AsyncGenerator<readonly Sealed[]> {
  for await (const entries of git.readHistory({ head, exclude, blobBytesMax: limits.chunkReadBytesMax })) {
    yield entries.map((entry) => codec.decode(entry))
  }
}
