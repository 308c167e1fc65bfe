import type { Progress } from '../effects.ts'
import type { Piece } from './json-pieces.ts'

/** Small texts are joined up to this length, to save system calls. */
const gatheredLength = 128 * 1024

/**
 * Joins small pieces of a text; bytes stay as they are.
 *
 * @param progress - reports millions of characters
 */
export async function* gatherPieces(
  pieces: Iterable<Piece> | AsyncIterable<Piece>,
  progress?: Progress,
): AsyncGenerator<Piece> {
  let waiting: string[] = []
  let length = 0
  let done = 0
  for await (const piece of pieces) {
    const isText = typeof piece === 'string'
    if (isText) waiting.push(piece)
    length += piece.length
    if (isText && length < gatheredLength) continue
    done += length
    progress?.report(Math.floor(done / 1e6), null)
    if (waiting.length > 0) yield waiting.join('')
    if (!isText) yield piece
    waiting = []
    length = 0
  }
  if (length > 0) yield waiting.join('')
}
