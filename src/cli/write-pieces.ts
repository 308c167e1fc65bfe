import { gatherPieces } from '../tracker/export/gather-pieces.ts'
import type { TextSink } from './process-facts.ts'
import type { Rendered } from './render/renderer.ts'

/**
 * Writes a text, or its pieces in order at the speed of the reader.
 * @throws {ClosedPipeError} when the reader has closed the pipe
 */
export async function writePieces(sink: TextSink, output: Rendered): Promise<void> {
  if (output === '') return
  if (typeof output === 'string') return sink.write(output)
  for await (const piece of gatherPieces(output))
    await (typeof piece === 'string' ? sink.write(piece) : sink.writeBytes(piece))
}

/** Writes JSON. A terminal gets invisible characters as `\uXXXX`, still the same document; a program gets them unchanged. */
export async function writeJson(sink: TextSink, output: Rendered): Promise<void> {
  if (!sink.isTerminal) return writePieces(sink, output)
  const { escapeJson } = await import('./render/escape-for-terminal.ts')
  if (typeof output === 'string') return sink.write(escapeJson(output))
  for await (const piece of gatherPieces(output)) await sink.write(escapeJson(`${piece}`))
}
