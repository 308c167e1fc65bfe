import type { BatchData } from '../../commands/batch.ts'
import { escapeJson } from './escape-for-terminal.ts'
import type { PieceRenderer } from './renderer.ts'

/** One JSON line per operation, in order: NDJSON in, NDJSON out. */
export const renderBatch: PieceRenderer<BatchData> = function* ({ results }, { width }) {
  for (const result of results) {
    const line = `${JSON.stringify(result)}\n`
    yield width === null ? line : escapeJson(line)
  }
}
