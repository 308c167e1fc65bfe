import { formatJson, JsonText } from '../../tracker/export/json-pieces.ts'
import type { RowText } from '../../view/index.ts'

/**
 * A row with further members, for a JSON document: the row's text is used as it is stored. In the document, the result is
 * the object.
 */
export function extendRow<Row extends object, Added extends object>(
  row: RowText,
  parsed: () => Row,
  added: Added,
): Row & Added {
  const text = `${row.text.slice(0, -1)},${formatJson(added, 'compact').slice(1)}`
  const object: unknown = new JsonText(text, () => ({ ...parsed(), ...added }))
  return object as Row & Added
}
