import { gatherPieces } from '../commands/gather-pieces.ts'
import type { TextSink } from './process-facts.ts'
import type { Rendered } from './render/renderer.ts'

/**
 * Writes a text, or its pieces one after the other as fast as the reader takes them.
 * @throws {ClosedPipeError} when nobody reads any more
 */
export async function writePieces(sink: TextSink, output: Rendered): Promise<void> {
  if (output === '') return
  if (typeof output === 'string') return sink.write(output)
  for await (const piece of gatherPieces(output)) await sink.write(piece)
}
