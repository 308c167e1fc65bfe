import type { Renderer } from './renderer.ts'

interface BatchData {
  readonly results: readonly unknown[]
}

/** One JSON line for each operation, in their order: what goes in as NDJSON comes out as NDJSON. */
export const renderBatch: Renderer<BatchData> = ({ results }) =>
  results.map((result) => `${JSON.stringify(result)}\n`).join('')
