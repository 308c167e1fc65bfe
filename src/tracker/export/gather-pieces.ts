import type { Progress } from '../effects.ts'

/** Small pieces are written together, so that a long text takes few system calls. */
const gatheredLength = 128 * 1024

/**
 * Puts small pieces of a text together.
 *
 * @param progress - reports how many millions of characters are done
 */
export async function* gatherPieces(
  pieces: Iterable<string> | AsyncIterable<string>,
  progress?: Progress,
): AsyncGenerator<string> {
  let waiting: string[] = []
  let length = 0
  let done = 0
  for await (const piece of pieces) {
    waiting.push(piece)
    length += piece.length
    if (length < gatheredLength) continue
    done += length
    progress?.report(Math.floor(done / 1e6), null)
    yield waiting.join('')
    waiting = []
    length = 0
  }
  if (length > 0) yield waiting.join('')
}
