import type { BatchData } from '../../commands/batch.ts'
import { escapeJson } from './escape-for-terminal.ts'
import type { PieceRenderer } from './renderer.ts'

/** One JSON line for each operation, in their order: what goes in as NDJSON comes out as NDJSON. */
export const renderBatch: PieceRenderer<BatchData> = function* ({ results }, { width }) {
  for (const result of results) {
    const line = `${JSON.stringify(result)}\n`
    yield width === null ? line : escapeJson(line)
  }
}
