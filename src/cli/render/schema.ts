import type { SchemaData } from '../../commands/schema.ts'
import { renderAsJson } from './as-json.ts'
import type { Renderer } from './renderer.ts'

/** A schema is JSON for people, too; that of one command without the list around it. */
export const renderSchema: Renderer<SchemaData> = ({ schemas }, view) => {
  const [only, ...others] = schemas
  return renderAsJson(others.length === 0 ? only : schemas, view)
}
