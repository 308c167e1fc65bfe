import type { Progress } from '../effects.ts'

/** Small pieces are joined up to this length, to save system calls. */
const gatheredLength = 128 * 1024

/**
 * Joins small pieces of a text.
 *
 * @param progress - reports millions of characters
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
