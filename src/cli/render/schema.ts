import type { SchemaData } from '../../commands/schema.ts'
import { renderAsJson } from './as-json.ts'
import type { Renderer } from './renderer.ts'

/** Prints schemas as JSON, even for people; a single schema without the enclosing list. */
export const renderSchema: Renderer<SchemaData> = ({ schemas }, view) => {
  const [only, ...others] = schemas
  return renderAsJson(others.length === 0 ? only : schemas, view)
}
